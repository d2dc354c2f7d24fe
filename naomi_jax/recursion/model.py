"""NAOMI's parameters, encoders and heads, and the teacher-forced pass.

Parameters are a plain pytree; every size is read off its shapes:

    {"gru":      ({"wx": (D, 3H), "wh": (H, 3H), "b": (3H,), "c": (H,)}, ...)       forward, x_t
     "back_gru": ({"wx": (D + 1, 3H), ...}, ...)                                   backward, [m, m*x]
                                                  both wx have D + 2 rows more with context
     "heads":    {"dec":  {"kernel": (R, 2H, K), "bias": (R, K)},
                  "mean": {"kernel": (R, K, D),  "bias": (R, D)},
                  "std":  {"kernel": (R, K, D),  "bias": (R, D)},                 stochastic only
                  "skip": (R, D)}}                                               residual only
"""

import dataclasses
import functools
import math

import chex
import jax
import jax.numpy as jnp

from naomi_jax.recursion import gaps, gru

Params = dict


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Static sizes of a NAOMI model.

    Attributes:
      dim: D, values at a time step.
      hidden: H, width of both GRUs (paper: 300).
      layers: stacked GRU layers (paper: 2).
      levels: R, resolutions; the coarsest stride is 2^(R-1) (paper: 4, stride 8).
      head_hidden: K, width of each head's hidden layer (paper: 200).
      stochastic: heads give a Gaussian's mean and standard deviation instead of a value.
      residual: the mean is added to `skip` times the linear interpolation between the last step
        consumed and the next one known (observed or imputed), so that a head learns what a straight
        line misses. Not in the paper.
      context: both encoders also read what the mask and the observed values say about each step's gap
        (`gap_context`), so that they need not count steps. Not in the paper.
      rotation: both GRUs start with recurrent weights that turn the state by up to this angle a step
        (`gru.rotations`); 0 starts them as torch does. Of `init` alone: parameters do not show it. Not in
        the paper.
    """

    dim: int
    hidden: int = 300
    layers: int = 2
    levels: int = 4
    head_hidden: int = 200
    stochastic: bool = False
    residual: bool = False
    context: bool = False
    rotation: float = 0.0

    def __post_init__(self):
        for name in ("dim", "hidden", "layers", "levels", "head_hidden"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}: {value!r} is not a positive integer")
        if self.levels > 10:
            raise ValueError(f"levels: {self.levels} is over 10 (a coarsest stride of 512 steps)")
        if not 0 <= self.rotation <= math.pi:
            raise ValueError(f"rotation: {self.rotation!r} is not an angle from 0 to pi")


@functools.partial(jax.jit, static_argnames=("config", "dtype"))  # one program, not thirty
def init(key: chex.PRNGKey, config: ModelConfig, dtype=jnp.float32) -> Params:
    """Fresh parameters, drawn as torch.nn.GRU and torch.nn.Linear draw theirs.

    Args:
      key: a JAX random key.
      config: the sizes.
      dtype: of every parameter; `impute` computes in it (see also `to_bfloat16`).
    """
    forward, backward, heads = jax.random.split(key, 3)
    sizes = config.hidden, config.layers, dtype, config.rotation
    wide, narrow = 2 * config.hidden, config.head_hidden
    shapes = {"dec": (wide, narrow), "mean": (narrow, config.dim)}
    if config.stochastic:
        shapes["std"] = narrow, config.dim
    keys = jax.random.split(heads, len(shapes))
    heads = {
        name: _init_dense(key, config.levels, *shape, dtype)
        for key, (name, shape) in zip(keys, shapes.items())
    }
    if config.residual:
        heads["skip"] = jnp.ones((config.levels, config.dim), dtype)
    inputs = config.dim + (config.dim + 2 if config.context else 0)
    return {
        "gru": gru.init(forward, inputs, *sizes),
        "back_gru": gru.init(backward, inputs + 1, *sizes),
        "heads": heads,
    }


def _init_dense(key, levels, inputs, outputs, dtype):
    kernel, bias = jax.random.split(key)
    bound = inputs**-0.5
    return {
        "kernel": jax.random.uniform(kernel, (levels, inputs, outputs), dtype, -bound, bound),
        "bias": jax.random.uniform(bias, (levels, outputs), dtype, -bound, bound),
    }


def config_of(params: Params) -> ModelConfig:
    """The sizes of a parameter tree, read off its shapes.

    Raises:
      ValueError: the tree is not one of this model's.
    """
    try:
        kernel = params["heads"]["dec"]["kernel"]
        dim = params["heads"]["mean"]["bias"].shape[-1]
        config = ModelConfig(
            dim=dim,
            hidden=params["gru"][0]["wh"].shape[0],
            layers=len(params["gru"]),
            levels=kernel.shape[0],
            head_hidden=kernel.shape[2],
            stochastic="std" in params["heads"],
            residual="skip" in params["heads"],
            context=params["back_gru"][0]["wx"].shape[0] > dim + 1,
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            "params: not a NAOMI parameter tree (naomi_jax.init and naomi_jax.from_torch make them)"
        ) from error
    expected = jax.eval_shape(lambda: init(jax.random.key(0), config))
    if jax.tree.structure(expected) != jax.tree.structure(params):
        raise ValueError(
            f"params: structure {jax.tree.structure(params)} is not that of a NAOMI model"
        )
    for (path, want), have in zip(
        jax.tree_util.tree_leaves_with_path(expected), jax.tree.leaves(params)
    ):
        if want.shape != have.shape:
            name = jax.tree_util.keystr(path)
            raise ValueError(f"params{name}: shape {have.shape}, expected {want.shape} ({config})")
    return config


def to_bfloat16(params: Params) -> Params:
    """The same model with its matrices in bfloat16, for TPU and GPU.

    Every product then multiplies bfloat16 numbers and adds them up in float32; states, gates, biases and
    what comes out stay float32. Differentiable: train float32 parameters through it.
    """

    def cast(path, leaf):
        return leaf.astype(jnp.bfloat16) if path[-1].key in ("wx", "wh", "kernel") else leaf

    return jax.tree_util.tree_map_with_path(cast, params)


def level_heads(params: Params) -> tuple:
    """The heads one by one, level 0 first, each a dict like params["heads"] without the R axis."""
    heads = params["heads"]
    levels = heads["dec"]["kernel"].shape[0]
    return tuple(jax.tree.map(lambda leaf, l=l: leaf[l], heads) for l in range(levels))


def apply_head(head: dict, *states: chex.Array):
    """g_l of the paper: Dense, relu, then the mean and, if stochastic, a softplus std.

    Args:
      head: one level's parameters.
      states: (..., H) each, the forward and the backward state of the last layers.

    Returns:
      (mean, std), (..., D) both; std is None for a deterministic head.
    """
    hidden = jax.nn.relu(_dense(head["dec"], jnp.concatenate(states, axis=-1)))
    mean = _dense(head["mean"], hidden)
    std = jax.nn.softplus(_dense(head["std"], hidden)) if "std" in head else None
    return mean, std


def _dense(dense, x):
    return gru.product(x, dense["kernel"]) + dense["bias"]


def gap_context(
    x: chex.Array, entries: chex.Array, known: chex.Array, length: chex.Array | int
) -> chex.Array:
    """What a model with context reads of each step beside its value: (T, B, D + 2).

    The straight line between the observed entries on both sides, and the logarithms of the distances to the
    observed steps on both sides (the virtual ones before the start and after the end among them). It
    follows from what is observed alone and stays as it is while the decode goes on.

    Args:
      x: (T, B, D) finite; its values at missing entries do not matter.
      entries: bool, observed entries, broadcast to x.
      known: (T, B) or (T, 1) bool, steps observed entirely.
      length: T, or (B,) the steps of each sequence.
    """
    distances = gaps.distances(jnp.broadcast_to(known, x.shape[:2]), length)
    # Half: about 1 in gaps of ten steps, as standardised values are.
    return jnp.concatenate([gaps.line(x, entries), jnp.log(distances.astype(x.dtype)) / 2], axis=-1)


def _beside(inputs, context):
    return inputs if context is None else jnp.concatenate([inputs, context], axis=-1)


def encode_forward(params: Params, x: chex.Array, context: chex.Array | None = None) -> tuple:
    """hf_{-1} .. hf_{T-1} over complete x (T, B, D): (T + 1, B, H) for each layer, row 0 zero.

    `context` is that of a model that has it (`gap_context`).
    """
    states = gru.scan(params["gru"], _beside(x, context))
    return tuple(jnp.pad(s, ((1, 0), (0, 0), (0, 0))) for s in states)


def encode_backward(
    params: Params,
    x: chex.Array,
    known: chex.Array,
    inside: chex.Array | None = None,
    context: chex.Array | None = None,
) -> tuple:
    """hb_0 .. hb_T over the masked sequence: (T + 1, B, H) for each layer, row T zero.

    Args:
      params: the model.
      x: (T, B, D) finite everywhere; its values at missing steps do not matter.
      known: (T, B) or (T, 1) bool, observed steps.
      inside: (T, B) bool or None, False beyond a shorter sequence's end.
      context: (T, B, D + 2), of a model that has it (`gap_context`).
    """
    known = jnp.broadcast_to(known, x.shape[:2])[..., None].astype(x.dtype)
    inputs = _beside(jnp.concatenate([known, known * x], -1), context)
    states = gru.scan(params["back_gru"], inputs, reverse=True, inside=inside)
    return tuple(jnp.pad(s, ((0, 1), (0, 0), (0, 0))) for s in states)


def teacher_forced(params: Params, x: chex.Array, mask: chex.Array) -> list[tuple]:
    """Every head's prediction of every step it can reach, from true states; no recursion.

    Head l predicts x_{c+s} from hf_c over the true sequence and hb_{c+2s} over the masked one, for
    all c >= -1 with c + 2s <= T (DESIGN section 3; c = -1 and step T are the virtual pivots).

    Args:
      params: the model.
      x: (B, T, D) complete.
      mask: (T,) or (B, T), 1 = observed; hides steps from the backward encoder only.

    A residual head starts from the middle between the true x_c and x_{c+2s}: inside a block the decode
    has both. (The line to the next step that the mask shows, the decode's at a block's first tick, was
    tried for all pairs: twice the step change on basketball, as the fine heads hardly learn.)

    Returns:
      For each level l with 2^(l+1) <= T + 1: (mean, std, target), time-major (T - 2s + 2, B, D);
      std is None for a deterministic model.
    """
    x = jnp.swapaxes(x, 0, 1)
    known = jnp.atleast_2d(mask != 0).T
    steps = x.shape[0]
    context = None
    if config_of(params).context:
        context = gap_context(x, known[..., None], known, steps)
    forward = encode_forward(params, x, context)[-1]
    backward = encode_backward(params, x, known, context=context)[-1]
    predictions = []
    for level, head in enumerate(level_heads(params)):
        stride = 2**level
        count = steps - 2 * stride + 2
        if count < 1:
            break
        left = forward[:count]
        right = backward[2 * stride - 1 :]
        target = x[stride - 1 : stride - 1 + count]
        mean, std = apply_head(head, left, right)
        if "skip" in head:
            mean = mean + head["skip"] * _midpoints(x, stride)
        predictions.append((mean, std, target))
    return predictions


def line_weights(left: chex.Array, step: chex.Array, right: chex.Array, steps: int, dtype):
    """Weights of x[left] and x[right] in the straight line at `step`, left < step < right.

    A left of -1 and a right of `steps` do not exist: the line is then constant, and 0 without either.
    """
    has_left, has_right = left >= 0, right < steps
    share = (step - left) / jnp.where(has_left & has_right, right - left, 1).astype(dtype)
    right_weight = jnp.where(has_right, jnp.where(has_left, share, 1), 0).astype(dtype)
    return jnp.where(has_left, 1 - right_weight, 0).astype(dtype), right_weight


def _midpoints(x, stride):
    """Straight lines at c + s between x_c and x_{c+2s}, c = -1 .. T - 2s, either may be virtual."""
    steps = x.shape[0]
    left = jnp.arange(steps - 2 * stride + 2) - 1
    right = left + 2 * stride
    weights = line_weights(left, left + stride, right, steps, x.dtype)

    def at(step, weight):
        return x[jnp.clip(step, 0, steps - 1)] * weight[:, None, None]

    return at(left, weights[0]) + at(right, weights[1])
