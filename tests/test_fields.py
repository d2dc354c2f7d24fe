"""Settings: types, checks, the path in every message, the same tree as flags and as JSON."""

import dataclasses
import json
from typing import Literal

import pytest

from naomi_jax import fields
from naomi_jax.errors import InputError
from naomi_jax.fields import Settings, at_least, between, positive, setting
from naomi_jax.training.settings import Optimizer, Phase, Run, from_json, to_json
from tests.settings import OPTIMIZER, small_run


@dataclasses.dataclass(frozen=True)
class Inner(Settings):
    rate: float = setting(0.5, "A rate.", positive)
    share: tuple[float, float] | None = setting(None, "A pair.")


@dataclasses.dataclass(frozen=True)
class Part(Settings):
    kind: Literal["red", "blue"] = setting("red", "A color.")
    size: int = setting(1, "A size.", at_least(1))

    @property
    def key(self):
        return self.kind


@dataclasses.dataclass(frozen=True)
class Tree(Settings):
    name: str = setting("x", "A name.")
    count: int = setting(3, "A count.", at_least(0))
    flag: bool = setting(False, "A flag.")
    limit: int | None = setting(None, "A limit.", at_least(2))
    width: float | int = setting(1, "A width.")
    decay: float = setting(0.0, "A decay.", between(0, 1, below=True))
    angle: float = setting(0.0, "An angle.", between(-1, 1))
    sizes: tuple[int, ...] = setting((), "Sizes.")
    inner: Inner = setting(Inner(), "Inside.")
    parts: tuple[Part, ...] = setting((Part(),), "Parts.")
    extra: Inner | None = setting(None, "More.")


GOOD = [
    ("count", 0),
    ("flag", True),
    ("limit", None),
    ("limit", 2),
    ("width", 2),
    ("decay", 0.999),
    ("angle", 1.0),
    ("sizes", (1, 2, 3)),
    ("extra", Inner()),
]


@pytest.mark.parametrize("name,value", GOOD)
def test_a_good_value_stays_as_it_is(name, value):
    found = getattr(Tree(**{name: value}), name)
    assert found == value and type(found) is type(value)


WRONG = [
    # A bool is an int in Python, and is none here.
    ("count", True, "count: True; a whole number is needed"),
    ("decay", False, "decay: False; a number is needed"),
    ("limit", True, "limit: True; a whole number or none is needed"),
    ("flag", 1, "flag: 1; true or false is needed"),
    ("flag", None, "flag: None; true or false is needed"),
    ("count", 3.0, "count: 3.0; a whole number is needed"),
    ("count", "3", "count: '3'; a whole number is needed"),
    ("count", None, "count: None; a whole number is needed"),
    ("decay", "0.5", "decay: '0.5'; a number is needed"),
    ("name", 3, "name: 3; a text is needed"),
    ("count", -1, "count: -1; 0 or more is needed"),
    ("limit", 1, "limit: 1; 2 or more is needed"),
    ("decay", 1.0, "decay: 1.0; from 0 to below 1 is needed"),
    ("decay", -0.1, "decay: -0.1; from 0 to below 1 is needed"),
    ("decay", float("nan"), "decay: nan; a finite number is needed"),
    ("angle", 1.5, "angle: 1.5; from -1 to 1 is needed"),
    ("sizes", [1], "sizes: [1]; a tuple is needed"),
    ("sizes", (1, 2.5), "sizes: (1, 2.5); a whole number is needed"),
    ("inner", None, "inner: None; a"),
    ("parts", (Part(), 3), "Part is needed"),
]


@pytest.mark.parametrize("name,value,message", WRONG)
def test_a_wrong_value_is_named(name, value, message):
    with pytest.raises(InputError) as caught:
        Tree(**{name: value})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "change,message",
    [
        ({"rate": 0}, "rate: 0.0; a number above 0 is needed"),
        ({"rate": float("nan")}, "rate: nan; a finite number is needed"),
        ({"rate": float("inf")}, "rate: inf; a finite number is needed"),
        ({"share": (0.1, float("nan"))}, "share: (0.1, nan); a finite number or none is needed"),
        ({"share": (0.1,)}, "share: (0.1,); a tuple of 2 or none is needed"),
        ({"share": (0.1, "b")}, "share: (0.1, 'b'); a number or none is needed"),
    ],
)
def test_pairs_and_numbers_above_zero(change, message):
    with pytest.raises(InputError) as caught:
        Inner(**change)
    assert str(caught.value) == message


