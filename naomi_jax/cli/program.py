"""The program naomi-jax: one subcommand is chosen, and it alone is imported."""

import importlib
import sys
from collections.abc import Sequence

from naomi_jax.cli import flags, process
from naomi_jax.version import __version__

USAGE = """Fill long gaps in tables and sequences.

  naomi-jax fill station.csv filled.csv             learn from a table with holes, and fill it
  naomi-jax impute runs/station june.csv out.csv    fill another table with what was learned
  naomi-jax page runs/station page.html --data station.csv"""
# The words of --help; the file of each is that of its name.
COMMANDS = {
    "fill": "learn from a table with holes, and fill it",
    "impute": "fill another table or file with what was learned",
    "train": "train a method of the paper, or one beside it, on complete sequences",
    "eval": "print the errors of a run",
    "table": "print a table of the paper, from several runs",
    "figure": "draw a sequence that a run fills",
    "page": "write one HTML page about a run, or several on the same data",
}


def main() -> None:
    """Run the command that sys.argv names, and leave with its status."""
    process.start(lambda: command(sys.argv[1:]))


def command(words: Sequence[str]) -> None:
    """One command.

    Args:
      words: of the command line, without the program's name.

    Raises:
      InputError: something given cannot be used.
    """
    found = parser(words)
    if not words:
        found.print_help()
        return
    asked = found.parse_all(words)
    asked.run_command(asked)


def parser(words: Sequence[str]) -> flags.Parser:
    """The flags of the command that `words` begin with, and the names of the others."""
    found = flags.Parser(USAGE, prog="naomi-jax", usage="naomi-jax COMMAND ...")
    found.epilog = "naomi-jax COMMAND --help lists the flags of a command."
    found.add_argument(
        "--version", action="version", version=f"naomi-jax {__version__}", help="Print the version."
    )
    commands = found.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True, prog="naomi-jax"
    )
    for name, does in COMMANDS.items():
        if [name] == list(words[:1]):
            file = {"eval": "evaluate"}.get(name, name)
            importlib.import_module(f"naomi_jax.cli.commands.{file}").add(commands, words[1:])
        else:
            commands.add_parser(name, help=does)
    return found
