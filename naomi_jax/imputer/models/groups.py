"""Columns in groups, each with a state space of its own: the work of a row grows with D^3.

Columns that move alike come into one group, by the correlation of what is known of both.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer.models import state_space
from naomi_jax.imputer.models.state_space import StateSpace
from naomi_jax.imputer.preparation.panel import Panel

LARGEST = 36  # columns of a group
MOST_COLUMNS = 8 * LARGEST  # of a table; a group takes some twenty seconds on two cores
_FEW = 100  # rows known in both below which a correlation is taken to be less than it seems


@dataclasses.dataclass(frozen=True)
class Groups:
    """State spaces of groups of columns.

    Attributes:
      columns: the columns of each group.
      models: of each group; columns beyond its own have no values.
    """

    columns: tuple[Int[np.ndarray, " G"], ...]
    models: tuple[StateSpace, ...]


def fit(
    panel: Panel,
    seed: int,
    until: Callable[[float], float] = lambda share: np.inf,
    before: Groups | None = None,
    at: Callable[[float], object] = lambda share: None,
) -> Groups:
    """For a panel in units of the scale, about its level.

    Args:
      panel: the table.
      seed: as in `state_space.fit`.
      until: when the groups up to a share of all should have been fitted.
      before: of nearly the same table, to go on from.
      at: is told the share that is done.
    """
    columns = tuple(split(panel.values, LARGEST)) if before is None else before.columns
    size = max(map(len, columns))
    models = []
    for number, part in enumerate(columns):
        known = None if before is None else before.models[number]
        end = until((number + 1) / len(columns))
        models.append(state_space.fit(_part(panel, part, size), seed, end, known))
        at((number + 1) / len(columns))
    return Groups(columns, tuple(models))


def smooth(groups: Groups, panel: Panel) -> Float[np.ndarray, "n D"]:
    """The mean of every entry given all that is observed."""
    return smooth_each(groups, panel, panel.values[None])[0]


def smooth_each(
    groups: Groups, panel: Panel, values: Float[np.ndarray, "K n D"]
) -> Float[np.ndarray, "K n D"]:
    """As `state_space.smooth_each`."""
    size = max(map(len, groups.columns))
    found = np.empty(values.shape)
    for part, model in zip(groups.columns, groups.models):
        own = np.zeros((*values.shape[:2], size))
        own[..., : len(part)] = values[..., part]
        smoothed = state_space.smooth_each(model, _part(panel, part, size), own)
        found[..., part] = smoothed[..., : len(part)]
    return found


def _part(panel, columns, size):
    """These columns, and as many without values as make `size`: one compiled program for all."""
    values = np.full((len(panel.values), size), np.nan)
    values[:, : len(columns)] = panel.values[:, columns]
    return dataclasses.replace(panel, values=values)


def split(values: Float[np.ndarray, "n D"], largest: int) -> list[Int[np.ndarray, " G"]]:
    """Groups of at most `largest` columns: the pairs that are most alike are joined first."""
    dim = values.shape[1]
    if dim <= largest:
        return [np.arange(dim)]
    alike = np.abs(_correlation(values))
    left, right = np.triu_indices(dim, 1)
    group = np.arange(dim)
    for pair in np.argsort(-alike[left, right], kind="stable"):
        a, b = group[left[pair]], group[right[pair]]
        if a != b and (group == a).sum() + (group == b).sum() <= largest:
            group[group == b] = a
    found = sorted((np.flatnonzero(group == one) for one in np.unique(group)), key=len)[::-1]
    return _packed(found, largest)


def _packed(groups, largest):
    """Small groups put together where there is room: fewer to fit."""
    packed = []
    for group in groups:
        for number, other in enumerate(packed):
            if len(other) + len(group) <= largest:
                packed[number] = np.sort(np.concatenate([other, group]))
                break
        else:
            packed.append(group)
    return packed


def _correlation(values):
    """(D, D), of the rows in which both columns are known."""
    known = ~np.isnan(values)
    seen = known.astype(float)
    x = np.where(known, values, 0)
    count = seen.T @ seen
    total, square, product = x.T @ seen, np.square(x).T @ seen, x.T @ x
    rows = np.maximum(count, 1)
    variance = square / rows - np.square(total / rows)
    covariance = product / rows - total * total.T / np.square(rows)
    scale = np.sqrt(np.maximum(variance * variance.T, 1e-300))
    return np.where(count > 1, covariance / scale, 0) * count / (count + _FEW)
