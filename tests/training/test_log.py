"""What a run says and keeps: estimates that can be believed, records that can be read."""

import io
import json

import pytest

from naomi_jax.errors import InputError
from naomi_jax.figures import curves
from naomi_jax.training import log
from naomi_jax.training.log import Log


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_no_estimate_before_two_chunks_after_compiling(stream, tmp_path, monkeypatch):
    """Compiling takes 50 seconds here, an update one: the estimate is exact from the first on."""
    clock, said = [1000.0], stream()
    monkeypatch.setattr(log.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(log, "_SECONDS_BETWEEN_LINES", 0)
    lines = []
    with Log(tmp_path / "metrics.jsonl", said, 120, 0) as written:
        for phase, begin in (("first", 0), ("second", 60)):
            clock[0] += 50
            for number, step in enumerate((1, 3, 7, 15)):
                clock[0] += [1, 2, 4, 8][number]
                written.train(phase, begin + step, {"loss": 0.5})
                written._display.bar(phase, written._what(begin + step, {"loss": 0.5}))  # drawn
                lines.append(said.getvalue())
                said.truncate(0)
    assert ["left" in line for line in lines] == [False, False, True, True] * 2
    assert "1.00 steps/s, 1.9 min left" in lines[2] and "1.00 steps/s, 0.9 min left" in lines[6]


WRONG = [
    '{"step": 2, "phase": "x", "lo',
    "[1, 2]",
    "5",
    '"text"',
    "null",
    "{}",
    '{"step": "2", "loss": 1}',
    '{"step": true, "loss": 1}',
    '{"step": 2.5, "loss": 1}',
    '{"step": 2, "loss": "small"}',
    '{"step": 2, "val_error": [1]}',
    '{"step": 2, "loss": null}',
    "[" * 100000,
    "\x00\x00",
    "",
]


def test_lines_that_are_no_records_are_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    good = [{"step": 1, "phase": "x", "loss": 1.5}, {"step": 3, "phase": "x", "val_error": 2}]
    odd = '{"step": 4, "phase": "x", "loss": NaN, "val_error": -Infinity}'
    text = "\n".join([json.dumps(good[0]), *WRONG, json.dumps(good[1]), odd, "{"])
    path.write_bytes(text.encode() + b"\xff\xfe")
    assert log.read(path)[:2] == good and len(log.read(path)) == 3
    pytest.importorskip("matplotlib")
    curves.training({"run": log.read(path)}).draw_without_rendering()
    with Log(path, io.StringIO(), 10, 3) as written:
        written.train("x", 5, {"loss": 1.0})
    assert [record["step"] for record in map(json.loads, path.read_text().splitlines())] == [
        1,
        3,
        5,
    ]


def test_a_log_that_cannot_be_read(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    for read in (log.read, lambda path: Log(path, io.StringIO(), 10, 0)):
        with pytest.raises(InputError, match="metrics.jsonl: cannot be read .* move it away"):
            read(tmp_path / "metrics.jsonl")
