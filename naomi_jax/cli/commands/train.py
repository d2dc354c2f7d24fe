"""naomi-jax train: flags to settings, data, a run's folder, training, a table."""

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Sequence

import jax

import naomi_jax
from naomi_jax import calling
from naomi_jax.cli import flags, process
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
USAGE = """Train a method of the paper, or one beside it, on complete sequences:
  {}
To fill the holes of a table of yours:
  {}

Run the same command again to go on where it stopped. Every setting below can be changed, such as
--seed=1; what stands behind "Here:" is its value in the config that the other flags choose."""


def add(commands: argparse._SubParsersAction, words: Sequence[str]) -> None:
    """Add the subcommand.

    The flags that choose the config are read first; the others depend on what is in it.

    Raises:
      InputError: a flag that chooses the config is wrong.
    """
    choice = flags.Parser(add_help=False)
    _add_choices(choice)
    chosen = choose(choice.parse_known_args(words)[0], configs_folder())
    usage = calling.train("[--dataset NAME] [--data PATH] [--method NAME] [--SETTING VALUE ...]")
    both = calling.train("--dataset traffic"), calling.fill("station.csv", "filled.csv")
    parser = commands.add_parser("train", usage=usage, description=USAGE.format(*both))
    _add_choices(parser)
    flags.add_settings(parser, chosen, without=_NO_FLAGS)
    parser.set_defaults(run_command=run, chosen=chosen)


def run(asked: argparse.Namespace) -> None:
    """Train.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    wanted = settings(asked)
    if asked.processes:
        devices.join(asked.processes)
    workdir = asked.workdir or default_workdir(wanted)
    dataset = datasets.load(
        wanted.data.name,
        wanted.data.path,
        window=wanted.data.window,
        stride=wanted.data.stride,
        log=_say,
        progress=sys.stderr.isatty(),
    )
    check(wanted, dataset)
    folder.check_kind(workdir, "method")
    params = None
    if wanted.start_from and not folder.has_checkpoint(workdir):
        params = opening.start(wanted.start_from, wanted)
    with lock.training_in(workdir):
        _train(workdir, wanted, dataset, params)


def settings(asked: argparse.Namespace) -> Run:
    """The settings: those of the config, and what was given beside it."""
    found = flags.with_flags(asked.chosen, asked)
    if asked.data:
        found = with_values(found, {("data", "path"): os.path.abspath(asked.data)})
    return forecast(found, default_workdir(found)) if asked.forecast else found


def configs_folder() -> str:
    """The settings of the paper's runs: in an installed package, beside it in a repository."""
    package = os.path.dirname(os.path.abspath(naomi_jax.__file__))
    inside = os.path.join(package, "configs")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "configs")


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
        message = f"{stop}, all saved. Go on with: {calling.again()}"
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
    again = calling.impute(calling.quoted(workdir), "YOUR.csv", "FILLED.csv")
    return f"{again}   ({dataset.dim} columns, holes empty)"


def check(run: Run, dataset: Dataset) -> None:
    """Raise InputError unless the run suits its data and the devices; nothing is written."""
    plan = make_plan(run, dataset.train.shape)
    try:
        jax.eval_shape(lambda: initial_state(run, plan))
    except (ValueError, TypeError, OverflowError) as error:  # a method checks sizes of its own
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"these settings make no model ({reason}); see --help") from error
    devices.mesh(min(plan.batch.size, len(dataset.train)))


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
