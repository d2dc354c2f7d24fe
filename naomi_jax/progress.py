"""Signs of life: how far a long job is, on a terminal, in a file, or in a log.

`Display` is where they go, for all jobs; `Progress` is a job of several stages.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

LOGGER = logging.getLogger("naomi_jax")
SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_BEATS = 1.0
# An estimate of the time left before this much is done would be a guess.
_LEAST_SHARE, _LEAST_SECONDS = 0.05, 2.0
_BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}{postfix}]"


class Display:
    """A bar on a terminal or in a notebook; elsewhere a line now and then.

    Args:
      total: the amount of work.
      stream: where it goes; None: sys.stderr.
      done: of the work, before.
      form: of the bar, as tqdm has it.
      what: stands before the bar at first.
      leave: whether the bar stays at the end.
      seconds: between two lines.
      clock: seconds, for tests.
    """

    def __init__(
        self,
        total: float,
        stream: Any = None,
        *,
        done: float = 0,
        form: str = _BAR,
        what: str = "",
        leave: bool = True,
        seconds: float = SECONDS_BETWEEN_LINES,
        clock: Callable[[], float] | None = None,
    ):
        self._stream = sys.stderr if stream is None else stream
        self._done, self._seconds = done, seconds
        self._clock = clock or time.monotonic
        self._last = self._clock()
        self._bar = None
        if self._stream is not None and _draws(self._stream):
            import tqdm

            self._bar = tqdm.tqdm(
                desc=what,
                total=total,
                initial=done,
                file=self._stream,
                dynamic_ncols=True,
                bar_format=form,
                leave=leave,
            )

    @property
    def is_bar(self) -> bool:
        """Whether there is a bar; else lines."""
        return self._bar is not None

    def due(self) -> bool:
        """Whether it is time for another line."""
        return self._clock() - self._last > self._seconds

    def bar(self, what: str, note: str, done: float | None = None) -> None:
        """Move the bar.

        Args:
          what: stands before it.
          note: stands behind it.
          done: of the work; None: as before, which draws the time anew.
        """
        if self._bar is None:
            return
        self._bar.set_description_str(what, refresh=False)
        self._bar.set_postfix_str(note, refresh=False)
        if done is None:
            self._bar.refresh()
        else:
            self._bar.update(done - self._done)
            self._done = done

    def line(self, text: str) -> None:
        """A line about how far it is."""
        self._last = self._clock()
        self.say(text)

    def say(self, text: str, stream: Any = None) -> None:
        """A line that stays, above the bar if there is one.

        Args:
          text: of the line.
          stream: where it goes; None: where the display is.
        """
        stream = self._stream if stream is None else stream
        if self._bar is not None:
            self._bar.write(text, file=stream)
            stream.flush()
        elif stream is not None:
            print(text, file=stream, flush=True)

    def close(self) -> None:
        """The end of the job."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _draws(stream):
    """Whether a bar can be drawn there: on a terminal that is wider than nothing."""
    if "ipykernel" in sys.modules:
        return True
    if not (hasattr(stream, "isatty") and stream.isatty()):
        return False
    try:
        return os.get_terminal_size(stream.fileno()).columns > 0
    except (OSError, ValueError, AttributeError):  # it cannot say
        return True


class Steps(Protocol):
    """What a job tells of itself: a `Progress`, or a part of one."""

    def stage(self, name: str, share: float) -> None:
        """A stage begins; `share` of the whole is done."""

    def at(self, share: float, note: str = "") -> None:
        """`share` of the whole is done; `note` says more, such as an error."""


