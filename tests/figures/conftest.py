"""A model that is not trained: what it draws does not matter, whose it is does."""

import jax
import pytest

import naomi_jax
from naomi_jax.data import masks
from naomi_jax.methods import registry
from naomi_jax.methods.fitted import Fitted


class Unchanged:
    """Transforms that do nothing."""

    def apply(self, x, mask):
        return x, mask, lambda filled: filled


@pytest.fixture(scope="session")
def model():
    params = naomi_jax.init(jax.random.key(0), naomi_jax.ModelConfig(2, 3, 1, 2, 3))
    return Fitted(registry.get("naomi"), params, Unchanged())


@pytest.fixture(scope="session")
def hidden():
    """How steps are hidden from it."""
    return masks.MaskConfig("random", 5, 9)
