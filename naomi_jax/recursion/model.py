"""A NAOMI model's sizes and parameters.

Parameters are a plain pytree; every size is read off its shapes:

    {"gru":      ({"wx": (D, 3H), "wh": (H, 3H), "b": (3H,), "c": (H,)}, ...)       forward, x_t
     "back_gru": ({"wx": (D + 1, 3H), ...}, ...)                               backward, I_t
                                              both wx have D + 2 rows more with context
     "heads":    {"dec":  {"kernel": (R, 2H, K), "bias": (R, K)},
                  "mean": {"kernel": (R, K, D),  "bias": (R, D)},
                  "std":  {"kernel": (R, K, D),  "bias": (R, D)},                 stochastic only
                  "skip": (R, D)}}                                               residual only
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import PRNGKeyArray

from naomi_jax.fields import Settings, at_least, between, setting
from naomi_jax.recursion import checks
from naomi_jax.recursion.cells import gru

Params = dict


@dataclasses.dataclass(frozen=True)
class Sizes(Settings):
    """What a NAOMI model's sizes are, beside the number of its columns."""

    hidden: int = setting(300, "H, width of both GRUs (paper: 300).", at_least(1))
    layers: int = setting(2, "Stacked GRU layers (paper: 2).", at_least(1))
    levels: int = setting(
        4,
        "R, resolutions; the coarsest stride is 2^(R - 1) steps (paper: 4, stride 8).",
        between(1, 10),
    )
    head_hidden: int = setting(
        200, "K, width of each head's hidden layer (paper: 200).", at_least(1)
    )
    stochastic: bool = setting(
        False, "Heads give a Gaussian's mean and standard deviation instead of a value."
    )
    residual: bool = setting(
        False,
        "Heads correct the straight line between the last step consumed and the next known one "
        "(shown or imputed); not in the paper.",
    )
    context: bool = setting(
        False,
        "Both encoders also read that line and how far each gap goes, so that they need not count "
        "steps; not in the paper.",
    )


@dataclasses.dataclass(frozen=True)
class _Columns(Settings):
    dim: int = setting(dataclasses.MISSING, "D, values at a time step.", at_least(1))


@dataclasses.dataclass(frozen=True)
class ModelConfig(Sizes, _Columns):
    """Static sizes of a NAOMI model: ModelConfig(dim, hidden=300, layers=2, ...).

    Attributes:
      dim: D, values at a time step.

    The others are those of `Sizes`.

    Raises:
      ValueError: naming the size that cannot be.
    """


def init(
    key: PRNGKeyArray,
    config: ModelConfig,
    dtype: DTypeLike = jnp.float32,
    *,
    recurrent_init: gru.Initializer | None = None,
) -> Params:
    """Fresh parameters, drawn as torch.nn.GRU and torch.nn.Linear draw theirs.

    Args:
      key: a JAX random key.
      config: the sizes.
      dtype: of all parameters; imputation computes in it (see also `to_bfloat16`).
      recurrent_init: what the recurrent weights of the candidate state start from, in all layers of
        both GRUs: (key, (H, H), dtype) -> array, such as `gru.rotations(0.3)` or one of
        jax.nn.initializers. None draws them as the rest.
    """
    checks.check_key(key)
    return _init(key, config, dtype, recurrent_init)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))  # one program, not thirty
def _init(key, config, dtype, recurrent_init):
    forward, backward, heads = jax.random.split(key, 3)
    sizes = config.hidden, config.layers, dtype, recurrent_init
    inputs = config.dim + (config.dim + 2 if config.context else 0)
    return {
        "gru": gru.init(forward, inputs, *sizes),
        "back_gru": gru.init(backward, inputs + 1, *sizes),
        "heads": _init_heads(heads, config, dtype),
    }


def _init_heads(key, config, dtype):
    wide, narrow = 2 * config.hidden, config.head_hidden
    shapes = {"dec": (wide, narrow), "mean": (narrow, config.dim)}
    if config.stochastic:
        shapes["std"] = narrow, config.dim
    keys = jax.random.split(key, len(shapes))
    heads: Params = {
        name: _init_dense(key, config.levels, *shape, dtype)
        for key, (name, shape) in zip(keys, shapes.items())
    }
    if config.residual:
        heads["skip"] = jnp.ones((config.levels, config.dim), dtype)
    return heads


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
    leaves, structure = jax.tree.flatten(params)
    return _config_of(structure, tuple(getattr(leaf, "shape", None) for leaf in leaves))


@functools.cache  # checking traces `init`, which takes as long as filling a short sequence
def _config_of(structure, shapes) -> ModelConfig:
    params = jax.tree.unflatten(structure, [_Shape(shape) for shape in shapes])
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
    if jax.tree.structure(expected) != structure:
        raise ValueError(f"params: structure {structure} is not that of a NAOMI model")
    for (path, want), have in zip(jax.tree_util.tree_leaves_with_path(expected), shapes):
        if want.shape != have:
            name = jax.tree_util.keystr(path)
            raise ValueError(f"params{name}: shape {have}, expected {want.shape} ({config})")
    return config


class _Shape:
    """A leaf of which only the shape is known."""

    def __init__(self, shape):
        self.shape = shape


def to_bfloat16(params: Params) -> Params:
    """The same model with its matrices in bfloat16, for TPU and GPU.

    Every product then multiplies bfloat16 numbers and adds them up in float32; states, gates,
    biases and what comes out stay float32. Differentiable: train float32 parameters through it.
    """

    def cast(path, leaf):
        return leaf.astype(jnp.bfloat16) if path[-1].key in ("wx", "wh", "kernel") else leaf

    return jax.tree_util.tree_map_with_path(cast, params)
