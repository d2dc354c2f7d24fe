"""What the commands share.

One line and an exit status for everything that ends them early, and how to go on after Ctrl-C.
"""

import _thread
import errno
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

from absl import logging as absl_logging  # orbax logs with it

from naomi_jax import calling
from naomi_jax.errors import InputError

_BAD_OUTPUT, _BAD_INPUT = 1, 2
# As a shell reports a process that the signal has ended.
_INTERRUPTED, _NO_READER = 128 + signal.SIGINT, 128 + 13  # 13 is SIGPIPE, which Windows lacks


def start(main: Callable[[], None]) -> None:
    """`run` in a process of its own, which after Ctrl-C ends at once.

    A module whose import was interrupted, such as scipy's, may crash Python when it takes its
    modules down.
    """
    try:
        run(main)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            sys.stderr.flush()
            os._exit(_INTERRUPTED)
        raise


def run(main: Callable[[], None]) -> None:
    """Call main(), and leave the process with its status; main raises InputError for bad input."""
    _quiet_libraries()
    _prepare_streams()
    _handle_ctrl_c(signal.SIG_DFL, signal.default_int_handler)
    _repeat_lost_interrupts()
    try:
        try:
            main()
        finally:
            sys.stdout.flush()  # here, where what fails is caught
    except InputError as error:
        sys.exit(_fail(str(error)))
    except KeyboardInterrupt as stop:  # what is kept of the work, in words, if anything is
        message = f"{stop}: {calling.again()}" if stop.args else ""
        sys.exit(interrupted(message or f"stopped. Run it again with: {calling.again()}"))
    except OSError as error:
        if error.filename:
            sys.exit(_fail(f"{error.filename}: {error.strerror}"))
        status = _output_failed(error)
        if status is None:
            raise
        sys.exit(status)
    finally:
        _handle_ctrl_c(signal.default_int_handler, signal.SIG_DFL)  # Python says goodbye slowly


def _quiet_libraries():
    """What they log is raised, too, or is nothing that a user can act upon.

    XLA says at the level of errors that it compiles slowly. It reads the variable when JAX is
    imported, so that must be later.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    absl_logging.set_verbosity(absl_logging.FATAL)
    logging.getLogger("jax").setLevel(logging.ERROR)


def _handle_ctrl_c(before, now):
    """The scripts leave Ctrl-C to the system until here; one that is ignored (nohup) stays so."""
    if signal.getsignal(signal.SIGINT) is before:
        signal.signal(signal.SIGINT, now)


def _repeat_lost_interrupts():
    """An interrupt within a callback, such as JAX's of the garbage collector, is dropped by Python.

    It reports that it was; a moment later the callback is over, and the interrupt comes again.
    """
    previous = sys.unraisablehook

    def hook(unraisable):
        if unraisable.exc_type is KeyboardInterrupt:
            threading.Timer(0.05, _thread.interrupt_main).start()
        else:
            previous(unraisable)

    sys.unraisablehook = hook


def _prepare_streams():
    """Streams that are closed (`>&-`) swallow; names of files may hold what cannot be printed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")


def _output_failed(error):
    """The status where nobody reads the output any more, or it has no room; else None.

    What is still in the buffers is let go: Python would try once more, and complain.
    """
    if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if error.errno == errno.EPIPE:  # as with `| head`, which has seen enough
        return _NO_READER
    return _fail(f"the output cannot be written ({error.strerror})", _BAD_OUTPUT)


def interrupted(message: str) -> int:
    """Say why the command ends; returns the exit status of an interruption."""
    print(f"\n{message}", file=sys.stderr)
    return _INTERRUPTED


def _fail(message, status=_BAD_INPUT):
    if os.environ.get("NAOMI_JAX_TRACEBACK"):
        traceback.print_exc()
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return status
