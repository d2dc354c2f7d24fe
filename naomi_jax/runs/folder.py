"""A run's folder: its settings, its best model, and whether a new command may go on in it."""

import json
import os
import platform

import jax
import numpy as np

import naomi_jax
from naomi_jax.data import atomic as writing
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import standardize as standardise
from naomi_jax.errors import InputError
from naomi_jax.training import config as run_config
from naomi_jax.training import devices, loop, steps
from naomi_jax.training.checkpoints import Checkpoints

_FILE = "config.json"
_MEMORY = "training_sequences.npy"  # where neighbours are looked for
# Settings that do not change what is computed.
_FREE = ("data",)
# Settings that older runs do not have, and what they did.
_DEFAULTS = {
    "neighbours": 0,
    "average": 0.0,
    "root_share": 0.0,
    "precision": "float32",
    "channel_independent": False,
    "model.context": False,
    "model.rotation": 0.0,
    "masks.training_low": 0.0,
    "task": "impute",
    "start_from": "",
}


def claim(workdir: str, config: dict, dataset: Dataset) -> bool:
    """Make the folder (the first process does), or check that it holds a run with these settings.

    Args:
      workdir: the folder.
      config: all settings, a nested dict.
      dataset: the data; its description is kept with the settings.

    Returns:
      Whether there was a run.

    Raises:
      InputError: it cannot be written, or holds a run with other settings or other data.
    """
    path = os.path.join(workdir, _FILE)
    record = {
        "config": config,
        "data": describe(dataset),
        "versions": {
            "naomi_jax": naomi_jax.__version__,
            "jax": jax.__version__,
            "python": platform.python_version(),
        },
    }
    if os.path.exists(path):
        before = read(workdir)
        differences = _differences(before["config"], config)
        if before["data"] != record["data"]:
            differences.append(f"data: {before['data']['source']!r}, now {dataset.source!r}")
        if differences:
            raise InputError(
                f"{workdir} holds a run with other settings ({'; '.join(differences[:3])}); choose "
                "another --workdir, or delete this one to start again"
            )
        return True
    if not devices.leads():
        return False
    try:
        os.makedirs(workdir, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{workdir}: cannot be written ({error.strerror}); choose another --workdir"
        ) from error
    if config.get("neighbours"):
        with writing.whole(os.path.join(workdir, _MEMORY), mode="wb") as file:
            np.save(file, dataset.train)
    with writing.whole(path, mode="w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)
    return False


def read(workdir: str) -> dict:
    """The record that `claim` wrote: config, data, versions."""
    path = os.path.join(workdir, _FILE)
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        return {"config": record["config"], "data": record["data"], "versions": record["versions"]}
    except FileNotFoundError:
        raise InputError(f"{workdir}: not the folder of a run (no {_FILE} in it)") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); train again") from error


def describe(dataset: Dataset) -> dict:
    """What is kept about the data of a run."""
    return {
        "source": dataset.source,
        "simulated": dataset.simulated,
        "shape": [list(s.shape) for s in (dataset.train, dataset.val, dataset.test)],
    }


def load_model(workdir: str, config: run_config.RunConfig) -> tuple:
    """The model of a run: its best, or after an adversarial phase its latest.

    The adversarial phase does not aim at the error that "best" is judged by.

    Returns:
      (params, Standardiser, step).

    Raises:
      InputError: there is no checkpoint, or it is damaged or of another model.
    """
    folder = os.path.join(workdir, loop.CHECKPOINTS)
    if not os.path.isdir(folder):
        raise InputError(
            f"{workdir}: no checkpoints yet; let train.py run until the first is written"
        )
    with Checkpoints(folder) as checkpoints:
        step = checkpoints.best() if config.adversary is None else checkpoints.latest()
        if step is None:
            raise InputError(
                f"{workdir}: no checkpoint yet; let train.py run until the first is written"
            )
        state = loop.initial_state(config)
        rows = config.steps if config.standardise == "step" else 1
        scaler = standardise.empty(rows, config.model.dim)
        # Onto this process's own device, wherever the run was.
        tree = jax.device_put({"state": state.tree(), "scaler": scaler.statistics()})
        tree = checkpoints.restore(step, tree)
    scaler = standardise.Standardiser(**tree["scaler"])
    if config.batch.neighbours:
        memory = scaler(_memory(workdir))
        scaler = scaler._replace(memory=memory, neighbours=config.batch.neighbours)
    return steps.TrainState(**tree["state"]).model, scaler, step


def _memory(workdir):
    path = os.path.join(workdir, _MEMORY)
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: missing or damaged ({type(error).__name__}); train again"
        ) from None


def has_checkpoint(workdir: str) -> bool:
    """Whether a run in the folder has saved something to go on from."""
    folder = os.path.join(workdir, loop.CHECKPOINTS)
    if not os.path.isdir(folder):
        return False
    with Checkpoints(folder) as checkpoints:
        return checkpoints.latest() is not None


def start(folder: str, config: run_config.RunConfig):
    """The parameters of the run in `folder`, for a run with other masks or phases to begin with.

    Raises:
      InputError: there is none, or its model is another.
    """
    if not os.path.isdir(folder):
        raise InputError(
            f"{folder}: no run to start from; train one (the same command without --config.task), "
            "or name its folder with --config.start_from"
        )
    record = read(folder)
    before = run_config.resolve(record["config"], tuple(record["data"]["shape"][0]))
    theirs, ours = (
        (c.kind, c.model, c.channel_independent, c.standardise, c.batch.neighbours)
        for c in (before, config)
    )
    if theirs != ours:
        raise InputError(
            f"{folder}: its model, channel independence, standardisation and neighbours are {theirs}, "
            f"this run's are {ours}; give this run the same settings"
        )
    return load_model(folder, before)[0]


def _differences(before, now, prefix=""):
    found = []
    for key in sorted(before.keys() | now.keys()):
        a, b = (side.get(key, _DEFAULTS.get(prefix + key)) for side in (before, now))
        if isinstance(a, dict) and isinstance(b, dict):
            found += _differences(a, b, f"{prefix}{key}.")
        elif a != b and prefix + key not in _FREE:
            found.append(f"{prefix}{key}: {a!r}, now {b!r}")
    return found
