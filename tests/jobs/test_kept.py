"""A fit that is stopped: what is kept, when it is used again, and when it is not."""

import os

import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.errors import InputError
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.imputer.models.lines import Curve
from naomi_jax.jobs import fill, kept
from naomi_jax.jobs.learning import Bound, Learning
from naomi_jax.runs import folder
from naomi_jax.store import trees
from tests.commands import naomi_jax

CANDIDATES = ("line", "cycles", "state space")


class Slow(Imputer):
    """Learns one candidate after the other, as the engine does; may be stopped behind one."""

    stop, learned, parts = None, [], []

    def _fit(self, data, *, progress, keep, begun=None, **keys):
        done = dict(begun or {})
        for number, name in enumerate(CANDIDATES):
            progress.stage(f"fitting the {name}", number / 3)
            if name not in done:
                self.learned.append(name)
                array = jnp.arange(3.0) if name == "line" else np.arange(3.0)
                done[name] = Curve(name=name), array, 2.0
                keep(done)
            if name == self.stop:
                raise KeyboardInterrupt
        self.parts.append(done)
        return super()._fit(data, **keys)


@pytest.fixture
def slow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fill, "Imputer", Slow)
    for name, value in (("stop", "cycles"), ("learned", []), ("parts", [])):
        monkeypatch.setattr(Slow, name, value)
    write(0)
    return tmp_path


def write(change):
    x = np.sin(np.arange(60) / 4) + change
    cells = ["" if 20 <= t < 25 else f"{v:.3f}" for t, v in enumerate(x)]
    with open("t.csv", "w") as file:
        file.write("\n".join(["a,b", *(f"{cell},{t % 7}" for t, cell in enumerate(cells)), ""]))


def stopped(*words):
    with pytest.raises(KeyboardInterrupt) as caught:
        naomi_jax("fill", "t.csv", "f.csv", *words)
    return str(caught.value)


def test_the_same_command_goes_on(slow, monkeypatch, capfd):
    message = "stopped; what was learned so far is kept in runs/t; the same command goes on"
    assert stopped() == message
    assert folder.kind("runs/t") is None and trees.exists("runs/t", kept.PARTIAL)
    assert not os.path.exists("f.csv")
    assert "fitting the cycles ... 33 %" in capfd.readouterr().err
    assert stopped() == message, "again, behind what is learned"
    monkeypatch.setattr(Slow, "stop", None)
    said = naomi_jax("fill", "t.csv", "f.csv")
    assert "Going on with what is kept in runs/t" in said
    assert Slow.learned == list(CANDIDATES), "each once"
    (parts,) = Slow.parts
    assert parts["line"][0] == Curve(name="line") and parts["line"][2] == 2
    assert type(parts["line"][1]) is np.ndarray and parts["line"][1].tolist() == [0, 1, 2]
    assert folder.kind("runs/t") == "imputer"
    assert not [file for file in os.listdir("runs/t") if file.startswith(kept.PARTIAL)]
    assert os.path.exists("f.csv")


@pytest.mark.parametrize("change", ["table", "seed", "bounds", "version"])
def test_of_another_table_or_with_other_settings_nothing_is_used(slow, monkeypatch, change):
    stopped()
    words = {"seed": ["--seed", "1"], "bounds": ["--bounds", "b=0,"]}.get(change, [])
    if change == "table":
        write(1)
    if change == "version":
        monkeypatch.setattr(kept, "__version__", "9")
    monkeypatch.setattr(Slow, "stop", None)
    said = naomi_jax("fill", "t.csv", "f.csv", *words)
    assert "runs/t holds the beginning of another fit: learning anew" in said
    assert Slow.learned == ["line", "cycles", *CANDIDATES]


@pytest.mark.parametrize("damage", ["byte", "cut", "empty", "list", "arrays"])
def test_a_damaged_file_is_not_used(slow, monkeypatch, damage):
    stopped()
    (arrays,) = (slow / "runs/t").glob(f"{kept.PARTIAL}-*.npz")
    path = arrays if damage == "arrays" else slow / f"runs/t/{kept.PARTIAL}.json"
    content = path.read_bytes()
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:30], "empty": b"", "list": b"[]\n"}.get(damage, changed))
    monkeypatch.setattr(Slow, "stop", None)
    assert "cannot be used: learning anew" in naomi_jax("fill", "t.csv", "f.csv")
    assert folder.kind("runs/t") == "imputer"


