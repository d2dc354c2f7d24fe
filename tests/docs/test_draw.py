"""The script that draws the figures of docs/design.md."""

import shutil
import subprocess
import sys

from tests.docs.pages import ROOT


def test_it_draws_both_figures(tmp_path):
    shutil.copy(ROOT / "docs/draw.py", tmp_path)
    subprocess.run([sys.executable, "draw.py"], cwd=tmp_path, check=True)
    drawn = {path.name: path.read_text() for path in (tmp_path / "figures").iterdir()}
    assert set(drawn) == {"recursion.svg", "passes.svg"}
    for name, text in drawn.items():
        assert "level 3" in text and "level 4" not in text, name
        assert (ROOT / "docs/figures" / name).stat().st_size < 200_000
