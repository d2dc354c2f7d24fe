"""scikit-learn's conventions, by its own checks."""

import pickle

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

# Checks that cannot hold where rows are a time series, each with the reason: none.
CANNOT_HOLD: dict[str, str] = {}
# Checks that ask for what is not installed or not set in a test.
SKIPPED = {"check_array_api_input"}


@pytest.mark.filterwarnings("ignore")  # the checks hand over odd things on purpose
def test_the_checks_of_scikit_learn():
    results = check_estimator(
        Imputer("interpolate", window=64),  # longer than the checks' tables: few programs compile
        expected_failed_checks=CANNOT_HOLD,
        on_fail=None,
        on_skip=None,
    )
    assert len(results) > 40
    names = {status: set() for status in ("passed", "failed", "skipped", "xfail")}
    for result in results:
        names[result["status"]].add(result["check_name"])
    failed = [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"]
    assert not failed
    assert names["xfail"] == set(CANNOT_HOLD) and names["skipped"] <= SKIPPED


def table():
    values = np.cumsum(np.random.default_rng(0).normal(size=(100, 3)), axis=0)
    values[20:30, 1] = np.nan
    return pd.DataFrame(values, columns=["a", "b", "c"])


def test_a_clone_has_the_settings_and_is_not_fitted():
    fitted = Imputer("interpolate", window=48, bounds={"a": (-50, 50)}).fit(table())
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError, match="call fit"):
        copy.transform(table())
    assert copy.bounds is not fitted.bounds


def test_parameters_are_set_by_name():
    made = Imputer().set_params(method="interpolate", seed=3)
    assert (made.method, made.seed) == ("interpolate", 3)
    with pytest.raises(ValueError, match="speed: no parameter of Imputer; it has method, seed"):
        made.set_params(speed=1)
    assert repr(made) == "Imputer(method='interpolate', seed=3)"


def test_it_is_a_step_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), Imputer("interpolate", window=48))
    found = pipeline.fit_transform(table())
    assert found.shape == (100, 3) and np.isfinite(found).all()
    np.testing.assert_array_equal(pipeline.transform(table()), found)
    assert list(pipeline.get_feature_names_out(["a", "b", "c"])) == ["a", "b", "c"]
    framed = make_pipeline(StandardScaler().set_output(transform="pandas"), clone(pipeline[-1]))
    framed = framed.fit_transform(table())  # a frame in, a frame out: it needs no set_output
    assert list(framed.columns) == ["a", "b", "c"]
    np.testing.assert_array_equal(framed, found)


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
def test_it_fills_some_columns_of_a_column_transformer(container):
    if container == "polars":
        pytest.importorskip("polars")
    given = table().set_index(pd.date_range("2024", periods=100, freq="h"))
    made = ColumnTransformer(
        [("fill", Imputer("interpolate", window=48), ["b", "a"]), ("keep", "passthrough", ["c"])]
    ).set_output(transform=container)
    found = made.fit_transform(given)
    right = Imputer("interpolate", window=48).fit_transform(given[["b", "a"]]).to_numpy()
    names = ["fill__b", "fill__a", "keep__c"]
    assert list(made.get_feature_names_out()) == names
    room = {"default": "numpy", "pandas": "pandas", "polars": "polars"}[container]
    for one in (found, made.transform(given)):
        assert type(one).__module__.startswith(room)
        assert container == "default" or list(one.columns) == names
        np.testing.assert_array_equal(np.asarray(one)[:, :2], right)
    assert container != "pandas" or found.index.equals(given.index)


def test_what_is_returned_can_be_asked_for():
    values, frame = table().to_numpy(), table()
    made = Imputer("interpolate", window=48).set_output(transform="pandas")
    assert made.set_output() is made is made.set_output(transform=None)
    found = clone(made).fit_transform(values)  # a clone is asked for the same
    assert list(found.columns) == ["x0", "x1", "x2"] and not found.isna().any().any()
    first, flags = made.fit(frame).transform(frame, flag=True)
    pd.testing.assert_frame_equal(first, found.set_axis(["a", "b", "c"], axis=1))
    assert flags.to_numpy().sum() == 10
    polars = pytest.importorskip("polars")
    given = polars.DataFrame(frame.to_dict("list"))
    pd.testing.assert_frame_equal(clone(made).fit_transform(given), first)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(Imputer("interpolate", window=48).fit_transform(values), pd.DataFrame)
    made.set_output(transform="default")
    assert isinstance(made.fit_transform(given), polars.DataFrame)
    with pytest.raises(ValueError, match="transform: 'dask'; one of default, pandas, polars"):
        made.set_output(transform="dask")
    with pytest.raises(ValueError, match="set_output: list cannot become a table of 'pandas'"):
        made.set_output(transform="pandas").fit_transform([values, values])


def test_names_of_columns_are_told():
    fitted = Imputer("interpolate", window=48).fit(table())
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c"] and fitted.n_features_in_ == 3
    assert list(fitted.get_feature_names_out()) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="input_features is not equal .*: a, c, b"):
        fitted.get_feature_names_out(["a", "c", "b"])
    fitted.fit(table().to_numpy())
    assert not hasattr(fitted, "feature_names_in_")
    assert list(fitted.get_feature_names_out()) == ["x0", "x1", "x2"]
    assert list(fitted.get_feature_names_out(["u", "v", "w"])) == ["u", "v", "w"]
    with pytest.raises(ValueError, match=r"number of features \(3\): u"):
        fitted.get_feature_names_out(["u"])


def test_a_fitted_one_can_be_pickled():
    fitted = Imputer("interpolate", window=48).fit(table())
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.transform(table()), fitted.transform(table()))
