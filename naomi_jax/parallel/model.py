"""Parameters of the level-parallel method: made, and read.

A plain dict tree; every size that a forward pass needs is a shape in it, so that `impute` takes
nothing else.
"""

import functools

import jax
import jax.numpy as jnp

from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.inputs.geometry import geometry
from naomi_jax.parallel.network.encoder import Encoder, Params


@functools.partial(jax.jit, static_argnames="config")
def init(key, config: ParallelConfig) -> Params:
    """Fresh float32 parameters.

    Args:
      key: a JAX random key.
      config: the sizes.
    """
    known = jnp.ones((1, 2, 1), bool)
    target = jnp.zeros((1, 1), jnp.int32)
    place = geometry(known, target, target == 0, jnp.arange(2.0)[None], 2)
    covariates = jnp.zeros((1, 2, config.covariates)) if config.covariates else None
    x = jnp.zeros((1, 2, config.dim))
    first = jnp.zeros(1, jnp.int32)
    return dict(Encoder(config).init(key, x, known, place, first, covariates)["params"])


def config_of(params: Params) -> ParallelConfig:
    """The sizes of a parameter tree, read off its shapes; frequency and decay are the defaults.

    Raises:
      ValueError: the tree is not one of this model's.
    """
    leaves, structure = jax.tree.flatten(params)
    return _config_of(structure, tuple(jnp.shape(leaf) for leaf in leaves))


@functools.cache  # checking traces the whole model, which takes longer than a small imputation
def _config_of(structure, shapes) -> ParallelConfig:
    params = jax.tree.unflatten(structure, [_Shape(shape) for shape in shapes])
    try:
        sizes = _sizes(params)
        inputs = params["embed"]["kernel"].shape[0]
        config = ParallelConfig(
            **sizes,
            covariates=inputs - _expected(ParallelConfig(**sizes))["embed"]["kernel"].shape[0],
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            "params: not a parameter tree of the level-parallel method "
            "(naomi_jax.parallel.model.init makes them)"
        ) from error
    expected = _expected(config)
    if jax.tree.structure(expected) != structure:
        raise ValueError(f"params: structure {structure} is not that of {config}")
    for (path, want), have in zip(jax.tree_util.tree_leaves_with_path(expected), shapes):
        if want.shape != have:
            name = jax.tree_util.keystr(path)
            raise ValueError(f"params{name}: shape {have}, expected {want.shape} ({config})")
    return config


class _Shape:
    """A leaf of which only the shape is known."""

    def __init__(self, shape):
        self.shape = shape


def _expected(config: ParallelConfig):
    return jax.eval_shape(lambda: init(jax.random.key(0), config))


def _sizes(params) -> dict:
    shared, pairs = "column" in params, "attention_read" in params
    components = params["weight"]["bias"].shape[0] if "weight" in params else 1
    return dict(
        # A model of pairs takes any number of them.
        dim=params["column"].shape[0] if shared else params["value"]["bias"].shape[0] // components,
        width=params["embed_out"]["kernel"].shape[1],
        depth=sum(name.startswith("recurrence_") for name in params),
        states=params["recurrence_0"]["frequency"].shape[1],
        passes=params["level"]["embedding"].shape[0],
        stochastic="std" in params,
        components=components,
        columns="shared" if shared else "pairs" if pairs else "joint",
    )
