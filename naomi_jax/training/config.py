"""From a config's nested dict to the frozen dataclasses that the library works with."""

import dataclasses

from naomi_jax.data import masks
from naomi_jax.errors import InputError
from naomi_jax.model import ModelConfig
from naomi_jax.training.steps import PhaseConfig

PHASES = ("teacher_forced", "free_running")


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """All that decides what a run computes, resolved against its data.

    Attributes:
      steps: T of the training sequences.
      model: the model's sizes.
      phases: in order.
      masks: how training and evaluation hide steps.
      mask_file: of masks.kind "file", or "".
      mask_per_sequence: in training, one mask for each sequence instead of one a batch.
      standardise: "feature" or "step".
      batch_size: sequences an update.
      eval_steps: updates between validations, each followed by a checkpoint.
      seed: of everything random.
    """

    steps: int
    model: ModelConfig
    phases: tuple[PhaseConfig, ...]
    masks: masks.MaskConfig
    mask_file: str
    mask_per_sequence: bool
    standardise: str
    batch_size: int
    eval_steps: int
    seed: int


def resolve(config: dict, shape: tuple[int, int, int]) -> RunConfig:
    """Check a config's values and turn epochs into updates.

    Args:
      config: nested dict, as configs/ define it.
      shape: (N, T, D) of the training data.

    Raises:
      InputError: naming the field.
    """
    batch_size = _positive(config, "batch_size")
    per_epoch = max(shape[0] // batch_size, 1)
    try:
        model = ModelConfig(dim=shape[2], **config["model"])
    except (TypeError, ValueError) as error:
        raise InputError(f"model: {error}") from None
    mask_config = masks.MaskConfig(
        config["masks"]["kind"], *_missing_range(config["masks"], shape[1])
    )
    mask_config.check(shape[1])
    phases = tuple(_phase(name, config[name], per_epoch) for name in PHASES)
    phases = tuple(phase for phase in phases if phase.steps)
    if not phases:
        raise InputError("teacher_forced.epochs and free_running.epochs are both 0")
    return RunConfig(
        steps=shape[1],
        model=model,
        phases=phases,
        masks=mask_config,
        mask_file=config["masks"]["file"],
        mask_per_sequence=config["masks"]["per_sequence"],
        standardise=config["standardise"],
        batch_size=batch_size,
        eval_steps=_positive(config, "eval_epochs") * per_epoch,
        seed=config["seed"],
    )


def _positive(config, name):
    if config[name] < 1:
        raise InputError(f"{name}: {config[name]} is not a positive integer")
    return config[name]


def _missing_range(config, steps):
    """Numbers of missing steps; a value below 1 is a share of the sequence."""

    def count(value):
        return round(value * steps) if 0 < value < 1 else int(value)

    return count(config["low"]), min(
        count(config["high"]), steps - 1 if config["high"] < 1 else steps
    )


def _phase(name, config, per_epoch):
    fields = dict(config)
    epochs, warmup = fields.pop("epochs"), fields.pop("warmup_epochs")
    if epochs < 0 or warmup < 0:
        raise InputError(f"{name}: epochs and warmup_epochs cannot be negative")
    try:
        return PhaseConfig(name, epochs * per_epoch, warmup=warmup * per_epoch, **fields)
    except InputError as error:
        raise InputError(f"{name}.{error}") from None
