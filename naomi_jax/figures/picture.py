"""One picture or film of a test sequence that a model fills, in a file."""

from naomi_jax.data.dataset import Dataset
from naomi_jax.data.masks import MaskConfig
from naomi_jax.errors import InputError
from naomi_jax.figures import drawing, film, style
from naomi_jax.methods.fitted import Fitted


def write(model: Fitted, dataset: Dataset, masks: MaskConfig, given, path: str) -> None:
    """Draw a test sequence filled by the model; .gif and .mp4 are films of its recursion.

    Args:
      model: trained.
      dataset: its data.
      masks: how to hide steps.
      given: (M, T) masks of a mask file, or None.
      path: its ending decides the format.

    Raises:
      InputError: it cannot be drawn or written.
    """
    example = drawing.fill_example([model], dataset, masks, given)
    if not path.endswith(film.ENDINGS):
        style.save(drawing.filled(dataset, example), path)
        return
    found = film.recursion([model], example.shown)
    if found is None:
        raise InputError(
            f"{path}: {model.method.title} fills left to right, there is no recursion to show"
        )
    film.write(dataset, example, *found, path)
