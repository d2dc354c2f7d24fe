"""naomi-jax eval: what a run was trained on, and its errors."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence

from naomi_jax import calling
from naomi_jax.cli import flags, kinds
from naomi_jax.errors import InputError

USAGE = """Print what a run was trained on, and how far its fillings are from the truth.

A run on a table with holes has held out entries of it; one on complete sequences has test
sequences. Of a stochastic model the samples can be judged."""
_MOST_JUDGED = 100  # test sequences


def add(commands: argparse._SubParsersAction, words: Sequence[str]) -> None:
    """Add the subcommand."""
    del words
    usage = f"{calling.evaluate('RUN')} [--samples N] [--forecast]"
    parser = commands.add_parser("eval", usage=usage, description=USAGE)
    parser.add_argument("run", metavar="RUN", help="The folder of a run, such as runs/station.")
    group = parser.add_argument_group("of a run on complete sequences")
    group.add_argument(
        "--samples",
        *flags.names("num_samples"),
        dest="samples",
        type=flags.number(int, "two or more", lambda n: n > 1),
        metavar="N",
        help="Judge N samples of each test sequence, of a stochastic model.",
    )
    group.add_argument(
        "--forecast",
        action="store_true",
        help="Show the first steps of test sequences alone, to a run trained on other masks too.",
    )
    parser.set_defaults(run_command=run)


def run(asked: argparse.Namespace) -> None:
    """Print what was asked for.

    Raises:
      InputError: something given cannot be used.
    """
    if asked.samples is not None:
        kinds.job({"method": _samples}, [asked.run], "eval --samples")(asked)
    elif asked.forecast:
        kinds.job({"method": _forecast}, [asked.run], "eval --forecast")(asked.run)
    else:
        kinds.job({"method": _table, "imputer": _show}, [asked.run], "eval")(asked.run)


def _show(run):
    from naomi_jax.jobs import impute

    impute.show(run, print)


def _table(run):
    from naomi_jax.evaluation import report

    table = report.table_of_run(run, report.dataset_of(run))
    print(table, flush=True)
    try:
        report.save(table, run)
    except InputError as error:  # such as the folder of another user: the table is what was asked
        print(f"note: {error}", file=sys.stderr)


def _samples(asked):
    """Print how far the samples of a run can be trusted."""
    from naomi_jax.data import registry as datasets
    from naomi_jax.evaluation import report, samples, tables
    from naomi_jax.runs import record

    run = record.read(asked.run).run
    samples.require_distribution(asked.run, run)
    dataset = report.dataset_of(asked.run)
    (model,), _ = report.load([asked.run], dataset)
    config, _ = report.test_masks(run, dataset)
    kind = "tail" if asked.forecast or config.kind == "tail" else "random"
    shown = samples.sensible_shown(config, dataset.steps)
    drawn = samples.draw(model, dataset, shown, kind, asked.samples, _MOST_JUDGED)
    print(f"Test data: {dataset.source}")
    how = "the first steps shown" if kind == "tail" else "shown at random places"
    count = f"{asked.samples} samples of each"
    print(f"{len(drawn.truth)} sequences of {dataset.steps} steps, {how}; {count}\n")
    print(tables.markdown(*samples.judge(drawn, datasets.get(dataset.name).metrics)))


def _forecast(workdir):
    """Print a run's table with the last steps missing."""
    from naomi_jax.evaluation import report, tables

    dataset = report.dataset_of(workdir)
    (model,), (run,) = report.load([workdir], dataset)
    config, _ = report.test_masks(run, dataset)
    if config.kind == "file":
        raise InputError("--forecast: this run hides steps by a mask file, not by their number")
    print(tables.make_table([model], dataset, dataclasses.replace(config, kind="tail")))
