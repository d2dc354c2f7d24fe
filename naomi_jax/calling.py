"""How this user calls the commands, for messages: naomi-jax, or the scripts of a checkout."""

import os
import shlex
import sys

_SCRIPTS = ("train.py", "eval.py")


def words() -> list[str]:
    """The words of this command."""
    program, *others = sys.argv
    if program.endswith(".py"):
        return ["python", program, *others]
    return [os.path.basename(program), *others]


def again() -> str:
    """This command, to be run again."""
    return shlex.join(words())


def quoted(path: str) -> str:
    """A path as a word of a command: quoted for the shell, and never taken for a flag."""
    return shlex.quote(os.path.join(".", path) if path.startswith("-") else path)


def by_scripts() -> bool:
    """Whether it is train.py or eval.py that was called."""
    return os.path.basename(sys.argv[0]) in _SCRIPTS


def fill(table: str, filled: str) -> str:
    """To learn from a table and fill it; arguments are words of the command, quoted."""
    if by_scripts():
        return f"python train.py --data {table} --fill {filled}"
    return f"naomi-jax fill {table} {filled}"


def impute(run: str, table: str, filled: str) -> str:
    """To fill a table with a run."""
    if by_scripts():
        return f"python eval.py {run} --impute {table} --out {filled}"
    return f"naomi-jax impute {run} {table} {filled}"


def train(flags: str) -> str:
    """To train on complete sequences."""
    return f"python train.py {flags}" if by_scripts() else f"naomi-jax train {flags}"


def evaluate(run: str) -> str:
    """To print the errors of a run."""
    return f"python eval.py {run}" if by_scripts() else f"naomi-jax eval {run}"


def table(number: str, runs: str) -> str:
    """To print a table of the paper."""
    if by_scripts():
        return f"python eval.py --table {number} {runs}"
    return f"naomi-jax table {number} {runs}"


def figure(run: str, out: str) -> str:
    """To draw a sequence that a run fills."""
    if by_scripts():
        return f"python eval.py {run} --figure {out}"
    return f"naomi-jax figure {run} {out}"


def page(runs: str, out: str) -> str:
    """To write a page about runs."""
    if by_scripts():
        return f"python eval.py {runs} --report {out}"
    return f"naomi-jax page {runs} {out}"