def test_a_whole_number_does_for_a_number():
    """It becomes one: equal settings are the same in config.json and compile once."""
    assert type(Inner(rate=2).rate) is float
    assert type(Tree(width=2).width) is int, "where either may stand, it stays"
    assert [type(each) for each in Inner(share=(0, 1)).share] == [float, float]


def test_a_choice_lists_its_options():
    with pytest.raises(InputError, match="kind: 'green'; one of red, blue is needed"):
        Part(kind="green")
    with pytest.raises(InputError, match="kind: None; one of red, blue is needed"):
        Part(kind=None)


def test_settings_are_frozen_and_hashable():
    tree = Tree()
    with pytest.raises(dataclasses.FrozenInstanceError):
        tree.count = 4
    assert hash(tree) == hash(Tree()) and {tree: 1}[Tree()] == 1


# A tree as a flat list.


def test_leaves_are_all_values_depth_first():
    tree = Tree(parts=(Part("blue", 2), Part("red")))
    found = {leaf.name: leaf.value for leaf in fields.leaves(tree)}
    assert list(found) == [
        *("name", "count", "flag", "limit", "width", "decay", "angle", "sizes"),
        *("inner.rate", "inner.share", "parts.blue.kind", "parts.blue.size"),
        *("parts.red.kind", "parts.red.size"),
    ]
    assert found["parts.blue.size"] == 2 and found["limit"] is None
    assert {leaf.name: leaf.meaning for leaf in fields.leaves(tree)}["inner.rate"] == "A rate."
    with_extra = [leaf.name for leaf in fields.leaves(Tree(extra=Inner()))]
    assert with_extra[-2:] == ["extra.rate", "extra.share"], "a part that is absent has no leaves"


def test_parts_of_the_same_name_are_counted():
    tree = Tree(parts=(Part("red"), Part("blue"), Part("red", 2), Part("red", 3)))
    sizes = [leaf.name for leaf in fields.leaves(tree) if leaf.path[-1] == "size"]
    keys = ("red", "blue", "red_again", "red_again2")
    assert sizes == [f"parts.{key}.size" for key in keys]
    changed = fields.with_values(tree, {("parts", "red_again", "size"): 7})
    assert [part.size for part in changed.parts] == [1, 1, 7, 3]


def test_phases_of_a_run_are_named_by_their_objectives():
    phases = [Phase(o, 1, OPTIMIZER) for o in ("teacher_forced", "squared_error", "teacher_forced")]
    run = small_run(phases=tuple(phases))
    changes = {("phases", "teacher_forced_again", "optimizer", "clip"): 3.0}
    changed = fields.with_values(run, changes)
    assert [phase.optimizer.clip for phase in changed.phases] == [1.0, 1.0, 3.0]
    assert run.phases[2].optimizer.clip == 1.0, "the tree that was given stays as it is"


def test_with_values_changes_what_is_named_and_nothing_else():
    tree = Tree(parts=(Part("red"), Part("blue")), extra=Inner())
    values = {("count",): 9, ("inner", "rate"): 2, ("parts", "blue", "size"): 4}
    changed = fields.with_values(tree, values)
    assert changed == dataclasses.replace(
        tree, count=9, inner=Inner(2.0), parts=(Part("red"), Part("blue", 4))
    )
    assert fields.with_values(tree, {}) == tree


@pytest.mark.parametrize(
    "path,value,message",
    [
        (("count",), -1, "count: -1; 0 or more is needed"),
        (("inner", "rate"), -1.0, "inner.rate: -1.0; a number above 0 is needed"),
        (("parts", "red", "size"), 0, "parts.red.size: 0; 1 or more is needed"),
        (("parts", "red_again", "size"), 0, "parts.red_again.size: 0; 1 or more is needed"),
    ],
)
def test_messages_have_the_whole_path(path, value, message):
    with pytest.raises(InputError) as caught:
        fields.with_values(Tree(parts=(Part(), Part())), {path: value})
    assert str(caught.value) == message


