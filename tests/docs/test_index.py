"""docs/index.md, followed literally: a copy of the repository, a new environment, every command."""

import shutil

import pytest

from tests.docs import pages


def not_in_the_repository(folder, names):
    """What somebody's copy has beside it: see .gitignore."""
    made = {".git", "build", "dist", "runs", "site"} if folder == str(pages.ROOT) else set()
    return [n for n in names if n in {*made, "__pycache__"} or n.endswith((".egg-info", ".venv"))]


@pytest.mark.slow
def test_a_newcomer_gets_a_filled_table_and_its_picture(tmp_path):
    """It installs from the package index, as a newcomer does."""
    copy = tmp_path / "copy"
    shutil.copytree(pages.ROOT, copy, ignore=not_in_the_repository, symlinks=True)
    pages.run_bash("docs/index.md", copy)
    assert (copy / ".venv/bin/naomi-jax").exists()
    given, filled = ((copy / name).read_text() for name in ("station.csv", "filled.csv"))
    assert ",," in given and ",," not in filled
    assert (copy / "station.png").stat().st_size > 10_000
    assert "garden" in (copy / "station.html").read_text()
