"""How the sequences of a data set are drawn, as plain numbers; `figures` makes pictures of them.

A sequence is drawn against time (`Series`), or its pairs of columns as paths in a plane (`Plane`).
"""

import dataclasses
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np


class TimeAxis(NamedTuple):
    """The axis along a sequence.

    Attributes:
      label: what it shows.
      ticks: steps that are marked, and the words there; None leaves both to matplotlib.
    """

    label: str
    ticks: tuple[np.ndarray, list[str]] | None = None


STEPS = TimeAxis("time step")


class Curve(NamedTuple):
    """A line that belongs to the surroundings rather than to the data, such as a wall.

    Attributes:
      points: (n, 2), in the drawing's units.
      line: solid or dotted.
      color, width: as matplotlib takes them.
    """

    points: np.ndarray
    line: Literal["solid", "dotted"] = "solid"
    color: str = "black"
    width: float = 1.0


def column_number(column: int, dim: int) -> str:
    """The label of a column that has no name."""
    del dim
    return f"column {column + 1}"


@dataclasses.dataclass(frozen=True)
class Series:
    """Columns against time, a few of them in a panel each.

    Attributes:
      label: (column from 0, D) -> what stands at its axis, with the unit.
      time: the axis along a sequence.
    """

    label: Callable[[int, int], str] = column_number
    time: TimeAxis = STEPS


@dataclasses.dataclass(frozen=True)
class Plane:
    """Columns (x0, y0, x1, y1, ...) are paths in a plane, drawn to scale.

    Attributes:
      unit: of the data's values, in words.
      outline: what is around the data.
      limits: ((left, right), (bottom, top)) of the drawing.
      to_drawing: (..., D) values in the data's units -> in the drawing's.
      time: the axis along a sequence, where a column is drawn against time.
    """

    unit: str
    outline: tuple[Curve, ...]
    limits: tuple[tuple[float, float], tuple[float, float]]
    to_drawing: Callable[[np.ndarray], np.ndarray] = lambda values: values
    time: TimeAxis = STEPS

    def label(self, column: int, dim: int) -> str:
        """The coordinate, with a number where there are several objects, and the unit."""
        number = column // 2 + 1 if dim > 2 else ""
        return f"{'xy'[column % 2]}{number} [{self.unit}]"


Drawing = Series | Plane


# Points of outlines.


def rectangle(left: float, bottom: float, width: float, height: float) -> np.ndarray:
    """The four corners and the first again, (5, 2)."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    return np.array([left, bottom]) + np.array(corners) * [width, height]


def arc(
    center: tuple[float, float], radius: float, begin: float = 0, end: float = 360
) -> np.ndarray:
    """Part of a circle between two angles, in degrees anticlockwise from the right, (n, 2)."""
    angle = np.deg2rad(np.linspace(begin, end, 181))
    return np.array(center) + radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
