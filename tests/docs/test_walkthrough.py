"""docs/walkthrough.md, run as it is written."""

import numpy as np
import pytest

from tests.docs import pages


def cells(path):
    return [line.split(",") for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_every_block_runs(tmp_path):
    pages.link_repository(tmp_path)
    said = pages.run_bash("docs/walkthrough.md", tmp_path)
    assert len(said) == 5 and "0 holes are left" in said[-1]
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
