"""Fills and a training at once, under kill -9 at random times: what is left must be whole.

    python benchmarks/soak.py [--minutes 5] [--seed 0]

Four processes fill tables from one run folder, file after file, while a fifth trains into another
run folder and saves after every epoch. Each is killed within ten seconds of work, some while they
start, and started again. Then no output may differ in one bit from that of a command left alone,
both runs must open, the training must go on, and filling must still work. A process of its own
fills 200 times before; its memory may not grow. Linux. Prints what was found; the exit status is 1
where something is wrong.
"""

import argparse
import contextlib
import dataclasses
import io
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import naomi_jax
from naomi_jax.cli import program
from naomi_jax.training import loop
from naomi_jax.training.checkpoints import Checkpoints

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILLERS, SLOTS, FILLS = 4, 20, 200
TABLES = ("other.csv", "other.csv.gz", "other.parquet")
TRAIN = (
    "--data=series.csv --workdir=runs/series --method=naomi --method.hidden=4 --method.levels=3 "
    "--method.head_hidden=4 --data.window=12 --batch_size=8 --eval_epochs=1 "
    "--phases.teacher_forced.epochs=1 --phases.squared_error.epochs=100000"
).split()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5, help="of kills")
    parser.add_argument("--seed", type=int, default=0, help="of the times of the kills")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        prepare()
        memory = grown()
        print(memory, flush=True)
        wrong = soak(arguments.minutes * 60, random.Random(arguments.seed))
        wrong += check()
    if wrong:
        sys.exit("\n".join(["wrong:", *wrong]))
    print("nothing is wrong")


def prepare():
    """Tables, a run that fills them and its fills when nothing disturbs it, a training begun."""
    t = np.arange(150)
    frame = pd.DataFrame({"a": np.sin(t / 4).round(3), "b": np.cos(t / 6).round(3)})
    frame.to_csv("series.csv", index=False)
    frame.iloc[20:28, 0] = frame.iloc[90:92, 1] = np.nan
    frame.to_csv("station.csv", index=False)
    other = frame.iloc[5:130].reset_index(drop=True)
    for name in TABLES[:2]:
        other.to_csv(name, index=False)
    other.to_parquet(TABLES[2])
    os.mkdir("expected")
    os.mkdir("out")
    with contextlib.redirect_stdout(io.StringIO()):
        program.command(["fill", "station.csv", "filled.csv"])
    for name in TABLES:
        fill(name, f"expected/{name}")
    trainer = training("train.log")
    trainer.start(random)
    while latest() is None and trainer.process.poll() is None:
        time.sleep(1)
    trainer.end()


def fill(source, target):
    with contextlib.redirect_stdout(io.StringIO()):
        program.command(["impute", "runs/station", source, target])


def work(number):
    """What a filling process does: for ever, a line for each file that is complete."""
    done = 0
    while True:
        table = TABLES[done % len(TABLES)]
        fill(table, f"out/{number}_{done % SLOTS}_{table}")
        done += 1
        print(table, flush=True)


def grown():
    """A sentence on the memory of a process that fills FILLS times."""
    done = subprocess.run(command("memory"), capture_output=True, text=True, check=True)
    early, late = map(int, done.stdout.split())
    text = f"{FILLS} fills in one process: {early} MB after 20, {late} MB after {FILLS}"
    return text if late < 1.1 * early else sys.exit(f"wrong: {text}")


