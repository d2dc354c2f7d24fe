"""The training command: flags to settings, data, a run's folder, training, a table."""

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Sequence

import jax

from naomi_jax.cli import fill, flags, process, table_flags
from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report
from naomi_jax.fields import with_values
from naomi_jax.methods import registry as methods
from naomi_jax.runs import folder, lock, opening
from naomi_jax.training import devices, loop
from naomi_jax.training.plan import make_plan
from naomi_jax.training.settings import Run, forecast, method_of
from naomi_jax.training.state import initial_state

# What is trained where nothing is said: the first that has a config for the data set.
DEFAULT_METHODS = ("naomi_parallel", "naomi")
_NO_FLAGS = ("data.name", "data.path")  # settings that have flags of other names
USAGE = """Fill the holes of a table of yours:
  python train.py --data station.csv --fill filled.csv
                                                 (its flags: python train.py --fill --help)
Or train a method of the paper, or one beside it:
  python train.py --dataset traffic [--data PATH]

Run the same command again to go on where it stopped. Every setting below can be changed, such as
--seed=1; what stands behind "Here:" is its value in the config that the other flags \
choose.
"""


def main(argv: Sequence[str], configs: str, prog: str = "train.py") -> None:
    """The command.

    Args:
      argv: its words, without the program's name.
      configs: folder with DATASET/METHOD.py.
      prog: the program's name.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    if fill.is_asked(argv):
        fill.main(_read_fill_flags(argv, configs, prog), prog)
        return
    asked, run = read_flags(argv, configs, prog)
    if asked.processes:
        devices.join(asked.processes)
    workdir = asked.workdir or default_workdir(run)
    dataset = datasets.load(
        run.data.name,
        run.data.path,
        window=run.data.window,
        stride=run.data.stride,
        log=_say,
        progress=sys.stderr.isatty(),
    )
    check(run, dataset)
    if fill.holds_imputer(workdir):
        raise InputError(
            f"{workdir} holds what --fill learned from a table; choose another --workdir, or "
            "delete this one"
        )
    params = None
    if run.start_from and not folder.has_checkpoint(workdir):
        params = opening.start(run.start_from, run)
    with lock.training_in(workdir):
        _train(workdir, run, dataset, params)


def _train(workdir, run, dataset, params):
    """Train in the folder, to the end, and say what came of it."""
    found = folder.create_or_resume(workdir, run, dataset)
    _say(f"Training data: {dataset.source}")
    _say(f"Run folder:    {workdir}{' (there is a run in it)' if found else ''}")
    if run.start_from:
        _say(f"Started from:  {run.start_from}")
    began = time.monotonic()
    try:
        loop.train(run, dataset, workdir, params=params)
    except loop.Interrupted as stop:
        message = f"{stop}, all saved. Go on with: {process.rerun_command()}"
        raise SystemExit(process.interrupted(message)) from None
    _say(f"Trained in {(time.monotonic() - began) / 60:.1f} minutes.\n")
    table = report.table_of_run(workdir, dataset)
    _say(str(table))
    if devices.is_main_process():
        report.save(table, workdir)
    _say(f"\nNext: fill the holes of your own file with\n  {_next_command(workdir, dataset)}")


def _say(line):
    """Print, in the main process alone."""
    if devices.is_main_process():
        print(line, flush=True)


def _next_command(workdir, dataset):
    return (
        f"{process.evaluation_command()} {process.quoted(workdir)} --impute YOUR.csv "
        f"--out FILLED.csv   ({dataset.dim} columns, holes empty)"
    )


def check(run: Run, dataset: Dataset) -> None:
    """Raise InputError unless the run suits its data and the devices; nothing is written."""
    plan = make_plan(run, dataset.train.shape)
    try:
        jax.eval_shape(lambda: initial_state(run, plan))
    except (ValueError, TypeError, OverflowError) as error:  # a method checks sizes of its own
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"these settings make no model ({reason}); see --help") from error
    devices.mesh(min(plan.batch.size, len(dataset.train)))


def read_flags(argv: Sequence[str], configs: str, prog: str = "train.py"):
    """(what was asked beside the settings, the settings).

    The flags that choose the config are read first; the others depend on what is in it.
    """
    choice = flags.Parser(add_help=False)
    _add_choices(choice)
    asked, _ = choice.parse_known_args(argv)
    run = choose(asked, configs)
    usage = (
        "%(prog)s --data TABLE --fill FILLED [--FLAG VALUE ...]\n       "
        "%(prog)s [--dataset NAME] [--data PATH] [--method NAME] [--SETTING VALUE ...]"
    )
    parser = flags.Parser(USAGE, prog=prog, usage=usage)
    fill.add(parser)
    _add_choices(parser)
    flags.add_settings(parser, run, without=_NO_FLAGS)
    if {"-h", "--help"} & set(argv):
        parser.parse_args(["--help"])
    table_flags.refuse_words(argv, fill.FLAG)
    given = parser.parse_all(argv)
    if given.minutes is not None:
        raise InputError(f"--minutes goes with {fill.FLAG}")
    run = flags.with_flags(run, given)
    if asked.data:
        run = with_values(run, {("data", "path"): os.path.abspath(asked.data)})
    if asked.forecast:
        run = forecast(run, default_workdir(run))
    return asked, run


def _read_fill_flags(argv, configs, prog):
    """The flags of a training that fills a table.

    Raises InputError where there are flags of the other kind of training among them.
    """
    parser = fill.parser(prog, "%(prog)s --data TABLE --fill FILLED [--FLAG VALUE ...]")
    if {"-h", "--help"} & set(argv):
        parser.parse_args(["--help"])
    _, rest = parser.parse_known_args(argv)
    if rest:
        other = flags.Parser(add_help=False)
        _add_choices(other)
        with contextlib.suppress(InputError):
            run = choose(other.parse_args(["--data", "any"]), configs)
            flags.add_settings(other, run, without=_NO_FLAGS)
        name = rest[0].partition("=")[0]
        if name in other._option_string_actions or "." in name:
            raise InputError(
                f"{name}: not together with {fill.FLAG}, which finds its settings itself; leave "
                "out one of the two"
            )
    return parser.parse_all(argv)


def _add_choices(parser):
    group = parser.add_argument_group("what to train")
    group.add_argument(
        "--dataset",
        choices=datasets.names(),
        help="What to train on; traffic unless --data is given.",
    )
    group.add_argument("--data", metavar="PATH", help="Your copy of the data: a file or a folder.")
    group.add_argument(
        "--method",
        choices=methods.trained(),
        help="What to train; naomi_parallel if there is a config for the data set, or naomi.",
    )
    group.add_argument(
        "--config",
        metavar="FILE",
        help="The config: a file of yours, or one that comes with naomi_jax, such as "
        "configs/billiards/naomi_paper.py; configs/DATASET/METHOD.py by default.",
    )
    group.add_argument(
        "--forecast",
        action="store_true",
        help="Go on from the trained run with leading steps shown alone.",
    )
    group.add_argument(
        "--workdir",
        metavar="DIR",
        help="The run's folder; runs/NAME[_METHOD][_forecast], after the data set or your file.",
    )
    group.add_argument(
        "--processes",
        metavar="auto|HOST:PORT,COUNT,NUMBER",
        help="One of several processes that train together.",
    )


def choose(asked, configs: str) -> Run:
    """The config that the flags choose.

    Raises:
      InputError: there is none, or it is of another data set or method.
    """
    dataset = asked.dataset or ("files" if asked.data else "traffic")
    if asked.config is None:
        candidates = [asked.method] if asked.method else DEFAULT_METHODS
        paths = [os.path.join(configs, dataset, f"{method}.py") for method in candidates]
        for path in paths:
            if os.path.exists(path):
                return load_config(path)
        raise InputError(
            f"--dataset {dataset} --method {candidates[-1]}: there is no {paths[-1]}; write one, "
            "or name one with --config"
        )
    run = load_config(_path_of(asked.config, configs))
    for flag, given, found in (
        ("--dataset", asked.dataset, run.data.name),
        ("--method", asked.method, method_of(run.method).name),
    ):
        if given not in (None, found):
            raise InputError(
                f"{flag} {given}: {asked.config} is about {found}; leave out one of the two flags"
            )
    return run


def _path_of(config, configs):
    """The file that --config names: the user's, or where there is none, the one beside METHOD's."""
    installed = os.path.join(os.path.dirname(configs), config)
    inside = os.path.normpath(config).split(os.sep)[0] == os.path.basename(configs)
    return installed if inside and not os.path.exists(config) else config


def load_config(path: str) -> Run:
    """The settings that a config file's get_config() returns.

    Raises:
      InputError: it cannot be read, or does not return a Run.
    """
    spec = importlib.util.spec_from_file_location("naomi_jax_config", path)
    if spec is None or spec.loader is None:
        raise InputError(f"--config {path}: a Python file is needed")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        run = module.get_config()
    except FileNotFoundError:
        raise InputError(f"--config {path}: no such file") from None
    except InputError as error:
        raise InputError(f"--config {path}: {error}") from None
    except Exception as error:  # whatever the file does
        raise InputError(f"--config {path}: {type(error).__name__}: {error}") from None
    if not isinstance(run, Run):
        raise InputError(f"--config {path}: get_config() does not return a Run")
    return run


def default_workdir(run: Run) -> str:
    """Where a run goes that names no folder: named after the data set, or after the user's file."""
    method, name = method_of(run.method).name, run.data.name
    if name == "files" and run.data.path:
        name = folder.name_of_file(run.data.path)
    name = name if method == "naomi" else f"{name}_{method}"
    return os.path.join("runs", f"{name}_forecast" if run.is_forecast else name)
