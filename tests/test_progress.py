"""Signs of life: on a terminal, in a file, in a log; with a clock of the test's own."""

import contextlib
import io
import logging
import sys
import time

import pytest

from naomi_jax import progress
from naomi_jax.progress import Display, Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    """Seconds, as the test says."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def lines(stream):
    return stream.getvalue().splitlines()


def test_a_line_when_a_stage_begins_and_then_one_each_ten_seconds(clock):
    said = io.StringIO()
    job = Progress(stream=said, clock=clock)
    job.stage("reading", 0)
    assert lines(said) == ["reading ..."], "at once"
    clock.now += 1
    job.stage("fitting", 0.1)
    for second in range(1, 31):
        clock.now += 1
        job.at(0.1 + 0.02 * second, "error 0.5")
        job.tick()
    assert lines(said)[1:] == [
        "fitting ... 10 %",
        "fitting: 30 %, error 0.5, about 26 s left",
        "fitting: 50 %, error 0.5, about 21 s left",
        "fitting: 70 %, error 0.5, about 13 s left",
    ]


def test_a_silent_stage_is_told_of(clock):
    said = io.StringIO()
    job = Progress(stream=said, clock=clock)
    job.tick()
    job.stage("compiling", 0)
    for _ in range(25):
        clock.now += 1
        job.tick()
    assert lines(said)[1:] == ["still compiling (10 s)", "still compiling (20 s)"]
    job.close()
    clock.now += 60
    job.tick()
    assert len(lines(said)) == 3, "nothing behind the end"


@pytest.mark.parametrize("share", [0, 0.01, 1])
def test_no_estimate_that_is_a_guess(clock, share):
    said = io.StringIO()
    job = Progress(stream=said, clock=clock)
    job.stage("a", 0)
    clock.now += 1000
    job.at(share)
    assert "left" not in said.getvalue() and len(lines(said)) == 2


def test_long_estimates_are_minutes(clock):
    said = io.StringIO()
    job = Progress(stream=said, clock=clock)
    job.stage("a", 0)
    clock.now += 600
    job.at(0.5)
    assert lines(said)[-1] == "a: 50 %, about 10 min left"


def test_a_bar_on_a_terminal_and_lines_above_it(clock):
    said, out = Terminal(), io.StringIO()
    job = Progress(stream=said, clock=clock)
    job.stage("reading", 0)
    clock.now += 10
    job.stage("fitting", 0.25)
    job.say("a note", out)
    job.say("another")
    job.close()
    assert "fitting:  25%|" in said.getvalue() and "about 30 s left" in said.getvalue()
    assert "fitting ..." not in said.getvalue()
    assert out.getvalue() == "a note\n" and "another\n" in said.getvalue()


def test_a_notebook_has_a_bar(clock, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    display = Display(100, io.StringIO(), clock=clock)
    assert display.is_bar
    display.close()


@pytest.mark.parametrize("verbose", [0, 1])
def test_programs_that_want_no_display_have_a_log(clock, caplog, verbose):
    said = io.StringIO()
    job = Progress(verbose, said, clock=clock)
    with caplog.at_level(logging.INFO, logger="naomi_jax"):
        job.stage("fitting", 0.5)
        clock.now += 10
        job.at(0.6)
        job.say("a note")
    expected = ["fitting ... 50 %", "fitting: 60 %, about 7 s left"]
    if verbose:
        assert lines(said) == [*expected, "a note"] and not caplog.records
    else:
        assert said.getvalue() == "" and [r.getMessage() for r in caplog.records] == expected


def test_a_part_has_shares_of_its_own(clock):
    said = io.StringIO()
    inner = Progress(stream=said, clock=clock).part(0.2, 0.6)
    inner.stage("half", 0.5)
    clock.now += 10
    inner.at(1, "note")
    assert lines(said) == ["half ... 40 %", "half: 60 %, note, about 7 s left"]


def test_the_thread_speaks_and_ends(monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_BEATS", 0.01)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.02)
    said = io.StringIO()
    with contextlib.suppress(ZeroDivisionError), Progress(stream=said) as job:
        thread = job._thread
        job.stage("compiling", 0)
        end = time.monotonic() + 20
        while "still compiling" not in said.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
        raise ZeroDivisionError
    assert "still compiling (0 s)" in said.getvalue() and not thread.is_alive()


def test_a_stream_that_is_closed_ends_the_thread_alone(monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_BEATS", 0.01)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    said = io.StringIO()
    with Progress(stream=said) as job:
        job.stage("a", 0)
        said.close()
        job._thread.join(20)
        assert not job._thread.is_alive()


def test_a_process_without_streams(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    job = Progress()
    job.stage("a", 0)
    job.at(1)
    job.close()
