"""Both forms of the recurrence against a Python loop in float64, over irregular times."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.parallel.network.recurrence import recurrence, transition

FORMS = ("sequential", "associative")


def problem(events=13, batch=2, states=3, seed=0):
    """alpha, omega, elapsed times over five orders of magnitude, inputs."""
    rng = np.random.default_rng(seed)
    alpha, omega = rng.uniform(1e-3, 0.1, states), rng.uniform(0, 1, states)
    elapsed = 10.0 ** rng.uniform(-2, 3, (events, batch))
    v = rng.standard_normal((2, events, batch, states))
    return [a.astype(np.float32) for a in (alpha, omega, elapsed, v)]


def loop(alpha, omega, elapsed, v, reverse=False):
    alpha, omega, elapsed, v = (a.astype(np.float64) for a in (alpha, omega, elapsed, v))
    a = np.exp((-alpha + 1j * omega) * elapsed[..., None])
    h, states = 0, []
    order = range(len(a))[::-1] if reverse else range(len(a))
    for k in order:
        h = a[k] * h + v[0, k] + 1j * v[1, k]
        states.append(h)
    return np.stack(states[::-1] if reverse else states)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reverse", [False, True])
def test_forms_equal_a_loop(form, reverse):
    alpha, omega, elapsed, v = problem()
    a = transition(alpha, omega, elapsed)
    re, im = recurrence(a, (v[0], v[1]), reverse=reverse, form=form)
    want = loop(alpha, omega, elapsed, v, reverse)
    np.testing.assert_allclose(re + 1j * im, want, atol=2e-4)


def test_five_orders_of_magnitude_stay_accurate_and_have_finite_gradients():
    alpha = np.array([1e-3, 1e-2, 1, 30], np.float32)
    omega = np.array([3.0, 0.3, 0.01, 0], np.float32)
    elapsed = np.array([0, 1e-2, 1, 37.7, 1e3, 1e5, 1e9], np.float32)

    want = np.exp((-alpha.astype(np.float64) + 1j * omega) * elapsed[:, None].astype(np.float64))
    re, im = transition(alpha, omega, elapsed)
    np.testing.assert_allclose(re + 1j * im, want, atol=1e-4)

    def total(alpha, omega, elapsed):
        return sum(part.sum() for part in transition(alpha, omega, elapsed))

    for gradient in jax.grad(total, (0, 1, 2))(*(jnp.asarray(a) for a in (alpha, omega, elapsed))):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("reverse", [False, True])
def test_the_gradients_of_both_forms_are_those_of_autodiff(reverse):
    alpha, omega, elapsed, v = problem(events=6, batch=2)
    weight = np.random.default_rng(5).standard_normal((2, *v.shape[1:])).astype(np.float32)

    def plain(a, v):
        h = jnp.zeros_like(v[0][0]), jnp.zeros_like(v[0][0])
        total = 0.0
        for k in range(6)[::-1] if reverse else range(6):
            re = a[0][k] * h[0] - a[1][k] * h[1] + v[0][k]
            im = a[0][k] * h[1] + a[1][k] * h[0] + v[1][k]
            h = re, im
            total += (re * weight[0, k] + im * weight[1, k]).sum()
        return total

    def ours(a, v, form):
        re, im = recurrence(a, v, reverse=reverse, form=form)
        return (re * weight[0] + im * weight[1]).sum()

    # One sequence's times for all: the gradient is summed over the axis that is broadcast.
    for times in (elapsed, elapsed[:, :1]):
        a, inputs = transition(alpha, omega, times), (v[0], v[1])
        want = jax.grad(lambda a, v: plain(jax.tree.map(lambda t: t, a), v), (0, 1))(a, inputs)
        for form in FORMS:
            found = jax.grad(ours, (0, 1))(a, inputs, form)
            jax.tree.map(lambda f, w: np.testing.assert_allclose(f, w, atol=1e-4), found, want)


def test_an_unknown_form_is_named():
    with pytest.raises(ValueError, match="form: 'tree'"):
        recurrence((jnp.ones(2), jnp.ones(2)), (jnp.ones(2), jnp.ones(2)), form="tree")
