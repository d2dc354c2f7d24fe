"""The schedule against the literal recursion, exhaustively for short sequences."""

import doctest
import itertools

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import naomi_jax
from naomi_jax.recursion.decoding import schedule
from tests.recursion import oracle

LEVELS = range(1, 7)


def greedy_order(mask, levels):
    """The (step, level, c, n) that Algorithm 1 fills, without a model."""
    zeros = {
        "gru": [
            {"wx": np.zeros((1, 3)), "wh": np.zeros((1, 3)), "b": np.zeros(3), "c": np.zeros(1)}
        ],
        "heads": {
            "dec": {"kernel": np.zeros((levels, 2, 1)), "bias": np.zeros((levels, 1))},
            "mean": {"kernel": np.zeros((levels, 1, 1)), "bias": np.zeros((levels, 1))},
        },
    }
    zeros["back_gru"] = [{**zeros["gru"][0], "wx": np.zeros((2, 3))}]
    return oracle.impute(zeros, np.zeros((len(mask), 1)), mask)[1]


def read(s):
    """Fields as numpy, without the padding."""
    used = np.asarray(s.cell) != schedule.IDLE
    assert not used[np.argmin(used) :].any() or used.all(), "padding comes last"
    fields = ("head", "cell", "step", "row", "source", "forward", "pivot")
    return [
        dict(zip(fields, map(int, tick)))
        for tick in zip(*(np.asarray(getattr(s, f))[used] for f in fields))
    ]


@pytest.mark.parametrize("steps,levels", [(1, 1), (1, 3), (2, 2), (7, 1), (8, 2), (9, 3), (10, 4)])
def test_every_mask_follows_the_recursion(steps, levels):
    masks = np.array(list(itertools.product([0, 1], repeat=steps)))
    schedules = jax.jit(jax.vmap(lambda m: naomi_jax.make_schedule(m, levels)))(masks)
    most = 0
    for i, mask in enumerate(masks):
        ticks = read(jax.tree.map(lambda leaf, i=i: leaf[i], schedules))
        filled = [(t["step"], t["head"] - 1) for t in ticks if t["head"]]
        assert filled == [(step, level) for step, level, _, _ in greedy_order(mask, levels)]
        consumed = [t["step"] for t in ticks if t["cell"] == schedule.FORWARD]
        assert consumed == list(range(steps))
        most = max(most, len(ticks))
    assert most == schedule.max_ticks(steps, levels), "the bound is reached, never exceeded"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=30, max_size=30), st.sampled_from(LEVELS))
def test_operands_are_the_states_the_recursion_names(mask, levels):
    """Every row read was written before, by a tick (or the first pass) of the right step."""
    steps = len(mask)
    ticks = read(jax.jit(naomi_jax.make_schedule, static_argnums=1)(np.array(mask), levels))
    order = iter(greedy_order(np.array(mask), levels))
    written = {}  # row -> (step, whether it is a forward state)

    def step_of(row, forward):
        if row > steps:
            step, is_forward = written[row]
            assert is_forward == forward
            return step
        assert not forward or row == steps  # row T is zero: hf_{-1}
        return -1 if forward else row

    newest = {}  # step -> the row that holds its newest backward state
    for tick in ticks:
        forward = tick["cell"] == schedule.FORWARD
        if tick["head"]:
            step, level, c, _ = next(order)
            assert (tick["step"], tick["head"]) == (step, level + 1)
            assert step_of(tick["forward"], True) == c
            pivot = c + 2 * 2**level
            assert step_of(tick["pivot"], False) == pivot
            assert tick["pivot"] == newest.get(pivot, pivot)
        source = step_of(tick["source"], forward)
        assert source == tick["step"] - 1 if forward else source == tick["step"] + 1
        if forward:
            assert tick["row"] == steps + 1 + tick["step"]
        else:
            assert tick["source"] == newest.get(source, source)
            assert tick["row"] == 2 * steps + 1 + sum(not f for _, f in written.values())
            newest[tick["step"]] = tick["row"]
        assert written.setdefault(tick["row"], (tick["step"], forward)) == (tick["step"], forward)
    assert len(written) == len(ticks)
    assert next(order, None) is None


@pytest.mark.parametrize("level,updates", list(enumerate([0, 1, 3, 8, 20, 48])))
def test_backward_updates_of_a_block(level, updates):
    """U(l) of docs/design.md, The paper's method."""
    block = schedule._block(level)
    assert sum(op.cell != schedule.FORWARD for op in block) == updates


