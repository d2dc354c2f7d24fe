"""Tables: methods on the test set, in the units of the data set's metrics, beside the paper's."""

import dataclasses
import json
import os
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from naomi_jax.atomic import atomic_write
from naomi_jax.data import masks, metrics
from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.methods import registry as methods
from naomi_jax.methods.fitted import Fitted

ArrayLike = Array | np.ndarray

_TEST_MASK_SEED = 2019
_LEAST_CASES = 200  # small test sets are used several times, under different masks


def fills(
    models: Sequence[Fitted],
    x: Float[np.ndarray, "N T D"],
    mask: Shaped[ArrayLike, "N T"],
    key: PRNGKeyArray,
) -> dict[str, Float[np.ndarray, "N T D"]]:
    """x filled by a straight line and by each model, by the method's name.

    Of several models of one method the first is used.
    """
    line = methods.get("linear")
    result = {line.name: np.asarray(line.impute((), x, mask))}
    for model in models:
        if model.method.name not in result:
            result[model.method.name] = model.fill(x, mask, key)
    return result


@dataclasses.dataclass(frozen=True)
class Row:
    """One method's numbers.

    Attributes:
      method: its name.
      title: its title, with a note.
      values: one a column, mean over runs.
      spread: their standard deviations over runs, or None for one run.
      paper: the paper's values, or None.
    """

    method: str
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
        return "\n".join([*(f"{note}  " for note in self._notes()), "", markdown(head, lines)])

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


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: words on the left of the first column, numbers on the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rows))


def _aligned(line, widths):
    cells = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths)))
    return "  ".join(cells).rstrip()


def _keys():
    return jax.random.split(jax.random.key(_TEST_MASK_SEED), 3)


def test_cases(
    dataset: Dataset,
    mask_config: masks.MaskConfig,
    given: Float[ArrayLike, "M T"] | None = None,
) -> tuple[Float[np.ndarray, "N T D"], Float[Array, "N T"]]:
    """What every method is tested on: (sequences, masks).

    A small set is used several times. The masks are one per sequence, from a fixed seed: the same
    for every run on the same data.
    """
    repeats = -(-_LEAST_CASES // len(dataset.test))
    x = np.tile(dataset.test, (repeats, 1, 1))
    return x, masks.draw_many(_keys()[0], mask_config, len(x), dataset.steps, given)


def make_table(
    models: Sequence[Fitted],
    dataset: Dataset,
    mask_config: masks.MaskConfig,
    given: Float[ArrayLike, "M T"] | None = None,
) -> Table:
    """Fill the test set with each model and with the methods that need no training.

    Args:
      models: runs of one method become one row, their mean and spread.
      dataset: their data.
      mask_config: how to hide steps.
      given: masks of a mask file, or None.
    """
    x, mask = test_cases(dataset, mask_config, given)
    filled, titles = _untrained(dataset, x, mask, mask_config, given)
    for model in models:
        name = model.method.name
        filled.setdefault(name, []).append(model.fill(x, mask, _keys()[2]))
        titles[name] = model.method.title
    kind = datasets.get(dataset.name)
    if kind.has_expert:
        filled[datasets.EXPERT], titles[datasets.EXPERT] = [x], "Expert"
    # The paper's tables are about steps missing anywhere.
    published = kind.paper if mask_config.kind == "random" else {}
    order = [method.name for method in methods.every()]
    rows = tuple(
        _row(name, titles[name], filled[name], x, mask, kind.metrics, published.get(name))
        for name in sorted(filled, key=lambda name: order.index(name) if name in order else 999)
    )
    names = tuple(metric.name for metric in kind.metrics)
    test_set = _test_set(dataset, x, mask_config, mask)
    return Table(dataset.source, dataset.simulated, test_set, names, rows)


def _untrained(dataset, x, mask, mask_config, given):
    """(fills, titles) of the methods that need no training, by name."""
    val_key = _keys()[1]
    val_mask = masks.draw_many(val_key, mask_config, len(dataset.val), dataset.steps, given)
    filled, titles = {}, {}
    for method in methods.every():
        if method.fit is not None:
            params, note = method.fit(dataset.train, dataset.val, val_mask)
            filled[method.name] = [np.asarray(method.impute(params, x, mask))]
            titles[method.name] = f"{method.title} ({note})" if note else method.title
    return filled, titles


def _row(name, title, fills, x, mask, columns, published):
    values = np.array(
        [
            [column.factor * metrics.mean(column.measure(x, filled, mask)) for column in columns]
            for filled in fills
        ]
    )
    spread = tuple(values.std(0, ddof=1).tolist()) if len(fills) > 1 else None
    title = f"{title} ({len(fills)} runs)" if len(fills) > 1 else title
    return Row(name, title, tuple(values.mean(0).tolist()), spread, published)


def _test_set(dataset, x, config, mask):
    """How many sequences, how masked."""
    repeats = len(x) // len(dataset.test)
    times = f" under {repeats} masks each" if repeats > 1 else ""
    missing = np.asarray(mask.shape[1] - mask.sum(1)).astype(int)
    places = {
        "random": "at random places",
        "block": "in one block",
        "tail": "at the end",
        "file": "from the mask file",
    }
    return (
        f"{len(dataset.test)} sequences of {dataset.steps} steps x {dataset.dim}{times}, "
        f"{missing.min()}-{missing.max()} missing "
        f"{' or '.join(places[kind] for kind in config.kind.split(','))} "
        f"(mask seed {_TEST_MASK_SEED})"
    )


def write_json(table: Table, path: str | os.PathLike) -> None:
    """Write a table beside the run."""
    with atomic_write(path, mode="w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(table), file, indent=2)
