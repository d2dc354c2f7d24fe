"""Opening a trained run: from its folder to a method that fills sequences."""

import contextlib
import os
import time
from typing import Any

import jax

from naomi_jax.data.transforms import chain, standardize
from naomi_jax.errors import InputError
from naomi_jax.methods.fitted import Fitted
from naomi_jax.runs import folder, record
from naomi_jax.runs.record import Record
from naomi_jax.training import loop
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.settings import Run

_ATTEMPTS = 5  # to read a run that is being trained


def load(workdir: str | os.PathLike) -> Fitted:
    """The trained method in a run's folder; its `fill` takes sequences in the data's own units.

    The best by validation error; of a stochastic model or after an adversarial phase the latest,
    because the error that "best" is judged by is not what they aim at.

    Args:
      workdir: the folder that the training wrote.

    Raises:
      InputError: there is no run, no checkpoint, or it is damaged or of another model.
    """
    workdir = os.fspath(workdir)
    return fitted(workdir, record.read(workdir))


def fitted(workdir: str, found: Record) -> Fitted:
    """`load` with a record that was read already."""
    run, shape = found.run, found.shape
    path = os.path.join(workdir, loop.CHECKPOINTS)
    if not os.path.isdir(path):
        raise _nothing_yet(workdir)
    try:
        wanted = _parts(run, shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"{workdir}: the settings in {record.FILE} make no model ({type(error).__name__}); put "
            "the file back, or train again in another folder"
        ) from error
    saved = _restore(workdir, path, run.ends_with_latest, wanted)
    # On the device once, not with every batch that is filled.
    params = jax.device_put(saved["state"]["average" if run.average else "params"])
    standardizer = standardize.Standardizer(**saved["scaler"])
    bounds = chain.bounds_of(run.data.name) if run.transforms.bounds else None
    memory = None
    if run.transforms.neighbors:
        first = chain.Chain(standardizer, bounds=bounds)
        memory = jax.device_put(first.standardized(folder.read_memory(workdir, shape)))
    return Fitted(run.kind, params, chain.build(run.transforms, standardizer, memory, 0, bounds))


def _restore(workdir, path, latest, wanted):
    """What is wanted of the latest or the best checkpoint, also while a training replaces them.

    One that is being deleted looks damaged. So what cannot be read is looked for again once other
    checkpoints are there; where they stay the same for a moment, it is damaged.
    """
    more = _ATTEMPTS
    while True:
        more -= 1
        before = _names(path)
        try:
            with Checkpoints(path, read_only=True) as checkpoints:
                step = checkpoints.latest() if latest else checkpoints.best()
                if step is None:
                    raise _nothing_yet(workdir)
                return checkpoints.restore(step, wanted)
        except InputError:
            if not more or not _have_changed(path, before):
                raise


def _names(path):
    with contextlib.suppress(OSError):
        return sorted(os.listdir(path))


def _have_changed(path, before):
    """Whether other checkpoints are there than before, now or within a second."""
    for _ in range(10):
        if _names(path) != before:
            return True
        time.sleep(0.1)
    return False


def _parts(run: Run, shape) -> dict[str, Any]:
    """What of a checkpoint is needed to fill: shapes and dtypes."""
    _, steps, dim = shape
    params = jax.eval_shape(
        lambda: run.kind.fresh(jax.random.key(0), run.method, run.transforms.model_dim(dim))
    )
    rows = steps if run.transforms.standardize == "step" else 1
    statistics = jax.eval_shape(lambda: standardize.empty(rows, dim)._asdict())
    return {
        "state": {"average" if run.average else "params": params},
        "scaler": statistics,
    }


def _nothing_yet(workdir):
    return InputError(
        f"{workdir}: no checkpoint yet; let the training run until the first is written"
    )


def start(workdir: str, run: Run) -> Any:
    """The parameters of the run in `workdir`, for a run with other masks or phases to begin with.

    Raises:
      InputError: there is none, or its model is another.
    """
    if not os.path.isdir(workdir):
        raise InputError(
            f"{workdir}: no run to start from; train one (the same command without --forecast), "
            "or name its folder with --start_from"
        )
    before = record.read(workdir)
    theirs, ours = ((r.method, r.transforms) for r in (before.run, run))
    if theirs != ours:
        raise InputError(
            f"{workdir}: its method and transforms are {theirs}, this run's are {ours}; give this "
            "run the same settings"
        )
    return fitted(workdir, before).params
