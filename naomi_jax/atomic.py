"""Files that are written completely or not at all."""

import contextlib
import os
import secrets

from naomi_jax.errors import InputError


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "w", **options):
    """A file that takes its name when it is complete; nothing is left of it if it is not.

    Until then it has an unpredictable name in the same folder, made exclusively: no file of the
    user is overwritten and no link is followed. Its permissions are those of any new file.

    Args:
      path: the file.
      mode: "w" or "wb".
      options: others of `open`.

    Raises:
      InputError: it cannot be written.
    """
    folder = os.path.dirname(os.fspath(path))
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    made = False
    try:
        with open(temporary, mode.replace("w", "x"), **options) as file:
            made = True
            yield file
        os.replace(temporary, path)
        made = False
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if made:
            with contextlib.suppress(OSError):
                os.remove(temporary)


def check_writable(path: str) -> None:
    """Raise InputError where a file cannot be written, before the work that it is for."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.path.basename(path):
        why = "is a folder; name a file in it"
    elif not os.path.isdir(folder):
        why = f"there is no folder {folder}; make it first"
    elif not os.access(folder, os.W_OK | os.X_OK):
        why = f"the folder {folder} cannot be written; choose another"
    else:
        return
    raise InputError(f"{path}: {why}")
