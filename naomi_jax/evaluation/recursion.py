"""The recursion, step by step: what is known, what is decoded, from which two states (Figure 1)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from naomi_jax.evaluation.tables import Fitted
from naomi_jax.recursion.model import config_of
from naomi_jax.recursion.schedule import Schedule, make_schedule


class Frame(NamedTuple):
    """What one tick with a head shows.

    Attributes:
      step: the step decoded.
      level: l of its head.
      left: the last step consumed, c; -1 is the virtual one before the sequence.
      right: the step of the right pivot, c + 2s; T is the virtual one after it.
      known: steps with a value before this tick, observed or decoded.
    """

    step: int
    level: int
    left: int
    right: int
    known: tuple[int, ...]


def frames(schedule: Schedule, mask: np.ndarray) -> list[Frame]:
    """One frame for each decoded step, in the schedule's order.

    Args:
      schedule: of one mask, with (N,) fields.
      mask: (T,) that it was made from.
    """
    head, step, forward = (np.asarray(f) for f in (schedule.head, schedule.step, schedule.forward))
    known = [int(t) for t in np.flatnonzero(np.asarray(mask) != 0)]
    result = []
    for tick in np.flatnonzero(head > 0):
        level, here = int(head[tick]) - 1, int(step[tick])
        left = int(forward[tick]) - schedule.steps - 1
        result.append(Frame(here, level, left, here + 2**level, tuple(sorted(known))))
        known.append(here)
    return result


def of_models(models: Sequence[Fitted], mask: np.ndarray) -> tuple[str, list[Frame]] | None:
    """Title and frames of the first model that fills by recursion; None without one or with no holes."""
    for model in models:
        if model.title in ("NAOMI", "SingleRes"):
            shown = frames(make_schedule(mask, config_of(model.params).levels), mask)
            return (model.title, shown) if shown else None
    return None
