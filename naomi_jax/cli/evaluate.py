"""The evaluation command: a run's table, a figure, a page, a filled file."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence

from naomi_jax.cli import fill, flags, process, table_flags
from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report, samples, tables
from naomi_jax.jobs.fill_file import check_target, fill_file
from naomi_jax.runs import opening, record

USAGE = """Evaluate a run, draw a filled sequence, or fill the holes of a file with it.

  python eval.py RUN_DIR                                what it learned from, and its errors
  python eval.py RUN_DIR --samples N                    how far a stochastic model can be trusted
  python eval.py RUN_DIR [--samples N] --forecast       with only the first steps shown
  python eval.py RUN_DIR --figure OUT.png|OUT.svg|OUT.gif|OUT.mp4
  python eval.py RUN_DIR --impute IN --out OUT     [the flags on tables below]
  python eval.py --table 1|2|3 [RUN_DIR ...]
  python eval.py RUN_DIR [RUN_DIR ...] --report OUT.html
  python eval.py RUN_DIR --report OUT.html --data TABLE     of a table; the flags on reading it

A RUN_DIR is a folder of train.py, in which it was trained on a data set or on a table (--fill).
"""
# What can be asked for, each with the flags that go with it; a run's table without any.
_JOBS = {"table": (), "report": ("data",), "impute": ("out",), "figure": ()}
_MOST_JUDGED = 100  # test sequences


def main(argv: Sequence[str], prog: str = "eval.py") -> None:
    """The command.

    Args:
      argv: its words, without the program's name.
      prog: the program's name.

    Raises:
      InputError: something given cannot be used.
    """
    asked = _parser(prog).parse_all(argv)
    job, runs = _job(asked), asked.runs
    about_table = job == "report" and any(map(fill.holds_imputer, runs))
    if job != "impute":
        table_flags.refuse_words(argv, "--impute", reading=about_table, samples=not job)
    for flag in ("out", "report", "figure"):
        _check_writable(flag, getattr(asked, flag))
    if about_table:
        fill.report(runs, asked.data, asked.report, asked)
        return
    if job not in ("impute", ""):
        _refuse_imputers(job, runs)
    if job == "table":
        _table(asked.table, runs)
    elif job == "report" and runs:
        _report(runs, asked)
    elif len(runs) != 1:
        raise InputError("one argument is needed, the folder of a run; --help shows how")
    elif job == "impute":
        impute(runs[0], asked.impute, asked.out, asked)
    elif job == "figure":
        _figure(runs[0], asked.figure)
    elif asked.samples is not None:
        _refuse_imputers("samples", runs)
        _samples(runs[0], asked.samples, asked.forecast)
    elif asked.forecast:
        _refuse_imputers("forecast", runs)
        _forecast(runs[0])
    elif fill.holds_imputer(runs[0]):
        fill.show(runs[0])
    else:
        _table_of_run(runs[0])


def _refuse_imputers(job, runs):
    """Raise InputError for a job that runs on tables with holes do not have."""
    for name in filter(fill.holds_imputer, runs):
        raise InputError(
            f"--{job}: {name} was trained on a table with holes, and there is no --{job} of such a "
            f"run; {process.evaluation_command()} {process.quoted(name)} prints its errors"
        )


def _parser(prog):
    usage = "%(prog)s [RUN_DIR ...] [--FLAG VALUE ...]"
    parser = flags.Parser(USAGE, prog=prog, usage=usage)
    parser.add_argument("runs", nargs="*", metavar="RUN_DIR", help="Folders that train.py wrote.")
    parser.add_argument(
        "--impute", metavar="IN", help="A file; its NaN or empty entries are filled."
    )
    parser.add_argument("--out", help="Where to write the filled file, in the same format.")
    parser.add_argument("--seed", type=flags.converter(int), default=0, help="Of the samples.")
    parser.add_argument(
        "--figure",
        metavar="OUT",
        help="Draw a filled test sequence; .gif and .mp4 show its recursion (extra plot).",
    )
    parser.add_argument(
        "--table",
        type=int,
        choices=sorted(kind.table for kind in datasets.every() if kind.table),
        help="A table of the paper, from the runs named or all in runs/.",
    )
    parser.add_argument(
        "--report",
        metavar="OUT",
        help="Write one HTML page about one or several runs on the same data (extra plot).",
    )
    parser.add_argument(
        "--data",
        metavar="TABLE",
        help="With --report, of a run on a table with holes: the table that the page is about.",
    )
    parser.add_argument(
        "--forecast",
        action="store_true",
        default=None,
        help="Show the first steps of test sequences alone, to a run trained on other masks too.",
    )
    table_flags.add(parser)
    return parser


def _check_writable(flag, path):
    """Raise InputError where a file cannot be written, before the work that it is for."""
    if path is None:
        return
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.path.basename(path):
        why = "is a folder; name a file in it"
    elif not os.path.isdir(folder):
        why = f"there is no folder {folder}; make it first"
    elif not os.access(folder, os.W_OK | os.X_OK):
        why = f"the folder {folder} cannot be written; choose another"
    else:
        return
    raise InputError(f"--{flag} {path}: {why}")


def _job(asked):
    """The job asked for, "" for a run's table; InputError where flags of several are given."""
    jobs = [name for name in _JOBS if getattr(asked, name) is not None]
    if len(jobs) > 1:
        raise InputError(f"--{jobs[0]} and --{jobs[1]} are two jobs; give a command for each")
    job = jobs[0] if jobs else ""
    for owner, others in _JOBS.items():
        for name in others:
            if getattr(asked, name) is not None and owner != job:
                raise InputError(f"--{name} goes with --{owner}")
    if asked.forecast and job:
        raise InputError(f"--forecast goes with a run alone or with --samples, not with --{job}")
    if job == "impute" and not asked.out:
        raise InputError("--impute needs --out FILE")
    return job


