"""What an imputer has learned of one kind of table, and how it fills another of that kind.

    prepare -> every candidate fills -> blend -> bounds, constants

Everything here is arrays: rows sorted in time, columns in the order of the fit. Values are
stabilized (preparation/stabilizing.py), but for the straight line's: it is that of the data.
"""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int

from naomi_jax.imputer.judging.intervals import Residuals
from naomi_jax.imputer.judging.judge import fills
from naomi_jax.imputer.judging.stacking import Blend
from naomi_jax.imputer.models.candidate import Candidate, Given
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.imputer.preparation.preparation import Preparation


@dataclasses.dataclass(frozen=True)
class Engine:
    """Fitted.

    Attributes:
      preparation: what is done to a table before it is filled.
      candidates: in the order in which they fill.
      blend: their weights.
      residuals: errors of the fill on held-out entries.
    """

    preparation: Preparation
    candidates: tuple[Candidate, ...]
    blend: Blend
    residuals: Residuals

    def fill(
        self, panel: Panel, wanted: Bool[np.ndarray, "n D"]
    ) -> tuple[Float[np.ndarray, "n D"], Int[np.ndarray, "n D"]]:
        """The best fill of the wanted entries, and the class of each entry."""
        given = Given(self.preparation.clean(panel), self.preparation)
        found = self.blend(fills(self.candidates, given, wanted), given.kinds)
        return self.preparation.bounded(panel, found), given.kinds
