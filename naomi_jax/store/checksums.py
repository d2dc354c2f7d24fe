"""Checksums of what was saved.

A checkpoint has those of its arrays, because tensorstore does not notice a byte that has changed on
disk. They are kept by orbax in the checkpoint's own folder, so that they get their name together
with it, and are of the arrays rather than of files: a part of a checkpoint can be checked alone.
"""

import hashlib
import json
import os
from typing import Any

import jax
import numpy as np

_FILE = "_CHECKPOINT_METADATA"  # where orbax puts what it is given to keep


def of_bytes(content: bytes | memoryview) -> str:
    """The sha256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def make(tree: Any, val_error: float | None) -> dict[str, Any]:
    """What is kept with a checkpoint: type and sha256 of each array, and the validation error."""
    arrays = {name: _of(np.asarray(leaf)) for name, leaf in _named(tree)}
    return {"arrays": arrays, "val_error": val_error}


def read(folder: str | os.PathLike) -> dict[str, Any] | None:
    """What `make` made, from a checkpoint's folder; None where it has none, as older ones do.

    Raises:
      ValueError: it is damaged.
    """
    try:
        with open(os.path.join(folder, _FILE), encoding="utf-8") as file:
            kept = json.load(file)["custom_metadata"]
    except FileNotFoundError:
        return None
    except (KeyError, TypeError) as error:
        raise ValueError(f"{_FILE}: {type(error).__name__}") from error
    if not kept:
        return None
    if not isinstance(kept, dict) or not isinstance(kept.get("arrays"), dict):
        raise ValueError(f"{_FILE}: no checksums in it")
    return kept


def check(kept: dict[str, Any], tree: Any) -> None:
    """Compare arrays that were read with what was written; `tree` may be a part of it.

    Raises:
      ValueError: naming the first that differs.
    """
    for name, leaf in _named(tree):
        expected = kept["arrays"].get(name)
        # Read as another type, float32 for float64, an array has other bytes.
        found = _of(np.asarray(leaf).astype(expected["dtype"])) if expected else None
        if found != expected:
            raise ValueError(f"{name}: the bytes are not those that were written")


def _named(tree):
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        yield jax.tree_util.keystr(path, simple=True, separator="/"), leaf


def _of(array):
    digest = of_bytes(np.ascontiguousarray(array).tobytes())
    return {"dtype": array.dtype.name, "sha256": digest}
