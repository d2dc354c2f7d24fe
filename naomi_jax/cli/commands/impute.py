"""naomi-jax impute: fill a table or a file with what a run has learned."""

import argparse
from collections.abc import Sequence

from naomi_jax import calling
from naomi_jax.cli import flags, kinds, table_flags
from naomi_jax.errors import InputError

USAGE = """Fill the holes of a table or a file with what was learned from another one of its kind.

Columns go by name, in any order; those that the run does not know are carried through. How the
first table was read is known; give the flags on reading for what is different."""


def add(commands: argparse._SubParsersAction, words: Sequence[str]) -> None:
    """Add the subcommand."""
    del words
    usage = f"{calling.impute('RUN', 'TABLE', 'FILLED')} [--FLAG VALUE ...]"
    parser = commands.add_parser("impute", usage=usage, description=USAGE)
    parser.add_argument("run", metavar="RUN", help="The folder of a run, such as runs/station.")
    parser.add_argument("table", metavar="TABLE", help="The table with holes.")
    parser.add_argument(
        "filled", metavar="FILLED", help="Where to write the filled table, in the same format."
    )
    parser.add_argument("--seed", type=flags.SEED, default=0, metavar="N", help="Of the samples.")
    table_flags.add_filling(parser)
    table_flags.add_reading(parser)
    parser.set_defaults(run_command=run)


def run(asked: argparse.Namespace) -> None:
    """Fill the file.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    jobs = {"imputer": _with_imputer, "method": _with_method}
    kinds.job(jobs, [asked.run], "impute")(asked)


def _with_imputer(asked):
    from naomi_jax.jobs import impute, wanted

    filling = table_flags.filling(asked, asked.filled)
    wanted.check(asked.table, filling)
    impute.impute(asked.run, asked.table, filling, table_flags.options(asked), _say)


def _with_method(asked):
    from naomi_jax.evaluation import samples
    from naomi_jax.jobs.fill_file import check_target, fill_file
    from naomi_jax.runs import opening, record

    found = record.read(asked.run)
    for name in ("group", "max_gap", "flag", "interval"):
        if getattr(asked, name) is not None:
            raise InputError(f"--{name}: {asked.run} is no run on a table with holes, which has it")
    if asked.samples is not None:
        samples.require_distribution(asked.run, found.run)
    check_target(asked.table, asked.filled, asked.samples)
    model = opening.fitted(asked.run, found)
    options = table_flags.options(asked)
    _say(fill_file(model, asked.table, asked.filled, asked.samples, asked.seed, options))
    _say(f"The model was trained on: {found.data['source']}")


def _say(line):
    print(line, flush=True)