def test_nothing_observed_is_the_worst_case():
    """Joining two gaps never takes fewer backward updates, so one gap of all steps bounds all."""
    for levels in range(1, 11):
        needed = [0] + [schedule.max_backward_ticks(d - 1, levels) for d in range(1, 400)]
        for a in range(1, 200):
            assert all(needed[a] + needed[b] <= needed[a + b] for b in range(1, 200))


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(bool, 23), st.integers(1, 4))
def test_a_schedule_with_less_room_is_the_same_without_the_padding(mask, levels):
    enough = schedule.enough_backward_ticks(mask[None], levels)
    short = schedule.lay_out(mask, levels, updates=enough)
    whole = naomi_jax.make_schedule(mask, levels)
    assert short.ticks == 23 + enough
    assert (
        str(short) == str(whole) and (short.cell != schedule.IDLE).sum() == (whole.cell != 0).sum()
    )
    for name in ("head", "cell", "step", "source", "forward", "pivot"):
        cut = getattr(whole, name)[: short.ticks]
        np.testing.assert_array_equal(getattr(short, name), cut)
    assert (
        np.asarray(short.row)[np.asarray(short.cell) == schedule.IDLE] == 2 * 23 + 1 + enough
    ).all()


def test_length_ends_the_schedule_early():
    mask = np.array([1, 0, 0, 0, 0, 1, 0, 0, 1, 0])
    for length in (1, 4, 6, 8, 10):
        whole = read(naomi_jax.make_schedule(mask[:length], 3))
        cut = read(naomi_jax.make_schedule(mask, 3, length))

        def moved(
            row, length=length
        ):  # hf_t is row T + 1 + t, new backward states begin at row 2T + 1
            return row + (len(mask) - length) * ((row > length) + (row > 2 * length))

        for a, b in zip(whole, cut, strict=True):
            assert (a["head"], a["cell"], a["step"]) == (b["head"], b["cell"], b["step"])
            rows = ("row", "forward", "pivot", "source") if a["head"] else ("row", "source")
            for name in rows:
                # hf_{-1} is row T, whichever T; hb_length is zero beyond the length.
                zero = a[name] == length and b[name] in (length, len(mask))
                assert zero or moved(a[name]) == b[name]


def test_shapes_follow_from_steps_and_levels_alone():
    shapes = {
        tuple(leaf.shape for leaf in jax.tree.leaves(naomi_jax.make_schedule(mask, 3)))
        for mask in (np.zeros(20), np.ones(20), np.arange(20) % 2)
    }
    assert len(shapes) == 1 and (schedule.max_ticks(20, 3),) in shapes.pop()


def test_a_list_is_as_good_as_an_array():
    expected = naomi_jax.make_schedule(np.array([1, 0, 0, 1]), 2)
    for mask in ([1, 0, 0, 1], (True, False, False, True), np.array([1, 0, 0, 1], ">f8")):
        jax.tree.map(np.testing.assert_array_equal, naomi_jax.make_schedule(mask, 2), expected)
    jax.tree.map(
        np.testing.assert_array_equal,
        naomi_jax.make_schedule([1, 0, 0, 1], np.int64(2), np.int64(4)),
        expected,
    )


@pytest.mark.parametrize(
    "mask,levels,length,error,message",
    [
        (np.ones((2, 5)), 3, None, ValueError, r"mask: shape \(2, 5\); .* use jax.vmap"),
        (1, 3, None, ValueError, r"mask: shape \(\); \(T,\) is needed, one sequence"),
        ([], 3, None, ValueError, "mask: no steps"),
        ([1, 2], 3, None, ValueError, "mask: value 2; only 0 .missing. and 1 .observed."),
        ([1, np.nan], 3, None, ValueError, "mask: value nan; only 0"),
        ([1, None], 3, None, TypeError, "mask: dtype object; numbers are needed"),
        (None, 3, None, TypeError, "mask: None; pass a NumPy or JAX array"),
        ([1, 0], 0, None, ValueError, "levels: 0; a whole number of 1 or more is needed"),
        ([1, 0], -1, None, ValueError, "levels: -1; a whole number of 1 or more is needed"),
        ([1, 0], 2.0, None, ValueError, "levels: 2.0; a whole number of 1 or more is needed"),
        ([1, 0], None, None, ValueError, "levels: None; a whole number of 1 or more is needed"),
        ([1, 0], 2, 3, ValueError, "length: 3; from 0 to T = 2 is accepted"),
        ([1, 0], 2, 1.5, TypeError, "length: dtype float32; an integer is needed"),
        ([1, 0], 2, [1, 2], ValueError, r"length: shape \(2,\); one integer is needed"),
    ],
)
def test_a_wrong_argument_is_named(mask, levels, length, error, message):
    with pytest.raises(error, match=message):
        naomi_jax.make_schedule(mask, levels, length)


def test_it_reads_as_text():
    text = str(naomi_jax.make_schedule(np.array([1, 0, 0, 0, 1]), 3)).splitlines()
    assert text[2].split() == "1 x_2 = g_1(hf_0, hb_4); hb_2 = B(hb_3, [1, x_2])".split()
    assert text[3].split() == "2 x_1 = g_0(hf_0, hb_2); hf_1 = F(hf_0, x_1)".split()
    assert text[4].split() == "3 hf_2 = F(hf_1, x_2)".split()
    assert "2 masks" in str(jax.vmap(lambda m: naomi_jax.make_schedule(m, 2))(np.zeros((2, 4))))


def test_the_example_in_the_docstring_is_true():
    result = doctest.testmod(schedule)
    assert result.attempted and not result.failed
