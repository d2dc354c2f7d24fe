"""From a config's nested dict to the frozen dataclasses that the library works with."""

import dataclasses
import functools

from naomi_jax.data import masks
from naomi_jax.errors import InputError
from naomi_jax.methods.registry import MODELS, Model, channel_independent, in_bfloat16
from naomi_jax.recursion import gru
from naomi_jax.recursion.model import ModelConfig
from naomi_jax.training.adversarial import AdversaryConfig
from naomi_jax.training.batches import BatchConfig
from naomi_jax.training.steps import PHASES, PhaseConfig

TASKS = ("impute", "forecast")
_PHASES = ("teacher_forced", "free_running", "adversarial")  # those that are counted in epochs


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """All that decides what a run computes, resolved against its data.

    Attributes:
      steps: T of the training sequences.
      kind: a name in MODELS.
      precision: of the model's matrix products, "float32" or "bfloat16".
      channel_independent: the model has D = 1 and fills each of the D values on its own.
      model: the model's sizes.
      rotation: the largest angle a step that its GRUs start turning by; 0: they start as torch's.
      phases: in order.
      adversary: the discriminator, or None without an adversarial phase.
      batch: how training draws sequences and masks.
      masks: how evaluation hides steps.
      mask_file: of masks.kind "file", or "".
      standardise: "feature" or "step".
      box_symmetries: train on all images of a 2-D trajectory under the symmetries of a square box.
      average: decay of the parameters' exponential moving average, which imputes then; 0: none.
      eval_steps: updates between validations, each followed by a checkpoint.
      seed: of everything random.
    """

    steps: int
    kind: str
    precision: str
    channel_independent: bool
    model: ModelConfig
    rotation: float
    phases: tuple[PhaseConfig, ...]
    adversary: AdversaryConfig | None
    batch: BatchConfig
    masks: masks.MaskConfig
    mask_file: str
    standardise: str
    box_symmetries: bool
    average: float
    eval_steps: int
    seed: int

    @property
    def functions(self) -> Model:
        """The model's functions."""
        functions = _turning(self.kind, self.rotation) if self.rotation else MODELS[self.kind]
        if self.channel_independent:
            functions = channel_independent(functions)
        return in_bfloat16(functions) if self.precision == "bfloat16" else functions


@functools.cache  # one object for each angle, as the registry has one for each model
def _turning(kind, angle):
    """The model, its recurrent weights starting as rotations."""
    model = MODELS[kind]
    turning = functools.partial(model.init, recurrent_init=gru.rotations(angle))
    return model._replace(init=turning)


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
    kind, sizes, rotation = _model(config["model"], shape[2])
    forecast = _is_forecast(config)
    training, evaluation = _masks(config["masks"], forecast, shape[1])
    # A forecast begins with a trained model: teacher forcing would undo what it has learnt since.
    names = _PHASES[1:] if forecast else _PHASES
    phases = {name: _phase(name, config[name], per_epoch) for name in names}
    share = _root_share(config)
    phases["free_running"] = dataclasses.replace(phases["free_running"], root_share=share)
    phases = {name: phase for name, phase in phases.items() if phase.steps}
    if not phases:
        raise InputError(f"{', '.join(f'{name}.epochs' for name in names)} are all 0")
    adversary = None
    if "adversarial" in phases:
        adversary, pretraining = _adversary(config["discriminator"])
        phases = {"discriminator": pretraining, **phases} if pretraining.steps else phases
    return RunConfig(
        steps=shape[1],
        kind=kind,
        precision=_precision(config),
        channel_independent=bool(config.get("channel_independent")),
        model=sizes,
        rotation=rotation,
        phases=tuple(phases[name] for name in PHASES if name in phases),
        adversary=adversary,
        batch=BatchConfig(
            batch_size,
            training,
            config["masks"]["per_sequence"],
            neighbours=_neighbours(config, adversary),
        ),
        masks=evaluation,
        mask_file=config["masks"]["file"],
        standardise=config["standardise"],
        box_symmetries=_box_symmetries(config, shape[2]),
        average=_average(config),
        eval_steps=_positive(config, "eval_epochs") * per_epoch,
        seed=config["seed"],
    )


