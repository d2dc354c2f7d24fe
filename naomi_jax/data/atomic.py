"""Files that are written whole or not at all."""

import contextlib
import os

from naomi_jax.errors import InputError


@contextlib.contextmanager
def whole(path: str | os.PathLike, **mode):
    """A file that takes its name when it is complete; nothing is left of it if it is not.

    Args:
      path: the file.
      mode: of `open`.

    Raises:
      InputError: it cannot be written.
    """
    temporary = f"{path}.tmp"
    try:
        with open(temporary, **mode) as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)
