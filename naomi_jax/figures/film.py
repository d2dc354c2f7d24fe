"""Films of a recursion: a sequence being filled, a frame for each decoded step."""

import contextlib
import os
from collections.abc import Sequence

import numpy as np

from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.figures import style
from naomi_jax.figures.drawing import Example, draw_time
from naomi_jax.methods.fitted import Fitted
from naomi_jax.methods.method import Frame

ENDINGS = (".gif", ".mp4")
_SECONDS = 20  # a long recursion's film


def recursion(models: Sequence[Fitted], shown: np.ndarray) -> tuple[str, Sequence[Frame]] | None:
    """Name and frames of the first model that fills by a recursion.

    Args:
      models: trained.
      shown: (T,), steps that they see.

    Returns:
      None where no model does, or nothing is missing.
    """
    for model in models:
        if model.method.frames is not None:
            frames = model.method.frames(model.params, shown)
            return (model.method.name, frames) if frames else None
    return None


def write(
    dataset: Dataset, example: Example, name: str, frames: Sequence[Frame], *paths: str
) -> None:
    """A film of the column that varies most.

    Args:
      dataset: the data.
      example: the sequence.
      name: of the method that fills it.
      frames: from `recursion`.
      paths: the film is written to each: .gif, or .mp4 where ffmpeg is installed.

    Raises:
      InputError: it cannot be written.
    """
    figure, draw = _film(dataset, example, name, frames)
    rate = int(np.clip(len(frames) / _SECONDS, 4, 25))
    writers = [_writer(path, rate) for path in paths]
    try:
        with contextlib.ExitStack() as open_files:
            for writer, path in zip(writers, paths):
                open_files.enter_context(writer.saving(figure, path, dpi=100))
            for number in [*range(len(frames)), *[len(frames)] * 2 * rate]:  # the end stays on
                draw(number)
                for writer in writers:
                    writer.grab_frame()
    except (OSError, ValueError) as error:
        raise InputError(f"{', '.join(paths)}: the film cannot be written ({error})") from error


def _film(dataset, example, name, frames):
    """The figure of a film, and draw(number), which shows in it what is known before that frame."""
    column, drawing = example.column, datasets.get(dataset.name).drawing
    truth, filled = example.truth[:, column], example.fills[name][:, column]
    figure, axes = style.subplots(1, 1, (6.4, 2.9))
    axis = axes[0, 0]
    colors = _colors(max(frame.level for frame in frames) + 1)
    axis.plot(truth, color=style.TRUTH, lw=2)
    shown = list(frames[0].known)
    axis.plot(shown, truth[shown], "ko", ms=4)
    axis.plot(filled, alpha=0)  # room for all that comes
    done = [axis.plot([], [], "s", ms=3.5, color=color)[0] for color in colors]
    pivots = [axis.axvline(0, lw=1, ls="--") for _ in range(2)]
    (here,) = axis.plot([], [], "D", ms=7)
    heading = axis.set_title("level, step", fontsize=9)
    axis.set(xlim=(-1.5, len(truth) + 0.5), ylabel=drawing.label(column, dataset.dim))
    draw_time(axis, drawing.time)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # found once; for each frame it would take most of the time

    def draw(number):
        for level, line in enumerate(done):
            steps = [frame.step for frame in frames[:number] if frame.level == level]
            line.set_data(steps, filled[steps])
        if number == len(frames):
            for artist in (*pivots, here):
                artist.set_visible(False)
            heading.set_text(f"{number} steps filled")
            return
        frame = frames[number]
        for line, pivot in zip(pivots, (frame.left, frame.right)):
            line.set(xdata=[pivot, pivot], color=colors[frame.level])
        here.set(data=([frame.step], [filled[frame.step]]), color=colors[frame.level])
        heading.set_text(
            f"level {frame.level}: step {frame.step} from steps {frame.left} and {frame.right}"
        )

    return figure, draw


def _colors(levels):
    import matplotlib

    return matplotlib.colormaps["plasma"](np.linspace(0.1, 0.85, levels))


def has_ffmpeg() -> bool:
    """Whether films can be written as .mp4."""
    style.require_matplotlib()
    from matplotlib.animation import FFMpegWriter

    return FFMpegWriter.isAvailable()


def _writer(path, rate):
    from matplotlib.animation import FFMpegWriter, PillowWriter

    if os.fspath(path).endswith(".mp4"):
        if not has_ffmpeg():
            raise InputError(f"{path}: .mp4 needs ffmpeg installed; .gif needs nothing more")
        return FFMpegWriter(fps=rate, codec="h264", extra_args=["-pix_fmt", "yuv420p"])
    return PillowWriter(fps=rate)
