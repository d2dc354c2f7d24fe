"""The registry of methods: who is in it, in what order, and who is refused."""

import dataclasses
import subprocess
import sys

import pytest

from naomi_jax.errors import InputError
from naomi_jax.methods import linear, registry
from naomi_jax.methods.method import Method
from naomi_jax.methods.naomi import NAOMI, NaomiSettings
from naomi_jax.training.settings import method_of

ROWS = ["linear", "knn", "rnn", "grui", "maskgan", "single_res", "naomi", "naomi_parallel"]


@pytest.fixture
def empty_again():
    """What a test registers is gone after it."""
    registry.every()
    before = dict(registry._methods)
    yield
    registry._methods.clear()
    registry._methods.update(before)


def test_the_order_is_that_of_the_rows_of_a_table():
    assert [method.name for method in registry.every()] == ROWS
    assert registry.trained() == ("rnn", "grui", "maskgan", "single_res", "naomi", "naomi_parallel")
    for method in registry.every():
        assert registry.get(method.name) is method
        assert (method.settings is None) == (method.init is None) == (method.fit is not None)


@pytest.mark.parametrize("first", ["naomi", "maskgan"])
def test_the_order_does_not_depend_on_what_is_imported_first(first):
    code = (
        f"import naomi_jax.methods.{first}\n"
        "from naomi_jax.methods import registry\n"
        "print(*(method.name for method in registry.every()))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ROWS


def test_an_unknown_name_lists_those_that_there_are():
    with pytest.raises(InputError) as caught:
        registry.get("gan")
    assert str(caught.value) == f"method: 'gan'; one of {', '.join(ROWS)} is needed"


@pytest.mark.usefixtures("empty_again")
def test_another_method_of_a_name_is_refused():
    again = registry.register(linear.LINEAR)  # as when its file is read again
    assert again is linear.LINEAR
    with pytest.raises(ValueError, match="method 'linear': there is another one of this name"):
        registry.register(dataclasses.replace(linear.LINEAR, title="Another line"))
    assert registry.get("linear") is linear.LINEAR


@pytest.mark.usefixtures("empty_again")
def test_two_methods_cannot_share_a_class_of_settings():
    """A run's method is found by the class of its settings."""
    with pytest.raises(ValueError, match="NaomiSettings are the settings of 'naomi'"):
        registry.register(dataclasses.replace(NAOMI, name="other"))
    assert "other" not in registry.trained()

    @dataclasses.dataclass(frozen=True)
    class OtherSettings(NaomiSettings):
        pass

    other = registry.register(dataclasses.replace(NAOMI, name="other", settings=OtherSettings))
    assert method_of(OtherSettings()) is other and method_of(NaomiSettings()) is NAOMI


@pytest.mark.usefixtures("empty_again")
def test_methods_of_others_stand_behind():
    last = registry.register(Method(name="last", title="Last value", impute=None, fit=None))
    assert [method.name for method in registry.every()] == [*ROWS, "last"]
    assert registry.get("last") is last
