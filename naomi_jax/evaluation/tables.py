"""The paper's tables: models and baselines on the test set, in the paper's units."""

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from naomi_jax.data import atomic as writing
from naomi_jax.data import billiards, masks, metrics
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms.standardize import Standardiser
from naomi_jax.evaluation import paper
from naomi_jax.methods import fill as bulk
from naomi_jax.methods import knn, linear

_TEST_MASK_SEED = 2019
_LEAST_CASES = 200  # small test sets are used several times, under different masks


class Column(NamedTuple):
    """One metric.

    Attributes:
      name: with its unit.
      factor: from the data's units to that unit.
      measure: (truth, filled, mask) -> (total, count), as metrics.py's functions give them.
    """

    name: str
    factor: float
    measure: Callable


def _of_sequence(measure):
    return lambda x, filled, mask: measure(filled)


_L2 = metrics.missing_l2
_STEP_CHANGE = Column("step change [1e-3]", 1e3, _of_sequence(metrics.step_change))
COLUMNS = {
    "traffic": (Column("L2 [1e-4]", 1e4, _L2),),
    "billiards": (
        Column("sinuosity", 1, lambda x, filled, mask: metrics.sinuosity(filled, x)),
        _STEP_CHANGE,
        Column(
            "reflection to wall",
            1,
            _of_sequence(lambda x: metrics.reflection_to_wall(x, billiards.WALL)),
        ),
        # The paper's L2 is a squared distance: summed over the two coordinates.
        Column("L2 [1e-2 per step]", 2e2, _L2),
    ),
    "basketball": (
        Column("path length", 1, _of_sequence(metrics.path_length)),
        Column("out of bounds [1e-3]", 1e3, _of_sequence(metrics.out_of_bounds)),
        _STEP_CHANGE,
        Column("path difference", 1, _of_sequence(metrics.path_difference)),
        Column("player distance", 1, _of_sequence(metrics.player_distance)),
    ),
    "files": (Column("mean squared error", 1, _L2),),
}


class Fitted(NamedTuple):
    """A trained model.

    Attributes:
      title: its row.
      impute: its function.
      params: its parameters.
      scaler: its standardisation.
    """

    title: str
    impute: Callable
    params: dict
    scaler: Standardiser

    def fill(self, x, mask, key, num_samples: int | None = None) -> np.ndarray:
        """`bulk.impute_all` with this model."""
        return bulk.impute_all(
            self.params, self.scaler, x, mask, key, num_samples, impute=self.impute
        )


def fills(models: Sequence[Fitted], x, mask, key) -> dict[str, np.ndarray]:
    """x (N, T, D) filled by Linear and by each model, by title; the first of several with one title."""
    result = {"Linear": np.asarray(linear.impute(linear.fit(), x, mask))}
    for model in models:
        if model.title not in result:
            result[model.title] = model.fill(x, mask, key)
    return result


