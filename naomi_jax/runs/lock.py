"""One training a folder: two would write over each other's checkpoints."""

import contextlib
import errno
import os
from collections.abc import Iterator

from naomi_jax.errors import InputError
from naomi_jax.runs import folder
from naomi_jax.training import devices

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FILE = ".lock"
# How flock says that another process has the lock; everything else says that there are no locks.
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

_ATTEMPTS = 5


@contextlib.contextmanager
def training_in(workdir: str | os.PathLike) -> Iterator[None]:
    """Within it, no other training in the folder, which is made if it is not there.

    The operating system ends the lock together with the process, however that ends, so that the
    file may stay. Where there are no locks (Windows, some network drives) nothing is checked. Of
    several processes that train together, the main one has the lock.

    Raises:
      InputError: there is another one, or the folder cannot be written.
    """
    if not devices.is_main_process():
        yield
        return
    file = _locked(workdir)
    try:
        yield
    finally:
        os.close(file)


def _locked(workdir):
    """The lock's file, open, while the folder has it under its name.

    A training that fails takes its files away (jobs/kept.py). Another one that has opened the lock
    a moment before would hold one that nobody else sees.
    """
    path = os.path.join(workdir, FILE)
    more = _ATTEMPTS
    while True:
        more -= 1
        folder.make(workdir)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            if more and isinstance(error, FileNotFoundError):  # the folder was taken away
                continue
            raise InputError(
                f"{workdir}: cannot be written ({error.strerror}); choose another --workdir"
            ) from error
        try:
            _lock(file, workdir)
        except BaseException:
            os.close(file)
            raise
        if not more or _is_at(path, file):
            return file
        os.close(file)


def _is_at(path, file):
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(file, workdir):
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            raise InputError(
                f"another training is going on in {workdir}; wait for it, stop it, or choose "
                "another --workdir"
            ) from None
