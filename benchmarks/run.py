"""Speed of NAOMI against an eager PyTorch loop, side by side in one process.

    pip install '.[bench]'
    python benchmarks/run.py [--quick] [--sizes paper small ...] [--out FOLDER]

Same weights, same masks, float32, on the same device, in turns; medians and their ratio. Beside
them the time to compile, the memory of our compiled program as XLA counts it, and the *floor*: the
time that the matrix products alone would take at the rate of the widest of them, measured in the
same process. Prints a Markdown table and writes it to FOLDER with the same numbers as JSON.
"""

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import naomi_jax
from benchmarks import eager_torch
from naomi_jax.data import masks
from naomi_jax.methods.shared import losses
from naomi_jax.recursion.decoding.schedule import BACKWARD, IDLE

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = ("teacher-forced step", "free-running step", "impute")


@dataclasses.dataclass(frozen=True)
class Size:
    """A model, a batch and a mask."""

    steps: int
    dim: int
    hidden: int
    layers: int
    width: int
    levels: int
    batch: int
    missing: int
    per_sequence: bool = False

    @property
    def config(self):
        return naomi_jax.ModelConfig(self.dim, self.hidden, self.layers, self.levels, self.width)


PAPER = Size(200, 2, 300, 2, 200, 4, 64, 188)
SMALL = Size(200, 2, 64, 1, 64, 4, 64, 188)
SIZES = {
    "paper": PAPER,
    "small": SMALL,
    "single": dataclasses.replace(SMALL, batch=1),
    "traffic": Size(144, 963, 128, 1, 128, 5, 32, 131),
    "long": Size(20_000, 16, 64, 1, 64, 4, 4, 18_800),
    "a mask per sequence": dataclasses.replace(PAPER, per_sequence=True),
}

_EAGER_SEQUENCES = 4  # of a batch with a mask per sequence; the time of all is in proportion


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions; not the long size")
    parser.add_argument(
        "--sizes", nargs="+", choices=list(SIZES), metavar="SIZE", help=", ".join(SIZES)
    )
    parser.add_argument("--out", default=os.path.join(ROOT, "benchmarks", "results"))
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    names = arguments.sizes or [n for n in SIZES if not (arguments.quick and n == "long")]
    rows = []
    effort = (1, 5.0) if arguments.quick else (3, 30.0)
    for name in names:
        rows += measure(name, SIZES[name], *effort)
        print(markdown(rows[-len(JOBS) :], header=len(rows) == len(JOBS)), flush=True)
        save("", {"rows": rows}, markdown(rows), arguments.out)
    print(f"written to {arguments.out}", file=sys.stderr)


def measure(name, size, least, seconds):
    """Rows of a size: a dict for each of JOBS, from at least so many runs or seconds."""
    torch.manual_seed(0)
    device = "cuda" if jax.default_backend() == "gpu" else "cpu"
    eager = eager_torch.Naomi(size.dim, size.hidden, size.layers, size.levels, size.width)
    params = naomi_jax.from_torch({k: v.numpy() for k, v in eager.state_dict().items()})
    eager = eager.to(device)
    x, mask = inputs(size)
    theirs = eager_jobs(eager, torch.from_numpy(x).to(device).transpose(0, 1), mask)
    arrays = jax.device_put((params, x, mask))
    rate, rows = product_rate(size), []
    for job in JOBS:
        compiled, compile_seconds = compile_job(job, arrays)
        mine = finished(compiled, arrays)
        check(job, mine(), theirs[job](), size)
        mine_seconds, eager_seconds = in_turns(mine, theirs[job], least, seconds)
        if size.per_sequence:
            eager_seconds *= size.batch / _EAGER_SEQUENCES
        rows.append(
            {
                "size": name,
                "job": job,
                "eager": eager_seconds,
                "ours": mine_seconds,
                "ratio": eager_seconds / mine_seconds,
                "floor": products(size, mask, job) / rate,
                "compile": compile_seconds,
                "megabytes": megabytes(compiled),
            }
        )
    return rows


def inputs(size):
    """x (B, T, D), and a mask (B, T), or (T,) for all sequences."""
    config = masks.MaskConfig("random", size.missing, size.missing)
    mask = np.asarray(masks.draw_many(jax.random.key(0), config, size.batch, size.steps))
    shape = (size.batch, size.steps, size.dim)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return x, mask if size.per_sequence else mask[0]


def compile_job(job, arrays):
    """One of our_jobs compiled for (params, x, mask), and the seconds that it took."""
    began = time.perf_counter()
    compiled = jax.jit(our_jobs()[job]).lower(*arrays).compile()
    return compiled, time.perf_counter() - began


def finished(compiled, arrays):
    """A function of nothing: calls `compiled` and waits for its results."""
    return lambda: jax.block_until_ready(compiled(*arrays))


def our_jobs():
    """Functions of (params, x, mask), one for each of JOBS."""

    def free_running(params, x, mask):
        return losses.missing_error(x, naomi_jax.impute(params, x, mask), mask)

    return {
        "teacher-forced step": jax.value_and_grad(losses.teacher_forced),
        "free-running step": jax.value_and_grad(free_running),
        "impute": naomi_jax.impute,
    }


