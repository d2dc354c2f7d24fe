"""Shared by the tests of tables and of the page."""

import pytest

from naomi_jax.data import billiards
from naomi_jax.data.dataset import Dataset


@pytest.fixture(scope="session")
def dataset():
    sets = [billiards.simulate(n, 12, n) for n in (20, 5, 30)]
    return Dataset("billiards", "billiards, simulated here", True, *sets)
