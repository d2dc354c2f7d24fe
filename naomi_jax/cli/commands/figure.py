"""naomi-jax figure: a test sequence, filled."""

import argparse
from collections.abc import Sequence

from naomi_jax import calling
from naomi_jax.atomic import check_writable
from naomi_jax.cli import kinds


def add(commands: argparse._SubParsersAction, words: Sequence[str]) -> None:
    """Add the subcommand."""
    del words
    parser = commands.add_parser(
        "figure",
        usage=calling.figure("RUN", "OUT.png|OUT.svg|OUT.gif|OUT.mp4"),
        description="Draw a test sequence that a run fills (extra plot).",
    )
    parser.add_argument("run", metavar="RUN", help="The folder of a run on complete sequences.")
    parser.add_argument(
        "out", metavar="OUT", help="The picture; .gif and .mp4 show the recursion, step by step."
    )
    parser.set_defaults(run_command=run)


def run(asked: argparse.Namespace) -> None:
    """Draw it.

    Raises:
      InputError: something given cannot be used.
    """
    check_writable(asked.out)
    kinds.job({"method": _draw}, [asked.run], "figure")(asked.run, asked.out)


def _draw(workdir, path):
    from naomi_jax.evaluation import report
    from naomi_jax.figures import picture

    dataset = report.dataset_of(workdir)
    (model,), (found,) = report.load([workdir], dataset)
    picture.write(model, dataset, *report.test_masks(found, dataset), path)
    print(f"{path}: a test sequence, filled")