def watch_memory():
    for count in range(1, FILLS + 1):
        fill(TABLES[count % len(TABLES)], f"out/memory_{TABLES[count % len(TABLES)]}")
        if count in (20, FILLS):
            pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
            print(pages * os.sysconf("SC_PAGE_SIZE") // 10**6)


def command(*words):
    return [sys.executable, str(ROOT / "benchmarks" / "soak.py"), *map(str, words)]


@dataclasses.dataclass
class Worker:
    """A process that is killed and started again.

    Attributes:
      words: its command.
      sign: a file that grows when it works.
      log: where its output goes.
      environment: of its own.
    """

    words: list[str]
    sign: str
    log: str
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    kills: int = 0

    def start(self, rng):
        self.before = size(self.sign)
        # Compiling is most of a start; what is compiled is kept, and quickly made for the training.
        environment = {**os.environ, **self.environment, "JAX_COMPILATION_CACHE_DIR": "compiled"}
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.words, stdout=log, stderr=log, env=environment)
        # Most are killed some time after they begin to work, one in five at any time.
        self.wait, self.any_time = rng.uniform(0, 10), rng.random() < 0.2
        self.due = time.monotonic() + self.wait if self.any_time else None

    def tend(self, rng):
        """Kill it when its time has come; whether it has ended by itself, which it must not."""
        if self.process.poll() is not None:
            return True
        if self.due is None and size(self.sign) > self.before:
            self.due = time.monotonic() + self.wait
        if self.due is not None and time.monotonic() > self.due:
            self.end()
            self.kills += 1
            self.start(rng)
        return False

    def end(self):
        self.process.kill()
        self.process.wait()


def training(log):
    words = [sys.executable, str(ROOT / "train.py"), *TRAIN]
    metrics = "runs/series/metrics.jsonl"
    return Worker(words, metrics, log, {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"})


def size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def soak(seconds, rng):
    """Kill for so long; what went wrong."""
    fillers = [Worker(command("fill", n), f"fill{n}.log", f"fill{n}.log") for n in range(FILLERS)]
    trainer = training("train.log")
    workers, wrong, opened = [*fillers, trainer], [], 0
    for worker in workers:
        worker.start(rng)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not wrong:
            for worker in workers:
                if worker.tend(rng):
                    wrong.append(f"{worker.words[1:4]}: {pathlib.Path(worker.log).read_text()}")
            naomi_jax.load("runs/series")  # while it is trained and killed
            opened += 1
            time.sleep(0.5)
    finally:
        for worker in workers:
            worker.end()
    said = [line for f in fillers for line in pathlib.Path(f.log).read_text().splitlines()]
    fills = sum(line in TABLES for line in said)
    print(
        f"{seconds / 60:g} minutes: {fills} files filled, {sum(f.kills for f in fillers)} kills of "
        f"filling processes, {trainer.kills} of the training, which was opened {opened} times",
        flush=True,
    )
    return wrong


def latest():
    """The training's latest checkpoint, None before the first."""
    folder = f"runs/series/{loop.CHECKPOINTS}"
    if not os.path.isdir(folder):
        return None
    return max((int(name) for name in os.listdir(folder) if name.isdigit()), default=None)


def check():
    """What is wrong with what the kills have left."""
    wrong = []
    outputs = [path for path in pathlib.Path("out").iterdir() if path.suffix != ".tmp"]
    for path in outputs:
        expected = pathlib.Path("expected", path.name.split("_")[-1]).read_bytes()
        if path.read_bytes() != expected:
            wrong.append(f"{path}: not what a command left alone writes")
    left = len(list(pathlib.Path("out").glob(".*.tmp")))
    print(f"{len(outputs)} outputs compared, {left} unfinished ones under hidden names")
    fill(TABLES[0], "out/after.csv")
    after, expected = (
        pathlib.Path(p).read_bytes() for p in ("out/after.csv", "expected/other.csv")
    )
    if after != expected:
        wrong.append("runs/station: fills otherwise than before")
    before = latest()
    naomi_jax.load("runs/series")
    trainer = training("last.log")
    trainer.start(random)
    end = time.monotonic() + 600
    while latest() == before and trainer.process.poll() is None and time.monotonic() < end:
        time.sleep(1)
    trainer.end()
    if latest() == before:
        wrong.append(f"runs/series does not go on: {pathlib.Path('last.log').read_text()}")
    with Checkpoints(f"runs/series/{loop.CHECKPOINTS}", read_only=True) as checkpoints:
        print(f"the training was at step {before}, and went on to {checkpoints.latest()}")
    return wrong


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", number]:
            work(number)
        case ["memory"]:
            watch_memory()
        case _:
            main()
