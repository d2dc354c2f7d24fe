"""Level-parallel NAOMI: all entries of a level at once, holes per entry (naomi_jax/parallel)."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from naomi_jax.fields import at_least, between, setting
from naomi_jax.methods import registry
from naomi_jax.methods.method import Frame, Given, Method
from naomi_jax.parallel import config, levels, model, training
from naomi_jax.parallel.impute import impute
from naomi_jax.parallel.network import encoder


@dataclasses.dataclass(frozen=True)
class ParallelSettings(config.ParallelSizes):
    """Sizes of a level-parallel model, and how it is trained from true values."""

    targets: int = setting(
        16,
        "Steps that an update predicts of each sequence, drawn from those of a pass.",
        at_least(1),
    )
    dropout: float = setting(
        0.0, "Share of the hidden units that an update leaves out.", between(0, 1, below=True)
    )

    def model(self, dim: int) -> config.ParallelConfig:
        """The ParallelConfig for D = dim."""
        names = [field.name for field in dataclasses.fields(config.ParallelSizes)]
        return config.ParallelConfig(dim=dim, **{name: getattr(self, name) for name in names})


def init(key, settings: ParallelSettings, dim: int) -> encoder.Params:
    """Fresh parameters."""
    return model.init(key, settings.model(dim))


def _teacher_forced(error: training.Error):
    """A loss of a method: `training.teacher_forced` by one kind of error."""

    def loss(params, x, mask, key, given: Given):
        settings = given.settings
        return training.teacher_forced(
            params,
            x,
            mask,
            key,
            targets=settings.targets,
            most_shown=given.most_shown,
            error="likelihood" if settings.stochastic else error,
            dropout=settings.dropout,
        )

    return loss


def frames(params, mask) -> list[Frame]:
    """The passes under one mask (T,), coarsest first, a frame for each step that is filled."""
    shown = np.asarray(mask) != 0
    count = model.config_of(params).passes
    index = np.asarray(levels.passes(jnp.asarray(shown), count))
    found = []
    for number in reversed(range(count)):
        known = shown | (index > number)
        places = np.flatnonzero(known)
        for step in np.flatnonzero(index == number):
            left, right = places[places < step], places[places > step]
            found.append(
                Frame(
                    step=int(step),
                    level=number,
                    left=int(left[-1]) if len(left) else -1,
                    right=int(right[0]) if len(right) else len(shown),
                    known=tuple(places.tolist()),
                )
            )
    return found


NAOMI_PARALLEL = registry.register(
    Method(
        name="naomi_parallel",
        title="NAOMI, level-parallel",
        impute=impute,
        settings=ParallelSettings,
        init=init,
        losses={
            "teacher_forced": _teacher_forced("squared"),
            "teacher_forced_root": _teacher_forced("root"),
            "teacher_forced_absolute": _teacher_forced("absolute"),
        },
        mask_per_sequence=True,
        frames=frames,
        color="#e08214",
        dashes=(0, (8, 2)),
    )
)
