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

from naomi_jax.data import drawing, files, metrics, registry
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.simulation import basketball as simulation
from naomi_jax.errors import InputError

COURT = 94, 50  # feet
WIDTH = 22  # columns of a file: the ball, the offense, the defense
OFFENSE = slice(2, 12)
PLAYERS = 5

# Where players are, within half a foot: a foot on the line is seen as one behind it.
_LOWEST, _HIGHEST = (-0.5, -0.5), (94.5, 50.5)
_CENTER = 25.0  # feet, for x and y alike as in the paper
_HELD_OUT = 0.1
_REMEDY = (
    "--data must be a folder with train.npz and test.npz, each with complete plays (N, 50, 22) in "
    "feet under the key 'data'"
)


def load(
    path: str | os.PathLike | None = None, log: Callable[[str], None] = lambda line: None
) -> Dataset:
    """Plays from files, or simulated: (N, T, 10), x0, y0, .. x4, y4 in the units of `normalize`.

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
        splits = map(normalize, simulation.load())
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


def normalize(feet: np.ndarray) -> np.ndarray:
    """Model units, (feet - 25) / [94, 50] for (x, y), float32.

    Args:
      feet: (..., 2 * players), x and y in turn. y comes out in [-0.5, 0.5] within the court.
    """
    return ((np.asarray(feet, np.float64) - _CENTER) / _scale(feet)).astype(np.float32)


def to_feet(x: np.ndarray) -> np.ndarray:
    """The inverse of `normalize`, float32."""
    return (np.asarray(x, np.float64) * _scale(x) + _CENTER).astype(np.float32)


def rotate(feet: np.ndarray) -> np.ndarray:
    """Turn the court by 180 degrees; feet: (..., 2 * players), x and y in turn."""
    return np.tile(COURT, feet.shape[-1] // 2).astype(feet.dtype) - feet


def symmetries(x: np.ndarray) -> np.ndarray:
    """The ten images of (N, T, 10), (10 N, T, 10), x itself first.

    The court has two like halves, left and right of the line through both hoops, and the players
    stand in no order: mirrored in y or not, and beginning with each of the five players.
    """
    mirrored = x * np.tile([1, -1], PLAYERS).astype(x.dtype)  # y is 0 on that line
    return np.concatenate(
        [np.roll(image, 2 * first, -1) for image in (x, mirrored) for first in range(PLAYERS)]
    )


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
    return normalize(feet)


# The data set.


def _load(request: registry.Request) -> Dataset:
    return load(request.path, log=request.log)


def _court() -> tuple[drawing.Curve, ...]:
    """The left half of an NBA court, in feet (NBA rule 1)."""
    length, width = COURT
    middle = width / 2
    hoop = simulation.HOOP
    angle = np.degrees(np.arcsin(22 / 23.75))
    lines = (
        drawing.rectangle(0, 0, length / 2, width),
        drawing.rectangle(0, middle - 8, 19, 16),
        drawing.arc((19, middle), 6),
        drawing.arc(hoop, 0.75),
        drawing.arc(hoop, 23.75, -angle, angle),
        *(np.array([(0, y), (14, y)]) for y in (3, width - 3)),
    )
    return tuple(drawing.Curve(points, color="0.5", width=0.8) for points in lines)


BASKETBALL = registry.register(
    registry.DatasetKind(
        name="basketball",
        load=_load,
        symmetries=symmetries,
        bounds=(normalize(np.tile(_LOWEST, PLAYERS)), normalize(np.tile(_HIGHEST, PLAYERS))),
        metrics=(
            metrics.Metric("path length", 1, metrics.of_filled(metrics.path_length)),
            metrics.Metric("out of bounds [1e-3]", 1e3, metrics.of_filled(metrics.out_of_bounds)),
            metrics.STEP_CHANGE,
            metrics.Metric("path difference", 1, metrics.of_filled(metrics.path_difference)),
            metrics.Metric("player distance", 1, metrics.of_filled(metrics.player_distance)),
        ),
        table=3,
        paper={
            "linear": (0.482, 2.997, 0.522, 0.519, 0.422),
            "knn": (0.921, 0.128, 13.24, 0.746, 0.403),
            "grui": (1.141, 4.703, 14.95, 0.690, 0.398),
            "maskgan": (0.793, 4.592, 9.622, 0.680, 0.427),
            "single_res": (0.702, 3.874, 4.811, 0.571, 0.417),
            "naomi": (0.573, 1.733, 2.565, 0.581, 0.423),
            registry.EXPERT: (0.556, 0.861, 1.982, 0.580, 0.425),
        },
        drawing=drawing.Plane(
            unit="of the court",
            outline=_court(),
            limits=((-4, COURT[0] / 2 + 2), (-3, COURT[1] + 3)),
            to_drawing=to_feet,
        ),
    )
)
