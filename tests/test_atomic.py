"""A file is there completely or not at all, and nothing else in its folder changes."""

import os

import pytest

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError


def names(folder):
    return sorted(os.listdir(folder))


def test_the_name_is_taken_when_the_file_is_complete(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("before")
    with atomic_write(path, encoding="utf-8") as file:
        file.write("after")
        file.flush()
        assert path.read_text() == "before"
    assert path.read_text() == "after" and names(tmp_path) == ["out.txt"]
    with atomic_write(path, mode="wb") as file:
        file.write(b"\x00")
    assert path.read_bytes() == b"\x00"


def test_a_failure_leaves_nothing_behind(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write("half")
        raise ZeroDivisionError
    assert path.read_text() == "before" and names(tmp_path) == ["out.txt"]
    for bad in (tmp_path / "nowhere" / "out.txt", tmp_path):
        with pytest.raises(InputError, match="cannot be written"), atomic_write(bad) as file:
            file.write("x")
    assert names(tmp_path) == ["out.txt"] and names(tmp_path.parent).count(tmp_path.name) == 1


def test_files_of_the_user_with_likely_names_are_left_alone(tmp_path):
    path, other, target = tmp_path / "out.txt", tmp_path / "out.txt.tmp", tmp_path / "precious"
    other.write_text("the user's")
    with atomic_write(path) as file:
        file.write("new")
    assert other.read_text() == "the user's"
    target.write_text("precious")
    other.unlink()
    other.symlink_to(target)
    with atomic_write(path) as file:
        file.write("newer")
    assert target.read_text() == "precious" and other.is_symlink()
    assert path.read_text() == "newer" and not path.is_symlink()
    assert names(tmp_path) == ["out.txt", "out.txt.tmp", "precious"]


def test_the_temporary_file_is_made_exclusively(tmp_path, monkeypatch):
    """Even where its name is guessed, it neither follows a link nor removes what is there."""
    monkeypatch.setattr("secrets.token_hex", lambda size: "guessed")
    target, link = tmp_path / "precious", tmp_path / ".guessed.tmp"
    target.write_text("precious")
    link.symlink_to(target)
    refused = pytest.raises(InputError, match="cannot be written")
    with refused, atomic_write(tmp_path / "out.txt") as file:
        file.write("new")
    assert target.read_text() == "precious" and link.is_symlink()
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_permissions_are_those_of_a_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_write(tmp_path / "out.txt") as file:
            file.write("x")
        (tmp_path / "usual.txt").write_text("x")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode for name in ("out.txt", "usual.txt")]
    assert modes[0] == modes[1]
