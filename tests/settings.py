"""The settings of a run that takes seconds, for tests of all that is around it."""

import contextlib
import dataclasses
from typing import Any

import pytest

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.training import loop
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run

SIZES = NaomiSettings(hidden=4, layers=1, levels=2, head_hidden=3)
OPTIMIZER = Optimizer(learning_rate=1e-2, warmup_epochs=1, clip=1.0)
PHASES = (
    Phase("teacher_forced", 3, OPTIMIZER),
    Phase("squared_error", 3, dataclasses.replace(OPTIMIZER, learning_rate=5e-3)),
)


def same_masks(masks: Masks) -> MaskPair:
    """The same in training as in validation and testing."""
    return MaskPair(train=masks, test=masks)


def small_run(**changes: Any) -> Run:
    """NAOMI with four units, on sequences of about seven steps; `changes` are fields of Run."""
    settings: dict[str, Any] = {
        "data": Data(name="files"),
        "method": SIZES,
        "masks": same_masks(Masks(missing=(2, 5))),
        "phases": PHASES,
        "transforms": Transforms(standardize="step"),
        "batch_size": 4,
        "eval_epochs": 2,
    }
    return Run(**{**settings, **changes})


CONSTANT = Optimizer(learning_rate=1e-2, schedule="constant", clip=1.0)
ADVERSARY = Adversary(hidden=3, learning_rate=1e-2, updates=2, until=0.01)


def adversarial_run(**changes: Any) -> Run:
    """A stochastic one that ends against an adversary: 2, 3 and 4 updates of 8 sequences."""
    settings: dict[str, Any] = {
        "method": dataclasses.replace(SIZES, stochastic=True),
        "masks": same_masks(Masks(missing=(2, 4))),
        "phases": (
            Phase("teacher_forced", 1, CONSTANT),
            Phase("discriminator", 1.5),
            Phase("adversarial", 2, CONSTANT),
        ),
        "transforms": Transforms(),
        "adversary": ADVERSARY,
        "eval_epochs": 1,
    }
    return small_run(**{**settings, **changes})


@contextlib.contextmanager
def stopped_at(update: int):
    """Within it, a run is asked to stop once `update` updates have been read, one at a time."""
    read, asked = loop._read, []

    def watch(unread, phase, log):
        read(unread, phase, log)
        if unread is not None and unread[0] >= update:
            asked.append(True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_read", watch)
        patch.setattr(loop, "_next_size", lambda *_: 1)
        requests = contextlib.nullcontext(lambda: bool(asked))
        patch.setattr(loop, "_stop_requests", lambda: requests)
        yield
