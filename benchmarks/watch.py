"""Whether a commit is slower than another one.

    python benchmarks/watch.py BASE [HEAD]

Checks both out into temporary worktrees and times what watch_jobs.py lists: one process for a
commit, then one for the other, round after round, each time in the other order, on one thread. What
a round says is the ratio of its two processes, which ran one right after the other; what is judged
is the median of the rounds. Programs are compiled in a round before, which does not count. Times
are those that a core works, so that other programs on the machine matter little.

Prints a Markdown table. The exit status is 1 where something has become more than 15 % slower, or
is no longer there. Only what is committed is timed.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 5
LIMIT = 1.15


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("base", metavar="BASE", help="the commit to compare with")
    parser.add_argument("head", metavar="HEAD", nargs="?", default="HEAD", help="HEAD by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(worktree(commit, os.path.join(place, name)))
            for name, commit in (("base", arguments.base), ("head", arguments.head))
        ]
        rows = compare(*in_turns(*sides))
    print(markdown(rows))
    slower = [row["job"] for row in rows if is_slower(row)]
    if slower:
        sys.exit(f"more than {LIMIT - 1:.0%} slower, or gone: {', '.join(slower)}")


@contextlib.contextmanager
def worktree(commit, folder):
    """A folder with the files of a commit, while it is needed."""
    git("worktree", "add", "--quiet", "--detach", folder, commit)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", folder)


def git(*words):
    done = subprocess.run(["git", "-C", HERE, *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"git {words[0]}: {done.stderr.strip()}")


def in_turns(base, head):
    """For each side a list of {job: seconds}, one for each round."""
    found = {base: [], head: []}
    for number in range(-1, ROUNDS):
        for side in (base, head) if number % 2 else (head, base):
            seconds = timed(side)
            if number >= 0:
                found[side].append(seconds)
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr, flush=True)
    return found[base], found[head]


def timed(folder):
    """{job: seconds} of the package in a folder, from a new process."""
    environment = {
        **os.environ,
        "PYTHONPATH": folder,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
        "JAX_COMPILATION_CACHE_DIR": f"{folder}.compiled",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    words = [sys.executable, os.path.join(HERE, "watch_jobs.py")]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=folder)
    if done.returncode:
        sys.exit(f"{folder}: {done.stderr}")
    said = json.loads(done.stdout)
    assert said["package"].startswith(folder), said["package"]
    return said["seconds"]


def compare(base, head):
    """A row for each job: the median of each side, and the median and the range of the ratios."""
    rows = []
    for job in dict.fromkeys([*base[0], *head[0]]):
        row = {"job": job}
        for name, side in (("base", base), ("head", head)):
            if job in side[0]:
                row[name] = statistics.median(seconds[job] for seconds in side)
        if "base" in row and "head" in row:
            ratios = [new[job] / old[job] for old, new in zip(base, head)]
            row |= {"ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
        rows.append(row)
    return rows


def is_slower(row):
    return "head" not in row or row.get("ratio", 0) > LIMIT


def markdown(rows):
    lines = ["| job | base [ms] | head [ms] | ratio | rounds |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        base, head = (f"{1e3 * row[side]:.3g}" if side in row else "" for side in ("base", "head"))
        ratio = f"**{row['ratio']:.2f}**" if "ratio" in row else ""
        spread = f"{row['low']:.2f} to {row['high']:.2f}" if "ratio" in row else ""
        lines.append(f"| {row['job']} | {base} | {head} | {ratio} | {spread} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
