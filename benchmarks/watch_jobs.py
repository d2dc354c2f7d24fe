"""What watch.py times, in a process of its own: prints seconds by name, as JSON.

Only what users call, so that it runs on every commit; what a commit does not have is left out. The
seconds are those that a core works for this process: waiting for other programs does not count.
"""

import json
import sys
import time

import numpy as np

STEPS, DIM, BATCH, MISSING = 200, 2, 64, 188
_TURN = 0.3  # seconds


def main():
    sys.meta_path[:] = plain(sys.meta_path)
    start = time.process_time()
    import naomi_jax

    found = {"import naomi_jax": time.process_time() - start}
    found |= depth_first(naomi_jax)
    try:
        from naomi_jax import parallel
    except ImportError:
        parallel = None
    if parallel:
        found |= level_parallel(parallel)
    if hasattr(naomi_jax, "Imputer"):
        found["Imputer: fit and transform"] = seconds_of(lambda: fill_table(naomi_jax.Imputer))
    json.dump({"package": naomi_jax.__file__, "seconds": found}, sys.stdout)


def plain(finders):
    """Without those of editable installations, which lend a commit the modules it does not have."""
    return [f for f in finders if not getattr(f, "__module__", "").startswith("__editable__")]


def depth_first(naomi_jax):
    """Seconds of the paper's method."""
    import jax
    import jax.numpy as jnp

    config = naomi_jax.ModelConfig(DIM, 64, 1, 4, 64)
    params = naomi_jax.init(jax.random.key(0), config)
    x, mask = inputs()

    @jax.jit
    def update(params, x, mask):
        def error(params):
            return jnp.square(naomi_jax.impute(params, x, mask) - x).mean()

        return descend(params, jax.grad(error)(params))

    return {
        "impute, one sequence": fastest(naomi_jax.impute, params, x[0], mask),
        "impute, 64 sequences": fastest(naomi_jax.impute, params, x, mask),
        "training update, 64 sequences": fastest(update, params, x, mask),
    }


def level_parallel(parallel):
    """Seconds of the level-parallel method."""
    import jax

    params = parallel.init(jax.random.key(0), parallel.ParallelConfig(DIM, 64, passes=1))
    x, mask = inputs()
    key = jax.random.key(1)

    @jax.jit
    def update(params, x, mask):
        gradient = jax.grad(lambda p: parallel.teacher_forced(p, x, mask, key))(params)
        return descend(params, gradient)

    return {
        "naomi_parallel impute, one sequence": fastest(parallel.impute, params, x[0], mask),
        "naomi_parallel impute, 64 sequences": fastest(parallel.impute, params, x, mask),
        "naomi_parallel training update": fastest(update, params, x, mask),
    }


def inputs():
    """x (B, T, D), and a mask (T,) for all sequences."""
    rng = np.random.default_rng(0)
    mask = np.ones(STEPS, np.float32)
    mask[rng.permutation(STEPS)[:MISSING]] = 0
    return rng.standard_normal((BATCH, STEPS, DIM)).astype(np.float32), mask


def descend(params, gradient):
    import jax

    return jax.tree.map(lambda p, g: p - 1e-3 * g, params, gradient)


def fill_table(imputer):
    """500 rows and 3 columns; without a network, which would train for a time, not for so much."""
    rng = np.random.default_rng(0)
    table = rng.standard_normal((500, 3)).cumsum(axis=0)
    table[rng.random(table.shape) < 0.2] = np.nan
    assert np.isfinite(imputer("interpolate").fit(table).transform(table)).all()


def fastest(function, *arrays):
    """Seconds of the fastest of many calls: what else the machine does only adds to it."""
    import jax

    arrays = jax.device_put(arrays)

    def call():
        jax.block_until_ready(function(*arrays))

    call()  # compiles
    times = [seconds_of(call)]
    while sum(times) < _TURN or len(times) < 3:
        times.append(seconds_of(call))
    return min(times)


def seconds_of(function):
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    main()
