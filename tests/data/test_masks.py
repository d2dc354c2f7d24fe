"""Masks: what is drawn, what a run may ask for, and mask files."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data import masks
from naomi_jax.data.masks import MaskConfig, Masks
from naomi_jax.errors import InputError


@pytest.mark.parametrize("kind", ["random", "block", "tail"])
def test_masks(kind):
    drawn = np.asarray(masks.draw_many(jax.random.key(0), MaskConfig(kind, 2, 5), 400, 12))
    missing = (drawn == 0).sum(1)
    assert set(missing) == {2, 3, 4, 5} and (drawn[:, 0] == 1).all()
    assert np.isin(drawn, (0, 1)).all()
    if kind == "random":
        assert (drawn[:, 1:] == 0).mean(0).min() > 0.2, "every place"
    runs = (np.diff(drawn, axis=1) == -1).sum(1)
    if kind != "random":
        assert (runs == 1).all()
    assert (drawn[:, -1] == 0).all() == (kind == "tail")


def test_several_kinds_are_drawn_equally_often():
    config = Masks(kind="random,tail", missing=(6, 6)).resolve(40)
    drawn = np.asarray(masks.draw_many(jax.random.key(0), config, 600, 40))
    assert ((drawn == 0).sum(1) == 6).all()
    tails = (drawn[:, -6:] == 0).all(1)
    assert 0.4 < tails.mean() < 0.6
    assert (drawn[~tails, 1:] == 0).mean(0).min() > 0.05, "every place"


@pytest.mark.parametrize("place", [np.asarray, jnp.asarray], ids=["host", "device"])
def test_a_mask_file(place, tmp_path):
    rows = np.array([[1, 0, 1], [1, 1, 0]])
    np.save(tmp_path / "m.npy", rows)
    given = masks.load(tmp_path / "m.npy", 3)
    drawn = masks.draw_many(jax.random.key(0), MaskConfig("file", 0, 0), 20, 3, place(given))
    assert {tuple(r) for r in np.asarray(drawn).astype(int)} == {tuple(r) for r in rows}
    for content, message in [
        (rows[:, :2], r"shape \(2, 2\); masks of 3 steps"),
        (rows * 2, "values other than 0"),
    ]:
        np.save(tmp_path / "m.npy", content)
        with pytest.raises(InputError, match=message):
            masks.load(tmp_path / "m.npy", 3)
    np.savez(tmp_path / "m.npz", other=rows)
    with pytest.raises(InputError, match="no key 'mask'"):
        masks.load(tmp_path / "m.npz", 3)
    with pytest.raises(InputError, match="no such file"):
        masks.load(tmp_path / "no.npy", 3)
    (tmp_path / "m.npy").write_text("x")
    with pytest.raises(InputError, match="not a readable"):
        masks.load(tmp_path / "m.npy", 3)


@pytest.mark.parametrize(
    "settings,steps,expected",
    [
        ({"missing": (2, 5)}, 7, (2, 5)),
        ({"share": (0.3, 0.95)}, 10, (3, 9)),
        ({"share": (0.01, 0.99)}, 10, (1, 9)),
        ({"kind": "tail", "missing": (1, 6)}, 7, (1, 6)),
    ],
)
def test_counts_and_shares(settings, steps, expected):
    resolved = Masks(**settings).resolve(steps)
    assert (resolved.low, resolved.high) == expected and resolved.kind == settings.get(
        "kind", "random"
    )


@pytest.mark.parametrize(
    "settings,message",
    [
        ({"kind": "x", "missing": (1, 2)}, "kind: 'x'; one of random, block, tail, several"),
        ({"kind": "tail,x", "missing": (1, 2)}, "kind: 'tail,x'; one of random, block"),
        ({"kind": "random,tail"}, "missing: either missing or share is needed"),
        ({}, "missing: either missing or share is needed"),
        (
            {"missing": (1, 2), "share": (0.1, 0.2)},
            "either missing or share is needed, and not both",
        ),
        ({"share": (0.5, 1.0)}, r"share: \(0.5, 1.0\); two numbers between 0 and 1"),
        ({"share": (0.5, 0.4)}, "two numbers between 0 and 1 are needed, in order"),
        ({"missing": (0.3, 0.9)}, "missing: .* is needed"),
    ],
)
def test_what_masks_cannot_be(settings, message):
    with pytest.raises(InputError, match=message):
        Masks(**settings)


@pytest.mark.parametrize("missing", [(2, 7), (0, 3), (5, 4)])
def test_counts_that_do_not_fit(missing):
    with pytest.raises(InputError, match="do not fit sequences of 7 steps; two numbers between"):
        Masks(missing=missing).resolve(7)
