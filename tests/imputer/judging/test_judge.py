"""What is judged of the rows that a fit keeps aside."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.imputer.judging import judge, stacking
from naomi_jax.imputer.preparation import season
from naomi_jax.imputer.preparation.panel import Panel


@pytest.fixture
def judged(monkeypatch):
    """The rows, columns and classes of the entries that the last fit judged."""
    found = {}

    def fit(errors, column, index, row, dim):
        found.update(column=column, index=index, row=row, errors=errors)
        return original(errors, column, index, row, dim)

    original = judge.stacking.fit
    monkeypatch.setattr(judge.stacking, "fit", fit)
    return found


def table(rows=960, columns=2):
    step = np.arange(rows)[:, None]
    noise = np.random.default_rng(0).normal(size=(rows, columns))
    return np.sin(step / np.array([5.0, 8.0])[:columns]) + 0.1 * noise


def test_entries_beyond_the_last_known_one_come_from_anywhere(judged):
    Imputer(method="interpolate", window=48).fit(table())
    beyond = stacking.one_sided(judged["index"])
    rows = np.unique(judged["row"][beyond])
    # The ends of the table alone would have the first and last windows.
    assert ((rows >= 48) & (rows < 912)).sum() > 50
    # An entry between known ones is judged once for each time that it was hidden: as a part of the
    # whole table.
    between = judged["row"][~beyond] * 2 + judged["column"][~beyond]
    assert np.bincount(between).max() <= 32
    fold = np.isin(rows, judged["row"][~beyond])
    assert fold.mean() > 0.9


def test_what_lies_beyond_is_filled_without_what_lies_outside_the_window(judged):
    """Between two windows is a jump: a line from beyond it would be far off."""
    values = table(columns=1)
    values += 1000 * (np.arange(960) // 96 % 2)[:, None]  # windows of 48, two of them in a block
    Imputer(method="interpolate", window=48).fit(values)
    beyond = stacking.one_sided(judged["index"])
    inner = beyond & (judged["row"] >= 48) & (judged["row"] < 912)
    assert inner.sum() > 50
    assert np.abs(judged["errors"]["line"][inner]).max() < 10


def test_a_cycle_that_some_of_the_hidden_tables_do_not_show(judged, monkeypatch):
    """Then there is no line about the phase in these: the straight line stands in."""
    shares = iter([1, 0] * 20)

    def fit_profile(calendar, panel):
        found = original(calendar, panel)
        return dataclasses.replace(found, share=next(shares) * found.share)

    original = season.fit_profile
    monkeypatch.setattr(season, "fit_profile", fit_profile)
    stamped = pd.DataFrame(table(), pd.date_range("2024-01-01", periods=960, freq="h"))
    stamped += np.sin(np.arange(960) * np.pi / 12)[:, None]
    Imputer(method="interpolate", window=48).fit(stamped)
    errors = judged["errors"]
    same = np.isnan(errors["line about the phase"]) | (
        errors["line about the phase"] == errors["line"]
    )
    assert 0.2 < same.mean() < 0.8


def test_series_that_are_windows_are_not_judged_twice(judged, monkeypatch):
    monkeypatch.delattr(Panel, "pieces")
    short = pd.DataFrame(table(), columns=["a", "b"]).assign(series=np.repeat(np.arange(40), 24))
    Imputer(method="interpolate", window=24).fit(short, group="series")
    assert stacking.one_sided(judged["index"]).any()
