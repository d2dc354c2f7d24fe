"""Patterns of hidden entries, and which rows are kept aside."""

import ast
import dataclasses
import pathlib

import jax
import numpy as np
import pytest

from naomi_jax.imputer.judging import hiding, holding_out
from naomi_jax.imputer.preparation.panel import rows_of, series_windows
from naomi_jax.parallel.hiding import Hiding, hide
from tests.imputer.panels import holed, panel

SHAPE = (3000, 16, 3)


def features(hidden):
    """(N, F), of each window: shares of entries, of pairs and of rows that are hidden."""
    x = np.asarray(hidden, float)
    parts = [
        x.mean(1),  # of each column
        x.mean(2)[:, ::3],  # of each third step
        (x[:, 1:] * x[:, :-1]).mean(1),
        np.stack([(x[..., a] * x[..., b]).mean(1) for a, b in ((0, 1), (0, 2), (1, 2))], 1),
        np.stack([x.all((1, 2)), x.any((1, 2)), x.all(1).any(1), x.all(2).mean(1)], 1),
    ]
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("rate", [0.2, 0.7])
@pytest.mark.parametrize("kind", hiding.KINDS)
def test_patterns_have_the_law_of_those_on_the_device(kind, rate):
    names = [field.name for field in dataclasses.fields(Hiding)][: len(hiding.KINDS)]
    assert tuple(names) == hiding.KINDS  # in the order of the shares
    holes = np.random.default_rng(0).random((5, *SHAPE[1:])) < np.linspace(0, 1, 5)[:, None, None]
    shares = {name: float(name == kind) for name in names}
    mixture = Hiding(**shares, low=rate, high=rate)
    right = features(hide(jax.random.key(0), mixture, SHAPE, holes))
    found = features(hiding.pattern(np.random.default_rng(1), kind, rate, SHAPE, holes))
    noise = np.sqrt((right.var(0) + found.var(0)) / SHAPE[0])
    assert (np.abs(right.mean(0) - found.mean(0)) <= 5 * noise + 1e-6).all()


def test_drawing_them_needs_no_jax():
    """Each shape of a table would be compiled for itself."""
    tree = ast.parse(pathlib.Path(hiding.__file__).read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    assert names <= {"numpy", "jaxtyping"}


@pytest.mark.parametrize(
    ("lengths", "window"), [((1000,), 48), ((48,) * 50, 48), ((700, 20, 300), 60), ((90,), 100)]
)
def test_what_is_kept_aside_is_not_learned_from(lengths, window):
    table = panel(np.zeros((sum(lengths), 1)), lengths)
    chosen = set()
    for seed in range(3):
        learn, held = holding_out.split(table, window, seed)
        learned, aside = rows_of(learn), rows_of(held)
        everything = np.arange(sum(lengths))
        for part, rows in ((learn, learned), (held, aside)):
            assert len(np.unique(rows)) == len(rows)
            last = part.sum(1) - 1
            np.testing.assert_array_equal(table.first[part[:, 0]], table.first[last])
        assert held[:, 1].max() <= window
        chosen.add(held.tobytes())
        np.testing.assert_array_equal(np.sort(np.concatenate([learned, aside])), everything)
        assert 0.03 < len(aside) / len(everything) < 0.3
    assert len(chosen) > 1


def test_sections_hold_every_window_once_and_are_long_enough():
    for rows, length in ((1000, 100), (960, 500), (300, 1), (100, 5000)):
        windows = series_windows(panel(np.zeros((rows, 1))), 48, 48)
        parts = holding_out.sections(windows, length)
        np.testing.assert_array_equal(np.concatenate(parts), np.arange(len(windows)))
        assert len(parts) <= -(-rows // length)
        assert all(windows[part, 1].sum() >= length / 2 for part in parts) or rows < length


def test_hidden_entries_are_observed_ones_of_the_windows_in_all_kinds_and_shares():
    table = panel(holed(0, (960, 3), 0.2))
    windows = series_windows(table, 48, 48)[::2]
    inside = np.zeros(960, bool)
    inside[rows_of(windows)] = True
    kinds, rates = [], []

    def pattern(rng, kind, rate, shape, holes):
        kinds.append(kind)
        rates.append(rate)
        return original(rng, kind, rate, shape, holes)

    original = hiding.pattern
    mixture = Hiding(entries=2, steps=1, block=1, wide_block=0, low=0.05, high=0.8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holding_out, "pattern", pattern)
        draws = holding_out.draws(windows, 4)
        for number in range(draws):
            found = holding_out.hidden(table, windows, 48, mixture, 0, number, 240)
            assert found.any() and not (found & ~table.observed).any() and not found[~inside].any()
            again = holding_out.hidden(table, windows, 48, mixture, 0, number, 240)
            np.testing.assert_array_equal(found, again)
    other = holding_out.hidden(table, windows, 48, mixture, 1, number, 240)
    assert (other != found).any()
    count = {kind: kinds.count(kind) / len(kinds) for kind in set(kinds)}
    assert set(count) == {"entries", "steps", "block"} and abs(count["entries"] - 0.5) < 0.15
    assert 0.05 <= min(rates) < 0.1 and 0.4 < max(rates) <= 0.8
    assert abs(np.median(rates) - 0.2) < 0.08  # small shares as often as large ones
