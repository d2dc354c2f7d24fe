"""How figures look: one color and one line for each method, everywhere; readable in gray.

Figures are made without pyplot, which would choose a backend for the whole process and keep every
figure until it is closed. matplotlib's settings change only while a file is written.
"""

import base64
import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from naomi_jax.data.registry import EXPERT
from naomi_jax.errors import InputError
from naomi_jax.methods import registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRUTH = "0.6"  # the color of the truth beneath what was filled
_EXPERT_LINE = {"color": "0.35", "linestyle": (0, (1, 1))}
_UNKNOWN_LINE = {"color": "k", "linestyle": "-"}


def title(name: str) -> str:
    """What a method is called in figures; the name itself where it is not known."""
    method = _methods().get(name)
    return method.title if method else "Expert" if name == EXPERT else name


def line(name: str) -> dict[str, Any]:
    """Color and line of a method, as matplotlib's arguments."""
    method = _methods().get(name)
    if method:
        return {"color": method.color, "linestyle": method.dashes}
    return dict(_EXPERT_LINE if name == EXPERT else _UNKNOWN_LINE)


def _methods():
    return {method.name: method for method in registry.every()}


def subplots(
    down: int, across: int, size: tuple[float, float], **options
) -> "tuple[Figure, np.ndarray]":
    """A figure that belongs to nobody else, and its axes.

    Args:
      down, across: numbers of panels.
      size: width and height in inches.
      options: of Figure.subplots.

    Returns:
      (figure, axes (down, across)).

    Raises:
      InputError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(down, across, squeeze=False, **options)


def grid(panels: int) -> tuple[int, int]:
    """(down, across) for panels: three in a row at most, and none alone in a row of its own."""
    across = 2 if panels in (2, 4) else min(panels, 3)
    return -(-panels // across), across


def require_matplotlib() -> None:
    """Raise InputError where it is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'naomi_jax[plot]'") from None


def save(figure: "Figure", path: str | os.PathLike) -> None:
    """Write a figure; the path's ending decides the format."""
    try:
        _save(figure, os.fspath(path), dpi=120)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the figure cannot be written ({error})") from error


def inline(figure: "Figure") -> tuple[str, str]:
    """A figure as data URIs, (PNG, SVG), for a page."""
    png, svg = io.BytesIO(), io.BytesIO()
    _save(figure, png, format="png", dpi=110)
    _save(figure, svg, format="svg", dpi=110)
    return data_uri("image/png", png.getvalue()), data_uri("image/svg+xml", svg.getvalue())


def _save(figure, target, **options):
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):  # text in an .svg stays text
        figure.savefig(target, **options)


def data_uri(kind: str, content: bytes) -> str:
    """Bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
