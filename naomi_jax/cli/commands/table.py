"""naomi-jax table: a table of the paper, from several runs."""

import argparse
from collections.abc import Sequence

from naomi_jax import calling
from naomi_jax.cli import kinds


def add(commands: argparse._SubParsersAction, words: Sequence[str]) -> None:
    """Add the subcommand."""
    from naomi_jax.data import registry

    del words
    known = sorted((kind.table, kind.name) for kind in registry.every() if kind.table)
    titles = ", ".join(f"{number}: {name}" for number, name in known)
    parser = commands.add_parser(
        "table",
        usage=calling.table("NUMBER", "[RUN ...]"),
        description=f"Print a table of the paper ({titles}), in the terminal and as Markdown.",
    )
    parser.add_argument(
        "number",
        metavar="NUMBER",
        type=int,
        choices=[number for number, _ in known],
        help="Of the table.",
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="Folders of runs; else all that are in runs/."
    )
    parser.set_defaults(run_command=run)


def run(asked: argparse.Namespace) -> None:
    """Print the table.

    Raises:
      InputError: something given cannot be used.
    """
    jobs = {"method": _table}
    (kinds.job(jobs, asked.runs, "table") if asked.runs else _table)(asked.number, asked.runs)


def _table(number, runs):
    from naomi_jax.evaluation import report

    runs = report.collect(number, runs)
    table = report.table_of_runs(runs, report.dataset_of(runs[0]))
    print(f"Table {number} of the paper, from {', '.join(runs)}\n\n{table}")
    print(f"\nIn Markdown:\n\n{table.markdown()}")
