"""All settings of a run: one tree.

The files of configs/ return it; the command line and config.json are views of it.
"""

import dataclasses
from typing import Any, Literal

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms, bounds_of, symmetries_of
from naomi_jax.errors import InputError
from naomi_jax.fields import Settings, as_dict, at_least, between, from_dict, positive, setting
from naomi_jax.methods import registry
from naomi_jax.methods.method import Method
from naomi_jax.methods.shared.precision import in_bfloat16

# What every method can be trained on; a method may have objectives of its own (`Method.losses`).
OBJECTIVES = ("squared_error", "root_error", "discriminator", "adversarial")


@dataclasses.dataclass(frozen=True)
class Data(Settings):
    """What to train on."""

    name: str = setting("traffic", "The data set.")
    path: str | None = setting(None, "Your copy of the data; none takes the built-in source.")
    window: int | None = setting(
        None, "Length of the sequences cut from one long series.", at_least(2)
    )
    stride: int | None = setting(
        None, "Steps from one training sequence to the next; none: half a window.", at_least(1)
    )


@dataclasses.dataclass(frozen=True)
class MaskPair(Settings):
    """What is hidden in training, and in validation and testing."""

    train: Masks = setting(dataclasses.MISSING, "In training.")
    test: Masks = setting(dataclasses.MISSING, "In validation and testing.")


@dataclasses.dataclass(frozen=True)
class Optimizer(Settings):
    """AdamW with a clipped gradient and a schedule of the rate."""

    learning_rate: float = setting(1e-3, "The rate, at its highest.", positive)
    schedule: Literal["constant", "cosine"] = setting("cosine", "The rate stays, or falls to zero.")
    warmup_epochs: float = setting(0.0, "Epochs over which the rate rises from zero.", at_least(0))
    clip: float = setting(10.0, "Largest global norm of the gradient.", positive)
    weight_decay: float = setting(0.0, "Of the matrices.", at_least(0))
    scale_inputs: bool = setting(
        False,
        "Weights that read the data take min(1, hidden / D) of the rate: Adam moves each of them "
        "alike, so many of them would move a unit further than its recurrent weights do.",
    )


@dataclasses.dataclass(frozen=True)
class Phase(Settings):
    """A part of training with one objective."""

    objective: str = setting(
        dataclasses.MISSING,
        "teacher_forced: from true values; squared_error, root_error: of the model's own "
        "imputations, each sequence by the square or by the root of its error; discriminator: the "
        "adversary alone, until it is good; adversarial: both players.",
    )
    epochs: float = setting(
        dataclasses.MISSING, "Passes over the training sequences; 0 leaves it out.", at_least(0)
    )
    optimizer: Optimizer | None = setting(
        Optimizer(), "None goes on with that of the phase before, on one schedule over both."
    )

    @property
    def key(self) -> str:
        """Its name on the command line."""
        return self.objective


@dataclasses.dataclass(frozen=True)
class Adversary(Settings):
    """The discriminator and its part in training; defaults are the published run's."""

    hidden: int = setting(128, "Width of its GRU and its hidden layer.", at_least(1))
    learning_rate: float = setting(1e-3, "Rate of its Adam.", positive)
    clip: float = setting(10.0, "Largest global norm of its gradient.", positive)
    updates: int = setting(3, "Of the discriminator before each of the generator.", at_least(1))
    until: float = setting(
        0.3, "Its training alone ends when its mean output on imputed steps is below this."
    )
    gate: float = setting(0.8, "The generator waits while that output is above this.")
    step_gain: float = setting(
        0.0,
        "It also reads the differences between steps times this; 0, as published: places alone.",
    )
    error_weight: float = setting(
        0.0,
        "Of the squared error in the generator's loss, which keeps samples from drifting; 0, as "
        "published: the adversary alone.",
    )


