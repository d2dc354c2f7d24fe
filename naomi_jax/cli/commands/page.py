"""naomi-jax page: one HTML page about a run, or several on the same data."""

import argparse
import os
from collections.abc import Sequence

from naomi_jax import calling
from naomi_jax.atomic import check_writable
from naomi_jax.cli import kinds, table_flags
from naomi_jax.errors import InputError
from naomi_jax.tables.options import Options

USAGE = """Write one HTML page, which needs no network (extra plot).

Of runs on complete sequences: their table, a filled sequence, the recursion as a film, samples,
training curves and settings. Of a run on a table with holes, with --data TABLE: the errors of each
column, a map of the holes, and how some of them are filled."""


def add(commands: argparse._SubParsersAction, words: Sequence[str]) -> None:
    """Add the subcommand."""
    del words
    usage = f"{calling.page('RUN [RUN ...]', 'OUT.html')} [--data TABLE] [--FLAG VALUE ...]"
    parser = commands.add_parser("page", usage=usage, description=USAGE)
    parser.add_argument("runs", metavar="RUN", nargs="+", help="Folders of runs on the same data.")
    parser.add_argument("out", metavar="OUT.html", help="The page.")
    parser.add_argument(
        "--data",
        metavar="TABLE",
        help="Of a run on a table with holes: the table that the page is about.",
    )
    table_flags.add_reading(parser)
    parser.set_defaults(run_command=run)


def run(asked: argparse.Namespace) -> None:
    """Write the page.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    check_writable(asked.out)
    jobs = {"method": _of_methods, "imputer": _of_table}
    kinds.job(jobs, asked.runs, "page")(asked.runs, asked)


def _of_methods(runs, asked):
    from naomi_jax.evaluation import report
    from naomi_jax.figures import page

    tasks = report.by_task(runs)
    if asked.data is not None or table_flags.options(asked) != Options():
        raise InputError(
            f"--data and how to read it: for runs on tables with holes alone; {runs[0]} knows its "
            "data, leave these flags out"
        )
    page.write(tasks, report.dataset_of(runs[0]), asked.out, calling.words())
    print(f"{asked.out}: a page about {', '.join(runs)}")


def _of_table(runs, asked):
    from naomi_jax.figures import style, table_page
    from naomi_jax.jobs import impute

    name, *others = runs
    if others:
        raise InputError(
            f"page: {name} was trained on a table with holes; such a run has a page of its own, so "
            "name one folder"
        )
    style.require_matplotlib()
    about = impute.record_of(name)
    if asked.data is None:
        raise InputError(
            f"page: {name} was fitted on {about['file']}; name that table, or another one of its "
            f"kind: --data {calling.quoted(about['file'])}"
        )
    both = asked.out, asked.data
    if all(map(os.path.exists, both)) and os.path.samefile(*both):
        raise InputError(f"{asked.out}: the table itself; name another file")
    options = table_flags.options(asked)
    table_page.write(name, asked.data, options, asked.out, calling.words(), print)
    print(f"{asked.out}: a page about {asked.data}")
