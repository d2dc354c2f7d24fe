"""What a run does with its data: epochs turned into updates, everything static and hashable."""

import dataclasses

import jax

from naomi_jax.data.masks import MaskConfig
from naomi_jax.errors import InputError
from naomi_jax.training.settings import Optimizer, Run

_MOST_UPDATES = 2**31 - 1  # what an int32 on the device counts


@dataclasses.dataclass(frozen=True)
class PlannedPhase:
    """A phase in updates.

    Attributes:
      objective: what is minimized.
      key: the phase's name on the command line.
      updates: in this phase.
      optimizer: its own, or that of the phase it goes on from.
      horizon: updates that the optimizer's schedule spans.
      warmup: updates over which the rate rises.
      fresh: whether the optimizer starts here.
    """

    objective: str
    key: str
    updates: int
    optimizer: Optimizer
    horizon: int
    warmup: int
    fresh: bool


@dataclasses.dataclass(frozen=True)
class BatchConfig:
    """How batches are drawn.

    Attributes:
      size: sequences a batch; all of them where there are fewer.
      masks: what is hidden.
      mask_per_sequence: one mask for each sequence instead of one a batch.
      mesh: the devices that share each batch, or None.
    """

    size: int
    masks: MaskConfig
    mask_per_sequence: bool = False
    mesh: jax.sharding.Mesh | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run on data of a certain size.

    Attributes:
      phases: in order.
      batch: how training draws sequences and masks; its mesh is set where training begins.
      eval_updates: updates between validations.
      dim: D of the data, which the discriminator sees; the method's is `Transforms.model_dim`.
    """

    phases: tuple[PlannedPhase, ...]
    batch: BatchConfig
    eval_updates: int
    dim: int

    @property
    def updates(self) -> int:
        """Of all phases."""
        return sum(phase.updates for phase in self.phases)


def make_plan(run: Run, shape: tuple[int, int, int]) -> Plan:
    """The plan of a run on training data (N, T, D).

    Raises:
      InputError: they do not go together.
    """
    run.check(shape)
    count, steps, dim = shape
    per_epoch = max(count // run.batch_size, 1)
    batch = BatchConfig(run.batch_size, run.masks.train.resolve(steps), run.kind.mask_per_sequence)
    eval_updates = run.eval_epochs * per_epoch
    plan = Plan(_phases(run, per_epoch), batch, eval_updates, dim)
    most = max(plan.updates, *(phase.warmup for phase in plan.phases))
    if most > _MOST_UPDATES:
        raise InputError(
            f"phases: more than {_MOST_UPDATES} updates cannot be counted; lower epochs or "
            "warmup_epochs"
        )
    return plan


def _phases(run, per_epoch):
    """Phases that share an optimizer share its schedule, which spans the updates of all of them."""
    groups: list[list] = []
    for phase in run.active_phases:
        if phase.optimizer is not None:
            groups.append([])
        groups[-1].append(phase)
    planned = []
    for group in groups:
        optimizer = group[0].optimizer
        updates = [max(_updates(phase.epochs, per_epoch), 1) for phase in group]
        warmup = _updates(optimizer.warmup_epochs, per_epoch)
        for phase, count in zip(group, updates, strict=True):
            fresh = phase is group[0]
            planned.append(
                PlannedPhase(
                    phase.objective, phase.key, count, optimizer, sum(updates), warmup, fresh
                )
            )
    return tuple(planned)


def _updates(epochs, per_epoch):
    """A whole number, and one more than can be counted where it is larger."""
    return round(min(epochs * per_epoch, _MOST_UPDATES + 1.0))
