"""A record: a JSON file with a checksum of itself, replaced whole or not at all."""

import json
import os
from typing import Any

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.store import checksums

_CHECKSUM = "checksum"
# What reading JSON of any shape as a record raises.
_DAMAGE = (ValueError, AttributeError, KeyError, TypeError, RecursionError)


def sealed(about: dict[str, Any]) -> str:
    """The text of a record's file.

    Raises:
      TypeError: JSON cannot hold it.
    """
    return json.dumps({**about, _CHECKSUM: _checksum(about)}, indent=2)


def write(path: str | os.PathLike, text: str) -> None:
    """Write what `sealed` made.

    Raises:
      InputError: it cannot be written.
    """
    with atomic_write(path, mode="w", encoding="utf-8") as file:
        file.write(text)


def read(path: str | os.PathLike) -> dict[str, Any]:
    """The record in a file, whose checksum is right.

    Raises:
      FileNotFoundError, NotADirectoryError: there is none.
      InputError: it is damaged, edited, or cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            about = json.load(file)
        if about.pop(_CHECKSUM) != _checksum(about):
            raise ValueError("not its checksum")
        return about
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except _DAMAGE:
        raise InputError(f"{path}: damaged or edited (not what was saved); fit again") from None


def _checksum(about):
    """However it is laid out."""
    return checksums.of_bytes(json.dumps(about, sort_keys=True).encode())
