"""Evaluate a run, draw a filled sequence, or fill the holes of a file with it.

python eval.py RUN_DIR
python eval.py RUN_DIR --figure OUT.png|OUT.svg|OUT.gif|OUT.mp4
python eval.py RUN_DIR --impute IN --out OUT [--num-samples N]
python eval.py --table 1|2|3 [RUN_DIR ...]
python eval.py RUN_DIR [RUN_DIR ...] --report OUT.html
"""

import sys

from absl import flags

from naomi_jax.cli import process as commands
from naomi_jax.data import registry
from naomi_jax.errors import InputError
from naomi_jax.evaluation import fill_file as fill
from naomi_jax.evaluation import report
from naomi_jax.figures import page
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config

flags.DEFINE_string(
    "impute", None, "A .npz, .npy or .csv file; its NaN or empty entries are filled."
)
flags.DEFINE_string("out", None, "Where to write the filled file, in the same format.")
flags.DEFINE_integer("num_samples", None, "Imputations to draw from a stochastic model.")
flags.DEFINE_string(
    "figure",
    None,
    "Draw a filled test sequence; .gif and .mp4 show its recursion (extra plot).",
)
flags.DEFINE_integer("seed", 0, "Of the samples.")
flags.DEFINE_enum(
    "table", None, ["1", "2", "3"], "A table of the paper, from the runs named or all in runs/."
)
flags.DEFINE_string(
    "report", None, "Write one HTML page about one or several runs on the same data (extra plot)."
)
flags.DEFINE_multi_string("runs", [], "Runs of the table; the same as naming them without --runs.")

FLAGS = flags.FLAGS


# What can be asked for, each with the flags that go with it; a run's table without any.
_JOBS = {"table": ("runs",), "report": (), "impute": ("out", "num_samples"), "figure": ()}


def main(*arguments):
    job = _job()
    if job == "table":
        _table(int(FLAGS.table), [*FLAGS.runs, *arguments])
    elif job == "report" and arguments:
        report.by_task(arguments)
        dataset = _dataset(run_folder.read(arguments[0]))
        page.write(arguments, dataset, FLAGS.report, ["python", *sys.argv])
        print(f"{FLAGS.report}: a page about {', '.join(arguments)}")
    elif len(arguments) != 1:
        raise InputError("one argument is needed, the folder of a run; --help shows how")
    else:
        _one_run(job, *arguments)


def _job():
    """The job asked for, "" for a run's table; InputError where flags of several are given."""
    jobs = [name for name in _JOBS if FLAGS[name].value is not None]
    if len(jobs) > 1:
        raise InputError(f"--{jobs[0]} and --{jobs[1]} are two jobs; give a command for each")
    job = jobs[0] if jobs else ""
    for owner, others in _JOBS.items():
        for name in others:
            if FLAGS[name].value and owner != job:
                raise InputError(f"--{name} goes with --{owner}")
    if job == "impute" and not FLAGS.out:
        raise InputError("--impute needs --out FILE")
    return job


def _one_run(job, workdir):
    record = run_folder.read(workdir)
    if job == "impute":
        model = report.open_run(workdir)
        print(fill.fill_file(model, FLAGS.impute, FLAGS.out, FLAGS.num_samples, FLAGS.seed))
        print(f"The model was trained on: {record['data']['source']}")
        return
    run = run_config.resolve(record["config"], tuple(record["data"]["shape"][0]))
    dataset = _dataset(record)
    if job == "figure":
        report.figure_of_run(workdir, run, dataset, FLAGS.figure)
        print(f"{FLAGS.figure}: a test sequence, filled")
    else:
        print(report.table_of_run(workdir, run, dataset))


def _table(number, folders):
    folders = report.collect(number, folders)
    table = report.table_of_runs(folders, _dataset(run_folder.read(folders[0])))
    print(f"Table {number} of the paper, from {', '.join(folders)}\n\n{table}")
    print(f"\nIn Markdown:\n\n{table.markdown()}")


def _dataset(record):
    """The data of a run, which must not have changed since."""
    settings = record["config"]
    dataset = registry.load(
        settings["dataset"],
        settings["data"] or None,
        window=settings.get("window"),
        stride=settings.get("stride"),
        log=lambda line: print(line, flush=True),
    )
    if run_folder.describe(dataset) != record["data"]:
        raise InputError(
            f"the data has changed: the run was trained on {record['data']['source']!r}, what is "
            f"there now is {dataset.source!r}; put the data back to evaluate it"
        )
    return dataset


if __name__ == "__main__":
    sys.argv = [a.replace("--num-samples", "--num_samples") for a in sys.argv]
    commands.run(main, __doc__)
