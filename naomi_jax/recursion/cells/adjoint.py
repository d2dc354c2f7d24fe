"""Functions with a gradient written by hand that forward mode can use, too.

`jax.custom_vjp` gives a function to `grad` alone: `jvp`, `jacfwd`, `linearize` and `hessian` refuse
it. Here the derivative is an operation of its own, linear in the tangents, whose transpose is the
gradient written by hand. Reverse mode transposes it and runs what it would run under custom_vjp;
forward mode runs the transpose of the gradient, so that both are the same derivative.

`jax.custom_derivatives.linear_call` would do, but that vmap does not know it.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir


def with_gradient(run: Callable, save: Callable, transposed: Callable, count: int) -> Callable:
    """`run`, differentiated by `transposed` in reverse mode, and by its transpose forward.

    Args:
      run: of arrays and pytrees of them; it returns one such.
      save: of the same; it returns what `run` does, and residuals.
      transposed: from the residuals and the gradient of the result to a tuple of the gradients of
        the first arguments, each a pytree like its argument.
      count: of these. Their leaves are floating point. All other arguments are constants.
    """

    @jax.custom_jvp
    def function(*arguments):
        return run(*arguments)

    @function.defjvp
    def _(arguments, tangents):
        result, residuals = save(*arguments)
        leaves, tree = jax.tree.flatten(result)
        saved, saved_tree = jax.tree.flatten(residuals)

        def pull(saved, gradients):
            residuals = jax.tree.unflatten(saved_tree, saved)
            return jax.tree.leaves(transposed(residuals, jax.tree.unflatten(tree, gradients)))

        like = tuple(jax.typeof(leaf) for leaf in leaves)
        push = functools.partial(_transpose, pull, like)
        flat = jax.tree.leaves(tangents[:count])
        moved = _linear.bind(
            *saved, *flat, apply=push, transpose=pull, saved=len(saved), results=like
        )
        return result, jax.tree.unflatten(tree, moved)

    return function


def _transpose(function, like, saved, vectors):
    """The transpose of function(saved, x), linear in x of the types `like`, at `vectors`."""
    zeros = [jnp.zeros(aval.shape, aval.dtype) for aval in like]
    return jax.vjp(functools.partial(function, saved), zeros)[1](list(vectors))[0]


# apply(saved, vectors) is linear in vectors, and transpose(saved, vectors) is its transpose; each
# takes and returns lists. `results` are the types of what apply returns.
_linear = Primitive("linear_with_transpose")
_linear.multiple_results = True


def _apply(*operands, apply, transpose, saved, results):
    del transpose, results
    return apply(list(operands[:saved]), list(operands[saved:]))


_linear.def_impl(_apply)
_linear.def_abstract_eval(lambda *operands, results, **how: list(results))
mlir.register_lowering(_linear, mlir.lower_fun(_apply, multiple_results=True))


def _derivative(primals, tangents, *, apply, saved, **how):
    """Linear in the vectors; by what was saved it is differentiated as it is computed."""
    bind = functools.partial(_linear.bind, apply=apply, saved=saved, **how)
    values = bind(*primals)
    kept, vectors = primals[:saved], primals[saved:]
    moves = [i for i, t in enumerate(tangents[:saved]) if type(t) is not ad.Zero]
    parts = []
    if any(type(t) is not ad.Zero for t in tangents[saved:]):
        parts.append(bind(*kept, *map(ad.instantiate_zeros, tangents[saved:])))
    if moves:

        def of_saved(*moved):
            now = list(kept)
            for i, value in zip(moves, moved):
                now[i] = value
            return apply(now, list(vectors))

        given = tuple(kept[i] for i in moves)
        parts.append(jax.jvp(of_saved, given, tuple(tangents[i] for i in moves))[1])
    return values, [sum(leaves[1:], leaves[0]) for leaves in zip(*parts)]


ad.primitive_jvps[_linear] = _derivative


def _transposed(gradients, *operands, apply, transpose, saved, results):
    gradients = [ad.instantiate_zeros(g) if type(g) is ad.Zero else g for g in gradients]
    like = tuple(operand.aval for operand in operands[saved:])
    found = _linear.bind(
        *operands[:saved], *gradients, apply=transpose, transpose=apply, saved=saved, results=like
    )
    return [None] * saved + list(found)


ad.primitive_transposes[_linear] = _transposed


def _batched(operands, axes, *, apply, transpose, saved, results):
    """Every vector gets the batch, as every result does; what was saved may be without it."""
    size = next(o.shape[a] for o, a in zip(operands, axes) if a is not None)
    vectors = [batching.bdim_at_front(o, a, size) for o, a in zip(operands[saved:], axes[saved:])]
    of_saved = list(axes[:saved])
    found = _linear.bind(
        *operands[:saved],
        *vectors,
        apply=jax.vmap(apply, (of_saved, 0)),
        transpose=jax.vmap(transpose, (of_saved, 0)),
        saved=saved,
        results=tuple(aval.update(shape=(size, *aval.shape)) for aval in results),
    )
    return found, [0] * len(found)


batching.primitive_batchers[_linear] = _batched
