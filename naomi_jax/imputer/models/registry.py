"""The models that fill tables, in the order in which they are fitted and fill."""

from naomi_jax.imputer.models import cycles, linear, lines, network, seasons
from naomi_jax.imputer.models.candidate import Model

# The line first; those that build on others after them.
_BUILT_IN = (lines.MODEL, seasons.MODEL, linear.MODEL, cycles.MODEL, network.MODEL)
_OTHERS: list[Model] = []


def register(model: Model) -> Model:
    """Add a model behind the others.

    Raises:
      ValueError: there is one of this title.
    """
    if any(model.title == other.title for other in every()):
        raise ValueError(f"{model.title}: there is a model of this title")
    _OTHERS.append(model)
    return model


def forget(model: Model) -> None:
    """Take a model out that was registered."""
    _OTHERS.remove(model)


def every() -> tuple[Model, ...]:
    """All models."""
    return (*_BUILT_IN, *_OTHERS)


def kinds() -> dict[str, type]:
    """The dataclasses of all fitted candidates, by name: what may be saved."""
    return {kind.__name__: kind for model in every() for kind in model.kinds}
