"""Level-parallel against depth-first: time of one imputation, and steps that wait for each other.

    python benchmarks/parallel.py [--out FOLDER]

Random weights, one process, in turns, medians: T 200, B 64, D 2, hidden 64 (NAOMI: one layer, R 4;
the level-parallel method: width 64, two blocks, 32 states a direction), 188 of 200 steps missing;
one mask for all sequences, and one for each. Then the same models on four sequences of 200, 2,000
and 20,000 steps, of which 12 are shown. Writes Markdown and JSON to FOLDER.
"""

import argparse
import os
import statistics
import sys
import time

import jax
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import naomi_jax
from benchmarks import run
from naomi_jax.data import masks
from naomi_jax.parallel import depth, levels, model
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.impute import impute
from naomi_jax.recursion.decoding.schedule import max_ticks

STEPS, BATCH, DIM, MISSING = 200, 64, 2, 188
LENGTHS, FEW, SHOWN = (200, 2000, 20_000), 4, 12
TURNS = 15


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", default=os.path.join(run.ROOT, "benchmarks", "results"))
    arguments = parser.parse_args()
    rows, longer = times(), [times_at(steps) for steps in LENGTHS]
    counts = [steps_that_wait(steps) for steps in LENGTHS]
    text = markdown(rows, longer, counts)
    print(text)
    numbers = {"impute": rows, "length": longer, "dependent": counts}
    run.save("parallel_", numbers, text, arguments.out)


def programs(steps):
    """(name, function of (x, mask)) of each method, for sequences of `steps`."""
    params = naomi_jax.init(
        jax.random.key(0), naomi_jax.ModelConfig(DIM, 64, layers=1, levels=4, head_hidden=64)
    )
    yield "depth-first, R = 4", lambda x, mask: naomi_jax.impute(params, x, mask)
    for passes in (1, levels.num_levels(steps)):
        sizes = ParallelConfig(DIM, 64, passes=passes)
        parallel = model.init(jax.random.key(0), sizes)
        yield (
            f"level-parallel, R = {passes}",
            lambda x, mask, params=parallel: impute(params, x, mask),
        )


def times():
    """A row for each method: seconds with one mask for all, and with one for each sequence."""
    x, each = inputs(BATCH, STEPS, MISSING)
    jobs = {
        (name, kind): lambda function=function, mask=mask: function(x, mask)
        for name, function in programs(STEPS)
        for kind, mask in (("shared", each[0]), ("each", each))
    }
    medians = in_turns(jobs, TURNS)
    names = dict.fromkeys(name for name, _ in jobs)
    return [{"method": n, **{k: medians[n, k] for k in ("shared", "each")}} for n in names]


def times_at(steps):
    """Seconds of each method for a few sequences of `steps` under one mask."""
    x, each = inputs(FEW, steps, steps - SHOWN)
    jobs = {name: lambda f=function: f(x, each[0]) for name, function in programs(steps)}
    return {"steps": steps, "seconds": list(in_turns(jobs, 5).values())}


def inputs(batch, steps, missing):
    """x (B, T, D) and masks (B, T), on the device: moving them there is not what is timed."""
    config = masks.MaskConfig("random", missing, missing)
    each = np.asarray(masks.draw_many(jax.random.key(0), config, batch, steps))
    x = np.random.default_rng(0).standard_normal((batch, steps, DIM)).astype(np.float32)
    return jax.device_put(x), each


def in_turns(jobs, turns):
    """Median seconds of each job of a dict; the first turn compiles and is not counted."""
    seconds = {job: [] for job in jobs}
    for turn in range(turns + 1):
        for job, call in jobs.items():
            began = time.perf_counter()
            jax.block_until_ready(call())
            if turn:
                seconds[job].append(time.perf_counter() - began)
    return {job: statistics.median(values) for job, values in seconds.items()}


def steps_that_wait(steps):
    """For one length: ticks of the depth-first decode, and joins of the level-parallel one."""
    return {
        "steps": steps,
        "depth-first": max_ticks(steps, 4),
        "full recursion": depth.dependent_steps(steps, SHOWN),
        "at once": depth.dependent_steps(steps, SHOWN, passes=1),
        "placing": depth.placing_steps(steps),
    }


def markdown(rows, longer, counts):
    """The three tables."""
    first = rows[0]
    lines = [
        "| imputation | one mask [ms] | ratio | a mask each [ms] | ratio |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [f"{1e3 * row[k]:.1f} | {row[k] / first[k]:.2f}" for k in ("shared", "each")]
        lines.append(f"| {row['method']} | {' | '.join(cells)} |")
    lines += ["", "| T | depth-first [ms] | at once [ms] | ratio | full [ms] | ratio |"]
    lines += ["|---:|---:|---:|---:|---:|---:|"]
    for row in longer:
        first, once, full = row["seconds"]
        cells = f"{1e3 * once:.3g} | {once / first:.2g} | {1e3 * full:.3g} | {full / first:.2g}"
        lines.append(f"| {row['steps']} | {1e3 * first:.3g} | {cells} |")
    lines += [
        "",
        "| T | depth-first ticks | level-parallel, full | at once | before the first pass |",
        "|---:|---:|---:|---:|---:|",
    ]
    for row in counts:
        lines.append("| " + " | ".join(str(value) for value in row.values()) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