def test_messages_of_a_run_have_the_whole_path():
    wrong = {
        ("phases", "squared_error", "optimizer", "learning_rate"): 0.0,
    }
    with pytest.raises(InputError) as caught:
        fields.with_values(small_run(), wrong)
    assert str(caught.value) == (
        "phases.squared_error.optimizer.learning_rate: 0.0; a number above 0 is needed"
    )


# Words of the command line.


@pytest.mark.parametrize(
    "hint,text,value",
    [
        (int, "-3", -3),
        (float, "3", 3.0),
        (float, "1e-3", 1e-3),
        (bool, "true", True),
        (bool, "False", False),
        (str, "a b", "a b"),
        (str, "none", "none"),
        (str | None, "none", None),
        (str | None, "", None),
        (str | None, "x.csv", "x.csv"),
        (int | None, "None", None),
        (int | None, "12", 12),
        (tuple[int, int], "3,5", (3, 5)),
        (tuple[int, int] | None, "3 5", (3, 5)),
        (tuple[int, int] | None, "none", None),
        (tuple[float, float], "0.1, 0.5", (0.1, 0.5)),
        (tuple[int, ...], "1,2,3", (1, 2, 3)),
        (tuple[int, ...], "", ()),
        (Literal["red", "blue"], "blue", "blue"),
    ],
)
def test_words_are_read(hint, text, value):
    found = fields.parse(hint, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    "hint,text,message",
    [
        (int, "3.5", "a whole number is needed"),
        (int, "", "a whole number is needed"),
        (float, "fast", "a number is needed"),
        (bool, "1", "true or false is needed"),
        (bool, "yes", "true or false is needed"),
        (int | None, "many", "a whole number or none is needed"),
        (float | None, "many", "a number or none is needed"),
        (tuple[int, int] | None, "3", "a tuple or none is needed"),
        (tuple[int, int], "3", "2 values with a comma between are needed"),
        (tuple[int, int], "3,4,5", "2 values with a comma between are needed"),
        (tuple[int, int], "3,x", "a whole number is needed"),
    ],
)
def test_words_that_cannot_be_read(hint, text, message):
    with pytest.raises(ValueError) as caught:
        fields.parse(hint, text)
    assert str(caught.value) == message


# JSON.


def test_there_and_back_through_json():
    tree = Tree(
        limit=7, sizes=(1, 2), inner=Inner(share=(0.25, 0.5)), parts=(Part("blue"), Part("blue", 2))
    )
    for each in (Tree(), tree, dataclasses.replace(tree, extra=Inner(3.0), parts=())):
        stored = json.loads(json.dumps(fields.as_dict(each)))
        assert fields.from_dict(Tree, stored) == each


def test_what_is_left_out_has_its_default():
    assert fields.from_dict(Tree, {"count": 5}) == Tree(count=5)


@pytest.mark.parametrize(
    "values,message",
    [
        ({"size": 3}, "size: there is no such setting"),
        ({"inner": {"speed": 3}}, "speed: there is no such setting"),
        ({"inner": {"rate": -1}}, "rate: -1.0; a number above 0 is needed"),
        ({"count": "many"}, "count: 'many'; a whole number is needed"),
        ({"parts": [{"kind": "green"}]}, "kind: 'green'; one of red, blue is needed"),
    ],
)
def test_a_file_with_something_wrong(values, message):
    with pytest.raises(InputError) as caught:
        fields.from_dict(Tree, values)
    assert message in str(caught.value)


def test_a_run_there_and_back_through_json():
    shared = Phase("root_error", 2, optimizer=None)
    run = small_run(phases=(*small_run().phases, shared, Phase("teacher_forced", 1, Optimizer())))
    stored = json.loads(json.dumps(to_json(run)))
    assert stored["method"]["name"] == "naomi"
    assert from_json(stored) == run and isinstance(from_json(stored), Run)
