"""What a method is: one record of functions, titles and abilities, the same for all."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jaxtyping import PRNGKeyArray

from naomi_jax.fields import Settings
from naomi_jax.methods.networks import discriminator


class Frame(NamedTuple):
    """One step of a recursion, for its film: which entry is decoded, and from where.

    Attributes:
      step: the step decoded.
      level: its level l.
      left: the pivot on the left; -1 is the virtual one before the sequence.
      right: the pivot on the right; T is the virtual one after it.
      known: steps with a value before, shown or decoded.
    """

    step: int
    level: int
    left: int
    right: int
    known: tuple[int, ...]


class Given(NamedTuple):
    """What a loss knows of the run; static.

    Attributes:
      settings: of the method.
      most_shown: no mask of the run shows more steps of a sequence than these.
    """

    settings: Any
    most_shown: int


@dataclasses.dataclass(frozen=True)
class Method:
    """One way to fill a sequence. A method that is trained has `settings`, another one has `fit`.

    x is (B, T, D), standardized; mask is (T,), (B, T) or (B, T, D), 1 = shown.

    Attributes:
      name: on the command line, in config.json and as a key; "naomi".
      title: in tables and figures; "NAOMI".
      impute: (params, x, mask, key=None, *, num_samples=None) -> x filled, shown entries unchanged.
      settings: class of its settings; each is frozen and hashable.
      init: (key, settings, dim) -> params, a plain pytree.
      losses: objectives of its own, beside those of training/objectives.py that all methods share;
        by name, (params, x, mask, key, given) -> loss, such as "teacher_forced" from true values.
      judge: (discriminator params, x) -> logits, (B, T - 1) one a step or (B, 1) one a sequence.
      fit: (train (N, T, D), val (M, T, D), val_masks (M, T)) -> (params, note), in the data's own
        units; the note stands behind the title in tables, such as "k = 5".
      mask_per_sequence: trained with a mask for each sequence rather than one a batch, because that
        costs it nothing.
      frames: (params, mask (T,)) -> its recursion step by step, or None where there is none.
      color, dashes: how it is drawn everywhere, as matplotlib takes them.
    """

    name: str
    title: str
    impute: Callable[..., Any]
    settings: type[Settings] | None = None
    init: Callable[..., Any] | None = None
    losses: Mapping[str, Callable[..., Any]] = dataclasses.field(default_factory=dict, hash=False)
    judge: Callable[..., Any] = discriminator.step_logits
    fit: Callable[..., tuple[Any, str]] | None = None
    mask_per_sequence: bool = False
    frames: Callable[..., Sequence[Frame]] | None = None
    color: str = "black"
    dashes: Any = "-"

    def fresh(self, key: PRNGKeyArray, settings: Settings, dim: int) -> Any:
        """`init` of a method that is trained.

        Raises:
          ValueError: it is not trained.
        """
        if self.init is None:
            raise ValueError(f"method {self.name!r}: it is not trained, so it has no parameters")
        return self.init(key, settings, dim)

    @property
    def judges_steps(self) -> bool:
        """Whether the discriminator judges steps rather than whole sequences."""
        return self.judge is discriminator.step_logits
