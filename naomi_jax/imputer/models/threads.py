"""One LAPACK thread while small matrices are factored.

They are as small as a row is wide, and threads that wait for each other take four to thirty times
the work. The number of threads is one of the process, not of a thread of it: so the first who asks
sets it, and the last who leaves puts it back.
"""

import contextlib
import functools
import threading
from collections.abc import Iterator

import threadpoolctl

_LOCK = threading.Lock()
_INSIDE: list[contextlib.ExitStack] = []  # one for each who is inside; the first holds the limit


@functools.cache
def _controller():
    import scipy.linalg  # noqa: F401  JAX loads it, and its LAPACK, at the first use alone

    return threadpoolctl.ThreadpoolController()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Within it LAPACK has one thread."""
    with _LOCK:
        stack = contextlib.ExitStack()
        if not _INSIDE:
            stack.enter_context(_controller().limit(limits=1, user_api="blas"))
        _INSIDE.append(stack)
    try:
        yield
    finally:
        with _LOCK:
            _INSIDE.pop().close()  # the first one's is the last to go, whoever leaves
