"""Late reads of a damaged checkpoint are dropped; everything else is reported as before."""

import asyncio
import logging
import sys
import threading
import types

import pytest

from naomi_jax.training import silence


@pytest.fixture
def reported(monkeypatch):
    """What reaches the hooks of before."""
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda *found: seen.append(found))
    monkeypatch.setattr(sys, "excepthook", lambda *found: seen.append(found))
    for _ in range(3):
        silence.late_reads()
    return seen


def closed_loop():
    """The exception of a read that calls back into a closed loop."""
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(RuntimeError) as caught:
        loop.call_soon_threadsafe(print)
    return caught.value


def in_a_thread(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_late_reads_are_dropped(reported):
    error = closed_loop()
    sys.unraisablehook(types.SimpleNamespace(exc_traceback=error.__traceback__))
    in_a_thread(lambda: sys.excepthook(RuntimeError, error, error.__traceback__))
    assert not reported


def test_all_else_is_reported_once(reported):
    error = closed_loop()
    sys.excepthook(RuntimeError, error, error.__traceback__)  # it ends the main thread
    assert len(reported) == 1
    other = ValueError()
    in_a_thread(lambda: sys.excepthook(ValueError, other, other.__traceback__))
    sys.unraisablehook(types.SimpleNamespace(exc_traceback=None))
    assert len(reported) == 3


def test_asyncio_logs_what_is_not_of_a_checkpoint(reported, caplog):
    logger = logging.getLogger("asyncio")
    logger.error("Future exception was never retrieved: tensorstore_spec=")
    logger.error("Future exception was never retrieved")
    assert [record.getMessage() for record in caplog.records] == [
        "Future exception was never retrieved"
    ]


def test_the_logs_are_as_before_afterwards():
    level = logging.getLogger("absl").level
    with pytest.raises(ValueError), silence.logs():
        raise ValueError
    assert logging.getLogger("absl").level == level