def test_a_failure_takes_nothing_away_that_an_earlier_fit_has_kept(slow, monkeypatch):
    stopped()

    def failing(self, data, *, keep, begun, **_):
        keep({**begun, "third": (Curve(name="third"),)})
        raise ValueError("data: odd")

    with monkeypatch.context() as patched:
        patched.setattr(Slow, "_fit", failing)
        with pytest.raises(InputError, match="odd"):
            naomi_jax("fill", "t.csv", "f.csv")
    monkeypatch.setattr(Slow, "stop", None)
    assert "Going on with what is kept in runs/t" in naomi_jax("fill", "t.csv", "f.csv")


def test_what_another_fit_has_kept_is_not_called_ones_own(slow, monkeypatch):
    stopped()
    monkeypatch.setattr(Slow, "_fit", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert stopped("--seed", "1") == ""


def test_where_nothing_was_learned_nothing_stays(slow, monkeypatch):
    monkeypatch.setattr(Slow, "_fit", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert stopped() == "" and not os.path.exists("runs")


def test_a_fit_that_fails_keeps_nothing_of_its_own(slow, monkeypatch):
    def failing(self, data, *, keep, **_):
        keep({"line": 1})
        raise ValueError("data: odd")

    monkeypatch.setattr(Slow, "_fit", failing)
    with pytest.raises(InputError, match=r"t\.csv: odd"):
        naomi_jax("fill", "t.csv", "f.csv")
    assert not os.path.exists("runs")


# What is said of the learning.


def test_the_imputer_is_given_what_was_said_alone():
    names = ["a", "b", "known"]
    assert Learning().arguments(names) == {"seed": 0, "minutes": None}
    assert Learning().record() == {"seed": 0, "minutes": None}
    every, own = Bound(None, 0, 100), Bound("b", None, 5.5)
    said = Learning(1, 2.5, True, (every, own), ("known",), (24, "7D"))
    assert said.arguments(names) == {
        "seed": 1, "minutes": 2.5, "method": "naomi_parallel", "period": [24, "7D"],
        "bounds": {"a": (0, 100), "b": (None, 5.5)},
    }  # fmt: skip
    assert said.record() == {
        "seed": 1, "minutes": 2.5, "network": True, "period": [24, "7D"],
        "bounds": ["0,100", "b=,5.5"], "covariates": ["known"],
    }  # fmt: skip
    assert Learning(bounds=(every,), period=("24h",)).arguments(names) == {
        "seed": 0, "minutes": None, "period": "24h", "bounds": (0, 100),
    }  # fmt: skip
    assert Learning(bounds=(own,)).arguments(names)["bounds"] == {"b": (None, 5.5)}


def test_what_was_said_reaches_the_imputer_and_the_record(slow, monkeypatch):
    given = {}

    class Told(Slow):
        stop = None

        def __init__(self, *, period=None, method=None, **others):
            given.update(period=period, method=method, **others)
            super().__init__(**others)

    monkeypatch.setattr(fill, "Imputer", Told)
    words = ["--network", "--period", "24", "--period=7D", "--bounds", "-5,5", "--bounds", "b=0,"]
    naomi_jax("fill", "t.csv", "f.csv", *words)
    assert given == {
        "period": [24, "7D"], "method": "naomi_parallel", "seed": 0, "minutes": None,
        "bounds": {"a": (-5, 5), "b": (0, None)},
    }  # fmt: skip
    naomi_jax("fill", "t.csv", "g.csv", *words)
    with pytest.raises(InputError, match=r"--network True, now not given") as caught:
        naomi_jax("fill", "t.csv", "g.csv", "--period", "24")
    assert all(part in str(caught.value) for part in ("--period 24 7D, now 24", "--bounds -5,5"))
