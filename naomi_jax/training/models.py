"""The models that can be trained, behind one interface."""

import functools
from collections.abc import Callable
from typing import NamedTuple

from naomi_jax import discriminator, imputation, losses, model
from naomi_jax.baselines import grui, maskgan, single_res


class Model(NamedTuple):
    """One kind of model.

    Attributes:
      title: in tables.
      init: (key, ModelConfig) -> params.
      impute: (params, x, mask, key, *, num_samples) -> x filled.
      teacher_forced: (params, x, mask) -> loss.
      judge: (discriminator params, x) -> logits, (B, T - 1) one a step or (B, 1) one a sequence.
    """

    title: str
    init: Callable
    impute: Callable
    teacher_forced: Callable
    judge: Callable = discriminator.step_logits

    @property
    def per_step(self) -> bool:
        """Whether the discriminator judges steps rather than whole sequences."""
        return self.judge is discriminator.step_logits


def _baseline(title, module, **rest):
    return Model(title, module.init, module.impute, module.teacher_forced, **rest)


MODELS = {
    "naomi": Model("NAOMI", model.init, imputation.impute, losses.teacher_forced),
    "single_res": _baseline("SingleRes", single_res),
    "maskgan": _baseline("MaskGAN", maskgan),
    "rnn": _baseline("RNN", maskgan),  # MaskGAN's generator; configs/ give it no adversary
    "grui": _baseline("GRUI", grui, judge=discriminator.sequence_logits),
}


@functools.cache  # one object for each model, so that what is compiled for it is found again
def in_bfloat16(kind: Model) -> Model:
    """The same model, computing with `model.to_bfloat16` of its parameters."""

    def impute(params, *args, **options):
        return kind.impute(model.to_bfloat16(params), *args, **options)

    def teacher_forced(params, *args):
        return kind.teacher_forced(model.to_bfloat16(params), *args)

    return kind._replace(impute=impute, teacher_forced=teacher_forced)
