"""Messages name the program that was called."""

import os
import shlex
import sys

import pytest

from naomi_jax import calling
from naomi_jax.cli import doors

FORMS = {
    "fill": ("t.csv", "f.csv"),
    "impute": ("runs/a", "t.csv", "f.csv"),
    "evaluate": ("runs/a",),
    "figure": ("runs/a", "o.png"),
    "page": ("runs/a", "o.html"),
    "table": ("1", "runs/a"),
    "train": ("--seed=1",),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_command_by_the_program_and_by_the_scripts(name, monkeypatch):
    """What the scripts' form is translated to are the words of the other form."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/naomi-jax", "fill"])
    program, *words = shlex.split(getattr(calling, name)(*FORMS[name]))
    assert program == "naomi-jax"
    for script in ("train.py", "/home/me/eval.py"):
        monkeypatch.setattr(sys, "argv", [script])
        python, script, *theirs = shlex.split(getattr(calling, name)(*FORMS[name]))
        door = {"train.py": doors.training, "eval.py": doors.evaluation}[script]
        assert python == "python" and door(theirs) == words


def test_this_command_again(monkeypatch):
    for argv, command in (
        (["train.py", "--data", "my file.csv"], "python train.py --data 'my file.csv'"),
        (["/bin/naomi-jax", "fill", "a.csv"], "naomi-jax fill a.csv"),
    ):
        monkeypatch.setattr(sys, "argv", argv)
        assert calling.again() == command


@pytest.mark.parametrize("path", ["runs/a", "$HOME", "a b", "-x", "é'", "--", "a;b"])
def test_a_path_is_one_word_of_a_command(path):
    (word,) = shlex.split(calling.quoted(path))
    assert os.path.normpath(word) == path and not word.startswith("-")
