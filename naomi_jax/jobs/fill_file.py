"""Fill the holes of a user's file with a trained model."""

import os

import jax
import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.methods.fitted import Fitted
from naomi_jax.tables.files import reading, writing
from naomi_jax.tables.options import Options


def check_target(
    source: str | os.PathLike, target: str | os.PathLike, num_samples: int | None
) -> None:
    """Raise InputError where `fill_file` could not write, before there is anything to write."""
    writing.check_target(target, source)
    if num_samples is not None and not os.fspath(source).lower().endswith(reading.ARRAYS):
        raise InputError(f"{source}: a table holds one filling; for samples use .npz or .npy")


def fill_file(
    model: Fitted,
    source: str | os.PathLike,
    target: str | os.PathLike,
    num_samples: int | None = None,
    seed: int = 0,
    options: Options = Options(),  # noqa: B008
) -> str:
    """Read `source`, fill its NaN entries, write `target` in the same format.

    Sequences may have any length. A step is decoded if any of its entries is missing; those that
    are there are kept, and passed on to the steps around it.

    Args:
      model: a trained model.
      source, target: a table or an array, of one format (reading.EXTENSIONS).
      num_samples: draws, a leading axis in the output; for .npz and .npy.
      seed: of the draws.
      options: how to read `source`.

    Returns:
      Lines that say what was assumed of the file and what was done.

    Raises:
      InputError: a file cannot be read or written, or does not fit the model.
    """
    check_target(source, target, num_samples)
    table = reading.read(source, options)
    notes = "".join(f"{source}: {note}\n" for note in table.notes)
    # The file's rows may stand in any order; the model reads them by time.
    order = np.arange(table.shape[0]) if table.time is None else np.argsort(table.time)
    values = table.stacked[order]
    dim = model.transforms.standardizer.std.shape[0]
    if values.shape[-1] != dim:
        raise InputError(
            f"{source}: {values.shape[-1]} values at a step; the model was trained on {dim}"
        )
    if num_samples is not None and num_samples < 1:
        raise InputError(f"--num_samples: {num_samples} is not a positive integer")
    single = values.ndim == 2
    x = values[None] if single else values
    observed = ~np.isnan(x)
    if observed.all():
        writing.write(target, table, table.stacked)
        return f"{notes}{target}: nothing was missing in {source}"
    filled = model.fill(x, observed, jax.random.key(seed), num_samples)
    filled = np.where(table.whole, np.round(filled), filled)
    filled = np.where(observed, x, filled).astype(values.dtype)
    if single:
        filled = filled[..., 0, :, :][..., np.argsort(order), :]
    writing.write(target, table, filled)
    missing = np.count_nonzero(~observed)
    return f"{notes}{target}: {missing} of {observed.size} entries of {source} filled"
