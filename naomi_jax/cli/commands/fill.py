"""naomi-jax fill: learn from a table with holes, and fill it."""

import argparse
import math
import os
import sys
from collections.abc import Sequence

from naomi_jax import calling
from naomi_jax.cli import flags, table_flags
from naomi_jax.jobs import wanted
from naomi_jax.jobs.learning import Bound, Learning
from naomi_jax.progress import Progress
from naomi_jax.tables.files import reading

USAGE = """Fill the holes of a table: {}

Learns from what is there, fills what is not, and writes a copy in which nothing else has changed.
On entries that it held out itself it says how far the filling is from the truth, and how far a
straight line is. The same command again uses what was learned the first time. After Ctrl-C it goes
on with what was learned so far."""


def add(commands: argparse._SubParsersAction, words: Sequence[str]) -> None:
    """Add the subcommand."""
    del words
    usage = f"{calling.fill('TABLE', 'FILLED')} [--FLAG VALUE ...]"
    example = calling.fill("station.csv", "filled.csv")
    parser = commands.add_parser("fill", usage=usage, description=USAGE.format(example))
    parser.add_argument(
        "table", metavar="TABLE", help=f"The table: {', '.join(reading.EXTENSIONS)}."
    )
    parser.add_argument(
        "filled", metavar="FILLED", help="Where to write the filled table, in the same format."
    )
    parser.add_argument(
        "--workdir", metavar="DIR", help="Where what was learned is kept; runs/NAME of the file."
    )
    parser.add_argument(
        "--seed", type=flags.SEED, default=0, help="Of everything random.", metavar="N"
    )
    _add_learning(parser)
    table_flags.add_filling(parser)
    table_flags.add_reading(parser)
    parser.set_defaults(run_command=run)


def _add_learning(parser):
    group = parser.add_argument_group("learning from the table (the defaults suit most)")
    group.add_argument(
        "--minutes",
        type=flags.number(float, "a positive number", lambda x: 0 < x < math.inf),
        metavar="N",
        help="Learn no longer than this. Reading, the first compilation of a program, and writing "
        "are not counted. Else the size of the table decides.",
    )
    group.add_argument(
        "--network",
        action="store_true",
        default=None,
        help="Train a network, too; it takes minutes.",
    )
    group.add_argument(
        "--bounds",
        type=_bound,
        action="append",
        default=[],
        metavar="[NAME=]LOW,HIGH",
        help="Between which values fillings lie: 0,100 for all columns, humidity=0,100 for one, "
        "0, for no upper bound. May be given several times.",
    )
    group.add_argument(
        "--covariates",
        type=_names,
        default=(),
        metavar="NAME[,NAME]",
        help="Columns of numbers that are known in every row: they help, and are not filled.",
    )
    group.add_argument(
        "--period",
        type=_period,
        action="append",
        default=[],
        metavar="LENGTH",
        help="The length of a cycle: a number of rows, or a time such as 24h or 7D. May be given "
        "several times.",
    )


def run(asked: argparse.Namespace) -> None:
    """Fill the table.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    filling = table_flags.filling(asked, asked.filled)
    wanted.check(asked.table, filling)
    learning = Learning(
        asked.seed,
        asked.minutes,
        asked.network,
        tuple(asked.bounds),
        asked.covariates,
        tuple(asked.period),
    )
    with Progress() as progress:
        progress.stage(f"reading {asked.table}", 0)  # before the imports, which take seconds
        from naomi_jax.jobs import fill
        from naomi_jax.runs import folder

        workdir = asked.workdir or os.path.join("runs", folder.name_of_file(asked.table))
        options = table_flags.options(asked)
        fill.fill(
            *(asked.table, filling, options, learning, workdir),
            lambda line: progress.say(line, sys.stdout),
            progress,
        )


def _bound(text):
    name, equals, sides = text.rpartition("=")
    parts = sides.split(",")
    try:
        low, high = (float(part) if part.strip() else None for part in parts)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}; LOW,HIGH or NAME=LOW,HIGH is needed, numbers or nothing"
        ) from None
    ends = -math.inf if low is None else low, math.inf if high is None else high
    if not ends[0] < ends[1] or (low is None and high is None and not equals):
        raise argparse.ArgumentTypeError(f"{text!r}; LOW must be less than HIGH")
    return Bound(name if equals else None, low, high)


def _names(text):
    names = tuple(name for name in text.split(",") if name)
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r}; names of columns are needed")
    return tuple(dict.fromkeys(names))


def _period(text):
    if text.lstrip("+-").isdigit():
        if int(text) < 2:
            raise argparse.ArgumentTypeError(f"{text}; at least 2 rows are needed")
        return int(text)
    if not any(map(str.isalpha, text)):
        raise argparse.ArgumentTypeError(
            f"{text!r}; a number of rows, or a time such as 24h, is needed"
        )
    return text
