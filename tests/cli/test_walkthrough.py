"""docs/walkthrough.md, run as it is written."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]


def cells(path):
    return [line.split(",") for line in path.read_text().splitlines()]


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
    assert "0 holes are left" in done.stdout
    given, filled = cells(tmp_path / "station.csv"), cells(tmp_path / "filled.csv")
    changed = [(a, b) for rows in zip(given, filled) for a, b in zip(*rows) if a != b]
    assert changed and not any(a for a, _ in changed) and all(b for _, b in changed)

    def values(name):
        return np.genfromtxt(tmp_path / name, delimiter=",", skip_header=1)[:, 1:]

    holes = np.isnan(values("station.csv"))
    error = np.abs(values("filled.csv") - values("truth.csv"))[holes]
    assert np.sqrt(np.mean(np.square(error))) < 0.35  # the line's is 1.4
    page = (tmp_path / "station.html").read_text()
    assert "cellar" in page and "http" not in page.replace("http://www.w3.org", "")
