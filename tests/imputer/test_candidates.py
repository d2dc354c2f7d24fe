"""A candidate of somebody else's: one file, registered, and the imputer does the rest."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.errors import InputError
from naomi_jax.imputer.models import lines, registry
from naomi_jax.imputer.models.candidate import LINE, Model
from naomi_jax.jobs import wording

ROWS = 300
SECRET = np.random.default_rng(9).normal(size=(ROWS, 2))  # without it, noise


@dataclasses.dataclass(frozen=True)
class Oracle:
    """Knows a pattern that nobody else can see, and adds it to the straight line of the rest.

    Attributes:
      pattern: of each row.
      learned: rows that it was fitted to.
    """

    pattern: np.ndarray
    learned: int
    name: str = "oracle"

    def fill(self, given, wanted):
        """As the protocol says."""
        assert LINE in given.fills and wanted.shape == given.panel.values.shape
        return self.pattern[given.panel.times.astype(int)]


def fit(given, learning):
    """For tables that the pattern is about."""
    assert {LINE, "curve"} <= {*learning.kept}
    if given.panel.values.shape[1] != 2:
        return ()
    return (Oracle(SECRET, int(learning.rows.sum())),)


def table():
    values = SECRET.copy()
    values[np.random.default_rng(0).random(values.shape) < 0.2] = np.nan
    values[100:120] = np.nan
    return pd.DataFrame(values, columns=["a", "b"])


@pytest.fixture
def registered():
    """A model that is known during the test."""
    models = []

    def register(model):
        models.append(registry.register(model))

    yield register
    for model in models:
        if model in registry.every():
            registry.forget(model)


def test_a_file_of_its_own_is_fitted_judged_blended_reported_saved_and_fills(registered, tmp_path):
    before = registry.every(), registry.kinds()
    without = Imputer("interpolate", window=48).fit(table())
    registered(Model("oracles", fit, (Oracle,), simple=True))
    fitted = Imputer("interpolate", window=48).fit(table())
    report = fitted.report_
    assert "oracle" not in without.report_
    assert (report["weight of oracle"] > 0.95).all() and (report["oracle"] < 1e-9).all()
    assert (report["fill"] < 0.2 * without.report_["fill"]).all()
    head, rows = wording.rows(fitted)
    place = head.index("oracle")
    assert all(int(row.cells[place].split("(")[1].split()[0]) > 95 for row in rows)
    assert wording.sentences(fitted) == []
    holes = table().isna().to_numpy()
    filled = fitted.transform(table())
    assert np.abs(filled.to_numpy() - SECRET)[holes].max() < 0.1 * np.abs(SECRET[holes]).max()
    fitted.save(tmp_path)
    again = Imputer.load(tmp_path)
    pd.testing.assert_frame_equal(again.transform(table()), filled, check_exact=True)
    pd.testing.assert_frame_equal(again.report_, report, check_exact=True)
    (kept,) = (one for one in again._engine.candidates if one.name == "oracle")
    assert isinstance(kept, Oracle) and kept.learned == ROWS
    np.testing.assert_array_equal(kept.pattern, SECRET)
    # Where it gives no candidate there is none.
    assert "oracle" not in Imputer("interpolate", window=48).fit(table()[["a"]]).report_
    registry.forget(registry.every()[-1])
    assert (registry.every(), registry.kinds()) == before
    with pytest.raises(InputError) as caught:
        Imputer.load(tmp_path)
    print(caught.value)
    assert "\n" not in str(caught.value)


@dataclasses.dataclass(frozen=True)
class Short:
    """Leaves a row out."""

    name: str = "short"

    def fill(self, given, wanted):
        """As the protocol does not say."""
        return np.zeros(given.panel.values.shape)[1:]


WRONG = {
    "shape": (Short(), r"candidate 'short': fills of shape \(299, 2\); \(300, 2\) is needed"),
    "name": (lines.Curve(), "candidates: two are named 'curve'"),
}


@pytest.mark.parametrize("candidate,message", WRONG.values(), ids=WRONG)
def test_a_candidate_of_another_shape_or_of_a_name_that_is_taken_is_named(
    registered, candidate, message
):
    registered(Model("wrong", lambda given, learning: (candidate,), (), simple=True))
    with pytest.raises(ValueError, match=message) as caught:
        Imputer("interpolate", window=48).fit(table())
    assert "\n" not in str(caught.value)


def test_a_title_that_is_taken_is_refused(registered):
    with pytest.raises(ValueError, match="lines: there is a model of this title"):
        registry.register(Model("lines", fit, (Oracle,)))
    registered(Model("oracles", fit, (Oracle,)))
    with pytest.raises(ValueError, match="oracles: there is a model of this title"):
        registry.register(Model("oracles", fit, ()))


def test_one_that_is_not_simple_is_left_out_where_nothing_is_trained(registered):
    registered(Model("oracles", fit, (Oracle,)))
    for method in ("interpolate", "auto"):  # the table is too small for a state space
        assert "oracle" not in Imputer(method, window=48).fit(table()).report_
