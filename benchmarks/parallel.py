"""Level-parallel against depth-first: time of one imputation, and steps that wait for each other.

    python benchmarks/parallel.py [--out FOLDER]

Random weights, one process, in turns, medians: T 200, B 64, D 2, hidden 64 (NAOMI: one layer, R 4;
the level-parallel method: width 64, two blocks, 32 states a direction), 188 of 200 steps missing;
one mask for all sequences, and one for each. Writes Markdown and JSON to FOLDER.
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
from naomi_jax.recursion.schedule import max_ticks

STEPS, BATCH, DIM, MISSING = 200, 64, 2, 188
TURNS = 15


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", default=os.path.join(run.ROOT, "benchmarks", "results"))
    arguments = parser.parse_args()
    rows, counts = times(), [steps_that_wait(steps) for steps in (200, 2000, 20_000)]
    text = markdown(rows, counts)
    print(text)
    run.save("parallel_", {"impute": rows, "dependent": counts}, text, arguments.out)


def programs():
    """(name, function of (x, mask)) of each method."""
    params = naomi_jax.init(
        jax.random.key(0), naomi_jax.ModelConfig(DIM, 64, layers=1, levels=4, head_hidden=64)
    )
    yield "depth-first, R = 4", lambda x, mask: naomi_jax.impute(params, x, mask)
    for passes in (1, levels.num_levels(STEPS)):
        sizes = ParallelConfig(DIM, 64, passes=passes)
        parallel = model.init(jax.random.key(0), sizes)
        yield (
            f"level-parallel, R = {passes}",
            lambda x, mask, params=parallel: impute(params, x, mask),
        )


def times():
    """A row for each method: seconds with one mask for all, and with one for each sequence."""
    config = masks.MaskConfig("random", MISSING, MISSING)
    each = np.asarray(masks.draw_many(jax.random.key(0), config, BATCH, STEPS))
    x = np.random.default_rng(0).standard_normal((BATCH, STEPS, DIM)).astype(np.float32)
    jobs = {
        (name, kind): lambda function=function, mask=mask: function(x, mask)
        for name, function in programs()
        for kind, mask in (("shared", each[0]), ("each", each))
    }
    seconds = {job: [] for job in jobs}
    for turn in range(TURNS + 1):
        for job, call in jobs.items():
            began = time.perf_counter()
            jax.block_until_ready(call())
            if turn:  # the first one compiles
                seconds[job].append(time.perf_counter() - began)
    medians = {job: statistics.median(values) for job, values in seconds.items()}
    names = dict.fromkeys(name for name, _ in jobs)
    return [{"method": n, **{k: medians[n, k] for k in ("shared", "each")}} for n in names]


def steps_that_wait(steps):
    """For one length: ticks of the depth-first decode, and joins of the level-parallel one."""
    known = 12
    return {
        "steps": steps,
        "depth-first": max_ticks(steps, 4),
        "full recursion": depth.dependent_steps(steps, known),
        "at once": depth.dependent_steps(steps, known, passes=1),
        "placing": depth.placing_steps(steps),
    }


def markdown(rows, counts):
    """Both tables."""
    first = rows[0]
    lines = [
        "| imputation | one mask [ms] | ratio | a mask each [ms] | ratio |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [f"{1e3 * row[k]:.1f} | {row[k] / first[k]:.2f}" for k in ("shared", "each")]
        lines.append(f"| {row['method']} | {' | '.join(cells)} |")
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
