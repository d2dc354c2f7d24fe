"""What a run says: a bar on a terminal, plain lines elsewhere, and metrics.jsonl always."""

import json
import os
import time

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.progress import Display

_SECONDS_BETWEEN_LINES = 15
# As tqdm's own, less its estimate of the time left, which takes compiling for a slow update.
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


class Log:
    """The progress of one run. A context manager.

    Args:
      path: metrics.jsonl, a JSON object a line.
      stream: where progress goes; None is sys.stderr.
      total: updates of the whole run.
      step: updates done already, as everywhere in this file and in metrics.jsonl; later lines of an
        earlier, interrupted run are dropped.
    """

    def __init__(self, path: str | os.PathLike, stream, total: int, step: int):
        self._stream, self._total, self._first = stream, total, step
        self._pace = _Pace()
        _drop_later(path, step)
        self._path = path

    def __enter__(self):
        try:
            self._file = open(self._path, "a", buffering=1, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror})") from error
        self._display = Display(
            self._total,
            self._stream,
            done=self._first,
            form=_BAR,
            seconds=_SECONDS_BETWEEN_LINES,
        )
        return self

    def __exit__(self, *exception):
        self._display.close()
        self._file.close()

    def train(self, phase: str, step: int, metrics: dict[str, float]) -> None:
        """Means over the updates up to `step`, "loss" among them."""
        self._write({"step": step, "phase": phase, **metrics})
        self._pace.add(phase, step)
        self._display.bar(phase, self._what(step, metrics), step)
        if not self._display.is_bar and self._display.due():
            self._display.line(self._line(phase, step, metrics))

    def validation(self, phase: str, step: int, error: float) -> None:
        """Validation error, in the data's units."""
        self._write({"step": step, "phase": phase, "val_error": error})

    def say(self, text: str) -> None:
        """A plain line, above the bar if there is one."""
        self._display.say(text)

    def _line(self, phase, step, metrics):
        return f"{phase}: step {step} of {self._total}, {self._what(step, metrics)}"

    def _what(self, step, metrics):
        """The metrics, and how fast it goes as soon as that is known."""
        rate, words = self._pace.rate(), _words(metrics)
        if rate is None:
            return words
        left = (self._total - step) / rate
        return f"{words}, {rate:.2f} steps/s, {left / 60:.1f} min left"

    def _write(self, record):
        try:
            self._file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise InputError(f"{self._file.name}: cannot be written ({error.strerror})") from error


class _Pace:
    """Updates a second in this phase. Its first chunk compiles, and is not counted."""

    def __init__(self):
        self._phase, self._chunks = None, 0
        self._first = self._last = (0, 0.0)  # (step, when)

    def add(self, phase: str, step: int) -> None:
        """Another chunk of updates is done, up to `step`."""
        now = step, time.monotonic()
        if phase != self._phase:
            self._phase, self._chunks, self._first = phase, 0, now
        self._chunks += 1
        self._last = now

    def rate(self) -> float | None:
        """None until two chunks after the first were timed."""
        if self._chunks < 3:
            return None
        (first, began), (last, now) = self._first, self._last
        return (last - first) / max(now - began, 1e-9)


def _words(metrics):
    metrics = {"loss": metrics["loss"], **metrics}
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in metrics.items())


def _drop_later(path, step):
    """Keep the records up to `step`: an interrupted run may have logged past its checkpoint."""
    lines = _lines(path)
    kept = [line for line in lines if (record := _parse(line)) and record["step"] <= step]
    if len(kept) < len(lines):
        with atomic_write(path, mode="w", encoding="utf-8") as file:
            file.writelines(kept)


def read(path: str | os.PathLike) -> list[dict]:
    """The records of a metrics.jsonl; none where there is no file.

    A line that is not a record, because a kill cut it off or somebody edited it, is left out:
    nothing but the picture of the training depends on it.

    Raises:
      InputError: the file cannot be read.
    """
    return [record for line in _lines(path) if (record := _parse(line))]


def _lines(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); make it readable, or move it away"
        ) from error


def _parse(line):
    """The record of a line, or None: a step, the name of a phase, and numbers."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or type(record.get("step")) is not int:
        return None
    numbers = [value for name, value in record.items() if name != "phase"]
    return record if all(type(value) in (int, float) for value in numbers) else None