def _is_forecast(config):
    task, kind = config.get("task", "impute"), config["masks"]["kind"]
    if task not in TASKS:
        raise InputError(f"task: {task!r}; one of {', '.join(TASKS)} is needed")
    if task == "forecast" and kind not in ("random", "tail"):
        raise InputError(f"task: a forecast hides the last steps; leave out masks.kind={kind}")
    return task == "forecast"


def _model(config, dim):
    sizes = dict(config)
    kind = sizes.pop("kind")
    if kind not in MODELS:
        raise InputError(f"model.kind: {kind!r}; one of {', '.join(MODELS)} is needed")
    for name in ("residual", "context", "rotation"):
        if sizes.get(name) and kind not in ("naomi", "single_res"):
            raise InputError(f"model.{name}: only naomi and single_res have it; set it to 0")
    rotation = sizes.pop("rotation", 0.0)
    try:
        gru.rotations(rotation)  # checks the angle
        return kind, ModelConfig(dim=dim, **sizes), rotation
    except (TypeError, ValueError) as error:
        raise InputError(f"model: {error}") from None


def _adversary(config):
    """(AdversaryConfig, its pretraining as a phase)."""
    fields = dict(config)
    steps = fields.pop("pretrain_updates")
    for name in ("hidden", "updates"):
        if fields[name] < 1:
            raise InputError(f"discriminator.{name}: {fields[name]} is not a positive integer")
    if steps < 0:
        raise InputError(f"discriminator.pretrain_updates: {steps} is negative")
    # The generator stands still meanwhile: its rate is never used.
    return AdversaryConfig(**fields), PhaseConfig("discriminator", steps, 0.0)


def _precision(config):
    precision = config.get("precision", "float32")
    if precision not in ("float32", "bfloat16"):
        raise InputError(f"precision: {precision!r}; float32 or bfloat16 is needed")
    return precision


def _root_share(config):
    share = config.get("root_share", 0.0)
    if not 0 <= share <= 1:
        raise InputError(f"root_share: {share} is not between 0 and 1")
    return share


def _average(config):
    decay = config.get("average", 0.0)
    if not 0 <= decay < 1:
        raise InputError(f"average: {decay} is not a decay, from 0 (none) to below 1")
    return decay


def _neighbours(config, adversary):
    count = config.get("neighbours", 0)
    if count < 0:
        raise InputError(f"neighbours: {count} is negative")
    if count and (adversary is not None or config.get("box_symmetries")):
        raise InputError(
            "neighbours: not with an adversarial phase, which would judge differences from them, nor "
            "with box_symmetries; set neighbours to 0"
        )
    return count


def _box_symmetries(config, dim):
    if config.get("box_symmetries") and dim != 2:
        raise InputError(f"box_symmetries: for 2 values at each step, not {dim}")
    return bool(config.get("box_symmetries"))


def _positive(config, name):
    if config[name] < 1:
        raise InputError(f"{name}: {config[name]} is not a positive integer")
    return config[name]


def _masks(config, forecast, steps):
    """(MaskConfig of training, of evaluation)."""

    def count(value):  # a value below 1 is a share of the sequence
        return round(value * steps) if 0 < value < 1 else int(value)

    kind = "tail" if forecast else config["kind"]
    high = min(count(config["high"]), steps - 1 if config["high"] < 1 else steps)
    evaluation = masks.MaskConfig(kind, count(config["low"]), high)
    evaluation.check(steps)
    fewest = count(config.get("training_low", 0)) or evaluation.low
    if kind != "file" and not 1 <= fewest <= high:
        raise InputError(f"masks.training_low: {fewest} is not between 1 and masks.high, {high}")
    return dataclasses.replace(evaluation, low=fewest), evaluation


def _phase(name, config, per_epoch):
    fields = dict(config)
    epochs, warmup = fields.pop("epochs"), fields.pop("warmup_epochs")
    if epochs < 0 or warmup < 0:
        raise InputError(f"{name}: epochs and warmup_epochs cannot be negative")
    try:
        return PhaseConfig(name, epochs * per_epoch, warmup=warmup * per_epoch, **fields)
    except InputError as error:
        raise InputError(f"{name}.{error}") from None
