"""The notebooks of examples/, run as they are; they check themselves by assert."""

import json
import re

import pytest

from tests.docs.pages import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def cells(path, kind):
    found = json.loads(path.read_text())["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_printed(path):
    for cell in cells(path, "code"):
        assert not cell["outputs"] and cell["execution_count"] is None


def test_the_new_method_is_that_of_contributing():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (block,) = re.findall(r'```python\n("""Last.*?)```', page, re.S)
    code = ["".join(cell["source"]) for cell in cells(ROOT / "examples/new_method.ipynb", "code")]
    assert block.strip() in code


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=900).execute(cwd=str(tmp_path))
