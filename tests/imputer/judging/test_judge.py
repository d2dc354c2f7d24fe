"""What is judged of the rows that a fit keeps aside, and what the report says of it."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.imputer.judging import judge, stacking
from naomi_jax.imputer.preparation import classes, preparation
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.jobs import wording


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


def simple(**settings):
    return Imputer(method="interpolate", window=48, **settings)


def test_entries_beyond_the_last_known_one_come_from_anywhere(judged):
    simple().fit(table())
    beyond = classes.one_sided(judged["index"])
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
    simple().fit(values)
    beyond = classes.one_sided(judged["index"])
    inner = beyond & (judged["row"] >= 48) & (judged["row"] < 912)
    assert inner.sum() > 50
    assert np.abs(judged["errors"]["line"][inner]).max() < 10


def test_a_season_is_found_without_what_was_hidden(judged, monkeypatch):
    """Anew in each draw; where a draw shows none, the line about it is the straight line."""
    shares, observed = iter([1, *[1, 0] * 100]), []

    def fit(calendar, panel):
        observed.append(panel.observed.sum())
        found, share = original(calendar, panel), next(shares)
        return dataclasses.replace(found, means=tuple(share * mean for mean in found.means))

    original = preparation.season.fit
    monkeypatch.setattr(preparation.season, "fit", fit)
    stamped = pd.DataFrame(table(), pd.date_range("2024-01-01", periods=960, freq="h"))
    stamped += np.sin(np.arange(960) * np.pi / 12)[:, None]
    simple().fit(stamped)
    assert observed[0] == 2 * 960 and max(observed[1:]) < 2 * 960 and len(observed) > 5
    errors = judged["errors"]
    same = np.isclose(errors["line about the season"], errors["line"], rtol=0, atol=1e-12)
    assert 0.2 < same.mean() < 0.8


def test_series_that_are_windows_are_not_judged_twice(judged, monkeypatch):
    monkeypatch.delattr(Panel, "pieces")
    short = pd.DataFrame(table(), columns=["a", "b"]).assign(series=np.repeat(np.arange(40), 24))
    Imputer(method="interpolate", window=24).fit(short, group="series")
    assert classes.one_sided(judged["index"]).any()


def test_the_error_of_the_fill_is_that_of_weights_without_its_rows(monkeypatch):
    """The fill takes the blend of all rows; what is reported does not."""

    def only(blend, name):
        weights = np.zeros_like(blend.weights)
        weights[..., blend.names.index(name)] = 1
        return stacking.Blend(blend.names, weights)

    def fit(*arguments):
        given.append(arguments)
        blend, without = original(*arguments)
        return only(blend, "curve"), [only(one, name) for one, name in zip(without, names)]

    def inside(error, column, index, fold, dim):
        folds.append((error, fold))
        return error > 0

    original, given, folds = judge.stacking.fit, [], []
    monkeypatch.setattr(judge.stacking, "fit", fit)
    monkeypatch.setattr(judge.intervals, "inside", inside)
    for name in ("line", "toward the level"):
        names = [name] * stacking.FOLDS
        report = simple().fit(table()).report_
        np.testing.assert_allclose(report["fill"], report[name])
        np.testing.assert_array_equal(report["weight of curve"], 1)
    assert (report["line"] != report["toward the level"]).all()
    # The same folds for the weights and for the intervals.
    names = ["line", *["toward the level"] * 3]
    simple().fit(table())
    (error, fold), (errors, _, _, row, _) = folds[-1], given[-1]
    np.testing.assert_array_equal(fold, stacking.folds(row))
    right = np.where(fold == 0, errors["line"], errors["toward the level"])
    np.testing.assert_allclose(-error, right, rtol=1e-6)


def random_table(seed):
    """Columns of many kinds, with holes and names."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(40, 700))
    step = np.arange(rows)
    kinds = {
        "walk": rng.normal(size=rows).cumsum(),
        "wave": np.sin(step / rng.uniform(3, 9)),
        "day": 5 * np.sin(step * np.pi / 12) + rng.normal(size=rows),
        "noise": rng.normal(size=rows),
        "line": 3.0 * step,
        "same": np.full(rows, 7.0),
        "rain": np.maximum(rng.normal(size=rows) - 1, 0),
        "steps": np.round(rng.normal(size=rows).cumsum()),
        "few": np.where(rng.random(rows) < 3 / rows, 1.5 * step, np.nan),
        "one": np.where(step == rows // 2, 1.0, np.nan),
    }
    names = rng.choice([*kinds], rng.integers(2, 7), replace=False)
    values = np.stack([kinds[name] for name in names], axis=1)
    values[rng.random(values.shape) < rng.uniform(0, 0.4)] = np.nan
    values[rows // 3, :] = [0 if name == "rain" else 1.5 for name in names]
    return pd.DataFrame(values, pd.date_range("2024", periods=rows, freq="h"), names)


def named(lines, beginning):
    """Columns of the sentence that begins so."""
    found = [line for line in lines if line.startswith(beginning)]
    return set(re.findall(r"\w+", found[0].split(beginning)[1])) if found else set()


@pytest.mark.filterwarnings("ignore:column")
@pytest.mark.parametrize("seed", range(12))
def test_reports_count_entries_once_and_sentences_do_not_contradict_them(seed):
    given = random_table(seed)
    fitted = Imputer("interpolate", seed=seed).fit(given)
    report, lengths = fitted.report_, fitted.lengths_
    assert (report["held_out"] <= given.notna().sum()[report.index]).all()
    for name, parts in lengths.groupby("column"):
        held = parts["held_out"]
        assert held.max() <= report["held_out"][name] <= held.sum()
        assert parts["inside_90"].between(0, 1).all()
    weights = report.filter(like="weight of ")
    assert (weights >= 0).all(axis=None)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert list(weights) == [f"weight of {name}" for name in fitted._engine.blend.names]
    assert report["inside_90"].dropna().between(0, 1).all()
    assert (report["fill"].isna() == (report["held_out"] == 0)).all()
    lines = wording.sentences(fitted)
    straight = named(lines, "Nothing better than a straight line was found, so it fills ")
    hardly = named(lines, "Hardly better than a straight line: the fill of ")
    alone = named(lines, "No entry was held out of ")
    assert not straight & hardly and not (straight | hardly) & alone
    for name, row in report.iterrows():
        assert (name in alone) == (row["held_out"] == 0)
        if name in straight:
            assert row["weight of line"] >= 0.98
            assert row["fill"] >= 0.9 * row["line"]
        elif name not in alone:
            assert row["weight of line"] < 0.98
            assert (name in hardly) == (row["fill"] >= 0.98 * row["line"])
