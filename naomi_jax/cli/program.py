"""The program `naomi-jax` of an installed package: the commands of train.py and eval.py."""

import os
import sys
from collections.abc import Sequence

import naomi_jax
from naomi_jax.errors import InputError
from naomi_jax.version import __version__

USAGE = """Fill long gaps in tables and sequences.

  naomi-jax fill station.csv filled.csv     learn from a table with holes, and fill it
  naomi-jax impute RUN other.csv filled.csv     fill another table with what was learned
  naomi-jax train ...     as python train.py: also the methods of the paper
  naomi-jax eval ...      as python eval.py: a run's errors, figures, pages

naomi-jax COMMAND --help lists the flags of a command.
"""
_COMMANDS = ("fill", "impute", "train", "eval")


def main() -> None:
    """Run the command that sys.argv names, and leave with its status."""
    if sys.argv[1:2] in ([], ["-h"], ["--help"]):
        print(USAGE, end="")
        return
    if sys.argv[1] == "--version":
        print(f"naomi-jax {__version__}")
        return
    from naomi_jax.cli import process

    process.run(lambda: command(sys.argv[1], sys.argv[2:]))


def command(name: str, argv: Sequence[str]) -> None:
    """One command.

    Args:
      name: fill, impute, train or eval.
      argv: its words.

    Raises:
      InputError: something given cannot be used.
    """
    if name not in _COMMANDS:
        raise InputError(
            f"{name}: no command; {', '.join(_COMMANDS)} are there, and --help says what they do"
        )
    if name == "eval":
        from naomi_jax.cli import evaluate

        evaluate.main(argv, "naomi-jax eval")
    elif name == "train":
        from naomi_jax.cli import train

        train.main(argv, configs_folder(), "naomi-jax train")
    elif name == "fill":
        _fill(argv)
    else:
        _impute(argv)


def _fill(argv):
    from naomi_jax.cli import fill

    parser = fill.parser("naomi-jax fill", "%(prog)s TABLE FILLED [--FLAG VALUE ...]", words=True)
    fill.main(parser.parse_all(argv), parser.prog)


def _impute(argv):
    from naomi_jax.cli import evaluate, flags, table_flags

    parser = flags.Parser(
        "Fill a table with what was learned from another one of its kind.",
        prog="naomi-jax impute",
        usage="%(prog)s RUN TABLE FILLED [--FLAG VALUE ...]",
    )
    parser.add_argument("run", metavar="RUN", help="The folder of a run, such as runs/station.")
    parser.add_argument("table", metavar="TABLE", help="The table with holes.")
    parser.add_argument("filled", metavar="FILLED", help="Where to write the filled table.")
    parser.add_argument(
        "--seed", type=flags.converter(int), default=0, metavar="N", help="Of the samples."
    )
    table_flags.add(parser)
    asked = parser.parse_all(argv)
    evaluate.impute(asked.run, asked.table, asked.filled, asked)


def configs_folder() -> str:
    """The settings of the paper's runs: in an installed package, beside it in a repository."""
    package = os.path.dirname(os.path.abspath(naomi_jax.__file__))
    inside = os.path.join(package, "configs")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "configs")
