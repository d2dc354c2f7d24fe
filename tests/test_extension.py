"""Another author's method and data set, a file each: trained, in the table, drawn, on the page."""

import dataclasses
import io
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax.data import metrics
from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.drawing import Series
from naomi_jax.evaluation import report
from naomi_jax.fields import Settings, setting
from naomi_jax.figures import page, picture
from naomi_jax.methods import registry as methods
from naomi_jax.methods.method import Method
from naomi_jax.runs import folder
from naomi_jax.training import loop
from naomi_jax.training.settings import Data, Optimizer, Phase, method_of
from tests.settings import small_run

# What somebody would write in a file naomi_jax/methods/mean.py.


@dataclasses.dataclass(frozen=True)
class MeanSettings(Settings):
    """One value for each column."""

    start: float = setting(1.0, "The value before training.")


def _init(key, settings, dim):
    return {"value": jnp.full((dim,), settings.start)}


def _impute(params, x, mask, key=None, *, num_samples=None):
    shown = jnp.broadcast_to(mask, x.shape[:2])[..., None] != 0
    return jnp.where(shown, x, params["value"])


MEAN = Method(
    name="mean",
    title="Mean value",
    impute=_impute,
    settings=MeanSettings,
    init=_init,
    color="#123456",
)

# And in a file naomi_jax/data/tides.py.


def _load(request):
    t = np.arange(12)
    rng = np.random.default_rng(0)
    x = np.sin(t / 3 + rng.uniform(0, 6, (40, 1)))[..., None].astype(np.float32) + 2
    return Dataset("tides", "tides, made up here", True, x[:20], x[20:30], x[30:])


TIDES = datasets.DatasetKind(
    name="tides",
    load=_load,
    metrics=(metrics.Metric("L2 [m2]", 1, metrics.missing_l2),),
    drawing=Series(label=lambda column, dim: "level [m]"),
)


@pytest.fixture(autouse=True, scope="module")
def registered():
    methods.register(MEAN)
    datasets.register(TIDES)
    yield
    methods._methods.pop("mean")
    datasets._kinds.pop("tides")


@pytest.fixture(scope="module")
def workdir(registered, tmp_path_factory):
    """A trained run of the one on the other."""
    run = small_run(
        data=Data("tides"),
        method=MeanSettings(),
        phases=(Phase("squared_error", 40, Optimizer(0.1, schedule="constant")),),
    )
    workdir = str(tmp_path_factory.mktemp("run") / "mean")
    dataset = datasets.load("tides")
    folder.create_or_resume(workdir, run, dataset)
    loop.train(run, dataset, workdir, io.StringIO())
    return workdir


def test_it_is_trained_and_opened(workdir):
    model = naomi_jax.load(workdir)
    assert model.method is MEAN and "mean" in methods.trained() and "tides" in datasets.names()
    assert method_of(MeanSettings()) is MEAN
    np.testing.assert_allclose(model.params["value"], 0, atol=0.2)  # standardized
    x = datasets.load("tides").test
    filled = model.fill(x, np.arange(12) % 2 * np.ones((len(x), 1)), jax.random.key(0))
    assert abs(filled[:, ::2] - 2).max() < 0.5


def test_it_is_in_the_table(workdir):
    table = report.table_of_run(workdir, datasets.load("tides"))
    report.save(table, workdir)
    assert table.columns == ("L2 [m2]",)
    assert [row.method for row in table.rows] == ["linear", "knn", "mean"]
    assert "Mean value" in str(table)
    results = pathlib.Path(workdir, "results.json")
    assert json.loads(results.read_text())["rows"][-1]["title"] == "Mean value"


def test_it_is_drawn_and_on_the_page(workdir, tmp_path):
    dataset = datasets.load("tides")
    (model,), (run,) = report.load([workdir], dataset)
    path = tmp_path / "picture.svg"
    picture.write(model, dataset, *report.test_masks(run, dataset), str(path))
    drawn = path.read_text()
    assert "#123456" in drawn and "level [m]" in drawn and "Mean value" in drawn
    tasks = report.by_task([workdir])
    page.write(tasks, dataset, str(tmp_path / "page.html"), ["python", "eval.py"])
    text = (tmp_path / "page.html").read_text()
    assert "<td>Mean value</td>" in text and "tides, made up here" in text
