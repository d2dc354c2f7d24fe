"""A tree in a folder: NAME.json, the record, and NAME-DIGEST.npz, its arrays.

The record names the file of its arrays, which is written before it and never changes. So the record
and its arrays change together, when the record is replaced: a process that is killed at any moment,
and a reader beside a writer, find the tree before or the tree after.
"""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.store import checksums, packing, record
from naomi_jax.version import __version__

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_OWN = ("version", "arrays", "record")  # keys of a record that are no parts of the tree
_FORMERLY = "arrays.npz"  # of a record that has the digest alone
_ATTEMPTS = 1000  # to find a record and its arrays while others are written


class Saved(NamedTuple):
    """What `read_tree` found.

    Attributes:
      tree: the parts, by name.
      record: what was kept beside them.
      version: of this package, that wrote it.
    """

    tree: dict[str, Any]
    record: dict[str, Any]
    version: str


def write_tree(
    folder: str | os.PathLike,
    name: str,
    tree: Mapping[str, Any],
    beside: dict[str, Any] | None = None,
    classes: packing.Classes | None = None,
) -> None:
    """Keep a tree under a name, in place of the one that had the name before.

    Args:
      folder: made if it is not there.
      name: several trees can be in one folder.
      tree: its parts, each as `packing.pack` takes it.
      beside: more to keep; JSON.
      classes: that are in it, by name.

    Raises:
      TypeError: something in it cannot be kept; nothing was written.
      InputError: it cannot be written.
    """
    about: dict[str, Any] = {"version": __version__}
    arrays: packing.Arrays = {}
    for part, value in tree.items():
        if part in _OWN:
            raise TypeError(f"{part}: the record has this key for itself")
        about[part], found = packing.pack(value, classes or {}, part)
        arrays.update(found)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    digest = checksums.of_bytes(content.getvalue())
    file_name = f"{name}-{digest[:16]}.npz"
    about["arrays"] = {"file": file_name, "sha256": digest}
    text = record.sealed({**about, "record": beside or {}})
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from error
    with _alone(folder):
        with atomic_write(os.path.join(folder, file_name), mode="wb") as file:
            file.write(content.getvalue())
        record.write(os.path.join(folder, f"{name}.json"), text)
        _remove(folder, name, but=(f"{name}.json", file_name))


def remove_tree(folder: str | os.PathLike, name: str) -> None:
    """Take away what `write_tree` wrote, as far as that can be done."""
    with contextlib.suppress(OSError), _alone(folder):
        _remove(folder, name)


def is_of_tree(file: str, name: str) -> bool:
    """Whether a file of this name is one of those that keep the tree `name`."""
    return bool(re.fullmatch(re.escape(name) + r"(\.json|-[0-9a-f]{16}\.npz)", file))


def _remove(folder, name, but=()):
    """The files of a tree, but those that it is made of now."""
    for file in sorted(os.listdir(folder), reverse=True):  # the record first
        if is_of_tree(file, name) and file not in but:
            with contextlib.suppress(OSError):
                os.remove(os.path.join(folder, file))


@contextlib.contextmanager
def _alone(folder) -> Iterator[None]:
    """No two write or remove in a folder at once, where there are locks: each removes others'."""
    lock = None
    with contextlib.suppress(OSError):
        if fcntl is not None:
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


# Reading.


def exists(folder: str | os.PathLike, name: str) -> bool:
    """Whether a tree of this name is in the folder."""
    return os.path.exists(os.path.join(folder, f"{name}.json"))


def read_about(folder: str | os.PathLike, name: str) -> dict[str, Any]:
    """The record of a tree without its arrays: "version", "record", and the parts, packed.

    Raises:
      InputError: there is none, or it is damaged or edited.
    """
    try:
        return record.read(os.path.join(folder, f"{name}.json"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: no {name} in it (no {name}.json)") from None


def read_tree(
    folder: str | os.PathLike, name: str, classes: packing.Classes | None = None
) -> Saved:
    """The tree of this name in a folder.

    Args:
      folder, name: as `write_tree` had them.
      classes: that may be in it, by name.

    Raises:
      InputError: there is none, it is damaged or edited, or another version of this package wrote
        it, which kept other things.
    """
    about, content = _files(folder, name)
    version = about.get("version")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        parts = {part: value for part, value in about.items() if part not in _OWN}
        tree = {part: packing.unpack(v, arrays, classes or {}) for part, v in parts.items()}
        return Saved(tree, about["record"], str(version))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise other_version(folder, version, error) from error


def other_version(folder: str | os.PathLike, version: Any, error: Exception) -> InputError:
    """What to say where the files are as they were written, and are not understood."""
    return InputError(
        f"{folder}: saved by naomi_jax {version}, which this version ({__version__}) cannot read "
        f"({type(error).__name__}: {error}); fit again"
    )


def _files(folder, name):
    """A record and the bytes of its arrays, which may be replaced meanwhile."""
    about = read_about(folder, name)
    for _ in range(_ATTEMPTS):
        try:
            return about, _content(folder, name, about.get("arrays"))
        except InputError:
            before, about = about, read_about(folder, name)
            if about == before:
                raise
    raise InputError(f"{folder}: {name} is written again and again; wait for that to end")


def _content(folder, name, kept):
    """The bytes of the arrays that a record names."""
    file_name, digest = _FORMERLY, kept
    if isinstance(kept, dict) and is_of_tree(str(kept.get("file")), name):
        file_name, digest = kept["file"], kept.get("sha256")
    path = os.path.join(folder, file_name)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); fit again") from None
    if checksums.of_bytes(content) != digest:
        raise InputError(f"{path}: damaged (its checksum is not that in {name}.json); fit again")
    return content
