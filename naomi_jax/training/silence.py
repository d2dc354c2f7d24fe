"""Keeping quiet about what orbax says beside the exception that it raises.

When one read of a checkpoint fails, the others go on for a moment: they fail too, or call back into
an event loop that orbax has closed. Nobody can catch that, so that Python prints it, around our one
line. All else is printed as before.
"""

import contextlib
import logging
import sys
import threading
import warnings


@contextlib.contextmanager
def logs():
    """Within it orbax logs nothing: it raises what matters."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def late_reads() -> None:
    """From now on, reads that end after the failed one are dropped, wherever Python reports them.

    They are reported as exceptions that nobody can catch, by tensorstore's threads, and by asyncio.
    """
    logger = logging.getLogger("asyncio")
    if not any(isinstance(each, _Futures) for each in logger.filters):
        logger.addFilter(_Futures())
    warnings.filterwarnings("ignore", "coroutine '_read_array.*' was never awaited", RuntimeWarning)
    for name in ("unraisablehook", "excepthook"):
        if not isinstance(getattr(sys, name), _Hook):
            setattr(sys, name, _Hook(getattr(sys, name)))


class _Futures(logging.Filter):
    """For the log of asyncio."""

    def filter(self, record):
        text = record.getMessage()
        return "was never retrieved" not in text or "tensorstore_spec" not in text


class _Hook:
    """For sys.unraisablehook and sys.excepthook: the one before it, but for late reads."""

    def __init__(self, previous):
        self._previous = previous

    def __call__(self, *found):
        if len(found) == 3:  # what ends the main thread is nobody's late read
            late = threading.current_thread() is not threading.main_thread()
            late = late and _of_late_read(found[2])
        else:
            late = _of_late_read(found[0].exc_traceback)
        if not late:
            self._previous(*found)


def _of_late_read(trace):
    code = None
    while trace is not None:
        code = trace.tb_frame.f_code
        trace = trace.tb_next
    if code is None:
        return False
    closed = code.co_name == "_check_closed" and "asyncio" in code.co_filename
    return closed or ("orbax" in code.co_filename and "serialization" in code.co_filename)
