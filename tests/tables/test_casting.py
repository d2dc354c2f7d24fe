"""Fills keep to the ends of the type that they go into; whole numbers and decimals stay such."""

import decimal

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from naomi_jax.tables import casting, stamps

INTEGERS = [f"{kind}{size}" for kind in ("int", "uint") for size in (8, 16, 32, 64)]
FILLS = st.floats(allow_nan=False, allow_infinity=False)


@hypothesis.settings(max_examples=200, deadline=None, database=None)
@hypothesis.given(FILLS, st.sampled_from(INTEGERS))
def test_an_integer_is_the_nearest_that_the_type_holds(fill, name):
    dtype = np.dtype(name)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    for value in (fill, float(low), float(high), np.nextafter(float(high), 0)):
        (found,) = casting.cast(np.array([value]), dtype)
        assert found.dtype == dtype and int(found) == min(max(round(value), low), high)


@pytest.mark.parametrize("name", ["float16", "float32", "float64", ">f4"])
def test_a_float_is_finite(name):
    found = casting.cast(np.array([1e300, -1e300, 0.1]), np.dtype(name))
    assert np.isfinite(found).all() and found[2] == np.array(0.1, name)


@hypothesis.settings(max_examples=200, deadline=None, database=None)
@hypothesis.given(FILLS, st.integers(0, 6), st.integers(7, 38))
def test_a_decimal_has_the_places_and_digits_of_its_column(fill, places, digits):
    (found,) = casting.decimals([fill], places, digits)
    assert found.as_tuple().exponent == -places and len(found.as_tuple().digits) <= digits
    largest = (decimal.Decimal(10) ** digits - 1) * decimal.Decimal(10) ** -places
    if abs(fill) < 1e6:
        assert abs(float(found) - fill) <= 0.51 * 10.0**-places or abs(found) == largest
    assert casting.places([decimal.Decimal("1.5"), decimal.Decimal("2.25")]) == 2


def test_whole_numbers_need_evidence():
    counts = np.arange(40.0)[:, None] % 7
    counts[::9] = np.nan
    one = counts.copy()
    one[1] = 2.5
    few = np.where(np.arange(40)[:, None] < 19, counts, np.nan)
    assert casting.whole(np.hstack([counts, one, few])).tolist() == [True, False, False]
    assert casting.whole(few, 0).tolist() == [True]


def test_stamps_may_be_subtracted_whatever_the_years():
    for first, last, unit in (
        ("1900", "2100", "ns"),
        ("1700", "2008", "us"),
        ("0001", "9999", "us"),
        ("1678", "1679", "ns"),
        ("2262-05", "2262-06", "us"),
    ):
        given = np.array([first, last, "NaT"], "datetime64[s]")
        found = stamps.counted(given)
        assert found.dtype == f"datetime64[{unit}]" and np.isnat(found[2])
        assert (found[:2] == given[:2]).all() and found[1] - found[0] == given[1] - given[0]
    for year in (0, 10_000, 200_000):
        with pytest.raises(ValueError, match="years 1 to 9999"):
            stamps.counted(np.array([year - 1970], "datetime64[Y]"))
