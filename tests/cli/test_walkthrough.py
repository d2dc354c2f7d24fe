"""docs/walkthrough.md, run as it is written."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
def test_every_block_runs(tmp_path):
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/walkthrough.md").read_text(), re.S)
    assert len(blocks) == 5
    for name in ("train.py", "eval.py", "configs", "naomi_jax"):
        (tmp_path / name).symlink_to(ROOT / name)
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    for block in blocks:
        done = subprocess.run(
            ["bash", "-ec", block], cwd=tmp_path, env={**os.environ, "PATH": path}, text=True,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    holes, filled = (
        np.genfromtxt(tmp_path / name, delimiter=",", skip_header=1)
        for name in ("holes.csv", "filled.csv")
    )
    known = np.isfinite(holes)
    assert not known.all() and np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[known], holes[known])
    truth = np.genfromtxt(tmp_path / "series.csv", delimiter=",", skip_header=1)[-7 * 24 :]
    error = np.square(filled - truth)[~known].mean()
    assert error < 0.5 * np.square(truth - truth.mean(0))[~known].mean()
    page = (tmp_path / "report.html").read_text()
    assert "Forward prediction" in page and "http" not in page.replace("http://www.w3.org", "")
