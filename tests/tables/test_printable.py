"""Names of columns are text of anyone: no terminal may obey them."""

import unicodedata

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading
from naomi_jax.tables.frames.reading import table_of
from naomi_jax.tables.printable import printable, quoted, short

EVIL = "\x1b[31m\x9b31m\u202e\u2066\n\u2028\x85ERROR\x07\x00"


def harmless(text):
    return not any(unicodedata.category(mark) in ("Cc", "Cf", "Zl", "Zp", "Cs") for mark in text)


@hypothesis.given(st.text())
def test_a_line_has_no_marks_that_a_terminal_obeys(text):
    for found in (printable(text), quoted(text), short(text)):
        assert harmless(found.replace("\u200c", "").replace("\u200d", ""))
    assert len(short(text)) <= 30


def test_letters_stay():
    for text in ("größe [m³/s]", "温度", "می\u200cخواهم", "a b"):
        assert printable(text) == text
    assert printable(" a\t\nb ") == "a b" and printable("\x1b[m") == "\\x1b[m"
    assert short("") == "(no name)" and short("n" * 99) == "n" * 27 + "..."


def test_no_message_on_a_table_has_them(tmp_path):
    frame = pd.DataFrame({EVIL: [1.0, np.inf], f"column {EVIL}": [True, None]})
    with pytest.raises(ValueError, match="infinity") as caught:
        table_of(frame)
    lines = [str(caught.value), *table_of(frame.replace(np.inf, np.nan)).empty]
    with pytest.raises(ValueError, match="no column") as caught:
        table_of(frame.replace(np.inf, np.nan), time="t")
    lines.append(str(caught.value))
    evil = "\x9b31m\u202e\u2066\x85"  # a text file may hold these
    for name in (evil, f"column {evil}"):
        for cell in ("inf", evil):
            rows = "1,2\n" * 9 + f"1,{cell}\n"
            (tmp_path / "x.csv").write_bytes(f"v,{name}\n{rows}".encode())
            with pytest.raises(InputError) as failed:
                reading.read(tmp_path / "x.csv")
            lines.append(str(failed.value))
        (tmp_path / "x.csv").write_bytes(f"v,time {name}\n1,{evil}\n2,{evil}\n".encode())
        lines += reading.read(tmp_path / "x.csv").notes
    assert len(lines) == 3 + 2 * (2 + 2)
    assert [line for line in lines if not harmless(line)] == []