@dataclasses.dataclass(frozen=True)
class Row:
    """Attributes: title; values, one a column, mean over runs; spread, their standard deviations
    over runs or None for one run; paper, its values or None."""

    title: str
    values: tuple[float, ...]
    spread: tuple[float, ...] | None
    paper: tuple[float, ...] | None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of metrics; str() for a terminal, `markdown` for a document.

    Attributes:
      source: the data, in plain words.
      simulated: whether it is simulated.
      test_set: how many sequences, how masked.
      columns: names with units.
      rows: in the paper's order.
    """

    source: str
    simulated: bool
    test_set: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def __str__(self):
        head, *lines = self.cells()
        widths = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head))]
        rule = ["-" * width for width in widths]
        text = [_aligned(line, widths) for line in (head, rule, *lines)]
        return "\n".join([*self._notes(), "", *text])

    def markdown(self) -> str:
        """The same as a Markdown table with its notes above."""
        head, *lines = self.cells()
        rule = ["---", *["---:"] * len(self.columns)]
        text = ["| " + " | ".join(line) + " |" for line in (head, rule, *lines)]
        return "\n".join([*(f"{note}  " for note in self._notes()), "", *text])

    def _notes(self):
        notes = [f"Test data: {self.source}", f"Test set:  {self.test_set}"]
        if any(row.paper for row in self.rows):
            notes.append("In brackets:  the paper, on its own data")
        return notes

    def cells(self):
        """The column heads, then each row, as text."""
        label = " (simulated)" if self.simulated else ""
        yield ("model", *(name + label for name in self.columns))
        for row in self.rows:
            cells = []
            for i, value in enumerate(row.values):
                cell = f"{value:.4g}" if np.isfinite(value) else "-"
                cell += f" ±{row.spread[i]:.2g}" if row.spread else ""
                cell += f" ({row.paper[i]:g})" if row.paper else ""
                cells.append(cell)
            yield (row.title, *cells)


def _aligned(line, widths):
    cells = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths)))
    return "  ".join(cells).rstrip()


def _keys():
    return jax.random.split(jax.random.key(_TEST_MASK_SEED), 3)


def test_cases(dataset: Dataset, mask_config: masks.MaskConfig, given=None):
    """What every model is tested on: sequences (N, T, D), a small set several times, and masks (N, T).

    The masks are one per sequence, from a fixed seed: the same for every run on the same data.
    """
    repeats = -(-_LEAST_CASES // len(dataset.test))
    x = np.tile(dataset.test, (repeats, 1, 1))
    return x, masks.draw_many(_keys()[0], mask_config, len(x), dataset.steps, given)


def make_table(
    models: Sequence[Fitted], dataset: Dataset, mask_config: masks.MaskConfig, given=None
) -> Table:
    """Impute the test set with each model and with the baselines that need no training.

    Args:
      models: runs of one title become one row, their mean and spread.
      dataset: their data.
      mask_config: how to hide steps.
      given: (M, T) masks of a mask file, or None.
    """
    x, mask = test_cases(dataset, mask_config, given)
    repeats = len(x) // len(dataset.test)
    _, val_key, sample_key = _keys()
    val_mask = masks.draw_many(val_key, mask_config, len(dataset.val), dataset.steps, given)
    k = knn.choose_k(dataset.train, dataset.val, val_mask)
    filled = {
        "Linear": [np.asarray(linear.impute(linear.fit(), x, mask))],
        "KNN": [np.asarray(knn.impute(knn.fit(dataset.train, k), x, mask))],
    }
    for model in models:
        filled.setdefault(model.title, []).append(model.fill(x, mask, sample_key))
    columns = COLUMNS[dataset.name]
    if len(columns) > 1:
        filled["Expert"] = [x]  # the data itself
    # The paper's tables are about steps missing anywhere.
    published = paper.TABLES.get(dataset.name, {}) if mask_config.kind == "random" else {}
    titles = [title for title in paper.ORDER if title in filled]
    rows = tuple(
        _row(title, filled[title], x, mask, columns, published.get(title)) for title in titles
    )
    rows = tuple(
        dataclasses.replace(row, title=f"KNN (k = {k})") if row.title == "KNN" else row
        for row in rows
    )
    times = f" under {repeats} masks each" if repeats > 1 else ""
    test_set = (
        f"{len(dataset.test)} sequences of {dataset.steps} steps x {dataset.dim}{times}, "
        f"{_masks(mask_config, mask)}"
    )
    names = tuple(column.name for column in columns)
    return Table(dataset.source, dataset.simulated, test_set, names, rows)


def _row(title, fills, x, mask, columns, published):
    values = np.array(
        [
            [column.factor * metrics.mean(column.measure(x, filled, mask)) for column in columns]
            for filled in fills
        ]
    )
    spread = tuple(values.std(0, ddof=1).tolist()) if len(fills) > 1 else None
    title = f"{title} ({len(fills)} runs)" if len(fills) > 1 else title
    return Row(title, tuple(values.mean(0).tolist()), spread, published)


def _masks(config, mask):
    missing = np.asarray(mask.shape[1] - mask.sum(1)).astype(int)
    places = {
        "random": "at random places",
        "block": "in one block",
        "tail": "at the end",
        "file": "from the mask file",
    }
    return f"{missing.min()}-{missing.max()} missing {places[config.kind]} (mask seed {_TEST_MASK_SEED})"


def write_json(table: Table, path: str | os.PathLike) -> None:
    """Write a table beside the run."""
    with writing.whole(path, mode="w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(table), file, indent=2)
