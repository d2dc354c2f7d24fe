"""Shared by all tests."""

import contextlib
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

# Two arrays of different rank may meet by accident; where it is meant, an axis is written.
jax.config.update("jax_numpy_rank_promotion", "raise")

# Each compiled program holds several mappings of memory, of which Linux gives a process 65,530.
# The suite compiles more than that; without this a worker dies in the middle of a compilation.
_MOST_MAPPINGS = 25_000


@pytest.fixture(scope="module", autouse=True)
def room_for_programs():
    """Forgets compiled programs after a module where they have become too many."""
    yield
    with contextlib.suppress(OSError), open("/proc/self/maps") as mappings:  # only Linux has it
        if sum(1 for _ in mappings) > _MOST_MAPPINGS:
            jax.clear_caches()


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
