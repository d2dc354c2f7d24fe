"""A gradient written by hand in both modes of differentiation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax import parallel
from naomi_jax.recursion.cells import adjoint


def plain(weights, x, which):
    """A matrix and an offset; column `which` of the product counts twice."""
    h = jnp.tanh(x @ weights["matrix"] + weights["offset"][None])
    return h, h.at[:, which].multiply(2)


def save(weights, x, which):
    result = plain(weights, x, which)
    return result, (weights["matrix"], x, result[0], which)


def transposed(residuals, gradients):
    matrix, x, h, which = residuals
    d = gradients[0] + gradients[1].at[:, which].multiply(2)
    d = d * (1 - h * h)
    return {"matrix": x.T @ d, "offset": d.sum(0)}, d @ matrix.T


by_hand = adjoint.with_gradient(plain, save, transposed, 2)


def problem():
    rng = np.random.default_rng(0)
    weights = {"matrix": rng.standard_normal((3, 2)), "offset": rng.standard_normal(2)}
    return jax.tree.map(jnp.asarray, (weights, rng.standard_normal((4, 3))))


def losses():
    def loss(function):
        def of(weights, x):
            first, second = function(weights, x, jnp.array([1]))
            return (first * second).sum() + (second**3).sum()

        return of

    return loss(by_hand), loss(plain)


def differentiations(of, arguments):
    def move(x):
        return jax.jvp(of, arguments, (arguments[0], x))

    several = jnp.stack([arguments[1], arguments[1] ** 2])
    return {
        "grad": jax.grad(of, (0, 1))(*arguments),
        "jvp": move(arguments[1]),
        "jvp of jit": jax.jvp(jax.jit(of), arguments, arguments),
        "jacfwd": jax.jacfwd(of, (0, 1))(*arguments),
        "linearize": jax.linearize(of, *arguments)[1](*arguments),
        "vmap of jvp": jax.vmap(move)(several),
        "vmap of grad": jax.vmap(jax.grad(of, (0, 1)), (None, 0))(arguments[0], several),
        "forward over reverse": jax.hessian(of, (0, 1))(*arguments),
        "reverse over forward": jax.jacrev(jax.jacfwd(of, (0, 1)), (0, 1))(*arguments),
        "reverse over reverse": jax.jacrev(jax.grad(of, 1), 1)(*arguments),
    }


@pytest.mark.usefixtures("x64")
def test_every_derivative_is_that_of_autodiff():
    ours, theirs = (differentiations(of, problem()) for of in losses())
    for name, found in ours.items():
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10, err_msg=name),
            found,
            theirs[name],
        )


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("method", ["naomi", "naomi_parallel"])
def test_the_derivative_along_a_direction_is_that_of_a_small_step(method):
    rng = np.random.default_rng(1)
    x, direction = jnp.asarray(rng.standard_normal((2, 3, 12, 2)))
    mask = rng.random((3, 12)) < 0.4
    if method == "naomi":
        config = naomi_jax.ModelConfig(2, 5, 2, 3, 4)
        params = naomi_jax.init(jax.random.key(0), config, "float64")
        impute = naomi_jax.impute
    else:
        config = parallel.ParallelConfig(dim=2, width=8, depth=1)
        params = parallel.init(jax.random.key(0), config)
        params = jax.tree.map(lambda p: p.astype("float64"), params)
        impute = parallel.impute

    def filled(params, x):
        return impute(params, x, mask)

    tangents = jax.tree.map(jnp.sign, params), direction
    value, moved = jax.jit(lambda *a: jax.jvp(filled, (params, x), a))(*tangents)
    after, before = (
        filled(*jax.tree.map(lambda p, t, s=sign: p + s * t, (params, x), tangents))
        for sign in (1e-6, -1e-6)
    )
    np.testing.assert_allclose(value, filled(params, x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(moved, (after - before) / 2e-6, rtol=1e-5, atol=1e-6)
    assert np.abs(moved[~mask]).max() > 0.1