@dataclasses.dataclass(frozen=True)
class Run(Settings):
    """All that decides what a run computes."""

    data: Data = setting(dataclasses.MISSING, "What to train on.")
    method: Settings = setting(dataclasses.MISSING, "Sizes of the method.")
    masks: MaskPair = setting(dataclasses.MISSING, "What is hidden.")
    phases: tuple[Phase, ...] = setting(dataclasses.MISSING, "Training, in order.")
    transforms: Transforms = setting(Transforms(), "What is taken off the values first.")
    adversary: Adversary | None = setting(None, "The discriminator of the adversarial phases.")
    batch_size: int = setting(64, "Sequences a batch; all where there are fewer.", at_least(1))
    average: float = setting(
        0.0,
        "Decay of a moving average of the weights, which then imputes; 0: none. Not in the paper.",
        between(0, 1, below=True),
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "float32", "Of matrix products; bfloat16 for TPU and GPU."
    )
    eval_epochs: int = setting(
        5, "Epochs between validations, each followed by a checkpoint.", at_least(1)
    )
    seed: int = setting(0, "Of everything random.", between(0, 2**63 - 1))
    start_from: str | None = setting(None, "Folder of a run whose parameters this one begins with.")

    def __post_init__(self):
        super().__post_init__()
        active = self.active_phases
        if not active:
            raise InputError("phases: all have 0 epochs; give one of them some")
        if active[0].optimizer is None:
            raise InputError(f"phases.{active[0].key}.optimizer: the first phase needs one")
        known = (*method_of(self.method).losses, *OBJECTIVES)
        for phase in self.phases:
            if phase.objective not in known:
                raise InputError(
                    f"phases.{phase.key}.objective: {phase.objective!r}; one of {', '.join(known)} "
                    "is needed"
                )
        adversarial = {"discriminator", "adversarial"} & {phase.objective for phase in active}
        if adversarial and self.adversary is None:
            raise InputError(f"adversary: needed by the phase {min(adversarial)}")

    @property
    def active_phases(self) -> tuple[Phase, ...]:
        """Those with epochs; one without leaves its optimizer to the phase that goes on from it."""
        found, left = [], None
        for phase in self.phases:
            if not phase.epochs:
                left = phase.optimizer or left
            else:
                if phase.optimizer is None and left is not None:
                    phase = dataclasses.replace(phase, optimizer=left)
                found.append(phase)
                left = None
        return tuple(found)

    @property
    def ends_with_latest(self) -> bool:
        """Whether its result is its latest checkpoint and not the best by the validation error.

        An adversary does not aim at that error. A stochastic model's is that of one sample, which
        is lowest where samples are too sure.
        """
        adversarial = any(phase.objective == "adversarial" for phase in self.active_phases)
        return adversarial or getattr(self.method, "stochastic", False)

    @property
    def is_forecast(self) -> bool:
        """Whether the last steps are missing."""
        return self.masks.test.kind == "tail"

    @property
    def kind(self) -> Method:
        """The method, in the run's precision."""
        method = method_of(self.method)
        return in_bfloat16(method) if self.precision == "bfloat16" else method

    def check(self, shape: tuple[int, int, int]) -> None:
        """Raise InputError unless it suits training data (N, T, D)."""
        steps = shape[1]
        for name, masks in (("train", self.masks.train), ("test", self.masks.test)):
            try:
                masks.resolve(steps)
            except InputError as error:
                raise InputError(f"masks.{name}.{error}") from None
            masks.rows(steps)
        if self.transforms.symmetries:
            symmetries_of(self.data.name)
        if self.transforms.bounds:
            bounds_of(self.data.name)


def method_of(settings: Settings) -> Method:
    """The method whose settings these are."""
    return next(method for method in registry.every() if method.settings is type(settings))


def forecast(run: Run, start_from: str) -> Run:
    """The same run with leading steps shown alone, going on from a trained one.

    Without teacher forcing where the run has other objectives, of the model's own imputations:
    it would undo what the model has learned from them.

    Raises:
      InputError: it hides steps otherwise than at random, so that it says what to hide itself.
    """
    for masks in (run.masks.train, run.masks.test):
        if not {*masks.kind.split(",")} <= {"random", "tail"}:
            raise InputError(f"masks: a forecast hides the last steps; leave out kind {masks.kind}")
    own = [phase for phase in run.active_phases if phase.objective in OBJECTIVES]
    phases = [
        dataclasses.replace(phase, epochs=0.0) if own and phase not in own else phase
        for phase in run.active_phases
    ]
    masks = MaskPair(
        dataclasses.replace(run.masks.train, kind="tail"),
        dataclasses.replace(run.masks.test, kind="tail"),
    )
    start_from = run.start_from or start_from
    return dataclasses.replace(run, masks=masks, phases=tuple(phases), start_from=start_from)


def to_json(run: Run) -> dict[str, Any]:
    """The tree as nested dicts, the method's name among its settings."""
    settings = as_dict(run)
    settings["method"] = {"name": method_of(run.method).name, **settings["method"]}
    return settings


def from_json(settings: dict[str, Any]) -> Run:
    """The inverse of `to_json`.

    Raises:
      InputError: the settings are not those of a run.
    """
    values = dict(settings)
    sizes = dict(values.pop("method"))
    method = registry.get(sizes.pop("name"))
    if method.settings is None:
        raise InputError(f"method: {method.name} is not trained")
    return from_dict(Run, {**values, "method": from_dict(method.settings, sizes)})
