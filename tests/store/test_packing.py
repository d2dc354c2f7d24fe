"""Trees as JSON and arrays, and back."""

import dataclasses
import json
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.store import packing


class Pair(NamedTuple):
    """Two of something."""

    left: Any
    right: float


@dataclasses.dataclass(frozen=True)
class Leaf:
    """Has an array, and a field that follows from it."""

    values: np.ndarray
    total: float = dataclasses.field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "total", float(self.values.sum()))


@dataclasses.dataclass(frozen=True)
class Branch:
    """Has others."""

    leaf: Leaf | None
    pairs: tuple[Pair, ...]
    free: Any = None


CLASSES = packing.classes(Branch)


def there_and_back(value, classes=CLASSES):
    packed, arrays = packing.pack(value, classes)
    return packing.unpack(json.loads(json.dumps(packed)), arrays, classes)


def test_classes_are_found_from_fields():
    assert {"Branch": Branch, "Leaf": Leaf, "Pair": Pair} == CLASSES


def test_everything_comes_back_as_it_was():
    leaf = Leaf(np.array([1.5, np.nan]))
    value = {
        "candidates": (Branch(leaf, (Pair([1, "x"], 0.1), Pair(None, -np.inf))), leaf),
        7: [True, None, {("a", 1): "two", 2.5: ()}],
        "of jax": jnp.arange(3, dtype=jnp.int8),
        "stamps": np.array(["2024-01-01", "NaT"], "datetime64[s]"),
        "letters": np.array(["a", "bc"]),
        "scalar": np.float32(0.5),
        "empty": np.zeros((0, 3), bool),
    }
    found = there_and_back(value)
    assert list(found) == list(value)
    (branch, other), kept = found["candidates"], value["candidates"][0]
    assert type(branch) is Branch and branch.pairs == kept.pairs
    assert type(branch.pairs[0]) is Pair and type(other) is Leaf and np.isnan(other.total)
    assert found[7] == value[7] and found["scalar"] == 0.5
    for name in ("of jax", "stamps", "letters", "empty"):
        assert found[name].dtype == value[name].dtype
        np.testing.assert_array_equal(found[name], value[name])


@pytest.mark.parametrize(
    "value",
    [{1}, b"x", 1j, object(), np.array([None]), np.datetime64("2024-01-01"), [{"a": Leaf}]],
)
def test_what_cannot_be_kept_is_refused(value):
    with pytest.raises(TypeError, match="cannot be kept|is neither a string nor a number"):
        packing.pack({"deep": [value]}, CLASSES)


def test_a_class_that_is_not_known_is_refused():
    with pytest.raises(TypeError, match="Leaf is neither"):
        packing.pack([Leaf(np.ones(2))], {})
    with pytest.raises(TypeError, match="Pair is neither"):
        packing.pack([Pair(1, 2)], {"Pair": Leaf})
    packed, arrays = packing.pack(Leaf(np.ones(2)), CLASSES)
    with pytest.raises(KeyError):
        packing.unpack(packed, arrays, {})
