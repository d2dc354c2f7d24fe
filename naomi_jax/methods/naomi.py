"""NAOMI, the paper's method: coarse to fine, one step at a time (naomi_jax/recursion)."""

import dataclasses

import numpy as np

from naomi_jax.fields import between, setting
from naomi_jax.methods import registry
from naomi_jax.methods.method import Frame, Method
from naomi_jax.methods.shared import losses
from naomi_jax.recursion import model
from naomi_jax.recursion.cells import gru
from naomi_jax.recursion.decoding.schedule import make_schedule
from naomi_jax.recursion.impute import impute


@dataclasses.dataclass(frozen=True)
class NaomiSettings(model.Sizes):
    """Sizes of a NAOMI model, and how its GRUs start."""

    rotation: float = setting(
        0.0,
        "GRUs start as slow oscillators that turn by up to this angle a step (radians); 0 starts "
        "them as torch does. Not in the paper.",
        between(0, np.pi),
    )

    def model(self, dim: int) -> model.ModelConfig:
        """The ModelConfig for D = dim."""
        names = [field.name for field in dataclasses.fields(model.Sizes)]
        return model.ModelConfig(dim=dim, **{name: getattr(self, name) for name in names})


def init(key, settings: NaomiSettings, dim: int) -> model.Params:
    """Fresh parameters."""
    start = gru.rotations(settings.rotation) if settings.rotation else None
    return model.init(key, settings.model(dim), recurrent_init=start)


def teacher_forced(params, x, mask, key, given):
    """`losses.teacher_forced`, which draws nothing."""
    del key, given
    return losses.teacher_forced(params, x, mask)


def frames(params, mask) -> list[Frame]:
    """The recursion under one mask, a frame for each decoded step in the schedule's order."""
    return frames_of(make_schedule(mask, model.config_of(params).levels), mask)


def frames_of(schedule, mask) -> list[Frame]:
    """One frame for each decoded step, in the schedule's order.

    Args:
      schedule: of one mask, with (N,) fields.
      mask: (T,) that it was made from.
    """
    head, step, forward = (np.asarray(f) for f in (schedule.head, schedule.step, schedule.forward))
    known = [int(t) for t in np.flatnonzero(np.asarray(mask) != 0)]
    found = []
    for tick in np.flatnonzero(head > 0):
        level, here = int(head[tick]) - 1, int(step[tick])
        left = int(forward[tick]) - schedule.steps - 1
        found.append(Frame(here, level, left, here + 2**level, tuple(sorted(known))))
        known.append(here)
    return found


NAOMI = registry.register(
    Method(
        name="naomi",
        title="NAOMI",
        impute=impute,
        settings=NaomiSettings,
        init=init,
        losses={"teacher_forced": teacher_forced},
        frames=frames,
        color="#c1272d",
    )
)
