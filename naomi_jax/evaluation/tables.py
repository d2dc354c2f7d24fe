"""The table of a run: its model and the baselines on the test set, in the paper's units."""

import dataclasses
import json
import os

import jax
import numpy as np

from naomi_jax import bulk
from naomi_jax.baselines import knn, linear
from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError

# Tables 1 and 2 of the paper, in the units of _units; None where it has no such row.
_PAPER = {
    "traffic": {"Linear": 15.59, "KNN": 4.58, "NAOMI": 3.54},
    "billiards": {"Linear": 19.00, "KNN": 5.381, "NAOMI": 0.067},
}
_TEST_MASK_SEED = 2019
_LEAST_CASES = 200  # small test sets are used several times, under different masks


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of errors.

    Attributes:
      source: the data, in plain words.
      simulated: whether it is simulated.
      test_set: how many sequences, how masked.
      unit: of the errors.
      rows: (name, error, the paper's error or None).
    """

    source: str
    simulated: bool
    test_set: str
    unit: str
    rows: tuple[tuple[str, float, float | None], ...]

    def __str__(self):
        label = " (simulated)" if self.simulated else ""
        head = ("model", f"L2 [{self.unit}]{label}")
        has_paper = any(paper is not None for _, _, paper in self.rows)
        head += ("paper, on its own data",) if has_paper else ()
        lines = [head]
        for name, error, paper in self.rows:
            cells = (name, f"{error:.4g}")
            lines.append(cells + (("-" if paper is None else f"{paper:g}",) if has_paper else ()))
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        text = [
            "  ".join(
                c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(l, widths))
            )
            for l in lines
        ]
        text.insert(1, "  ".join("-" * w for w in widths))
        return "\n".join([f"Test data: {self.source}", f"Test set:  {self.test_set}", "", *text])


def make_table(
    params, scaler, dataset: Dataset, mask_config: masks.MaskConfig, given=None
) -> Table:
    """Impute the test set with the model and every baseline.

    The masks are one per sequence, from a fixed seed: the same for every run on the same data.

    Args:
      params, scaler: the model.
      dataset: its data.
      mask_config: how to hide steps.
      given: (M, T) masks of a mask file, or None.
    """
    repeats = -(-_LEAST_CASES // len(dataset.test))
    x = np.tile(dataset.test, (repeats, 1, 1))
    key = jax.random.key(_TEST_MASK_SEED)
    mask_key, val_key, sample_key = jax.random.split(key, 3)
    mask = masks.draw_many(mask_key, mask_config, len(x), dataset.steps, given)
    val_mask = masks.draw_many(val_key, mask_config, len(dataset.val), dataset.steps, given)
    k = knn.choose_k(dataset.train, dataset.val, val_mask)
    fills = {
        "Linear": ("Linear", linear.impute(linear.fit(), x, mask)),
        "KNN": (f"KNN (k = {k})", knn.impute(knn.fit(dataset.train, k), x, mask)),
        "NAOMI": ("NAOMI", bulk.impute_all(params, scaler, x, mask, sample_key)),
    }
    factor, unit = _units(dataset)
    paper = _PAPER.get(dataset.name, {})
    rows = tuple(
        (name, bulk.missing_error(x, filled, mask) * factor, paper.get(row))
        for row, (name, filled) in fills.items()
    )
    times = f" under {repeats} masks each" if repeats > 1 else ""
    test_set = (
        f"{len(dataset.test)} sequences of {dataset.steps} steps x {dataset.dim}{times}, "
        f"{_masks(mask_config, mask)}"
    )
    return Table(dataset.source, dataset.simulated, test_set, unit, rows)


def _units(dataset):
    """Factor and name: the paper's units where it has any."""
    if dataset.name == "traffic":
        return 1e4, "1e-4"
    if dataset.name == "billiards":
        return 1e2 * dataset.dim, "1e-2, squared distance per missing step"
    return 1.0, "mean squared error"


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
    rows = [{"model": name, "l2": error, "paper": paper} for name, error, paper in table.rows]
    record = {**dataclasses.asdict(table), "rows": rows}
    try:
        with open(f"{path}.tmp", "w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
        os.replace(f"{path}.tmp", path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
