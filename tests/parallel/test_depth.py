"""Dependent steps: the associative form has no loop whose length grows with the sequence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.parallel import model
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.depth import dependent_steps, loops, placing_steps
from naomi_jax.parallel.impute import impute


def program(steps, form, passes=20):
    config = ParallelConfig(1, width=4, states=2, passes=passes)
    params = model.init(jax.random.key(0), config)
    mask = np.zeros(steps, bool)
    mask[:: steps // 12] = True
    x = jnp.zeros((1, steps, 1))
    return jax.make_jaxpr(lambda params, x: impute(params, x, mask, form=form))(params, x)


@pytest.mark.parametrize("steps", [50, 300])
def test_no_loops_in_the_associative_form(steps):
    assert loops(program(steps, "associative").jaxpr) == []
    # The check can fail: the sequential form has a loop a recurrence and direction, longer with T.
    assert max(loops(program(steps, "sequential").jaxpr)) >= steps // 2


def test_dependent_steps_grow_with_the_logarithm():
    counts = [dependent_steps(steps, 12) for steps in (200, 2000, 20_000)]
    assert counts == [164, 284, 464]
    assert [placing_steps(steps) for steps in (200, 2000, 20_000)] == [56, 77, 105]
    assert dependent_steps(200, 12, passes=1) == 16
