"""docs/index.md, followed literally: a copy of the repository, a new environment, every command."""

import shutil

import pytest

from tests.docs import pages

LEFT = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "runs", "site")


@pytest.mark.slow
def test_a_newcomer_gets_a_filled_table_and_its_picture(tmp_path):
    """It installs from the package index, as a newcomer does."""
    copy = tmp_path / "copy"
    shutil.copytree(pages.ROOT, copy, ignore=LEFT, symlinks=True)
    pages.run_bash("docs/index.md", copy)
    assert (copy / ".venv/bin/naomi-jax").exists()
    given, filled = ((copy / name).read_text() for name in ("station.csv", "filled.csv"))
    assert ",," in given and ",," not in filled
    assert (copy / "station.png").stat().st_size > 10_000
    assert "garden" in (copy / "station.html").read_text()
