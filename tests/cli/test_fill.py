"""Tables with holes at the command line: fill, impute, and the doors train.py and eval.py."""

import contextlib
import csv
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from naomi_jax.cli import program
from naomi_jax.errors import InputError
from naomi_jax.imputer import saving
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.jobs import kept, wanted
from naomi_jax.runs import folder as folders
from naomi_jax.runs import lock
from tests.commands import evaluating, naomi_jax, training

ROOT = pathlib.Path(__file__).parents[2]


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def station(rows=120, start="2024-01-01"):
    """Two sensors on stamps, with holes, a column of labels and one that is empty."""
    t = np.arange(rows)
    rng = np.random.default_rng(1)
    a = np.sin(t / 4) + 5 + 0.05 * rng.normal(size=rows)
    frame = pd.DataFrame({"a": a.round(3), "b": (100 * np.cos(t / 6)).round(0)})
    frame.loc[20:28, "a"] = np.nan
    frame.loc[60:61, "b"] = np.nan
    frame.insert(0, "time", pd.date_range(start, periods=rows, freq="h").strftime("%d.%m.%Y %H:%M"))
    frame["b"] = frame["b"].astype("Int64")
    return frame.assign(kind="x", empty=np.nan)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table, the run on it and the table that it filled."""
    folder = tmp_path_factory.mktemp("station")
    station().to_csv(folder / "station.csv", index=False)
    with contextlib.chdir(folder):
        (folder / "said.txt").write_text(training("--data", "station.csv", "--fill", "filled.csv"))
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


# Filling.


def test_only_holes_are_filled(here):
    before, after = rows_of("station.csv"), rows_of("filled.csv")
    for old, new in zip(before, after, strict=True):
        for name, a, b in zip(before[0], old, new, strict=True):
            assert a == b or (a == "" and float(b) == float(b)), (name, a, b)
    frame = pd.read_csv("filled.csv")
    assert frame[["a", "b"]].notna().all().all() and frame["empty"].isna().all()
    assert after[62][2].lstrip("-").isdigit(), "integers stay integers"


def test_what_is_said(here):
    said = (here / "said.txt").read_text()
    lines = said.splitlines()
    assert "station.csv: column 'time': the time (day first)" in lines
    assert "note: station.csv: column 'empty' has no value: it stays empty" in lines
    head = next(line for line in lines if line.startswith("column"))
    assert (
        head.split("  ")[0] == "column"
        and head.endswith("90 % interval holds")
        and "network" not in head
    )
    assert len({len(line) for line in lines if line.startswith(("column  ", "a ", "b "))}) == 1
    assert "filled.csv: 11 of 360 entries of station.csv filled; 120 stay empty" in lines
    assert "naomi-jax impute runs/station OTHER.csv FILLED.csv" in said
    record = json.loads((here / "runs/station/imputer.json").read_text())["record"]
    assert (record["file"], record["time"], record["columns"]) == (
        "station.csv", "time", ["a", "b", "empty"],
    )  # fmt: skip


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr(Imputer, "_fit", lambda *_, **__: pytest.fail("it was trained"))


def test_the_same_command_fills_without_training(here, no_training):
    said = training("--data", "station.csv", "--fill", "again.csv")
    assert "Learned before" in said
    assert (here / "again.csv").read_bytes() == (here / "filled.csv").read_bytes()


@pytest.mark.parametrize("flag", ["--max-gap=3", "--max_gap=3"])
def test_long_holes_may_stay(here, no_training, flag):
    said = training("--data", "station.csv", "--fill", "short.csv", flag, "--flag")
    assert "2 of 360 entries" in said and "129 stay empty" in said
    frame = pd.read_csv("short.csv")
    assert frame["a"].isna().sum() == 9 and frame["b"].notna().all()
    assert frame["b_filled"].sum() == 2 and frame["a_filled"].sum() == 0


def test_samples_of_a_table_are_files(here, no_training):
    training("--data", "station.csv", "--fill", "drawn.csv", "--samples", 2, "--seed", 0)
    one, two = pd.read_csv("drawn_1.csv"), pd.read_csv("drawn_2.csv")
    holes = station()["a"].isna()
    assert not (here / "drawn.csv").exists()
    assert (one["a"] == two["a"]).eq(~holes).all()


@pytest.mark.parametrize("kind", ["csv", "semicolons", "blanks", "parquet", "npz"])
def test_an_interval_stands_beside_what_is_filled(here, tmp_path, monkeypatch, kind):
    """The numbers of Imputer.interval, as the format has them; nothing where nothing is filled."""
    frame = station().drop(columns=["time", "kind", "empty"]).astype(float)
    monkeypatch.chdir(tmp_path)
    name = {"parquet": "t.parquet", "npz": "t.npz", "blanks": "t.txt"}.get(kind, "t.csv")
    if kind == "parquet":
        frame.to_parquet(name)
    elif kind == "npz":
        np.savez(name, data=frame.to_numpy(), more=np.arange(2))
    else:
        sep, decimal = {"semicolons": (";", ","), "blanks": (" ", ".")}.get(kind, (",", "."))
        hole = "NaN" if kind == "blanks" else ""
        frame.to_csv(name, index=False, sep=sep, decimal=decimal, na_rep=hole)
    naomi_jax("fill", name, f"f{name}", "--interval", 0.8, "--max-gap", 5, "--workdir", "run")
    imputer = Imputer.load("run")
    expected = imputer.interval(frame if kind != "npz" else frame.set_axis(["0", "1"], axis=1), 0.8)
    if kind == "npz":
        with np.load(f"f{name}") as found:
            assert sorted(found.files) == ["data", "high", "low", "more"]
            low, high, filled = found["low"], found["high"], found["data"]
    else:
        if kind == "parquet":
            written = pd.read_parquet(f"f{name}")
        else:
            written = pd.read_csv(f"f{name}", sep=sep, decimal=decimal)
        assert [*written] == ["a", "b", "a_low", "a_high", "b_low", "b_high"]
        low, high = (written[[f"a{end}", f"b{end}"]].to_numpy() for end in ("_low", "_high"))
        filled = written[["a", "b"]].to_numpy()
    done = frame.isna().to_numpy() & ~np.isnan(filled)
    assert done.sum() == 2, "the longer hole stays"
    for side, known in zip((low, high), expected):
        assert np.array_equal(np.isnan(side), ~done)
        np.testing.assert_allclose(side[done], known.to_numpy()[done], atol=0.51)
    assert (low[done] <= filled[done]).all() and (filled[done] <= high[done]).all()


def test_where_there_is_no_room_for_an_interval(tmp_path, monkeypatch, no_training):
    monkeypatch.chdir(tmp_path)
    values = station()[["a", "b"]].to_numpy(float, na_value=np.nan)
    np.save("t.npy", values)
    np.savez("t.npz", data=values, low=1)
    pd.DataFrame(values, columns=["a", "a_low"]).to_csv("t.csv", index=False)
    for name, message in (
        ("t.npy", "--interval: t.npy holds one array; an .npz has room"),
        ("t.npz", "--interval: t.npz has 'low' already; rename it"),
        ("t.csv", "--interval: t.csv has 'a_low' already; rename it"),
    ):
        with pytest.raises(InputError, match=message):
            naomi_jax("fill", name, f"f{name}", "--interval", 0.9)


def test_bounds_and_covariates(tmp_path, monkeypatch):
    """What is known is carried through, also with the run, and what is filled keeps the bounds."""
    monkeypatch.chdir(tmp_path)
    frame = station().drop(columns="empty").assign(known=np.arange(120) % 24)
    frame.to_csv("t.csv", index=False)
    words = ["--bounds", "a=3,", "--bounds", ",150", "--covariates", "known", "--flag"]
    said = naomi_jax("fill", "t.csv", "f.csv", *words)
    assert "known " not in said.partition("column")[2], "it is not judged"
    filled = pd.read_csv("f.csv")
    holes = frame.isna()
    assert filled["known"].equals(frame["known"]) and [*filled][-2:] == ["a_filled", "b_filled"]
    assert filled["a"][holes["a"]].min() >= 3 and filled["b"][holes["b"]].max() <= 150
    record = json.loads((tmp_path / "runs/t/imputer.json").read_text())["record"]
    assert record["settings"] == {
        "seed": 0, "minutes": None, "bounds": ["a=3,", ",150"], "covariates": ["known"],
    }  # fmt: skip
    naomi_jax("impute", "runs/t", "t.csv", "g.csv", "--flag")
    assert (tmp_path / "g.csv").read_bytes() == (tmp_path / "f.csv").read_bytes()
    frame[["known", "b", "a", "time"]].to_csv("other.csv", index=False)
    naomi_jax("impute", "runs/t", "other.csv", "o.csv")
    assert pd.read_csv("o.csv")["a"].equals(filled["a"])
    frame.loc[3, "known"] = np.nan
    frame.to_csv("holes.csv", index=False)
    with pytest.raises(InputError, match="holes.csv: covariates: 'known' has no value in row 4"):
        naomi_jax("impute", "runs/t", "holes.csv", "x.csv")
    with pytest.raises(InputError, match="holds .*--covariates known, now not given"):
        naomi_jax("fill", "t.csv", "x.csv", *words[:4])


def test_other_data_or_settings_in_the_folder(here, tmp_path):
    words = ["--data", "station.csv", "--fill", "x.csv"]
    with pytest.raises(InputError, match="holds .* other settings .--seed 0, now 1.; choose anoth"):
        training(*words, "--seed", 1)
    station(110).to_csv(tmp_path / "station.csv", index=False)
    with pytest.raises(InputError, match="runs/station holds .*other values in the file.; cho"):
        training("--data", tmp_path / "station.csv", "--fill", "x.csv")
    with pytest.raises(InputError, match="file read with no flags, now --missing 5"):
        frame = station()
        training(*words, "--missing", frame["a"][0])
    with pytest.raises(InputError, match="another table, station.csv"):
        frame = station().drop(columns="empty")
        frame.to_csv(tmp_path / "b.csv", index=False)
        training("--data", tmp_path / "b.csv", "--fill", "x.csv", "--workdir", "runs/station")
    assert not (here / "x.csv").exists()


# Other tables.


def test_columns_go_by_name(here):
    other = station(60, "2024-03-01")
    other = other[["b", "kind", "empty", "a", "time"]].assign(more=1.25)
    other.loc[5, "more"] = np.nan
    other.to_csv("other.csv", index=False)
    said = evaluating("runs/station", "--impute", "other.csv", "--out", "o.csv")
    assert "not among the columns of the run, carried through untouched: 'more'" in said
    assert "9 of 240 entries of other.csv filled" in said
    filled = pd.read_csv("o.csv")
    assert filled["a"].between(3.5, 6.5).all() and filled["b"].dropna().abs().max() <= 150
    assert filled["more"].isna().sum() == 1
    assert evaluating("runs/station").startswith("Fitted on station.csv: 120 rows, 3 columns")


@pytest.mark.parametrize(
    "change,message",
    [
        (lambda f: f.drop(columns="a"), "no column of numbers 'a', which the run was fitted on"),
        (lambda f: f.drop(columns="time"), "no column of times was found.*it was 'time'.*--time"),
        (lambda f: f.assign(time=range(120)), "its times are numbers, and the run .* dates"),
        (lambda f: f.assign(a="word"), "no column of numbers 'a'"),
    ],
)
def test_a_table_that_does_not_fit(here, change, message):
    change(station()).to_csv("wrong.csv", index=False)
    with pytest.raises(InputError, match=message) as caught:
        evaluating("runs/station", "--impute", "wrong.csv", "--out", "w.csv")
    assert "\n" not in str(caught.value) and not (here / "w.csv").exists()


def test_a_time_column_of_another_name_is_found(here):
    station().rename(columns={"time": "when"}).to_csv("renamed.csv", index=False)
    said = evaluating("runs/station", "--impute", "renamed.csv", "--out", "r.csv")
    assert "column 'when': the time" in said
    assert pd.read_csv("r.csv")["a"].equals(pd.read_csv("filled.csv")["a"])


def test_tables_without_names_go_by_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = station()[["a", "b"]].astype(float)
    values["a"] += 0.5
    values.to_csv("plain.csv", index=False, header=False)
    training("--data", "plain.csv", "--fill", "f.csv", "--missing=-99", "--header", "no")
    values.to_csv("named.csv", index=False)
    said = evaluating("runs/plain", "--impute", "named.csv", "--out", "o.csv")
    assert "columns by their order: 'a' is '0', 'b' is '1'" in said
    assert "as in the run: --missing -99" in said
    assert pd.read_csv("o.csv")["b"].equals(pd.read_csv("f.csv", header=None)[1])
    for columns, header in ((3, False), (1, False), (3, ["a", "b", "c"])):
        wide = pd.concat([values["a"]] * columns, axis=1)
        wide.to_csv("wide.csv", index=False, header=header)
        with pytest.raises(InputError, match=f"{columns} columns of numbers; the run .* on 2"):
            evaluating("runs/plain", "--impute", "wide.csv", "--out", "w.csv")
    np.save("array.npy", values.to_numpy())
    evaluating("runs/plain", "--impute", "array.npy", "--out", "o.npy", "--samples", 3)
    assert np.load("o.npy").shape == (3, 120, 2)


def test_series_under_one_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    two = pd.concat([station().assign(kind=k) for k in ("north", "south")])
    two.drop(columns="empty").to_csv("two.csv", index=False)
    said = training("--data", "two.csv", "--fill", "f.csv", "--group", "kind")
    assert "series by 'kind'" in said
    first, last = (part["a"].to_numpy() for _, part in pd.read_csv("f.csv").groupby("kind"))
    np.testing.assert_allclose(first, last, atol=1e-3)
    two.drop(columns="empty").to_csv("other.csv", index=False)
    evaluating("runs/two", "--impute", "other.csv", "--out", "o.csv")
    assert pd.read_csv("o.csv").equals(pd.read_csv("f.csv"))
    station().drop(columns=["kind", "empty"]).to_csv("one.csv", index=False)
    said = evaluating("runs/two", "--impute", "one.csv", "--out", "one_filled.csv")
    assert "one.csv: no column 'kind': taken for one series" in said


def test_nothing_missing_is_learned_from_all_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    station()[["a", "b"]].ffill().to_csv("whole.csv", index=False)
    said = training("--data", "whole.csv", "--fill", "copy.csv")
    assert "nothing was missing in whole.csv" in said and folders.kind("runs/whole") == "imputer"
    assert (tmp_path / "copy.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_sequences_of_arrays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 40, 2)).cumsum(1).astype(np.float32)
    holes = x.copy()
    holes[:, 10:15] = np.nan
    np.savez("x.npz", data=holes, other=np.arange(3))
    said = training("--data", "x.npz", "--fill", "f.npz")
    assert "6 sequences of 40 rows" in said
    with np.load("f.npz") as found:
        assert found["data"].dtype == np.float32 and np.isfinite(found["data"]).all()
        kept = ~np.isnan(holes)
        assert np.array_equal(found["data"][kept], holes[kept])
        assert found["other"].tolist() == [0, 1, 2]
    pd.DataFrame(holes[0], columns=["u", "v"]).to_csv("one.csv", index=False)
    evaluating("runs/x", "--impute", "one.csv", "--out", "filled_one.csv")
    assert pd.read_csv("filled_one.csv").notna().all().all()


@pytest.mark.slow
def test_a_network_is_trained_and_found_again(tmp_path, monkeypatch):
    """From 400 observed rows on; all of what was learned is kept, to the last bit."""
    monkeypatch.chdir(tmp_path)
    station(460).drop(columns="empty").to_csv("long.csv", index=False)
    said = training("--data", "long.csv", "--fill", "f.csv", "--minutes", 0.01)
    assert "network" in next(line for line in said.splitlines() if line.startswith("column"))
    evaluating("runs/long", "--impute", "long.csv", "--out", "o.csv")
    assert (tmp_path / "o.csv").read_bytes() == (tmp_path / "f.csv").read_bytes()


# What is refused, before any work.

FILL = ["--data", "station.csv", "--fill"]
NONE = "there is no such flag"
BAD = [
    ([*FILL, "station.csv"], "station.csv: the input itself"),
    ([*FILL, "x.parquet"], "x.parquet: station.csv is .csv, so the output must be .csv too"),
    ([*FILL, "no/x.csv"], "there is no folder no"),
    ([*FILL, "runs.csv/"], "unknown format"),
    ([*FILL, ""], "--fill: name the file to write"),
    (["--fill", "x.csv"], "--fill needs --data"),
    (["--data", "nowhere.csv", "--fill", "x.csv"], "nowhere.csv: no such file"),
    *(
        ([*FILL, "x.csv", *words.split()], f"{words.split('=')[0].split()[0]}: {NONE}")
        for words in (
            "--method naomi",
            "--dataset=files",
            "--method.hiden=3",
            "--config x.py",
            "--forecast",
            "--transforms.bounds=1",
            "--fil x",
        )
    ),
    ([*FILL, "x.csv", "--mising=3"], "--mising: there is no such flag; did you mean --missing?"),
    ([*FILL, "x.csv", "more"], "more: unexpected argument"),
    *(
        ([*FILL, "x.csv", f"{flag}={value}"], f"{flag}: '?{value}'?; {needed}")
        for flag, needed, values in (
            ("--minutes", "a (positive )?number", "0 nan inf -1 x"),
            ("--seed", "a whole number", "-1 1e3 99999999999999999999"),
            ("--max-gap", "a (positive )?whole number", "0 -1 3.5"),
            ("--samples", "a (positive )?whole number", "0 -2 two"),
            ("--header", "yes or no is needed", "maybe 1"),
        )
        for value in values.split()
    ),
    ([*FILL, "x.csv", "--max-gap"], "--max-gap: expected one argument"),
    ([*FILL, "x.csv", "--samples=1000000000"], "--samples: 1000000000; at most 1000 are drawn"),
    ([*FILL, "x.csv", "--samples=2", "--flag"], "--flag and --samples"),
    ([*FILL, "x.csv", "--decimal=x"], "--decimal 'x': '.' or ',' is needed"),
    ([*FILL, "x.csv", "--time=x"], "--time x: no such column; there are 'time', 'a'"),
    ([*FILL, "x.csv", "--workdir=station.csv"], "station.csv: cannot be written"),
    (["--data", "station.csv", "--missing=3"], f"--missing: {NONE}"),
    (["--data", "station.csv", "--max-gap=3"], f"--max-gap: {NONE}"),
    (["--data", "station.csv"], "naomi-jax fill .*station.csv FILLED.csv"),
    (["--data", "c.csv", "--workdir", "runs/station"], "runs/station holds what was learned from"),
    ([*FILL, "x.csv", "--bounds=5,1"], "--bounds: '5,1'; LOW must be less than HIGH"),
    ([*FILL, "x.csv", "--bounds", "-1"], "--bounds: '-1'; LOW,HIGH or NAME=LOW,HIGH"),
    ([*FILL, "x.csv", "--covariates", "no"], "--covariates no: no column of numbers; there are"),
    ([*FILL, "x.csv", "--covariates", "a,b,empty"], "--covariates: all columns of numbers"),
    ([*FILL, "x.csv", "--period", "1"], "--period: 1; at least 2 rows"),
    ([*FILL, "x.csv", "--period", "."], "--period: '.'; a number of rows, or a time"),
    ([*FILL, "x.csv", "--interval=1"], "--interval: 1; more than 0 and at most 0.99"),
    ([*FILL, "x.csv", "--interval=.9", "--samples=2"], "--interval and --samples"),
]


@pytest.mark.parametrize("words,message", BAD, ids=[" ".join(words) for words, _ in BAD])
def test_a_wrong_training_is_one_line(here, no_training, words, message):
    np.savetxt("c.csv", np.random.default_rng(0).normal(size=(900, 2)), delimiter=",")
    before = sorted(here.rglob("*"))
    with pytest.raises(InputError, match=message) as caught:
        training(*words)
    assert "\n" not in str(caught.value)
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    "words,message",
    [
        (["--figure", "x.png"], "runs/station was trained on a table .* there is no figure of"),
        (["--report", "x.html"], "page: runs/station was fitted on station.csv; name that"),
        (["--samples", "2"], "runs/station was trained on a table .* there is no eval --samples"),
        (["--flag"], f"--flag: {NONE}"),
        (["--missing", "3"], f"--missing: {NONE}"),
        (["--impute", "station.csv", "--out", "station.csv"], "station.csv: the input itself"),
        (["--impute", "station.csv", "--out", "x.npy"], "x.npy: station.csv is .csv"),
        (["--impute", "nowhere.csv", "--out", "x.csv"], "nowhere.csv: no such file"),
        (["--impute", "station.csv", "--out", "x.csv", "--group=no"], "--group no: no such col"),
    ],
)
def test_a_wrong_evaluation_is_one_line(here, words, message):
    with pytest.raises(InputError, match=message) as caught:
        evaluating("runs/station", *words)
    assert "\n" not in str(caught.value)


def test_a_run_that_ends_a_moment_before_is_kept(here, monkeypatch):
    """Another command has looked for it, and gets the lock when it is there."""
    monkeypatch.setattr(kept, "found", lambda *_: None)
    before = {path.name: path.read_bytes() for path in (here / "runs/station").iterdir()}
    with pytest.raises(InputError, match="runs/station holds another run"):
        training(*FILL, "x.csv")
    after = {path.name: path.read_bytes() for path in (here / "runs/station").iterdir()}
    assert after == before


def test_two_trainings_in_one_folder(here):
    with lock.training_in("busy"), pytest.raises(InputError, match="another training is going on"):
        training(*FILL, "x.csv", "--workdir", "busy")


@pytest.mark.parametrize("workdir", ["deep/er/run", "there"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError("data: too\nodd")])
def test_a_training_that_does_not_end_leaves_nothing(here, monkeypatch, error, workdir):
    def broken(imputer, *_, **__):
        (here / workdir / f"imputer-{0:016x}.npz").touch()  # as if it were ended within `save`
        raise error

    (here / "there").mkdir(exist_ok=True)
    monkeypatch.setattr(Imputer, "_fit", broken)
    before = sorted(here.rglob("*"))
    with pytest.raises((InputError, KeyboardInterrupt)) as caught:
        training(*FILL, "x.csv", "--workdir", workdir)
    assert sorted(here.rglob("*")) == before
    if caught.type is InputError:
        assert str(caught.value) == "station.csv: too"


def test_a_run_with_one_other_byte_is_refused(here, tmp_path):
    for file, place in itertools.product(("imputer.json", "imputer-*.npz"), (0.02, 0.3, 0.98)):
        for path in (here / "runs/station").glob("imputer*"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (path,) = tmp_path.glob(file)
        content = bytearray(path.read_bytes())
        content[int(place * len(content))] ^= 1
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            naomi_jax("impute", tmp_path, "station.csv", "x.csv")


# The programs.


def environment(folder):
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
    }


def test_the_first_line_comes_before_the_imports(here):
    code = (
        "import sys; from naomi_jax.cli import program; from naomi_jax.progress import Progress;"
        "Progress.stage = lambda *_: sys.exit(str({'jax', 'pandas', 'scipy'} & {*sys.modules}));"
        "program.command(['fill', 'station.csv', 'z.csv'])"
    )
    begun = time.monotonic()
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(here), cwd=here)
    assert done.stderr == "set()\n" and time.monotonic() - begun < 20


def test_ctrl_c_is_one_line_and_130(tmp_path):
    station(2000).to_csv(tmp_path / "long.csv", index=False)
    words = [sys.executable, str(ROOT / "train.py"), "--data", "long.csv", "--fill", "f.csv"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=environment(tmp_path), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as command:  # fmt: skip
        while "Learning from" not in command.stdout.readline():
            assert command.poll() is None, command.stderr.read()
        time.sleep(2)
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=120)
    assert command.returncode == 130
    *stages, nothing, last = said.splitlines()
    assert stages[0] == "reading long.csv ..." and "learning ... 2 %" in stages
    assert nothing == "" and last.startswith("stopped. Run it again with: python")
    assert not (tmp_path / "runs").exists() and not list(tmp_path.glob("*.tmp"))


def test_the_program_of_an_installed_package(here, monkeypatch, capsys):
    assert "naomi_jax.cli.program:main" in (ROOT / "setup.cfg").read_text()
    for words, expected in (
        ([], "naomi-jax fill station.csv filled.csv"),
        (["fill", "station.csv", "g.csv"], "naomi-jax impute runs/station OTHER.csv FILLED.csv"),
        (["impute", "runs/station", "station.csv", "h.csv"], "h.csv: 11 of 360 entries"),
        (["eval", "runs/station"], "Fitted on station.csv"),
    ):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/naomi-jax", *words])
        program.main()
        assert expected in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["/usr/bin/naomi-jax", "fil"])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 2
    assert "error: COMMAND: invalid choice: 'fil' (choose from" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", *program.COMMANDS])
def test_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        program.command([*name.split(), "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0 and f"usage: naomi-jax {name}" in said
    for line in said.splitlines():
        assert len(line) <= 110, line
    on_tables = ("--missing", "--dayfirst", "--max-gap", "--samples", "--interval")
    for flag in on_tables if name in ("fill", "impute") else ():
        assert flag in said
    for flag in ("--minutes", "--bounds", "--covariates", "--period", "--network"):
        assert (flag in said) == (name == "fill")


def test_names_of_files_are_those_of_saving():
    assert folders._IMPUTER == saving.FILE


def test_the_files_of_samples():
    plan = wanted.Filling("a.b/x.csv.gz", samples=2)
    assert wanted.targets(plan, False) == ["a.b/x_1.csv.gz", "a.b/x_2.csv.gz"]
    assert wanted.targets(plan, True) == ["a.b/x.csv.gz"]
