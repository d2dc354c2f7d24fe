"""Shared by all tests."""

import os

import jax
import pytest

from naomi_jax.data import billiards
from naomi_jax.data.dataset import Dataset

# Tests compile hundreds of tiny programs once: optimizing them costs more than it saves. Users run
# optimized programs, so NAOMI_JAX_TEST_OPTIMIZED=1 leaves XLA as it is; .ci/run does so for a part.
if os.environ.get("NAOMI_JAX_TEST_OPTIMIZED", "0") in ("", "0"):
    jax.config.update("jax_disable_most_optimizations", True)
    # XLA's older code generator takes half the time. Versions without it refuse the flag.
    if (0, 8) <= jax.__version_info__ < (0, 11):
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_use_fusion_emitters=false"


@pytest.fixture
def x64():
    """Float64 for the duration of a test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def dataset():
    """A small set of billiards."""
    sets = [billiards.simulate(n, 12, n) for n in (20, 5, 30)]
    return Dataset("billiards", "billiards, simulated here", True, *sets)
