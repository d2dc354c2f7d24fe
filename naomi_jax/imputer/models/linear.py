"""The candidate "state space": what follows from the columns' own past and future, and each other.

A short series is filled about a level: the mean of what it shows, drawn toward the columns' own by
as many entries as held-out windows are filled best with. Its whole mean would be lost to the others
- that all is high today is what tells of a column with two entries -, and without it a series from
elsewhere would be drawn to where it never was.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.models import groups
from naomi_jax.imputer.models.candidate import Given, Learning, Model
from naomi_jax.imputer.models.groups import Groups
from naomi_jax.imputer.models.state_space import StateSpace
from naomi_jax.imputer.preparation import scaling
from naomi_jax.imputer.preparation.panel import Panel

NAME = "state space"
FEWEST_ROWS = 400  # observed, below which there is too little to fit one to
_ALIKE = (1.0, 10.0, 100.0, 1000.0)
_LEVEL_WINDOWS, _MOST_DRAWS = 320, 16  # that are hidden to choose one of them
_NEARLY = 1.01


@dataclasses.dataclass(frozen=True)
class Linear:
    """A state space of the columns.

    Attributes:
      model: of what the season leaves, in units of the scale, about a level.
      alike: entries of a series that say as much of its level as one that is independent of the
        others would.
    """

    model: Groups
    alike: float
    name: str = NAME

    def fill(self, given, wanted):
        """As the protocol says."""
        level_free, level = about(given, self.alike)
        return given.restored(groups.smooth(self.model, level_free) + level)


def about(given: Given, alike: float) -> tuple[Panel, Float[np.ndarray, "n D"]]:
    """What is smoothed: the scaled table about its level, and the level."""
    return scaling.levelled(given.scaled, given.preparation.scaling, alike)


def fit(given: Given, learning: Learning):
    """One where a column has enough rows and there are not too many columns."""
    wide = given.panel.values.shape[1] > groups.MOST_COLUMNS
    if wide or not (given.panel.observed.sum(0) >= FEWEST_ROWS).any():
        return ()
    before = learning.kept.get(NAME)
    mine = dataclasses.replace(given, panel=given.panel.without(~learning.rows[:, None]))
    level_free, _ = about(mine, _ALIKE[0] if before is None else before.alike)
    known = None if before is None else before.model
    model = groups.fit(level_free, learning.seed, learning.share, known, learning.at)
    alike = _best_alike(model, given, learning) if before is None else before.alike
    return (Linear(model, alike),)


def _best_alike(model, given, learning):
    """How much of its mean is taken off a short series, by windows that were kept aside."""
    panel, scale = given.scaled, given.preparation.scaling
    windows = learning.windows
    error = np.zeros(len(_ALIKE))
    for number in range(min(-(-_LEVEL_WINDOWS // len(windows)), _MOST_DRAWS)):
        # Not the patterns by which the fill is judged later.
        hidden = learning.hidden(panel, windows, 2000 + number, 1)
        shown, rows = panel.without(hidden).pieces(windows)
        judged = hidden[rows]
        parts = [scaling.levelled(shown, scale, alike) for alike in _ALIKE]
        values = np.stack([about.values for about, _ in parts])
        means = groups.smooth_each(model, shown, values)
        for place, (mean, (_, level)) in enumerate(zip(means, parts)):
            error[place] += np.square((mean + level - panel.values[rows])[judged]).sum()
        if learning.late:
            break
    # The first that is nearly the best: these rows lie between those that were learned from, and
    # what comes later will have drifted further.
    return _ALIKE[int(np.flatnonzero(error <= _NEARLY * error.min())[0])]


MODEL = Model("state space", fit, (Linear, Groups, StateSpace))
