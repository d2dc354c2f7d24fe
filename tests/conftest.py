"""Shared by all tests."""

import jax
import pytest

# Tests compile hundreds of tiny programs once: optimising them costs more than it saves.
jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture
def x64():
    """Float64 for the duration of a test."""
    with jax.enable_x64(True):
        yield
