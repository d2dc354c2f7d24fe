"""The figure of one run: a test sequence filled by its model, or the film of its recursion."""

import os

from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report
from naomi_jax.figures import drawing, style


def write(workdir: str, dataset: Dataset, path: str | os.PathLike) -> None:
    """Draw a test sequence filled by the model of a run; .gif and .mp4 are films of the recursion.

    Raises:
      InputError: the method has no recursion to show, or the figure cannot be written.
    """
    path = os.fspath(path)
    (model,), (run,) = report.load([workdir], dataset)
    shown = drawing.example([model], dataset, *report.test_masks(run, dataset))
    if not path.endswith(drawing.FILMS):
        style.save(drawing.filled(dataset, shown), path)
        return
    frames = model.method.frames and model.method.frames(model.params, shown.known)
    if not frames:
        title = model.method.title
        raise InputError(f"{path}: {title} fills left to right, there is no recursion to show")
    drawing.animation(dataset, shown, model.method.name, frames, path)
