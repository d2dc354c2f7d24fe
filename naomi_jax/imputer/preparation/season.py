"""What repeats: the mean of each phase of each cycle, as random effects.

    x = center + s_1[phase 1] + s_2[phase 2] + ... + e,    s_k ~ N(0, v_k),  e ~ N(0, r)

The cycles go from short to long (hour of the day, then hour of the week), each on what those before
it leave. v_k / r has the greatest likelihood (a one-way random effects model, Searle, Casella and
McCulloch 1992, chapter 3), and the means are the best linear predictions given it: what repeats
without noise comes back whole, and where likelihood hardly rises there is no season.
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.panel import Panel

# Of v / r: none, then up to where a mean of two entries is shrunk by one part in 1e9.
_RATIOS = np.concatenate([[0.0], np.geomspace(1e-4, 1e9, 53)])
# Twice the gain in log likelihood that chance alone exceeds in one case of a hundred, where the
# variance is none: half of the 2 % point of chi-square with one degree (Self and Liang 1987).
_CHANCE = 5.41


@dataclasses.dataclass(frozen=True)
class Season:
    """The column's level and what each phase of each cycle adds.

    Attributes:
      center: (D,) the column's mean.
      means: for each cycle of the calendar (P, D); zeros where the data show no such season.
    """

    center: Float[np.ndarray, " D"]
    means: tuple[Float[np.ndarray, "P D"], ...] = ()

    def __call__(self, calendar: Calendar, panel: Panel) -> Float[np.ndarray, "n D"]:
        """What each row's phases say; the column's mean without stamps."""
        told = np.broadcast_to(self.center, panel.values.shape)
        for (phase, _), mean in zip(calendar.phases(panel), self.means):
            told = told + mean[phase]
        return told

    @property
    def found(self) -> bool:
        """Whether any column has a season."""
        return any(mean.any() for mean in self.means)


def fit(calendar: Calendar, panel: Panel) -> Season:
    """The seasons that the data show."""
    observed = panel.observed
    center = np.where(observed, panel.values, 0).sum(0) / np.maximum(observed.sum(0), 1)
    rest = np.where(observed, panel.values - center, 0)
    means = []
    for phase, size in calendar.phases(panel):
        mean = _effects(rest, observed, phase, size)
        means.append(mean)
        rest = np.where(observed, rest - mean[phase], 0)
    return Season(center, tuple(means))


def _effects(
    rest: Float[np.ndarray, "n D"], observed: np.ndarray, phase: Int[np.ndarray, " n"], size: int
) -> Float[np.ndarray, "P D"]:
    """The predicted effect of each phase and column."""
    total, number, square = _sums(rest, observed, phase, size)
    mean = total / np.maximum(number, 1)
    within = np.maximum(square.sum(0) - (number * np.square(mean)).sum(0), 0)
    # A column that is exact but for rounding has no noise; its logarithm must exist.
    within = within + 1e-20 * square.sum(0) + 1e-300
    entries = number.sum(0)
    best, least = np.zeros(rest.shape[1]), None
    for ratio in _RATIOS:
        inflated = 1 + ratio * number
        spread = within + (number * np.square(mean) / inflated).sum(0)
        cost = np.log(inflated).sum(0) + entries * np.log(spread)
        if least is None:
            least = cost - _CHANCE
            continue
        best = np.where(cost < least, ratio, best)
        least = np.minimum(cost, least)
    return mean * (best * number / (1 + best * number))


def _sums(values, observed, phase, size):
    """Sum, number and sum of squares of the observed values in each bin, (size, D) each."""
    order = np.argsort(phase, kind="stable")
    edges = np.searchsorted(phase[order], np.arange(size))
    some = np.diff(np.append(edges, len(phase))) > 0
    found = []
    for part in (np.where(observed, values, 0), observed, np.where(observed, values, 0) ** 2):
        whole = np.zeros((size, values.shape[1]))
        whole[some] = np.add.reduceat(part[order].astype(float), edges[some], axis=0)
        found.append(whole)
    return found
