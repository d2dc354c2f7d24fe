"""How figures look: one colour and one line for each model, everywhere; readable in grey."""

import base64
import io
import os

from naomi_jax.errors import InputError

TRUTH = "0.6"
_MODELS = {  # colour, line
    "NAOMI": ("#c1272d", "-"),
    "SingleRes": ("#0000a7", "--"),
    "MaskGAN": ("#b07c00", "-."),
    "GRUI": ("#008176", (0, (3, 1, 1, 1, 1, 1))),
    "RNN": ("#7a4419", (0, (6, 1, 1, 1))),
    "KNN": ("#7b3294", (0, (5, 1))),
    "Linear": ("#4a90c2", ":"),
    "Expert": ("0.35", (0, (1, 1))),
}


def line(title: str) -> dict:
    """Colour and line of a model, as matplotlib's arguments."""
    colour, dashes = _MODELS.get(title, ("k", "-"))
    return {"color": colour, "linestyle": dashes}


def pyplot():
    """matplotlib.pyplot, drawing without a display.

    Raises:
      InputError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'naomi_jax[plot]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams["svg.fonttype"] = "none"
    return pyplot


def save(figure, path: str | os.PathLike) -> None:
    """Write a figure and close it; the path's ending decides the format."""
    try:
        figure.savefig(os.fspath(path), dpi=120)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the figure cannot be written ({error})") from error
    finally:
        pyplot().close(figure)


def inline(figure) -> tuple[str, str]:
    """A figure as data URIs, (PNG, SVG), for a page; closes it."""
    pictures = []
    for kind, ending in (("image/png", "png"), ("image/svg+xml", "svg")):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=ending, dpi=110)
        pictures.append(data_uri(kind, buffer.getvalue()))
    pyplot().close(figure)
    return tuple(pictures)


def data_uri(kind: str, content: bytes) -> str:
    """Bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
