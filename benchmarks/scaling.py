"""How time and memory grow with the length of the sequences and with their number.

    pip install '.[bench,plot]'
    python benchmarks/scaling.py [--out FOLDER] [--figure docs/scaling.png]

Our functions alone (run.py compares): the free-running step and the imputation, medians. Writes the
numbers as JSON and Markdown to FOLDER and draws them.
"""

import argparse
import dataclasses
import os
import statistics
import sys

import jax

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

import naomi_jax  # noqa: E402
from benchmarks import run  # noqa: E402

LENGTHS = [200, 632, 2000, 6325, 20_000]
BATCHES = [1, 4, 16, 64, 256, 1024]
LEVELS = [1, 2, 4, 6, 8]
# Hidden 64; the share of missing steps stays 94 %.
BASE = run.Size(steps=200, dim=16, hidden=64, layers=1, width=64, levels=4, batch=4, missing=188)
# The memory of training: hidden 128 and 64 sequences.
WIDE = dataclasses.replace(BASE, steps=2000, hidden=128, width=128, batch=64, missing=1880)
JOBS = run.JOBS[1:]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", default=os.path.join(ROOT, "benchmarks", "results"))
    parser.add_argument("--figure", default=os.path.join(ROOT, "docs", "scaling.png"))
    arguments = parser.parse_args()
    lengths = [
        measure(dataclasses.replace(BASE, steps=n, missing=round(0.94 * n))) for n in LENGTHS
    ]
    batches = [measure(dataclasses.replace(BASE, batch=n)) for n in BATCHES]
    memory = [
        measure(size, timed=False)
        for size in [
            dataclasses.replace(WIDE, steps=n, missing=round(0.94 * n)) for n in (500, 1000)
        ]
        + [dataclasses.replace(WIDE, levels=n) for n in LEVELS]
    ]
    results = {"length": lengths, "batch": batches, "memory": memory}
    run.save("scaling_", {"results": results}, markdown(results), arguments.out)
    print(markdown(results))
    draw(lengths, batches, arguments.figure)


def measure(size, timed=True):
    """Of both JOBS: seconds of a call, seconds to compile, megabytes."""
    arrays = jax.device_put((naomi_jax.init(jax.random.key(0), size.config), *run.inputs(size)))
    row = {"steps": size.steps, "batch": size.batch, "levels": size.levels, "hidden": size.hidden}
    for job in JOBS:
        compiled, seconds = run.compile_job(job, arrays)
        row[job] = {"compile": seconds, "megabytes": run.megabytes(compiled)}
        if timed:
            call = lambda: jax.block_until_ready(compiled(*arrays))  # noqa: E731
            row[job]["seconds"] = median_seconds(call)
    return row


def median_seconds(call, seconds=6.0):
    call()
    times = []
    while len(times) < 3 or (sum(times) < seconds and len(times) < 500):
        times.append(run.seconds_of(call))
    return statistics.median(times)


def markdown(results):
    lines = ["Hidden 64, 1 layer, D 16, 94 % missing, R = 4.", ""]
    lines += ["| T | B | step [s] | a time step [us] | impute [s] | a time step [us] |"]
    lines += ["|---:|---:|---:|---:|---:|---:|"]
    for row in results["length"] + results["batch"]:
        cells = [str(row["steps"]), str(row["batch"])]
        for job in JOBS:
            seconds = row[job]["seconds"]
            cells += [f"{seconds:.3g}", f"{1e6 * seconds / row['steps']:.3g}"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "Memory of a free-running step: hidden 128, 1 layer, B 64, D 16.", ""]
    lines += ["| T | R | MB | compile [s] |", "|---:|---:|---:|---:|"]
    for row in results["memory"]:
        job = row[JOBS[0]]
        cells = f"{row['steps']} | {row['levels']} | {job['megabytes']:.0f} | {job['compile']:.1f}"
        lines.append(f"| {cells} |")
    return "\n".join(lines)


def draw(lengths, batches, path):
    """Microseconds for each time step against T, and for each step of each sequence against B."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharey=False)
    styles = {"free-running step": ("#1b6ca8", "o"), "impute": ("#c8553d", "s")}
    for job, (colour, marker) in styles.items():
        style = dict(color=colour, marker=marker, label=job)
        time = [1e6 * row[job]["seconds"] / row["steps"] for row in lengths]
        axes[0].plot([row["steps"] for row in lengths], time, **style)
        time = [1e6 * row[job]["seconds"] / row["steps"] / row["batch"] for row in batches]
        axes[1].plot([row["batch"] for row in batches], time, **style)
    axes[0].set(xlabel="T, time steps (4 sequences)", ylabel="time for each time step [µs]")
    axes[0].set(xscale="log", ylim=(0, None))
    axes[1].set(xlabel="B, sequences of 200 steps", xscale="log", yscale="log")
    axes[1].set(ylabel="time for each step of a sequence [µs]")
    for panel in axes:
        panel.grid(alpha=0.3)
        panel.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
