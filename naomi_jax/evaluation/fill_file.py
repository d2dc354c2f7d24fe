"""Fill the holes of a user's file with a trained model."""

import os

import jax
import numpy as np

from naomi_jax.data import files
from naomi_jax.errors import InputError
from naomi_jax.methods.fitted import Fitted


def check_target(
    source: str | os.PathLike, target: str | os.PathLike, num_samples: int | None
) -> None:
    """Raise InputError where `fill_file` could not write, before there is anything to write."""
    kinds = [os.path.splitext(path)[1].lower() for path in (source, target)]
    if kinds[0] != kinds[1]:
        raise InputError(
            f"{target}: the input is {kinds[0] or 'without ending'}, so the output must be too"
        )
    if num_samples is not None and kinds[1] == ".csv":
        raise InputError(f"{target}: a .csv holds one filled series; for samples use .npz or .npy")


def fill_file(
    model: Fitted,
    source: str | os.PathLike,
    target: str | os.PathLike,
    num_samples: int | None = None,
    seed: int = 0,
) -> str:
    """Read `source`, fill its NaN entries, write `target` in the same format.

    Sequences may have any length. A step is decoded if any of its entries is missing; those that
    are there are kept, and passed on to the steps around it.

    Args:
      model: a trained model.
      source, target: .npz (key `data`), .npy or .csv.
      num_samples: draws, a leading axis in the output; not for .csv.
      seed: of the draws.

    Returns:
      A line that says what was done.

    Raises:
      InputError: a file cannot be read or written, or does not fit the model.
    """
    table, values = files.read_series(source)
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
        files.write_series(target, table, values)
        return f"{target}: nothing was missing in {source}"
    filled = model.fill(x, observed, jax.random.key(seed), num_samples)
    filled = np.where(observed, x, filled).astype(values.dtype)
    files.write_series(target, table, filled[..., 0, :, :] if single else filled)
    missing = np.count_nonzero(~observed)
    return f"{target}: {missing} of {observed.size} entries of {source} filled"
