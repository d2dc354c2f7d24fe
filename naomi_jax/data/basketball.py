"""Basketball: the five players of the offense in the left half court, 50 steps at 6.25 Hz.

Files are laid out as in the STATS release that the paper uses: train.npz and test.npz with the key
`data`, (N, 50, 22) in feet: x and y of the ball, of 5 players on offense and of 5 on defense, on a
court of 94 x 50 feet whose left hoop is attacked. `naomi_jax.data.sportvu` makes such files from
public SportVU game logs. Without files the plays are simulated.
"""

import os
import zlib
from collections.abc import Callable

import numpy as np

from naomi_jax.data import basketball_simulation as simulation
from naomi_jax.data import files
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError

COURT = 94, 50  # feet
WIDTH = 22  # columns of a file: the ball, the offense, the defense
OFFENSE = slice(2, 12)
PLAYERS = 5

_CENTRE = 25.0  # feet, for x and y alike as in the paper
_HELD_OUT = 0.1
_REMEDY = (
    "--data must be a folder with train.npz and test.npz, each with complete plays (N, 50, 22) in "
    "feet under the key 'data'"
)


def load(
    path: str | os.PathLike | None = None, log: Callable[[str], None] = lambda line: None
) -> Dataset:
    """Plays from files, or simulated: (N, T, 10), x0, y0, .. x4, y4 in the units of `normalise`.

    Args:
      path: a folder with train.npz and test.npz; None simulates 2000, 200 and 500 plays.
      log: receives plain lines.

    Returns:
      The last tenth of train.npz is held out for validation.

    Raises:
      InputError: a file is missing, damaged or of another shape; the message names it and what is
        needed.
    """
    if path is None:
        log(
            f"No tracking data given: this run uses {simulation.SOURCE}. For real plays give a "
            "folder with train.npz and test.npz (naomi_jax.data.sportvu makes them): --data FOLDER"
        )
        splits = map(normalise, simulation.load())
        return Dataset("basketball", simulation.SOURCE, True, *splits)
    path = os.fspath(path)
    train, test = (_read(os.path.join(path, f"{name}.npz")) for name in ("train", "test"))
    if train.shape[1] != test.shape[1]:
        raise InputError(
            f"{path}: plays of {train.shape[1]} steps in train.npz, but of {test.shape[1]} in "
            f"test.npz; {_REMEDY}"
        )
    train, val = _hold_out(train, os.path.join(path, "train.npz"))
    source = f"basketball, STATS layout, {os.path.basename(os.path.abspath(path))}"
    return Dataset("basketball", source, False, train, val, test)


def normalise(feet: np.ndarray) -> np.ndarray:
    """Model units, (feet - 25) / [94, 50] for (x, y), float32.

    Args:
      feet: (..., 2 * players), x and y in turn. y comes out in [-0.5, 0.5] within the court.
    """
    return ((np.asarray(feet, np.float64) - _CENTRE) / _scale(feet)).astype(np.float32)


def to_feet(x: np.ndarray) -> np.ndarray:
    """The inverse of `normalise`, float32."""
    return (np.asarray(x, np.float64) * _scale(x) + _CENTRE).astype(np.float32)


def rotate(feet: np.ndarray) -> np.ndarray:
    """Turn the court by 180 degrees; feet: (..., 2 * players), x and y in turn."""
    return np.tile(COURT, feet.shape[-1] // 2).astype(feet.dtype) - feet


def _scale(values):
    return np.tile(COURT, np.shape(values)[-1] // 2)


def _hold_out(train, file):
    """(rest, held out): a contiguous end, because windows in a row overlap or are of one game.

    Drawn at random, nearly every validation play would share steps with a training play.
    """
    if len(train) < 2:
        raise InputError(f"{file}: 1 play, but one is held out for validation; {_REMEDY}")
    count = max(1, round(_HELD_OUT * len(train)))
    return train[:-count], train[-count:]


def _read(file) -> np.ndarray:
    """The offense of every play in a file: (N, T, 10) float32 in model units."""
    try:
        plays = files.read_array(file)
    except InputError as error:
        raise InputError(f"{error}; {_REMEDY}") from None
    except (zlib.error, RuntimeError) as error:  # damage inside a member; encrypted
        raise InputError(f"{file}: damaged ({error}); {_REMEDY}") from None
    if plays.ndim != 3 or plays.shape[-1] != WIDTH or 0 in plays.shape:
        raise InputError(f"{file}: shape {plays.shape} is not (N, T, {WIDTH}); {_REMEDY}")
    feet = plays[..., OFFENSE]
    broken = ~np.isfinite(feet).all(axis=(1, 2))
    if broken.any():
        raise InputError(
            f"{file}: {broken.sum()} of {len(feet)} plays have missing or infinite values, the "
            f"first is play {np.argmax(broken)} (from 0): drop them; {_REMEDY}"
        )
    right = feet[..., ::2].mean(axis=(1, 2), dtype=np.float64) > COURT[0] / 2
    feet = np.where(right[:, None, None], rotate(feet), feet)
    return normalise(feet)
