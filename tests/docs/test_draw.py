"""The script that draws the figures of docs/design.md."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import image

from tests.docs.pages import ROOT


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    shutil.copy(ROOT / "docs/draw.py", folder)
    subprocess.run([sys.executable, "draw.py"], cwd=folder, check=True)
    return folder / "figures"


@pytest.mark.parametrize("name", ["recursion.png", "passes.png"])
def test_the_figures_of_the_page_are_those_it_draws(drawn, name):
    kept, new = (image.imread(folder / name) for folder in (ROOT / "docs/figures", drawn))
    assert kept.shape == new.shape
    # Letters differ from one version of matplotlib to another.
    assert np.abs(kept - new).mean() < 0.1 * (1 - kept).mean()
