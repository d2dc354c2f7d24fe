"""Imputer: what must hold of every fill, whatever the table."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.imputer.models import correction, state_space
from naomi_jax.parallel.hiding import Hiding

ROWS = 300


def imputer(**settings):
    """One that trains nothing, with windows of one length: their programs compile once."""
    return Imputer(**{"method": "interpolate", "window": 48, **settings})


def walks(seed=0, rows=ROWS, dim=3):
    """Random walks: the straight line is the best fill there is."""
    return np.cumsum(np.random.default_rng(seed).normal(size=(rows, dim)), axis=0)


def waves(seed=0, rows=ROWS):
    """Smooth columns: the curve is much better than the line."""
    rng = np.random.default_rng(seed)
    step = np.arange(rows)[:, None]
    return 10 * np.sin(step / np.array([5.0, 7.0, 9.0]) + rng.uniform(0, 6, 3)) + 20


def holed(values, seed=1, stretches=8, longest=9):
    """Stretches of single columns, of all columns, and the ends."""
    rng = np.random.default_rng(seed)
    values = values.copy()
    for number in range(stretches):
        first = rng.integers(0, len(values))
        rows = slice(first, first + rng.integers(1, longest + 1))
        values[rows, rng.integers(0, values.shape[1]) if number % 4 else slice(None)] = np.nan
    values[:2, 0] = np.nan
    values[-3:, -1] = np.nan
    return values


def frame(values, begin="2024-01-01", freq="h"):
    index = pd.date_range(begin, periods=len(values), freq=freq)
    return pd.DataFrame(values, index=index, columns=["a", "b", "c"])


@pytest.fixture(scope="module")
def wavy():
    given = frame(holed(waves()))
    return given, imputer().fit(given)


@pytest.fixture(scope="module")
def wandering():
    given = holed(walks())
    return given, imputer().fit(given)


# The fill.


def test_holes_are_filled_and_what_was_observed_stays(wavy):
    given, fitted = wavy
    before = given.copy()
    found = fitted.transform(given)
    pd.testing.assert_frame_equal(given, before, check_exact=True)
    assert found.index.equals(given.index) and found.columns.equals(given.columns)
    known = given.notna().to_numpy()
    assert np.isfinite(found.to_numpy()).all()
    assert found.to_numpy()[known].tobytes() == given.to_numpy()[known].tobytes()


def test_the_fill_of_what_is_smooth_beats_the_line(wavy):
    given, fitted = wavy
    truth, missing = waves(), given.isna().to_numpy()
    inside = missing.copy()
    inside[:2] = inside[-3:] = False
    line = given.interpolate().to_numpy()
    error, of_line = (
        np.square(np.asarray(f) - truth)[inside].mean() for f in (fitted.transform(given), line)
    )
    assert error**0.5 < 0.5 * of_line**0.5
    report = fitted.report_
    assert list(report.index) == ["a", "b", "c"] and (report["weight of line"] < 0.7).all()
    assert (report["fill"] < 1.05 * report["line"]).all() and (report["held_out"] > 100).all()
    short = fitted.lengths_.query("rows in ('1', '2-3', '4-7')")
    assert len(short) == 9 and (short["fill"] < 0.8 * short["line"]).all()
    assert "network" not in report and "state space" not in report


def test_the_fill_is_never_much_worse_than_the_line():
    errors = np.zeros(2)
    for seed in range(4):
        fitted = imputer().fit(holed(walks(seed), seed + 10, stretches=20))
        truth = walks(seed + 50)
        given = holed(truth, seed + 90, stretches=20)
        missing = np.isnan(given)
        line = pd.DataFrame(given).interpolate(limit_direction="both").to_numpy()
        for number, fill in enumerate((fitted.transform(given), line)):
            errors[number] += np.square(fill - truth)[missing].sum()
    assert errors[0] ** 0.5 <= 1.03 * errors[1] ** 0.5


def test_the_order_of_columns_does_not_matter(wavy):
    given, fitted = wavy
    given = given.assign(note="x")
    found = fitted.transform(given[["note", "c", "a", "b"]])
    assert list(found.columns) == ["note", "c", "a", "b"]
    pd.testing.assert_frame_equal(found[["a", "b", "c"]], fitted.transform(given)[["a", "b", "c"]])
    with pytest.raises(ValueError, match="data: no column 'b'"):
        fitted.transform(given.drop(columns="b"))


def test_an_array_after_a_frame_goes_by_position_and_says_so(wavy, wandering):
    given, fitted = wavy
    with pytest.warns(UserWarning, match="data: no names of columns; .* order of the fit: a, b, c"):
        found = fitted.transform(np.asarray(given), time=given.index)
    np.testing.assert_array_equal(found, fitted.transform(given))
    with pytest.raises(ValueError, match="data: a DataFrame; .* fitted on an array"):
        wandering[1].transform(given)


def test_the_order_of_rows_does_not_matter_where_there_are_stamps(wavy):
    given, fitted = wavy
    shuffled = given.sample(frac=1, random_state=0)
    found = fitted.transform(shuffled)
    assert found.index.equals(shuffled.index)
    pd.testing.assert_frame_equal(found.sort_index(), fitted.transform(given), check_freq=False)
    again = imputer().fit(shuffled).transform(given)
    pd.testing.assert_frame_equal(again, fitted.transform(given))


@pytest.mark.parametrize("kind", ["wavy", "wandering"])
@pytest.mark.parametrize("shift", [100.0, -3000.0, 5e6])
def test_a_constant_that_is_added_to_a_column_is_added_to_its_fill(kind, shift, request):
    given, fitted = request.getfixturevalue(kind)
    given = np.asarray(given)
    table = (lambda values: frame(values)) if kind == "wavy" else (lambda values: values)
    moved = given + np.array([0, shift, 0])
    plain, found = (np.asarray(fitted.transform(table(values))) for values in (given, moved))
    np.testing.assert_allclose(found[:, [0, 2]], plain[:, [0, 2]])
    scale = np.nanstd(given[:, 1])
    assert np.abs(found[:, 1] - shift - plain[:, 1]).max() < 0.05 * scale + 1e-9 * abs(shift)


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_units_do_not_matter(wavy, unit):
    given, fitted = wavy
    found = imputer().fit(given * unit).transform(given * unit)
    np.testing.assert_allclose(found, fitted.transform(given) * unit, rtol=1e-6)


def test_a_constant_column_stays_constant():
    values = holed(walks())
    values[~np.isnan(values[:, 1]), 1] = 0.1
    found = imputer().fit(values)
    assert (found.transform(values)[:, 1] == 0.1).all()
    assert all((drawn[:, 1] == 0.1).all() for drawn in found.sample(values, 3))
    low, high = found.interval(values)
    assert (low[:, 1] == 0.1).all() and (high[:, 1] == 0.1).all()


def test_what_was_never_negative_stays_so():
    rain = np.maximum(waves() - 25, 0)
    given = holed(rain)
    fitted = imputer().fit(given)
    assert fitted.transform(given).min() >= 0
    assert min(drawn.min() for drawn in fitted.sample(given, 5)) >= 0
    assert min(side.min() for side in fitted.interval(given)) >= 0
    free = imputer(bounds=(None, None)).fit(given)
    assert min(drawn.min() for drawn in free.sample(given, 5)) < 0


def test_bounds_are_kept_by_fills_samples_and_intervals(wavy):
    given, _ = wavy
    fitted = imputer(bounds={"a": (11, 29), "c": (None, 25)}).fit(given.clip(upper=25, lower=11))
    tables = [fitted.transform(given.clip(11, 25)), *fitted.sample(given.clip(11, 25), 5)]
    tables += fitted.interval(given.clip(11, 25), 0.99)
    for found in tables:
        assert found["a"].between(11, 29).all() and found["c"].max() <= 25
    assert max(found["b"].max() for found in tables) > 25


def test_integers_stay_integers():
    given = frame(holed(waves())).round().astype("Int64")
    fitted = imputer().fit(given)
    for found in (fitted.transform(given), *fitted.sample(given, 2), *fitted.interval(given)):
        assert (found.dtypes == "Int64").all() and not found.isna().any().any()
        assert (found == given).fillna(True).all().all()


def test_holes_longer_than_max_gap_stay(wavy):
    given, fitted = wavy
    whole = fitted.transform(given).to_numpy()
    values = given.to_numpy().copy()
    values[100:130] = whole[100:130]
    values[100:104, 1] = np.nan
    values[110:115, 1] = np.nan
    found = fitted.transform(frame(values), max_gap=4).to_numpy()
    assert np.isfinite(found[100:104, 1]).all() and np.isnan(found[110:115, 1]).all()
    assert np.isfinite(
        fitted.transform(frame(values), max_gap=np.int64(5)).to_numpy()[110:115]
    ).all()
    assert np.isfinite(found[:2, 0]).all() and np.isfinite(found[-3:, 2]).all()
    assert np.isnan(fitted.transform(frame(values), max_gap=1).to_numpy()[:2, 0]).all()


@pytest.mark.filterwarnings("ignore:data. no names of columns")
def test_flags_say_what_was_filled(wavy):
    given, fitted = wavy
    found, flags = fitted.transform(given.assign(note="x"), flag=True)
    pd.testing.assert_frame_equal(flags, given.isna())
    assert (found["note"] == "x").all()
    array = np.asarray(given)
    index = given.index
    found, flags = fitted.transform(array, time=index, flag=True, max_gap=1)
    np.testing.assert_array_equal(flags, np.isnan(array) & ~np.isnan(found))


def test_one_row_and_tables_without_holes(wandering):
    _, fitted = wandering
    whole = walks(4)
    assert fitted.transform(whole).tobytes() == whole.tobytes()
    assert np.isfinite(fitted.transform(np.array([[1.0, np.nan, 2.0]]))).all()
    row = imputer().fit(np.array([[1.0, 5, 2.0]])).transform(np.array([[1.0, np.nan, 2.0]]))
    assert row.tolist() == [[1, 5, 2]]
    found = fitted.sample(whole, 2)
    assert found.shape == (2, ROWS, 3) and (found == whole).all()


# Columns without values.


def test_a_column_without_a_value_stays_empty_and_is_named():
    values = np.minimum(holed(waves()), 25)
    values[:, 1] = np.nan
    with pytest.warns(UserWarning, match="column 'b' has no value: it stays empty"):
        fitted = imputer(bounds={"b": (0, 1), "c": (None, 25)}).fit(frame(values))
    drawn = fitted.sample(frame(values), 3)
    found = fitted.transform(frame(values))
    assert found["b"].isna().all() and found[["a", "c"]].notna().all().all()
    assert fitted.n_features_in_ == 3 and list(fitted.report_.index) == ["a", "c"]
    assert max(table["c"].max() for table in drawn) == 25
    with pytest.raises(ValueError, match="data: not one observed value"):
        imputer().fit(np.full((5, 2), np.nan))


def test_a_column_empty_in_one_table_is_filled_there(wavy):
    given, fitted = wavy
    found = fitted.transform(given.assign(b=np.nan))
    assert found["b"].notna().all()
    assert abs(found["b"].mean() - given["b"].mean()) < 2 * given["b"].std()


# Series, time, covariates.


def test_series_in_groups_are_those_of_a_list():
    parts = [holed(walks(seed)[:100], seed) for seed in range(3)]
    together = imputer().fit(parts).transform(parts)
    label = np.repeat(["x", "y", "z"], 100)
    table = pd.DataFrame(np.concatenate(parts), columns=["a", "b", "c"]).assign(who=label)
    mixed = table.sample(frac=1, random_state=1).sort_index(key=lambda i: i % 100)
    fitted = imputer().fit(mixed, group="who")
    found = fitted.transform(mixed).sort_index()  # the column's name need not be given again
    np.testing.assert_allclose(found[["a", "b", "c"]], np.concatenate(together))
    three = imputer().fit(np.stack(parts)).transform(np.stack(parts))
    np.testing.assert_array_equal(three, np.stack(together))
    by_values = imputer().fit(np.concatenate(parts), group=label)
    np.testing.assert_array_equal(
        by_values.transform(np.concatenate(parts), group=label), np.concatenate(together)
    )


def test_nothing_leaks_from_one_series_into_another(wandering):
    _, fitted = wandering
    parts = [holed(walks(1)), holed(walks(2))]
    alone = fitted.transform([parts[0], parts[1]])[0]
    other = fitted.transform([parts[0], parts[1] + 1000])[0]
    np.testing.assert_array_equal(alone, other)


def test_stamps_may_be_a_column_an_index_or_values(wavy):
    given, fitted = wavy
    column = given.reset_index(names="when")
    from_column = imputer().fit(column, time="when").transform(column)
    np.testing.assert_array_equal(from_column[["a", "b", "c"]], fitted.transform(given))
    assert from_column["when"].equals(column["when"])
    zoned = given.tz_localize("UTC").tz_convert("Asia/Tokyo")
    found = imputer().fit(zoned).transform(zoned)
    assert found.index.identical(zoned.index)
    np.testing.assert_array_equal(found, fitted.transform(given))
    periods = given.to_period("h")
    found = imputer().fit(periods).transform(periods)
    assert found.index.identical(periods.index)
    np.testing.assert_array_equal(found, fitted.transform(given))


def test_absent_rows_are_time_that_has_passed(wandering):
    values = walks()
    values[40:60, 0] = np.nan
    kept = np.setdiff1d(np.arange(ROWS), np.arange(45, 55))
    fitted = imputer().fit(values, time=np.arange(ROWS))
    whole = fitted.transform(values, time=np.arange(ROWS))
    found = fitted.transform(values[kept], time=kept)
    np.testing.assert_allclose(found[40:50, 0], whole[kept[40:50], 0], atol=0.2)


def test_stamps_that_stand_twice_are_refused(wavy):
    given, fitted = wavy
    twice = pd.concat([given, given.iloc[[3]]])
    message = "time: 2024-01-01T03.* stands in row 3 and in row 300; .*group="
    for action in (fitted.transform, imputer().fit):
        with pytest.raises(ValueError, match=message):
            action(twice)


@pytest.mark.filterwarnings("ignore:data. no names of columns")
def test_time_must_be_of_the_kind_of_the_fit(wavy):
    given, fitted = wavy
    with pytest.raises(ValueError, match="time: none; the imputer was fitted with time stamps"):
        fitted.transform(np.asarray(given))
    with pytest.raises(ValueError, match="time: float64; the imputer was fitted with time stamps"):
        fitted.transform(np.asarray(given), time=np.arange(ROWS))
    numbered = imputer().fit(np.asarray(given), time=np.arange(ROWS))
    with pytest.raises(ValueError, match="time: datetime64.*fitted with numbers"):
        numbered.transform(np.asarray(given), time=given.index)


@pytest.mark.filterwarnings("ignore:data. no names of columns")
def test_covariates_are_named_once_and_must_be_as_many(wavy):
    given, _ = wavy
    given = given.assign(warm=np.arange(float(ROWS)))
    fitted = imputer().fit(given, covariates="warm")
    assert list(fitted.report_.index) == ["a", "b", "c"]
    found = fitted.transform(given)
    assert found["warm"].equals(given["warm"]) and found.notna().all().all()
    with pytest.raises(ValueError, match="covariates: no column 'warm'"):
        fitted.transform(given.drop(columns="warm"))
    array = np.asarray(given[["a", "b", "c"]])
    with pytest.raises(ValueError, match="covariates: 0; the imputer was fitted with 1"):
        fitted.transform(array, time=given.index)
    fitted.transform(array, time=given.index, covariates=given["warm"])


# Randomness.


def test_a_fit_is_the_same_twice(wavy):
    given, fitted = wavy
    pd.testing.assert_frame_equal(
        imputer().fit_transform(given), fitted.transform(given), check_exact=True
    )
    other = imputer(seed=1).fit(given)
    assert not other.report_.equals(fitted.report_)


def test_samples_are_told_apart_by_their_seed(wavy):
    given, fitted = wavy
    one, same, other = (fitted.sample(given, 2, seed=seed) for seed in (0, 0, 1))
    missing = given.isna().to_numpy()
    for number in range(2):
        pd.testing.assert_frame_equal(one[number], same[number])
        assert (one[number].to_numpy() != other[number].to_numpy())[missing].mean() > 0.9
        known = one[number].to_numpy()[~missing]
        assert known.tobytes() == given.to_numpy()[~missing].tobytes()
    assert not one[0].equals(one[1])


def test_samples_have_a_leading_axis_where_data_are_an_array(wandering):
    given, fitted = wandering
    found = fitted.sample(given.astype(">f4"), 3)
    assert found.shape == (3, ROWS, 3) and found.dtype == np.dtype(">f4")
    masked = fitted.sample(np.ma.masked_invalid(given), 2)
    assert isinstance(masked, np.ma.MaskedArray) and not masked.mask.any()
    assert [part.shape for part in fitted.sample([given], 2)[1]] == [(ROWS, 3)]


@pytest.mark.parametrize("level", [0.01, 0.5, 0.9, 0.99])
def test_intervals_contain_the_fill_and_grow(wandering, level):
    given, fitted = wandering
    low, high = fitted.interval(given, level)
    found = fitted.transform(given)
    assert (low <= found).all() and (found <= high).all()
    less, more = fitted.interval(given, level / 2)
    assert (low <= less).all() and (more <= high).all()
    missing = np.isnan(given)
    assert (high > low)[missing].all() and (high == low)[~missing].all()


def test_intervals_hold_what_they_say():
    inside, missing = 0, 0
    for seed in range(4):
        fitted = imputer().fit(holed(walks(seed), seed + 10, stretches=20))
        truth = walks(seed + 50)
        given = holed(truth, seed + 90, stretches=20)
        low, high = fitted.interval(given, 0.9)
        hole = np.isnan(given)
        inside += ((low <= truth) & (truth <= high))[hole].sum()
        missing += hole.sum()
    assert missing > 500
    assert 0.8 <= inside / missing <= 0.97


# What is refused.


SETTINGS = [
    (dict(method="spline"), "method: 'spline'; one of auto, naomi_parallel, interpolate"),
    (dict(minutes=0), "minutes: 0; a positive number"),
    (dict(minutes="1"), "minutes: '1'; a positive number"),
    (dict(minutes=float("nan")), "minutes: nan; a positive"),
    (dict(window=1), "window: 1; a whole number, at least 2"),
    (dict(window=4.5), "window: 4.5; a whole"),
    (dict(window="x"), "window: 'x'; a whole"),
    (dict(seed=-1), "seed: -1; a whole number, at least 0"),
    (dict(seed=None), "seed: None; a whole"),
    (dict(bounds=5), "bounds: 5 for 0; \\(low, high\\)"),
    (dict(bounds=(3, 3)), "bounds: \\(3, 3\\) for 0; low < high"),
    (dict(bounds=(0, float("nan"))), "low < high"),
    (dict(bounds=("x", 3)), "bounds: \\('x', 3\\) for 0; \\(low, high\\), numbers"),
    (dict(bounds={"q": (0, 1)}), "bounds: no column 'q'; the columns are 0, 1, 2"),
]


@pytest.mark.parametrize("settings, message", SETTINGS, ids=[str(s[0]) for s in SETTINGS])
def test_settings_that_are_refused(settings, message):
    made = Imputer(**settings)  # nothing is checked before fit
    with pytest.raises(ValueError, match=message) as caught:
        made.fit(walks())
    assert "\n" not in str(caught.value)
    assert not hasattr(made, "n_features_in_")


def test_hiding_is_a_hiding():
    with pytest.raises(TypeError, match="hiding: str; a Hiding is needed"):
        Imputer(hiding="block").fit(walks())
    given = holed(walks())
    found = imputer(hiding=Hiding(block=1)).fit_transform(given)
    assert np.isfinite(found).all()


def test_arguments_that_are_refused(wandering):
    given, fitted = wandering
    for max_gap in (0, -1, 1.5, "3", True):
        with pytest.raises(ValueError, match="max_gap: .*; a whole number, at least 1"):
            fitted.transform(given, max_gap=max_gap)
    for level in (0, 1, -0.5, "0.9", 90):
        with pytest.raises(ValueError, match="level: .*; more than 0 and at most 0.99"):
            fitted.interval(given, level)
    for n in (0, 1.0, "2"):
        with pytest.raises(ValueError, match="n: .*; a whole number, at least 1"):
            fitted.sample(given, n)
    with pytest.raises(ValueError, match="seed: -1"):
        fitted.sample(given, 1, seed=-1)
    with pytest.raises(ValueError, match="data: infinity in row 7, column 1"):
        bad = given.copy()
        bad[7, 1] = np.inf
        fitted.transform(bad)
    with pytest.raises(ValueError, match="X has 2 features, but Imputer is expecting 3"):
        fitted.transform(given[:, :2])


def test_an_imputer_must_be_fitted_first():
    for action in ("transform", "sample", "interval"):
        with pytest.raises(ValueError, match=r"not fitted yet; call fit\(data\) first"):
            getattr(Imputer(), action)(walks())
    for use in (lambda: Imputer().report_, Imputer().get_feature_names_out):
        with pytest.raises(ValueError, match="not fitted yet"):
            use()


# The network, and what is imported.


def circle():
    rng = np.random.default_rng(0)
    step = np.arange(480)  # enough for a state space
    values = np.stack([np.sin(step / 6), np.cos(step / 6)], 1) + 0.05 * rng.normal(size=(480, 2))
    return holed(values, stretches=10)


@pytest.fixture(scope="module")
def with_network():
    given = circle()
    return given, Imputer("naomi_parallel", minutes=0.01, window=48).fit(given)


def test_a_fit_with_a_network(with_network, tmp_path):
    given, fitted = with_network
    found = fitted.transform(given)
    known = ~np.isnan(given)
    assert np.isfinite(found).all() and found[known].tobytes() == given[known].tobytes()
    assert fitted.report_[["network", "state space"]].notna().all(axis=None)
    fitted.save(tmp_path / "kept")
    again = Imputer.load(tmp_path / "kept")
    assert again.transform(given).tobytes() == found.tobytes()
    assert again.minutes == 0.01


def test_a_stream_compiles_nothing_once_its_rows_are_there(with_network):
    given, fitted = with_network
    live = fitted.stream(96)
    live.push(given[:96])
    programs = correction._fill, state_space._means
    for part in (range(96, 200), range(200, 240)):
        before = [program._cache_size() for program in programs]
        assert np.isnan(given[part]).any()
        for row in part:
            live.push(given[row : row + 1])
    assert before == [program._cache_size() for program in programs]
    assert all(before)


@pytest.mark.slow
def test_a_fit_with_a_network_is_the_same_again_in_any_unit_and_place():
    given = circle()
    settings = dict(method="naomi_parallel", window=48)
    fitted = Imputer(**settings).fit(given)
    found = fitted.transform(given)
    unit = 2.0**40  # a power of two: nothing is rounded otherwise
    np.testing.assert_allclose(
        Imputer(**settings).fit_transform(given * unit), found * unit, rtol=1e-3
    )
    place = np.array([5e6, 0])
    moved = fitted.transform(given + place) - place
    near = [fitted.transform(given + 1000 * place) - 1000 * place, moved]
    np.testing.assert_allclose(near[0], near[1], atol=0.02)
    assert np.sqrt(np.mean((moved - found)[np.isnan(given)] ** 2)) < 0.3
    samples = fitted.sample(given, 3)
    low, high = fitted.interval(given)
    assert np.isfinite(samples).all() and (low <= found).all() and (found <= high).all()


def test_auto_trains_nothing_for_a_short_table(wandering):
    """It is what "interpolate" is."""
    given, fitted = wandering
    found = Imputer(window=48).fit(given)
    pd.testing.assert_frame_equal(found.report_, fitted.report_)
    assert not {"network", "state space"} & {*found.report_}


def test_importing_it_imports_nothing_that_takes_long():
    code = (
        "import sys, naomi_jax; "
        "print([name for name in ('flax', 'optax', 'orbax', 'chex') if name in sys.modules]); "
        "naomi_jax.Imputer; "
        "slow = ('pandas', 'sklearn', 'matplotlib', 'scipy', 'tqdm'); "
        "print([name for name in slow if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["[]", "[]"]