def eager_jobs(eager, x, mask):
    """The same as functions of nothing.

    With a mask per sequence the loop takes one sequence after the other, and here only the first
    few.
    """
    if mask.ndim == 1:
        parts = [(x, [bool(m) for m in mask])]
    else:
        chosen = enumerate(mask[:_EAGER_SEQUENCES])
        parts = [(x[:, i : i + 1], [bool(m) for m in row]) for i, row in chosen]

    def free_running(x, mask):
        missing = torch.tensor([not m for m in mask], device=x.device)
        return (eager.impute(x, mask) - x)[missing].square().mean()

    def step(loss):
        eager.zero_grad()
        total = 0.0
        for part in parts:
            value = loss(*part) / len(parts)
            value.backward()
            total += value.item()
        return total

    def impute():
        with torch.no_grad():
            filled = torch.cat([eager.impute(*part) for part in parts], dim=1)
        synchronize(filled)
        return filled.transpose(0, 1).cpu().numpy()

    return {
        "teacher-forced step": lambda: step(eager.teacher_forced),
        "free-running step": lambda: step(free_running),
        "impute": impute,
    }


def synchronize(tensor):
    if tensor.is_cuda:
        torch.cuda.synchronize()


def check(job, ours, theirs, size):
    """Stop unless both computed the same."""
    if job == "impute":
        np.testing.assert_allclose(ours[: len(theirs)], theirs, rtol=1e-3, atol=1e-3)
    elif not size.per_sequence:
        np.testing.assert_allclose(ours[0], theirs, rtol=1e-3, atol=1e-3, err_msg=job)


_TURN = 0.3  # seconds


def in_turns(mine, theirs, least, seconds):
    """Median seconds of each; they take turns so that neither has the quieter machine.

    A short function is called again and again in its turn, and the first call is not counted: the
    threads of the other one are still spinning, and its data are in the caches.
    """
    times = ([], [])
    began = time.perf_counter()
    turns = 0
    while turns < least or (time.perf_counter() - began < seconds and turns < 100):
        turns += 1
        for function, record in zip((mine, theirs), times):
            turn = [seconds_of(function)]
            while sum(turn) < _TURN:
                turn.append(seconds_of(function))
            record += turn[1:] or turn
    return tuple(statistics.median(record) for record in times)


def seconds_of(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def products(size, mask, job):
    """Floating-point operations (2 per multiply-add) of the matrix products of a job.

    The first layer's input is counted where there is one: every step forward, shown and decoded
    steps backward. A gradient takes twice the products of the values again.
    """
    schedule = naomi_jax.make_schedule(jnp.asarray(np.atleast_2d(mask)[0]), size.levels)
    cell, head = np.asarray(schedule.cell), np.asarray(schedule.head)
    hidden, steps = size.hidden, size.steps
    recurrent = 3 * hidden * hidden * (2 * size.layers - 1)
    read = 3 * hidden * size.dim
    decode = 2 * hidden * size.width + size.width * size.dim
    if job == "teacher-forced step":
        pairs = sum(max(steps - 2 * 2**level + 2, 0) for level in range(size.levels))
        total = 2 * steps * (recurrent + read) + pairs * decode
    else:
        total = (steps + (cell != IDLE).sum()) * recurrent + (head > 0).sum() * decode
        total += (2 * steps + (cell == BACKWARD).sum()) * read
    return 2 * float(total) * size.batch * (1 if job == "impute" else 3)


def product_rate(size):
    """Floating-point operations per second of one product (B, H) x (H, 3H) after the other."""
    count = 2000
    h = jnp.ones((size.batch, size.hidden))
    w = jnp.full((size.hidden, 3 * size.hidden), 1 / (3 * size.hidden))

    @jax.jit
    def run(h, w):
        def body(_, h):
            return (h @ w)[:, : size.hidden]

        return jax.lax.fori_loop(0, count, body, h)

    times = [seconds_of(lambda: jax.block_until_ready(run(h, w))) for _ in range(5)]
    return count * 6 * size.batch * size.hidden**2 / statistics.median(times)


def megabytes(compiled):
    """Arguments, results and buffers of the compiled program."""
    analysis = compiled.memory_analysis()
    return (
        analysis.argument_size_in_bytes
        + analysis.output_size_in_bytes
        + analysis.temp_size_in_bytes
    ) / 1e6


def markdown(rows, header=True):
    lines = []
    if header:
        lines = [
            "| size | job | eager [s] | ours [s] | ratio | floor [s] | compile [s] | memory [MB] |",
            "|---|---|---:|---:|---:|---:|---:|---:|",
        ]
    for row in rows:
        lines.append(
            f"| {row['size']} | {row['job']} | {row['eager']:.3g} | {row['ours']:.3g} | "
            f"**{row['ratio']:.2f}** | {row['floor']:.3g} | {row['compile']:.1f} | "
            f"{row['megabytes']:.0f} |"
        )
    return "\n".join(lines)


def about():
    """Where the numbers come from."""
    return {
        "device": jax.devices()[0].device_kind,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "torch": torch.__version__,
    }


def save(name, numbers, text, folder):
    """Write the numbers as JSON and the text as Markdown, with `about` in both.

    The files are named after the backend.
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name + jax.default_backend())
    with open(path + ".json", "w") as file:
        json.dump({"about": about(), **numbers}, file, indent=1)
    with open(path + ".md", "w") as file:
        versions = ", ".join(f"{key} {value}" for key, value in about().items())
        file.write(f"{versions}\n\n{text}\n")


if __name__ == "__main__":
    main()
