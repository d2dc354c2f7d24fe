"""Flags on a table with holes: how to read it, and what to write."""

import argparse
import dataclasses
from collections.abc import Sequence

from naomi_jax.cli import flags
from naomi_jax.errors import InputError
from naomi_jax.tables.options import Options

_READING = ("missing", "time", "group", "header", "separator", "decimal", "freq", "dayfirst")


def add(parser: argparse.ArgumentParser) -> None:
    """Add them all, in two groups; the default of each is None."""
    _add_reading(parser)
    _add_filling(parser)


def _add_reading(parser):
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


def _add_filling(parser):
    group = parser.add_argument_group("filling the table")
    group.add_argument(
        *flags.names("max_gap"),
        type=flags.converter(int),
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
        "--samples",
        *flags.names("num_samples"),
        dest="samples",
        type=flags.converter(int),
        metavar="N",
        help="Write N likely fillings in place of the best one: OUT_1.csv to OUT_N.csv for a "
        "table; for .npz and .npy one file with a leading axis of N. (eval.py, without --impute: "
        "judge N samples of each test sequence.)",
    )


def options(asked: argparse.Namespace) -> Options:
    """How to read the table."""
    given = {name: getattr(asked, name) for name in _READING if name != "missing"}
    return Options(missing=tuple(asked.missing or ()), **given)


def words(chosen: Options) -> str:
    """The flags as they are written on the command line; "" without any."""
    found = []
    for field in dataclasses.fields(chosen):
        value = getattr(chosen, field.name)
        for one in value if isinstance(value, tuple) else () if value is None else (value,):
            found.append(f"--{field.name} {_word(one)}")
    return " ".join(found)


def _word(value):
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def refuse_words(
    argv: Sequence[str], owner: str, reading: bool = False, samples: bool = False
) -> None:
    """Raise InputError if one of them is on a command line where they have no place.

    Args:
      argv: the words.
      owner: the flag that they go with.
      reading: whether those on reading a table have a place there.
      samples: whether --samples has one.
    """
    parser = flags.Parser(add_help=False)
    (_add_filling if reading else add)(parser)
    known = parser._option_string_actions
    for word in argv:
        action = known.get(word.partition("=")[0])
        if action is not None and not (samples and action.dest == "samples"):
            raise InputError(f"{word.partition('=')[0]} goes with {owner}")


def _yes(text):
    if text.lower() not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r}; yes or no is needed")
    return text.lower() == "yes"
