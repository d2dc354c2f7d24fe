"""The models that can be trained, behind one interface."""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from naomi_jax.methods import discriminator, grui, losses, maskgan, single_res
from naomi_jax.recursion import impute as imputation
from naomi_jax.recursion import model


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


@functools.cache
def channel_independent(kind: Model) -> Model:
    """The same model with D = 1, which fills each of a sequence's D values as a sequence of its own.

    One set of parameters for all of them, as in PatchTST (Nie et al., ICLR 2023). Right where the values do
    not tell of each other, as the coordinates of a ball among four walls: D times the examples of a simpler thing.
    """

    def init(key, config):
        return kind.init(key, dataclasses.replace(config, dim=1))

    def impute(params, x, mask, key=None, *, num_samples=None):
        filled = kind.impute(
            params, _channels(x), _channel_masks(mask, x), key, num_samples=num_samples
        )
        filled = filled.reshape(*filled.shape[:-3], len(x), x.shape[2], x.shape[1])
        return jnp.swapaxes(filled, -1, -2)

    def teacher_forced(params, x, mask):
        return kind.teacher_forced(params, _channels(x), _channel_masks(mask, x))

    return kind._replace(init=init, impute=impute, teacher_forced=teacher_forced)


def _channels(x):
    """(B, T, D) to (B D, T, 1); the batch stays outermost, so that devices can share it."""
    return jnp.swapaxes(x, 1, 2).reshape(-1, x.shape[1], 1)


def _channel_masks(mask, x):
    """Masks of x's channels, (B D, T); a mask that all share, (T,), stays as it is."""
    if mask.ndim == 1:
        return mask
    mask = mask if mask.ndim == 3 else jnp.asarray(mask)[..., None]
    return _channels(jnp.broadcast_to(mask, x.shape))[..., 0]