def impute(workdir: str, source: str, target: str, asked: argparse.Namespace) -> None:
    """Fill a file with a run of either kind.

    Args:
      workdir: of the run.
      source, target: the file and where to write it.
      asked: the flags of `table_flags`, and `seed`.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    if fill.holds_imputer(workdir):
        fill.impute(workdir, source, target, asked)
        return
    found = record.read(workdir)
    for name in ("group", "max_gap", "flag"):
        if getattr(asked, name) is not None:
            raise InputError(f"--{name}: for runs on tables with holes (train.py --fill) alone")
    fill.check_seed(asked.seed)
    _check_samples(workdir, found.run, asked.samples)
    check_target(source, target, asked.samples)
    model = opening.fitted(workdir, found)
    options = table_flags.options(asked)
    print(fill_file(model, source, target, asked.samples, asked.seed, options))
    print(f"The model was trained on: {found.data['source']}")


def _check_samples(workdir, run, samples):
    if samples is not None and not getattr(run.method, "stochastic", False):
        raise InputError(
            f"--samples: the model in {workdir} has no distribution to draw from; leave the "
            "flag out, or train one with --method.stochastic=true"
        )


def _samples(workdir, count, forecast):
    """Print how far the samples of a run can be trusted."""
    run = record.read(workdir).run
    _check_samples(workdir, run, count)
    if count < 2:
        raise InputError(f"--samples: {count}; two or more are needed to judge them")
    dataset = dataset_of(workdir)
    (model,), _ = report.load([workdir], dataset)
    config, _ = report.test_masks(run, dataset)
    kind = "tail" if forecast or config.kind == "tail" else "random"
    shown = samples.sensible_shown(config, dataset.steps)
    drawn = samples.draw(model, dataset, shown, kind, count, _MOST_JUDGED)
    print(f"Test data: {dataset.source}")
    how = "the first steps shown" if kind == "tail" else "shown at random places"
    print(f"{len(drawn.truth)} sequences of {dataset.steps} steps, {how}; {count} samples of each")
    print()
    head, rows = samples.judge(drawn, datasets.get(dataset.name).metrics)
    print(tables.markdown(head, rows))


def _forecast(workdir):
    """Print a run's table with the last steps missing."""
    dataset = dataset_of(workdir)
    (model,), (run,) = report.load([workdir], dataset)
    config, _ = report.test_masks(run, dataset)
    if config.kind == "file":
        raise InputError("--forecast: this run hides steps by a mask file, not by their number")
    print(tables.make_table([model], dataset, dataclasses.replace(config, kind="tail")))


def _table_of_run(workdir):
    table = report.table_of_run(workdir, dataset_of(workdir))
    print(table, flush=True)
    try:
        report.save(table, workdir)
    except InputError as error:  # such as the folder of another user: the table is what was asked
        print(f"note: {error}", file=sys.stderr)


def _table(number, folders):
    folders = report.collect(number, folders)
    table = report.table_of_runs(folders, dataset_of(folders[0]))
    print(f"Table {number} of the paper, from {', '.join(folders)}\n\n{table}")
    print(f"\nIn Markdown:\n\n{table.markdown()}")


def _report(folders, asked):
    from naomi_jax.figures import page

    path = asked.report
    tasks = report.by_task(folders)
    if asked.data is not None:
        raise InputError(
            f"--data: for runs on tables with holes (train.py --fill) alone; {folders[0]} knows "
            "its data, leave the flag out"
        )
    page.write(tasks, dataset_of(folders[0]), path, process.words())
    print(f"{path}: a page about {', '.join(folders)}")


def _figure(workdir, path):
    from naomi_jax.figures import picture

    dataset = dataset_of(workdir)
    (model,), (run,) = report.load([workdir], dataset)
    picture.write(model, dataset, *report.test_masks(run, dataset), path)
    print(f"{path}: a test sequence, filled")


def dataset_of(workdir: str) -> Dataset:
    """The data of a run, which must not have changed since.

    Raises:
      InputError: they have, or cannot be had.
    """
    found = record.read(workdir)
    data = found.run.data
    dataset = datasets.load(
        data.name,
        data.path,
        window=data.window,
        stride=data.stride,
        log=lambda line: print(line, flush=True),
    )
    other = record.other_data(found.data, record.describe(dataset))
    if other is not None:
        raise InputError(
            f"{workdir}: the data has changed since it was trained ({other}); put the data back to "
            "evaluate it"
        )
    return dataset
