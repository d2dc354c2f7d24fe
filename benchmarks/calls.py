"""What a call costs beside its compiled program, for one short sequence.

    python benchmarks/calls.py

One sequence, T 200, D 2, 20 steps shown: `naomi_jax.impute` (hidden 64, one layer, R 5) and
`naomi_jax.parallel.impute` (R 1 and 8), called as a user does, with NumPy and with JAX arrays, and
the program that this call ends in, called with its arguments ready. In turns of random order;
medians of the process's own time, which other work on the machine hardly enters. Then the
depth-first decode with a mask for each sequence, concrete and traced.
"""

import itertools
import os
import random
import statistics
import sys
import time
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import naomi_jax
from naomi_jax import parallel
from naomi_jax.recursion.decoding.schedule import enough_backward_ticks

STEPS, LEVELS, TURNS = 200, 5, 400


def main():
    beside_the_program()
    by_missing_steps()


def beside_the_program():
    """What a call takes beside the program that it ends in."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((STEPS, 2)).astype(np.float32)
    mask = np.zeros(STEPS, np.float32)
    mask[rng.permutation(STEPS)[:20]] = 1
    print("| | program [ms] | call, NumPy | call, JAX |\n|---|---:|---:|---:|")
    for name, function, params in methods():
        arrays = {"NumPy": (x, mask), "JAX": (jnp.asarray(x), jnp.asarray(mask))}
        jobs = {kind: lambda f=function, p=params, a=a: f(p, *a) for kind, a in arrays.items()}
        ready = program(sys.modules[function.__module__], jobs["JAX"])
        times = medians({"program": ready, **jobs})
        beside = [f"{times['program']:.2f}", *(f"+{times[k] - times['program']:.2f}" for k in jobs)]
        print(f"| {name} | {' | '.join(beside)} |", flush=True)


def by_missing_steps():
    """The decode of concrete masks beside that of traced ones, which has room for any mask."""
    _, _, params = next(methods())
    traced = jax.jit(naomi_jax.impute)
    print("\n| sequences | steps missing | ticks | call [ms] | jitted, masks traced [ms] |")
    print("|---:|---:|---:|---:|---:|")
    rng = np.random.default_rng(0)
    for count, missing in itertools.product((1, 64), (20, 100, 160, 188)):
        x = rng.standard_normal((count, STEPS, 2)).astype(np.float32)
        mask = np.argsort(rng.random((count, STEPS)), axis=1) >= missing
        given = jnp.asarray(x), jnp.asarray(mask)
        jobs = {
            "call": lambda: naomi_jax.impute(params, *given),
            "jitted": lambda: traced(params, *given),
        }
        np.testing.assert_array_equal(*(job() for job in jobs.values()))
        ticks = STEPS + enough_backward_ticks(mask, LEVELS)
        times = medians(jobs, TURNS // count + 20)
        cells = count, missing, ticks, *(f"{times[name]:.2f}" for name in jobs)
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def methods():
    """(name, impute, its parameters)."""
    config = naomi_jax.ModelConfig(2, hidden=64, layers=1, levels=LEVELS)
    yield "depth-first, R = 5", naomi_jax.impute, naomi_jax.init(jax.random.key(0), config)
    for passes in (1, 8):
        config = parallel.ParallelConfig(2, passes=passes)
        yield (
            f"level-parallel, R = {passes}",
            parallel.impute,
            parallel.init(jax.random.key(0), config),
        )


def program(module, call):
    """The compiled program that `call` ends in, with its arguments on the device."""
    with mock.patch.object(module, "_impute", wraps=module._impute) as seen:
        call()
    (arguments, _), compiled = seen.call_args, module._impute

    def on_device(argument):
        return jnp.asarray(argument) if isinstance(argument, np.ndarray) else argument

    arguments = [on_device(argument) for argument in arguments]
    return lambda: compiled(*arguments)


def medians(jobs, turns=TURNS):
    """Milliseconds of each job."""
    spent = {name: [] for name in jobs}
    order = random.Random(0)
    for _ in range(turns):
        for name in order.sample(list(jobs), len(jobs)):  # what runs before leaves the cache warm
            begin = time.process_time()
            jax.block_until_ready(jobs[name]())
            spent[name].append(time.process_time() - begin)
    return {name: statistics.median(times) * 1e3 for name, times in spent.items()}


if __name__ == "__main__":
    main()
