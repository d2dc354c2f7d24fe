"""What a call costs beside its compiled program, for one short sequence.

    python benchmarks/calls.py

One sequence, T 200, D 2, 20 steps shown: `naomi_jax.impute` (hidden 64, one layer, R 5) and
`naomi_jax.parallel.impute` (R 1 and 8), called as a user does, with NumPy and with JAX arrays, and
the program that this call ends in, called with its arguments ready. In turns; medians of the
process's own time, which other work on the machine does not enter.
"""

import os
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

STEPS, TURNS = 200, 400


def main():
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


def methods():
    """(name, impute, its parameters)."""
    config = naomi_jax.ModelConfig(2, hidden=64, layers=1, levels=5)
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


def medians(jobs):
    """Milliseconds of each job."""
    spent = {name: [] for name in jobs}
    for _ in range(TURNS):
        for name, job in jobs.items():
            begin = time.process_time()
            jax.block_until_ready(job())
            spent[name].append(time.process_time() - begin)
    return {name: statistics.median(times) * 1e3 for name, times in spent.items()}


if __name__ == "__main__":
    main()
