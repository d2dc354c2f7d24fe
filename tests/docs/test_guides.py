"""The guides, run as they are written."""

import numpy as np
import pytest

from tests.docs import pages


@pytest.mark.parametrize("name", ["tables", "uncertainty"])
def test_every_python_block_runs(name, tmp_path):
    pages.run_python(f"docs/guides/{name}.md", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["forecasts", "training"])
def test_every_python_block_that_trains_runs(name, tmp_path):
    pages.run_python(f"docs/guides/{name}.md", tmp_path)


@pytest.mark.slow
def test_the_commands_of_forecasts_run(tmp_path):
    pages.link_repository(tmp_path)
    pages.run_bash("docs/guides/forecasts.md", tmp_path)
    given, filled = (
        np.genfromtxt(tmp_path / name, delimiter=",", skip_header=1)
        for name in ("last.csv", "forecast.csv")
    )
    assert np.isnan(given[36:]).all() and np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[:36], given[:36])
