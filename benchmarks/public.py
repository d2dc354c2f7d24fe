"""Public data with published numbers: Imputer beside the libraries people use.

    pip install '.[bench]' pypots scikit-learn
    python benchmarks/public.py --data FOLDER [--only etth1 ...] [--methods imputer saits ...]

FOLDER holds ETTh1.csv, beijing_pollutants.npz, beijing_weather.npz, aqi36.npz and traffic_hourly/
(docs/benchmarks.md says where they come from). A cell is a data set and a way to hide its entries;
every method sees the same shown entries, standardised alike, and is scored on the same hidden ones.
Each result is added to public.json of --out as soon as it is there, and what is there already is
not run again: a long table can be made in pieces. Prints the table as Markdown.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks import public_data, public_methods

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main() -> None:
    """Run what is missing, each in a process of its own, and print all there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--only", nargs="+", default=list(public_data.CELLS), metavar="CELL")
    parser.add_argument("--methods", nargs="+", default=list(public_methods.METHODS))
    parser.add_argument("--minutes", type=float, default=15, help="of training, each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given)))
        return
    path = given.out / "public.json"
    results = json.loads(path.read_text()) if path.exists() else []
    for cell in matching(given.only):
        for method in given.methods:
            seeds = given.seeds if method in public_methods.LEARNING else [0]
            for seed in seeds:
                key = {"cell": cell, "method": method, "seed": seed, "minutes": given.minutes}
                if any(all(row[k] == v for k, v in key.items()) for row in results):
                    continue
                row = in_a_process(given, cell, method, seed)
                if row is not None:
                    results.append({**key, **row})
                    path.write_text(json.dumps(results, indent=1) + "\n")
    text = markdown(results)
    (given.out / "public.md").write_text(text + "\n")
    print(text)


def matching(words):
    """The cells whose name begins with one of the words."""
    return [name for name in public_data.CELLS if any(name.startswith(word) for word in words)]


def in_a_process(given, cell, method, seed):
    """The result of one run: its memory and threads are its own. None where it failed."""
    command = [sys.executable, "-W", "ignore", __file__, "--one", "--data", str(given.data)]
    command += ["--only", cell, "--methods", method, "--seeds", str(seed)]
    command += ["--minutes", str(given.minutes), "--threads", str(given.threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        print(f"{cell}, {method}: failed", file=sys.stderr)
        return None
    row = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{cell}, {method}, seed {seed}: {row}", file=sys.stderr, flush=True)
    return row


def one(given):
    """Errors, seconds and memory of one method on one cell."""
    (name,), (method,), (seed,) = given.only, given.methods, given.seeds
    cell = public_data.CELLS[name](given.data)
    public_methods.use_threads(given.threads)
    fills, (began, fitted) = public_methods.METHODS[method](cell, given.minutes, seed)
    ended = time.monotonic()
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "errors": {kind: errors(cell, fill) for kind, fill in fills.items()},
        "fit": fitted - began,
        "fill": ended - fitted,
        "gib": gib,
    }


def errors(cell, fill):
    """MAE and MSE of the scored entries; of samples the CRPS and the share inside, too."""
    sampled = isinstance(fill, public_methods.Fill)
    wrong = np.abs((fill.values if sampled else fill) - cell.truth)[cell.scored]
    row = {"mae": float(wrong.mean()), "mse": float(np.square(wrong).mean())}
    if sampled:
        from naomi_jax.evaluation.scores import crps  # starts jax: after the memory was read

        drawn, truth = fill.samples[:, cell.scored], cell.truth[cell.scored]
        # For `crps` each scored entry is a sequence of one step and one column, and missing.
        alone = drawn[:, :, None, None], truth[:, None, None], np.zeros((len(truth), 1))
        row |= {"crps": crps(*alone), "samples": len(drawn)}
        # By ranks: nine tenths of the truths lie inside if they are drawn as the samples are.
        ends = fill.interval or np.quantile(fill.samples, (0.05, 0.95), axis=0, method="weibull")
        row["inside"] = inside(cell, *ends)
    return row


def inside(cell, low, high):
    """Share of the scored entries inside their interval, by the length of the hole."""
    length = public_data.hole_lengths(np.isnan(cell.shown))[cell.scored]
    held = ((low <= cell.truth) & (cell.truth <= high))[cell.scored]
    kinds = {"1": length == 1, "2-6": (length > 1) & (length < 7), "more": length > 6}
    kinds["all"] = length > 0
    return {kind: float(held[mine].mean()) for kind, mine in kinds.items() if mine.any()}


def markdown(results):
    """Errors, a row for each cell, and what they cost; means over seeds."""
    cells = [cell for cell in public_data.CELLS if any(row["cell"] == cell for row in results)]
    kinds = dict.fromkeys(
        (row["method"], kind)
        for method in public_methods.METHODS
        for row in results
        if row["method"] == method
        for kind in row["errors"]
    )
    names = [f"{method}, {kind}" if kind else method for method, kind in kinds]
    errors = [f"| MAE / MSE | {' | '.join(names)} |", "|---|" + "---:|" * len(kinds)]
    costs = ["| fit [s], fill [s], GiB | " + " | ".join(dict.fromkeys(m for m, _ in kinds)) + " |"]
    costs += ["|---|" + "---:|" * len({method for method, _ in kinds})]
    for cell in cells:
        mine = [row for row in results if row["cell"] == cell]
        parts = [_error(mine, method, kind) for method, kind in kinds]
        errors.append(f"| {cell} | {' | '.join(parts)} |")
        parts = [_cost(mine, method) for method in dict.fromkeys(m for m, _ in kinds)]
        costs.append(f"| {cell} | {' | '.join(parts)} |")
    return "\n".join([*errors, "", *costs, "", *_intervals(results, cells)])


def _intervals(results, cells):
    """Share inside the 90 % intervals, by the length of the hole, and the CRPS of samples."""
    lines = [
        "| inside 90 % intervals, holes of | 1 | 2-6 | more | all | CRPS | samples |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for cell in cells:
        found = {}
        for row in results:
            for kind, error in row["errors"].items() if row["cell"] == cell else ():
                if "inside" in error:
                    found.setdefault((row["method"], kind), []).append(error)
        for (method, kind), errors in found.items():
            seeds = f"{len(errors)} seeds" if len(errors) > 1 else ""
            name = ", ".join(word for word in (cell, method, kind, seeds) if word)
            parts = [
                f"{np.mean([error['inside'][length] for error in errors]):.1%}"
                if length in errors[0]["inside"]
                else ""
                for length in ("1", "2-6", "more", "all")
            ]
            scores = [error["crps"] for error in errors if "crps" in error]
            parts += [f"{np.mean(scores):.4g}" if scores else "", str(errors[0].get("samples", ""))]
            lines.append(f"| {name} | {' | '.join(parts)} |")
    return lines if len(lines) > 2 else []


def _error(rows, method, kind):
    """Mean MAE / mean MSE, and from how many seeds where there are several."""
    found = [
        row["errors"][kind] for row in rows if row["method"] == method and kind in row["errors"]
    ]
    if not found:
        return ""
    mae, mse = (np.mean([error[part] for error in found]) for part in ("mae", "mse"))
    seeds = f" ({len(found)} seeds)" if len(found) > 1 else ""
    return f"{mae:.4g} / {mse:.4g}{seeds}"


def _cost(rows, method):
    found = [row for row in rows if row["method"] == method]
    if not found:
        return ""
    fit, fill, gib = (np.mean([row[part] for row in found]) for part in ("fit", "fill", "gib"))
    return f"{fit:.0f}, {fill:.1f}, {gib:.1f}"


if __name__ == "__main__":
    main()
