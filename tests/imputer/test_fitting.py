"""The order of a fit: rows kept aside, judged, then learned from; time, and going on."""

import logging

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.imputer import fitting
from naomi_jax.imputer.judging import holding_out
from naomi_jax.imputer.models import groups, state_space

ROWS = 480


@pytest.fixture
def few_steps(monkeypatch):
    """How well the state spaces are fitted is not the question here."""
    monkeypatch.setattr(state_space, "_STEPS", 20)
    monkeypatch.setattr(state_space, "_FEWEST_STEPS", 20)


def table(rows=ROWS, columns=2):
    """Hours with a day in them; enough for a state space, and for one about cycles."""
    rng = np.random.default_rng(0)
    walk = 0.3 * rng.normal(size=(rows, columns)).cumsum(0)
    values = walk + 3 * np.sin(np.arange(rows) * np.pi / 12)[:, None]
    values[rng.random(values.shape) < 0.05] = np.nan
    index = pd.date_range("2024-01-01", periods=rows, freq="h")
    return pd.DataFrame(values, index, [f"c{number}" for number in range(columns)])


class Fits:
    """What `groups.fit` and `judge.judge` were called with."""

    def __init__(self, patch):
        self.rows, self.begun, self.found, self.judged = [], [], [], []
        self._fit, self._judge = groups.fit, fitting.judge.judge
        patch.setattr(groups, "fit", self._spied_fit)
        patch.setattr(fitting.judge, "judge", self._spied_judge)

    def _spied_fit(self, panel, seed, until, before, at):
        self.rows.append(panel.observed.any(1))
        self.begun.append(before)
        self.found.append(self._fit(panel, seed, until, before, at))
        return self.found[-1]

    def _spied_judge(self, preparation, candidates, clean, judging, at):
        self.judged.append((preparation, candidates, judging))
        return self._judge(preparation, candidates, clean, judging, at)


@pytest.fixture
def fits(monkeypatch, few_steps):
    return Fits(monkeypatch)


def test_rows_kept_aside_are_judged_and_then_learned_from(fits):
    fitted = Imputer(window=48).fit(table())
    (prepared, candidates, judging), engine = fits.judged[0], fitted._engine
    held = np.zeros(ROWS, bool)
    for first, count in judging.windows:
        held[first : first + count] = True
    assert 0.05 < held.mean() < 0.25
    first, second = fits.rows[:2], fits.rows[2:]
    assert len(first) == len(second) == 2  # with cycles and without
    assert not any(rows[held].any() for rows in first)
    assert all(rows[held].mean() > 0.9 for rows in second)
    # What was judged goes on from itself, and is what fills.
    # The cycles' own begins at the first one.
    assert fits.begun == [None, fits.found[0], *fits.found[:2]]
    names = ("state space", "state space and cycles")
    for before, after in ((candidates, fits.found[:2]), (engine.candidates, fits.found[2:])):
        named = {one.name: one for one in before}
        assert [named[names[0]].model, named[names[1]].second] == after
    assert [one.name for one in candidates] == [one.name for one in engine.candidates]
    # The level and the scale, too.
    clean = table().to_numpy()
    for preparation, rows in ((prepared, ~held), (engine.preparation, np.ones(ROWS, bool))):
        center = np.nanmean(preparation.stabilizer(clean)[rows], axis=0)
        np.testing.assert_allclose(preparation.season.center, center, rtol=1e-6)
    assert (prepared.scaling.scale != engine.preparation.scaling.scale).all()


@pytest.mark.parametrize("after", ["state space", "cycles"])
def test_a_fit_that_was_stopped_and_begun_again_gives_the_same_bits(fits, after):
    given, kept = table(), {}
    right = Imputer(window=48)._fit(given).transform(given)
    whole = len(fits.found)

    def keep(found):
        kept.clear()
        kept.update(found)
        if after in found:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Imputer(window=48)._fit(given, keep=keep)
    assert after in kept and len(fits.judged) == 1
    done = len(fits.found) - whole
    begun = Imputer(window=48)._fit(given, begun=kept)
    assert len(fits.found) == 2 * whole  # nothing twice
    assert done == ["state space", "cycles"].index(after) + 1
    pd.testing.assert_frame_equal(begun.transform(given), right, check_exact=True)


def test_a_short_time_is_kept_by_taking_fewer_steps_and_draws(monkeypatch):
    steps, draws = [], []

    def learn(state, rows, key, begin, end, total):
        steps.append(int(end) - int(begin))
        return original(state, rows, key, begin, end, total)

    def hidden(panel, windows, window, hiding, seed, number, rows):
        draws.append(number)
        return drawn(panel, windows, window, hiding, seed, number, rows)

    original, drawn = state_space._learn, holding_out.hidden
    monkeypatch.setattr(state_space, "_learn", learn)
    monkeypatch.setattr(holding_out, "hidden", hidden)
    given = table(3000, 6)
    fitted = Imputer(minutes=0.01, window=48).fit(given)
    # For each of the two state spaces, and again from all rows, ten or few more; not 200 and 50.
    assert sum(steps) <= 100 and len(steps) >= 4
    assert 1 <= len([number for number in draws if number < 1000]) <= 2  # of the judging
    assert len([number for number in draws if number >= 2000]) <= 2  # of the levels
    assert fitted.transform(given).notna().all(axis=None)
    judged = fitted.report_[fitted.report_["held_out"] > 0]
    assert len(judged) and judged["state space and cycles"].notna().all()


STAGES = ["preparing", "state space", "cycles", "judging", "learning from all rows"]


def test_stages_are_shown_where_they_are_asked_for(few_steps, capsys, caplog):
    with caplog.at_level(logging.INFO, "naomi_jax"):
        Imputer(window=48, verbose=1).fit(table())
    shown = capsys.readouterr()
    lines = [line.split(" ...")[0] for line in shown.err.splitlines() if " ..." in line]
    assert lines == STAGES and shown.out == "" and caplog.text == ""


def test_without_verbose_stages_go_to_the_logger_alone(few_steps, capsys, caplog):
    with caplog.at_level(logging.INFO, "naomi_jax"):
        Imputer(window=48, verbose=0).fit(table())
    assert [
        r.getMessage().split(" ...")[0] for r in caplog.records if " ..." in r.getMessage()
    ] == STAGES
    assert {(r.name, r.levelno) for r in caplog.records} == {("naomi_jax", logging.INFO)}
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""


def test_shares_of_the_time_rise_to_the_whole(few_steps):
    class Steps:
        def stage(self, name, share):
            stages.append((name, round(share, 9)))
            told.append(share)

        def at(self, share, note=""):
            told.append(share)

    stages, told = [], []
    Imputer(window=48)._fit(table(), progress=Steps())
    assert told[0] == 0 and told[-1] == 1 and min(np.diff(told)) > -1e-9
    # The models divide the time to themselves; nothing is left for a network that nobody wants.
    assert stages == list(zip(STAGES, [0, 0, 0.3, 0.6, 0.85]))
