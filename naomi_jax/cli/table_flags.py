"""Flags on a table with holes: how to read it, what to write, and how to learn from it."""

import argparse

from naomi_jax.cli import flags
from naomi_jax.jobs.wanted import Filling
from naomi_jax.tables.options import Options

_READING = ("missing", "time", "group", "header", "separator", "decimal", "freq", "dayfirst")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """How to read the table; the default of each is None."""
    group = parser.add_argument_group("reading the table (what is not said is found, and told)")
    group.add_argument(
        "--missing",
        action="append",
        metavar="VALUE",
        help="What also marks a hole, beside empty cells, NaN and NA: --missing -999. May be "
        "given several times.",
    )
    group.add_argument("--time", metavar="NAME", help="The column of dates or times.")
    group.add_argument(
        "--group",
        metavar="NAME",
        help="The column that tells series apart where several stand under one another.",
    )
    group.add_argument("--header", type=_yes, metavar="yes|no", help="Whether line 1 holds names.")
    group.add_argument(
        "--separator", metavar="S", help="Between two cells: ';', tab, or ' ' for blanks."
    )
    group.add_argument("--decimal", metavar="MARK", help="The decimal mark: . or ,")
    group.add_argument(
        "--freq",
        metavar="ALIAS",
        help="Add the rows that are absent, at this step: 15min, h, D (pandas' names).",
    )
    group.add_argument(
        "--dayfirst", type=_yes, metavar="yes|no", help="Whether 03/04/2020 is the third of April."
    )


def add_filling(parser: argparse.ArgumentParser) -> None:
    """What to write; the default of each is None."""
    group = parser.add_argument_group("filling the table")
    group.add_argument(
        "--max-gap",
        "--max_gap",
        type=flags.COUNT,
        metavar="N",
        help="Holes of more than N rows stay holes.",
    )
    group.add_argument(
        "--flag",
        action="store_true",
        default=None,
        help="Add a column NAME_filled of 0 and 1 for each column with holes.",
    )
    group.add_argument(
        "--interval",
        type=flags.number(float, "more than 0 and at most 0.99", lambda x: 0 < x <= 0.99),
        metavar="LEVEL",
        help="Add columns NAME_low and NAME_high for each column with holes: a missing value lies "
        "between them with this probability, such as 0.9. In .npz: arrays low and high.",
    )
    group.add_argument(
        "--samples",
        *flags.names("num_samples"),
        dest="samples",
        type=flags.COUNT,
        metavar="N",
        help="Write N likely fillings in place of the best one: OUT_1.csv to OUT_N.csv for a "
        "table; for .npz and .npy one file with a leading axis of N.",
    )


def filling(asked: argparse.Namespace, target: str) -> Filling:
    """What to write."""
    given = asked.max_gap, bool(asked.flag), asked.samples, asked.seed, asked.interval
    return Filling(target, *given)


def options(asked: argparse.Namespace) -> Options:
    """How to read the table."""
    given = {name: getattr(asked, name) for name in _READING if name != "missing"}
    return Options(missing=tuple(asked.missing or ()), **given)


def _yes(text):
    if text.lower() not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r}; yes or no is needed")
    return text.lower() == "yes"
