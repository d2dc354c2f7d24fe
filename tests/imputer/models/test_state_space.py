"""The state space, against the joint Gaussian distribution of all its rows."""

import time

import numpy as np
import pytest
import threadpoolctl

from naomi_jax.imputer.models import state_space
from naomi_jax.imputer.models.state_space import StateSpace
from tests.imputer.panels import panel


def model(dim, order, seed=0):
    rng = np.random.default_rng(seed)
    transition = 0.3 * rng.normal(size=(dim, dim * order))
    transition[:, :dim] += (0.7 if order == 1 else 1.1) * np.eye(dim)
    if order == 2:
        transition[:, dim:] -= 0.4 * np.eye(dim)
    root = rng.normal(size=(dim, dim))
    size = dim * order
    start = rng.normal(size=(size, size))
    return StateSpace(
        transition,
        root @ root.T / dim + 0.1 * np.eye(dim),
        rng.uniform(0.05, 0.5, dim),
        start @ start.T / size + np.eye(size),
    )


def joint_states(given: StateSpace, rows):
    """Covariance (rows, S, rows, S) of the states of one series."""
    dim, size = given.transition.shape
    step = np.concatenate([given.transition, np.eye(size - dim, size)])
    noise = np.zeros((size, size))
    noise[:dim, :dim] = given.noise
    own = [given.start]
    for _ in range(rows - 1):
        own.append(step @ own[-1] @ step.T + noise)
    whole = np.zeros((rows, size, rows, size))
    for first in range(rows):
        power = np.eye(size)
        for later in range(first, rows):
            whole[later, :, first] = power @ own[first]
            whole[first, :, later] = (power @ own[first]).T
            power = step @ power
    return whole


def joint(given: StateSpace, rows):
    """Covariance (rows * D, rows * D) of x_1 .. x_rows of one series."""
    dim = len(given.transition)
    return joint_states(given, rows)[:, :dim, :, :dim].reshape(rows * dim, rows * dim)


def condition(given, y):
    """(E[x | what is seen of y], log likelihood of it) by one system of equations."""
    seen = ~np.isnan(y).ravel()
    cov = joint(given, len(y))
    errors = np.tile(given.error, len(y))
    inner = cov[np.ix_(seen, seen)] + np.diag(errors[seen])
    known = y.ravel()[seen]
    mean = cov[:, seen] @ np.linalg.solve(inner, known)
    likelihood = -0.5 * (
        known @ np.linalg.solve(inner, known)
        + np.linalg.slogdet(inner)[1]
        + len(known) * np.log(2 * np.pi)
    )
    return mean.reshape(y.shape), likelihood


def simulate(given, rows, seed, holes=0.4):
    rng = np.random.default_rng(seed)
    dim, size = given.transition.shape
    state, found = np.zeros(size), []
    root = np.linalg.cholesky(given.noise)
    for _ in range(rows):
        x = given.transition @ state + root @ rng.normal(size=dim)
        state = np.concatenate([x, state[: size - dim]])
        found.append(x + np.sqrt(given.error) * rng.normal(size=dim))
    values = np.array(found)
    values[rng.random(values.shape) < holes] = np.nan
    return values