class Progress:
    """How far a job of several stages is. A context manager.

    A stage may be silent for long, while a program is compiled for instance. So a thread of its
    own looks every second whether something has to be said, from `with` to its end.

    Args:
      verbose: 0 shows nothing, and tells the logger "naomi_jax" (level INFO); 1 shows it.
      stream: where to; None: sys.stderr.
      clock: seconds, for tests.
    """

    def __init__(
        self, verbose: int = 1, stream: Any = None, *, clock: Callable[[], float] | None = None
    ):
        self._verbose, self._stream = verbose, stream
        self._clock = clock or time.monotonic
        self._began = self._entered = self._last = self._clock()
        self._name, self._share, self._note = "", 0.0, ""
        self._display: Display | None = None
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._beat, name="naomi_jax progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """The end of the job; the bar goes."""
        self._over.set()
        with self._lock:
            if self._display is not None:
                self._display.close()
                self._display = None
            self._name = ""
        if self._thread is not None:
            self._thread.join(_SECONDS_BETWEEN_BEATS)
            self._thread = None

    def stage(self, name: str, share: float) -> None:
        """A stage begins: said at once.

        Args:
          name: what is done now, such as "fitting the state space".
          share: of the whole that is done, from 0 to 1.
        """
        with self._lock:
            self._name, self._entered, self._note = name, self._clock(), ""
            self._share = share
            self._tell(f"{name} ...{self._percent()}")

    def at(self, share: float, note: str = "") -> None:
        """The stage goes on: said where nothing was said for ten seconds.

        Args:
          share: of the whole that is done, from 0 to 1.
          note: more, such as an error.
        """
        with self._lock:
            self._share, self._note = share, note
            self._move(share)
            if self._is_due():
                self._tell(_joined(f"{self._name}:{self._percent()}", self._more()))

    def tick(self) -> None:
        """Nothing is known to be new: said where nothing was said for ten seconds."""
        with self._lock:
            if not self._name:
                return
            self._move(None)
            if self._is_due():
                seconds = self._clock() - self._entered
                words = f"still {self._name} ({seconds:.0f} s){self._percent()}"
                self._tell(_joined(words, self._left()))

    def say(self, text: str, stream: Any = None) -> None:
        """A line that stays: in `stream`, or where the progress is shown.

        Args:
          text: of the line.
          stream: such as sys.stdout.
        """
        with self._lock:
            if self._display is not None:
                self._display.say(text, stream)
            elif stream is not None or self._verbose:
                print(text, file=stream or self._stream or sys.stderr, flush=True)

    def part(self, begin: float, end: float) -> Steps:
        """For a job within this one, whose shares from 0 to 1 are `begin` to `end` here."""
        return _Part(self, begin, end)

    def _move(self, share):
        if self._display is not None:
            note = self._more()
            self._display.bar(self._name, note, None if share is None else 100 * share)

    def _tell(self, line):
        """Show that something is new; a bar needs no lines."""
        self._last = self._clock()
        if not self._verbose:
            LOGGER.info("%s", line)
            return
        if self._display is None and not self._over.is_set():
            self._display = Display(
                100, self._stream, what=self._name, leave=False, clock=self._clock
            )
        if self._display is None:
            return
        if self._display.is_bar:
            self._move(self._share)
            self._move(None)  # drawn at once
        else:
            self._display.line(line)

    def _is_due(self):
        return self._clock() - self._last >= SECONDS_BETWEEN_LINES

    def _percent(self):
        return f" {100 * self._share:.0f} %" if self._share > 0 else ""

    def _more(self):
        return _joined(self._note, self._left())

    def _left(self):
        """The time left, once that can be told from what is done."""
        spent = self._clock() - self._began
        if self._share < _LEAST_SHARE or spent < _LEAST_SECONDS or self._share >= 1:
            return ""
        left = spent * (1 - self._share) / self._share
        return f"about {left:.0f} s left" if left < 100 else f"about {left / 60:.0f} min left"

    def _beat(self):
        while not self._over.wait(_SECONDS_BETWEEN_BEATS):
            try:
                self.tick()
            except (OSError, ValueError):  # nobody reads it any more, or the stream is closed
                return


def _joined(*parts):
    return ", ".join(part for part in parts if part)


class _Part:
    """A part of a progress, with shares of its own."""

    def __init__(self, whole: Steps, begin: float, end: float):
        self._whole, self._begin, self._end = whole, begin, end

    def stage(self, name: str, share: float) -> None:
        self._whole.stage(name, self._of(share))

    def at(self, share: float, note: str = "") -> None:
        self._whole.at(self._of(share), note)

    def _of(self, share):
        return self._begin + share * (self._end - self._begin)
