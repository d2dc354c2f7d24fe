"""Training without the recursion: every head predicts every step it can reach, from true states."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Num

from naomi_jax.recursion import encoders, gaps
from naomi_jax.recursion.cells.heads import apply_head, level_heads
from naomi_jax.recursion.gaps import ArrayLike
from naomi_jax.recursion.model import Params, config_of


class Prediction(NamedTuple):
    """One head's predictions, time-major, of N = T - 2s + 2 steps; std None if deterministic."""

    mean: Float[Array, "N B D"]
    std: Float[Array, "N B D"] | None
    target: Float[Array, "N B D"]


def teacher_forced(
    params: Params,
    x: Float[Array, "B T D"],
    mask: Num[ArrayLike, "*B T"] | Bool[ArrayLike, "*B T"],
) -> list[Prediction]:
    """Head l predicts x_{c+s} from hf_c over the true sequence and hb_{c+2s} over the masked one.

    For all c >= -1 with c + 2s <= T (docs/design.md, The paper's method; steps -1 and T do not
    exist and have zero states).

    Args:
      params: the model.
      x: complete.
      mask: (T,) or (B, T), 1 = shown; hides steps from the backward encoder only.

    A residual head starts from the middle between the true x_c and x_{c+2s}: inside a block the
    decode has both. (The line to the next step that the mask shows, the decode's at a block's first
    tick, was
    tried for all pairs: twice the step change on basketball, as the fine heads hardly learn.)

    Returns:
      A Prediction for each level l with 2^(l+1) <= T + 1.
    """
    x = jnp.swapaxes(x, 0, 1)
    shown = jnp.atleast_2d(mask != 0).T[..., None]
    steps = x.shape[0]
    context = encoders.gap_context(x, shown, steps) if config_of(params).context else None
    forward = encoders.encode_forward(params, x, context)[-1]
    backward = encoders.encode_backward(params, x, shown, context=context)[-1]
    predictions = []
    for level, head in enumerate(level_heads(params)):
        stride = 2**level
        count = steps - 2 * stride + 2
        if count < 1:
            break
        mean, std = apply_head(head, forward[:count], backward[2 * stride - 1 :])
        if "skip" in head:
            mean = mean + head["skip"][None, None] * _midpoints(x, stride)
        target = x[stride - 1 : stride - 1 + count]
        predictions.append(Prediction(mean, std, target))
    return predictions


def _midpoints(x, stride):
    """Straight lines at c + s between x_c and x_{c+2s}, c = -1 .. T - 2s, either may not exist."""
    steps = x.shape[0]
    left = jnp.arange(steps - 2 * stride + 2) - 1
    right = left + 2 * stride
    weights = gaps.line_weights(left, left + stride, right, steps, x.dtype)

    def at(step, weight):
        return x[jnp.clip(step, 0, steps - 1)] * weight[:, None, None]

    return at(left, weights[0]) + at(right, weights[1])
