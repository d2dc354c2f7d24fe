"""The candidate "network": the level-parallel encoder corrects what the state space says.

It takes minutes, and brings a few percent where it brings anything (docs/benchmarks.md): only where
it is asked for.
"""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.models import correction, cycles, linear, pools
from naomi_jax.imputer.models.candidate import Given, Learning, Model
from naomi_jax.imputer.models.correction import Prior, Settings, Windows
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.parallel.config import ParallelConfig

NAME = "network"
_MOST_JOINT = 64  # columns that a network reads by a dense layer; with more it overfits


@dataclasses.dataclass(frozen=True)
class Network:
    """A trained network.

    Attributes:
      params: of `correction.fit`.
      corrects: the candidate whose fill it corrects; "" where there is none.
      alike: of the level that both are about.
      error: (D, CLASSES) typical errors of that candidate in units of the scale, or None.
    """

    params: Any
    corrects: str
    alike: float
    error: Float[np.ndarray, "D C"] | None
    name: str = NAME

    def fill(self, given, wanted):
        """As the protocol says."""
        scale = given.preparation.scaling
        about, level = linear.about(given, self.alike)
        prior = None
        if self.error is not None:
            mean = given.in_scale(self.corrects) - level
            prior = Prior(mean, self.error[np.arange(mean.shape[1]), given.kinds])
        window = given.preparation.window
        filled = correction.fill(self.params, about, prior, scale, window, wanted)
        return given.restored(filled + level)


def fit(given: Given, learning: Learning):
    """One where it is asked for; it learns from the rows that are not kept aside, once."""
    if NAME in learning.kept:
        return (learning.kept[NAME],)
    chain = [learning.kept[n] for n in (linear.NAME, cycles.NAME) if n in learning.kept]
    corrects, alike = (chain[-1].name, chain[-1].alike) if chain else ("", 1.0)

    def corrected(table):
        _, level = linear.about(table, alike)
        everything = np.ones(table.panel.values.shape, bool)
        for candidate in chain:
            table.fills[candidate.name] = candidate.fill(table, everything)
        return (table.in_scale(corrects) - level if chain else None), level

    pool, error = pools.make(given, learning, corrected)
    settings = training_settings(given.panel, given.preparation.window)
    params = correction.fit(
        pool, sizes(pool), settings, learning.seed, learning.until, lambda s, _: learning.at(s)
    )
    return (Network(params, corrects, alike, error),)


def sizes(pool: Windows) -> ParallelConfig:
    """Of a network for these windows."""
    dim = pool.x.shape[-1]
    shared = dim > _MOST_JOINT
    return ParallelConfig(
        dim=dim,
        covariates=pool.covariates.shape[-1],
        width=32 if shared else 64,
        depth=2,
        states=32,
        columns="shared" if shared else "joint",
    )


def training_settings(panel: Panel, window: int) -> Settings:
    """Of its training."""
    observed = int(panel.observed.sum())
    return Settings(
        batch=32,
        targets=min(window, 48),
        updates=int(np.clip(observed / 40, 500, 5000)),
    )


MODEL = Model("network", fit, (Network,), network=True)
