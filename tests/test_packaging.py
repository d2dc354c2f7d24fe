"""What is installed: every folder of code, the configs, and one version."""

import configparser
import pathlib
import re

import pytest

import naomi_jax
from naomi_jax.cli import program
from naomi_jax.cli.commands import train
from naomi_jax.errors import InputError
from naomi_jax.version import __version__

ROOT = pathlib.Path(__file__).parents[1]


def setup():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_every_folder_of_code_is_installed():
    folders = {file.parent.relative_to(ROOT) for file in (ROOT / "naomi_jax").rglob("*.py")}
    listed = setup()["options"]["packages"].split()
    assert sorted(listed) == sorted([".".join(f.parts) for f in folders] + ["naomi_jax.configs"])


def test_every_config_is_installed():
    given = setup()
    assert given["options"]["package_dir"].strip() == "naomi_jax.configs = configs"
    pattern = given["options.package_data"]["naomi_jax.configs"]
    everything = {file for file in (ROOT / "configs").rglob("*") if "__pycache__" not in file.parts}
    files = {file for file in everything if file.is_file()}
    assert files and files == {*(ROOT / "configs").glob(pattern)}


@pytest.mark.parametrize("place", ["naomi_jax/configs", "configs"])
def test_configs_are_found_in_the_package_or_beside_it(place, tmp_path, monkeypatch):
    (tmp_path / place).mkdir(parents=True)
    monkeypatch.setattr(naomi_jax, "__file__", str(tmp_path / "naomi_jax/__init__.py"))
    assert train.configs_folder() == str(tmp_path / place)


def test_a_config_that_is_installed_goes_by_its_name(tmp_path, monkeypatch):
    """The command of the documents works outside a copy of the repository, too."""
    monkeypatch.chdir(tmp_path)
    name = "configs/billiards/naomi_paper.py"
    words = ["train", "--config"]
    asked = program.parser([*words, name]).parse_all([*words, name])
    assert train.settings(asked).data.name == "billiards"
    with pytest.raises(InputError, match="billiards/naomi_paper.py: no such file"):
        program.command([*words, "billiards/naomi_paper.py"])
    (tmp_path / "configs/billiards").mkdir(parents=True)
    (tmp_path / name).write_text("get_config = int")  # the user's own comes first
    with pytest.raises(InputError, match="does not return a Run"):
        program.command([*words, name])


def test_the_version_is_the_changelogs():
    """Its top entry is this version, unreleased or with a date; CITATION.cff names it, too."""
    entries = re.findall(r"^## \[(.+?)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    version, date = entries[0]
    assert version == __version__
    assert date == "unreleased" or re.fullmatch(r"\d{4}-\d\d-\d\d", date)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in entries[1:])
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