@pytest.mark.parametrize("order", [1, 2])
def test_the_smoother_gives_the_conditional_mean(order):
    given = model(2, order)
    y = simulate(given, 24, 1)
    y[9:15] = np.nan  # a hole over all columns
    found = state_space.smooth(given, panel(y))
    np.testing.assert_allclose(found, condition(given, y)[0], atol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_covariances_are_those_of_the_joint_distribution(order, x64):
    """Of each state, and of each with the one before; the maximization lives on them."""
    rows = 12
    given = model(2, order, seed=5)
    y = simulate(given, rows, 1)
    seen = ~np.isnan(y)
    dim, size = given.transition.shape
    whole = joint_states(given, rows)
    known = seen.ravel()
    x = whole[:, :dim].reshape(rows * dim, rows * size)[known]
    inner = joint(given, rows)[np.ix_(known, known)]
    inner = inner + np.diag(np.tile(given.error, rows)[known])
    told = x.T @ np.linalg.solve(inner, x)
    right = (whole.reshape(rows * size, rows * size) - told).reshape(rows, size, rows, size)
    fresh = np.arange(rows) == 0
    _, covs, both = state_space._smoothed(*vars(given).values(), np.where(seen, y, 0), seen, fresh)
    for row in range(rows):
        np.testing.assert_allclose(covs[row], right[row, :, row], atol=1e-6)
    for row in range(1, rows):
        np.testing.assert_allclose(both[row - 1], right[row, :, row - 1], atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_series_know_nothing_of_each_other(order):
    given = model(2, order)
    y = simulate(given, 24, 2)
    lengths = (9, 1, 14)
    found = state_space.smooth(given, panel(y, lengths))
    parts = np.split(y, np.cumsum(lengths)[:-1])
    right = np.concatenate([condition(given, part)[0] for part in parts])
    np.testing.assert_allclose(found, right, atol=1e-5)


def test_rows_that_are_absent_are_rows_without_values():
    given = model(2, 2)
    y = simulate(given, 24, 3)
    absent = np.array([4, 5, 11])
    y[absent] = np.nan
    kept = np.setdiff1d(np.arange(24), absent)
    whole = state_space.smooth(given, panel(y))
    found = state_space.smooth(given, panel(y[kept], times=kept.astype(float)))
    np.testing.assert_allclose(found, whole[kept], atol=1e-9)
    as_they_are = state_space.smooth(given, panel(y[kept]))
    assert np.abs(as_they_are - whole[kept]).max() > 0.01  # absent rows do matter


def test_irregular_rows_count_as_steps():
    values = np.zeros((5, 1))
    for times in ([0, 1.3, 2, 3, 4], [0, 1, 2, 3, 40]):  # off the grid; a grid mostly empty
        found = state_space.on_grid(panel(values, times=np.array(times, float)))
        grid, first, place, regular = found
        assert not regular and len(grid) == 5 and place.tolist() == [0, 1, 2, 3, 4]
        assert first.tolist() == [True, False, False, False, False]


def test_chunks_that_overlap_say_what_the_whole_says(monkeypatch):
    given = model(2, 2, seed=5)  # one that does not grow without bound
    y = simulate(given, 400, 4)
    whole = state_space.smooth(given, panel(y, (150, 250)))
    monkeypatch.setattr(state_space, "_CHUNK", 128)
    monkeypatch.setattr(state_space, "_OVERLAP", 40)
    found = state_space.smooth(given, panel(y, (150, 250)))
    np.testing.assert_allclose(found, whole, atol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 1023, 1024, 1025, 1663, 1664, 1665, 5000, 20_000])
def test_chunks_answer_for_every_row(count):
    overlap = state_space._OVERLAP
    starts, length = state_space._chunks(count)
    answered = np.zeros(count, bool)
    for at in starts:
        assert at < count
        answered[at + (overlap if at else 0) : at + length] = True
    assert answered.all()


@pytest.fixture
def constant(monkeypatch):
    """constant(name, value): changes what compiled programs have in them."""

    def change(name, value):
        monkeypatch.setattr(state_space, name, value)
        state_space._learn.clear_cache()

    yield change
    state_space._learn.clear_cache()


def test_each_step_of_the_fit_is_more_likely(constant, monkeypatch):
    truth = model(2, 2, seed=5)
    y = simulate(truth, 240, 6, holes=0.3)
    y = y / np.nanstd(y, axis=0)  # in units of the scale, as the engine hands it over
    constant("_PRIOR", 1e-3)  # without it EM climbs the likelihood itself
    constant("_PIECE", 240)  # all rows, and these alone: plain EM
    constant("_NEW", 1.0)
    constant("_NEW_AT_LAST", 1.0)
    monkeypatch.setattr(state_space, "_FEWEST_STEPS", 0)
    found = []
    for steps in (0, 1, 2, 5, 10):
        monkeypatch.setattr(state_space, "_STEPS", steps)
        fitted = state_space.fit(panel(y), seed=0)
        found.append(condition(fitted, y)[1])
    assert (np.diff(found) > 0).all()
    assert found[0] < found[-1] - 10  # it begins at a regression, which is near already


def test_pieces_come_close_to_what_the_whole_table_says(constant, monkeypatch):
    truth = model(2, 2, seed=5)
    y = simulate(truth, 600, 6, holes=0.3)
    y = y / np.nanstd(y, axis=0)
    monkeypatch.setattr(state_space, "_STEPS", 60)
    constant("_PIECES", 2)
    pieces = state_space.fit(panel(y), 0)
    constant("_PIECE", 600)
    whole = state_space.fit(panel(y), 0)
    monkeypatch.setattr(state_space, "_STEPS", 0)
    monkeypatch.setattr(state_space, "_FEWEST_STEPS", 0)
    nothing = state_space.fit(panel(y), 0)

    def likelihood(given):
        return sum(condition(given, part)[1] for part in np.split(y, 6))

    # The regression that it begins at is far better than a guess.
    guess = StateSpace(np.eye(2, 4) * 0.8, 0.3 * np.eye(2), 0.2 * np.ones(2), np.eye(4))
    assert likelihood(nothing) - likelihood(guess) > likelihood(whole) - likelihood(nothing)

    gained = likelihood(pieces) - likelihood(nothing)
    assert gained > 0.97 * (likelihood(whole) - likelihood(nothing)) > 30


def test_the_start_of_a_fit_makes_sense_of_a_column_without_values():
    y = simulate(model(2, 2), 60, 7)
    y[:, 1] = np.nan
    fitted = state_space.fit(panel(y), seed=0)
    assert all(np.isfinite(part).all() for part in vars(fitted).values())
    assert np.isfinite(state_space.smooth(fitted, panel(y))).all()


def test_tables_with_the_same_holes_are_smoothed_together():
    given = model(2, 2, seed=5)
    y = simulate(given, 60, 3)
    three = np.stack(
        [y, 2 * y + 1, np.where(np.isnan(y), 1e9, y)]
    )  # what stands in holes is ignored
    found = state_space.smooth_each(given, panel(y, (20, 40)), three)
    for one, each in zip((y, 2 * y + 1, y), found):
        alone = state_space.smooth(given, panel(one, (20, 40)))
        np.testing.assert_allclose(each, alone, rtol=1e-9, atol=1e-12)


@pytest.fixture
def calls(monkeypatch):
    """Steps of each call of `_learn`, the parameters it begins at, and threads while it runs."""
    found = []

    def learn(state, rows, key, begin, end, total):
        found.append((int(end) - int(begin), state[0], threads()))
        return original(state, rows, key, begin, end, total)

    original = state_space._learn
    monkeypatch.setattr(state_space, "_learn", learn)
    return found


def threads():
    info = threadpoolctl.threadpool_info()
    return {part["num_threads"] for part in info if part["user_api"] == "blas"}


def test_lapack_has_one_thread_while_states_are_fitted_and_smoothed(calls, monkeypatch):
    def means(*arguments):
        smoothing.append(threads())
        return original(*arguments)

    smoothing, original = [], state_space._means
    monkeypatch.setattr(state_space, "_means", means)
    y = simulate(model(2, 2, seed=5), 60, 3)
    with state_space.one_thread():
        pass  # SciPy's LAPACK is loaded from here on
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        state_space.smooth(state_space.fit(panel(y), 0, until=0), panel(y))
        assert threads() == {2}  # others have theirs back
    assert calls[0][2] == smoothing[0] == {1}


def test_a_fit_that_goes_on_takes_a_quarter_of_the_steps_and_a_late_one_few(calls):
    y = simulate(model(2, 2, seed=5), 120, 6, holes=0.3)
    y = y / np.nanstd(y, axis=0)
    first = state_space.fit(panel(y), 0)
    whole = sum(steps for steps, *_ in calls)
    assert whole == state_space._STEPS
    calls.clear()
    again = state_space.fit(panel(y), 1, before=first)
    assert sum(steps for steps, *_ in calls) == whole / 4
    for begun, known in zip(calls[0][1], vars(first).values()):
        np.testing.assert_array_equal(begun, known)
    likelihood = [condition(one, y)[1] for one in (first, again)]
    assert abs(likelihood[1] - likelihood[0]) < 3
    for until in (0.0, time.monotonic()):
        calls.clear()
        late = state_space.fit(panel(y), 0, until)
        assert sum(steps for steps, *_ in calls) == state_space._STEPS_AT_ONCE
        assert np.isfinite(condition(late, y)[1])


def test_series_of_one_row_can_be_fitted():
    """Nothing follows anything: there is no regression to begin with."""
    y = simulate(model(2, 2), 40, 7, holes=0.2)
    found = state_space.smooth(state_space.fit(panel(y, (1,) * 40), 0), panel(y, (1,) * 40))
    assert np.isfinite(found).all()
