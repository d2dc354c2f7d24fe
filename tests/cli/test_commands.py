"""train.py and eval.py as a user runs them."""

import contextlib
import io
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from naomi_jax.cli import flags, program
from naomi_jax.cli.commands import train
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report, tables
from naomi_jax.fields import with_values
from naomi_jax.runs import lock, opening
from tests.commands import evaluating, training
from tests.settings import small_run

ROOT = pathlib.Path(__file__).parents[2]
TINY = [
    "--method.hidden=4",
    "--method.levels=3",
    "--method.head_hidden=4",
    "--data.window=12",
    "--data.stride=2",
    "--batch_size=8",
    "--phases.teacher_forced.epochs=1",
    "--phases.squared_error.epochs=2",
]


def command(script, *arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # as in conftest.py
    environment["JAX_COMPILATION_CACHE_DIR"] = str(cwd / "compiled")
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"
    return [sys.executable, str(ROOT / script), *map(str, arguments)], {
        "cwd": cwd,
        "env": environment,
    }


def run(script, *arguments, cwd):
    words, options = command(script, *arguments, cwd=cwd)
    return subprocess.run(words, capture_output=True, text=True, timeout=300, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a user's file and a run on it."""
    folder = tmp_path_factory.mktemp("user")
    t = np.arange(300)
    series = np.stack([np.sin(t / 4), np.cos(t / 4)], axis=1)
    np.savetxt(folder / "series.csv", series, delimiter=",", header="a,b", comments="", fmt="%.4f")
    done = run("train.py", "--data", "series.csv", *TINY, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "train.txt").write_text(done.stdout)
    return folder


def test_training_ends_with_the_table_and_the_next_command(folder):
    said = (folder / "train.txt").read_text()
    assert "series.csv" in said
    for row in ("Linear", "KNN (k = ", "NAOMI"):
        assert row in said
    assert "python eval.py runs/series --impute" in said
    results = json.loads((folder / "runs/series/results.json").read_text())
    assert [row["title"][:3] for row in results["rows"]] == ["Lin", "KNN", "NAO"]
    config = json.loads((folder / "runs/series/config.json").read_text())["config"]
    assert config["method"] == {**config["method"], "name": "naomi", "hidden": 4}


def test_eval_prints_the_same_table_and_the_page_holds_its_numbers(folder, monkeypatch):
    monkeypatch.chdir(folder)
    said = evaluating("runs/series")
    table = (folder / "train.txt").read_text().partition("Test data:")[2].partition("\nNext")[0]
    assert table.strip() in said
    evaluating("runs/series", "--report", "page.html")
    page = (folder / "page.html").read_text()
    lines = said.splitlines()
    rows = lines[lines.index(next(line for line in lines if line.startswith("---"))) + 1 :]
    assert len(rows) == 3
    for row in rows:
        title, value = re.split(r"  +", row.strip())
        assert f"<td>{title}</td><td>{value}</td>" in page


def test_a_csv_with_holes_is_filled(folder, monkeypatch):
    monkeypatch.chdir(folder)
    lines = (folder / "series.csv").read_text().splitlines()
    lines[5], lines[6], lines[9] = ",", ",nan", lines[9].split(",")[0] + ","
    (folder / "holes.csv").write_text("\n".join(lines) + "\n")
    said = evaluating("runs/series", "--impute", "holes.csv", "--out", "filled.csv")
    assert "5 of 600 entries" in said and "trained on: series.csv" in said
    filled = (folder / "filled.csv").read_text().splitlines()
    for number, (before, after) in enumerate(zip(lines, filled, strict=True)):
        if number not in (5, 6, 9):
            assert before == after
    assert np.isfinite(np.loadtxt(folder / "filled.csv", delimiter=",", skiprows=1)).all()
    assert filled[9].split(",")[0] == lines[9].split(",")[0]


def test_a_forecast_goes_on_from_the_run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    said = training("--data", "series.csv", *TINY, "--forecast")
    assert "Started from:  runs/series" in said and "missing at the end" in said
    assert (folder / "runs/series_forecast/results.json").exists()


def test_a_finished_run_is_not_trained_again(folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = (folder / "runs/series/metrics.jsonl").read_text()
    assert "NAOMI" in training("--data", "series.csv", *TINY)
    assert (folder / "runs/series/metrics.jsonl").read_text() == before


BAD = [
    ("train.py", ["--flga=1"], "--flga: there is no such flag"),
    ("train.py", ["--sed", "1"], "--sed: there is no such flag; did you mean --seed?"),
    ("train.py", ["--dataset", "tarffic"], "--dataset: invalid choice: 'tarffic' (choose from"),
    ("train.py", ["--data", "nowhere.csv"], "nowhere.csv: no such file or folder"),
    (
        "train.py",
        ["--data", "series.csv", "--method.hiden=3"],
        "--method.hiden: there is no such flag; did you mean --method.hidden?",
    ),
    (
        "train.py",
        ["--data", "series.csv", "--method.hidden=x"],
        "--method.hidden: 'x'; a whole number is needed",
    ),
    ("train.py", ["--data", "series.csv", "--config", "no.py"], "--config no.py: no such file"),
    ("train.py", ["--config", "broken.py"], "--config broken.py: ZeroDivisionError"),
    ("train.py", ["--config", "empty.py"], "--config empty.py: AttributeError: "),
    (
        "train.py",
        ["--data", "series.csv", *TINY[3:5], "--method", "rnn", "--forecast"],
        "runs/series_rnn: no run to start from; train one",
    ),
    ("train.py", ["--dataset", "files"], "--dataset files needs --data"),
    ("train.py", ["--data", "series.csv", "again"], "again: unexpected argument"),
    ("train.py", ["--data", "series.csv", *TINY, "--method.hidden=5"], "hidden: 4, now 5"),
    ("train.py", ["--data", "series.csv", *TINY, "--workdir", "series.csv/x"], "cannot be written"),
    (
        "train.py",
        ["--dataset", "basketball", "--config", f"{ROOT}/configs/billiards/naomi.py"],
        "naomi.py is about billiards; leave out one of the two flags",
    ),
    (
        "train.py",
        ["--method", "rnn", "--config", f"{ROOT}/configs/billiards/naomi.py"],
        "naomi.py is about naomi; leave out one of the two flags",
    ),
    ("eval.py", [], "the following arguments are required: RUN"),
    ("eval.py", ["damaged"], "cannot be read as a checkpoint"),
    ("eval.py", ["nowhere"], "nowhere: not the folder of a run"),
    ("eval.py", ["runs/series", "--impute", "series.csv"], "--impute needs --out"),
    (
        "eval.py",
        ["runs/series", "--impute", "wide.csv", "--out", "o.csv"],
        "wide.csv: 3 values at a step",
    ),
    ("eval.py", ["runs/series", "--out", "o.csv"], "--out: there is no such flag"),
    ("eval.py", ["runs/series", "--num-samples", "3"], "--samples: the model in runs/series has"),
    ("eval.py", ["--table", "9"], "NUMBER: invalid choice: 9"),
    ("eval.py", ["runs/series", "--report", "o.html", "--figure", "o.png"], "are two jobs"),
]


@pytest.fixture
def odd(folder):
    """The folder with files that are wrong in one way each."""
    (folder / "wide.csv").write_text("1,2,\n4,5,6\n")
    (folder / "broken.py").write_text("1 / 0")
    (folder / "empty.py").write_text("")
    shutil.copytree(folder / "runs/series", folder / "damaged", dirs_exist_ok=True)
    for file in (folder / "damaged").rglob("d/*"):
        file.write_bytes(b"garbage")
    return folder


@pytest.mark.parametrize("script,arguments,message", BAD)
def test_bad_input_is_one_line(odd, monkeypatch, script, arguments, message):
    monkeypatch.chdir(odd)
    with pytest.raises(InputError) as caught:
        {"train.py": training, "eval.py": evaluating}[script](*arguments)
    assert message in str(caught.value) and "\n" not in str(caught.value).strip()


@pytest.mark.parametrize("words", ["train.py", "eval.py runs/series"])
def test_the_scripts_end_with_status_2(folder, words):
    done = run(*words.split(), "--flga=1", cwd=folder)
    assert done.returncode == 2 and done.stderr.startswith("error: --flga: there is no such flag")
    assert done.stderr.count("\n") == 1, done.stderr


def test_the_corrected_command_runs(folder, monkeypatch):
    """In the same folder: nothing is written before all is checked."""
    monkeypatch.chdir(folder)
    arguments = ["--data", "series.csv", *TINY, "--workdir", "corrected"]
    with pytest.raises(InputError):
        training(*arguments, "--masks.test.missing=2,99")
    training(*arguments)


def train_here(*arguments):
    """train.py in this process; for what ends before anything is trained."""
    training("--data", "series.csv", *TINY, *arguments)


@pytest.mark.parametrize(
    "wrong",
    [
        "--masks.test.missing=2,99",
        "--masks.train.share=0.5,1.5",
        "--masks.train.share=0.9,0.2",
        "--masks.test.share=-0.1,0.5",
        "--masks.test.share=nan,0.5",
        "--masks.test.kind=no.npy",
        "--phases.squared_error.epochs=-1",
        "--phases.squared_error.epochs=1e300",
        "--phases.squared_error.optimizer.learning_rate=-1",
        "--phases.squared_error.optimizer.warmup_epochs=inf",
        "--phases.squared_error.optimizer.clip=nan",
        "--average=1",
        "--seed=99999999999999999999",
        "--data.window=100000",
        "--transforms.symmetries=true",
        "--start_from=nowhere",
    ],
)
def test_every_wrong_setting_is_found_before_the_folder_is_made(folder, monkeypatch, wrong):
    monkeypatch.chdir(folder)
    with pytest.raises(InputError) as caught:
        train_here(wrong, "--workdir", "wrong")
    assert "\n" not in str(caught.value) and not (folder / "wrong").exists()


def test_data_that_have_changed_under_a_run_are_noticed(folder, monkeypatch, tmp_path):
    """With the same name and shape: when the run goes on, and when it is evaluated."""
    shutil.copytree(folder / "runs", tmp_path / "runs")
    text = (folder / "series.csv").read_text()
    lines = text.splitlines()
    lines[100] = "0.5,0.5"
    (tmp_path / "series.csv").write_text("\n".join(lines))
    config = tmp_path / "runs/series/config.json"
    config.write_text(config.read_text().replace(str(folder), str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="other settings .data: other values than before in"):
        train_here()
    with pytest.raises(InputError, match="runs/series: the data has changed .* put the data back"):
        report.dataset_of("runs/series")
    (tmp_path / "series.csv").write_text(text)
    report.dataset_of("runs/series")


def test_two_trainings_in_one_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with (
        lock.training_in("runs/series"),
        pytest.raises(InputError, match="another training is going on in runs/series"),
    ):
        train_here()


def test_a_folder_that_cannot_be_written_is_still_evaluated(folder, monkeypatch, capsys):
    table = tables.Table("series.csv", False, "2 sequences", ("error",), ())
    monkeypatch.chdir(folder)
    monkeypatch.setattr(report, "table_of_run", lambda *_: table)
    monkeypatch.setattr(report, "RESULTS", "nowhere/results.json")
    program.command(["eval", "runs/series"])
    said = capsys.readouterr()
    assert "Test data: series.csv" in said.out
    assert said.err.startswith("note: runs/series/nowhere/results.json: cannot be written")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments,message",
    [
        (["--impute", "series.csv", "--out", "no/o.csv"], "no/o.csv: there is no folder no"),
        (["--impute", "series.csv", "--out", "runs"], "unknown format"),
        (["--impute", "series.csv", "--out", "o/"], "unknown format"),
        (["--impute", "series.csv", "--out", "o.npy"], "o.npy: series.csv is .csv, so the output"),
        (["--impute", "series.csv", "--out", "sealed/o.csv"], "the folder sealed is not writable"),
        (["--figure", "no/o.png"], "no/o.png: there is no folder"),
        (["--report", "runs"], "runs: is a folder"),
        (
            ["--impute", "series.csv", "--out", "o.csv", "--num_samples=3"],
            "--samples: the model in runs/series has no distribution to draw from; leave",
        ),
    ],
)
def test_what_cannot_be_written_is_found_before_the_work(folder, monkeypatch, arguments, message):
    (folder / "sealed").mkdir(exist_ok=True)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, _: "sealed" not in path and access(path, _))
    monkeypatch.chdir(folder)
    for name in ("load", "fitted"):
        monkeypatch.setattr(opening, name, lambda *_: pytest.fail("the work has begun"))
    with pytest.raises(InputError, match=message):
        evaluating("runs/series", *arguments)


@pytest.mark.parametrize(
    "path,method,expected",
    [
        ("/data/series.csv", "naomi", "runs/series"),
        ("a b/$HOME.npz", "naomi", "runs/$HOME"),
        ("series.csv.gz", "rnn", "runs/series_rnn"),
        ("data/", "naomi", "runs/data"),
        ("traffic.csv", "naomi", "runs/files_traffic"),
        ("traffic_rnn.csv", "naomi", "runs/files_traffic_rnn"),
        ("trafficking.csv", "naomi", "runs/trafficking"),
        ("files.csv", "naomi", "runs/files"),
        (None, "naomi", "runs/files"),
    ],
)
def test_a_run_is_named_after_the_file(path, method, expected):
    run = train.load_config(str(ROOT / f"configs/files/{method}.py"))
    assert train.default_workdir(with_values(run, {("data", "path"): path})) == expected
    built_in = with_values(small_run(), {("data", "name"): "traffic", ("data", "path"): path})
    assert train.default_workdir(built_in) == "runs/traffic", "also with a copy of one's own"


@pytest.mark.slow
def test_a_folder_of_any_name_works_in_every_command(folder):
    name = "-a $HOME 'é %s"
    done = run("train.py", "--data", "series.csv", *TINY, f"--workdir={name}", cwd=folder)
    assert done.returncode == 0, done.stderr
    said = next(line for line in done.stdout.splitlines() if line.startswith("  python eval.py"))
    words = shlex.split(said.partition("   (")[0])
    assert words[:3] == ["python", "eval.py", f"./{name}"]
    for job in (
        [],
        ["--impute", "series.csv", "--out", "$o é.csv"],
        ["--figure", "$f é.png"],
        ["--report", "$r é.html"],
    ):
        done = run("eval.py", words[2], *job, cwd=folder)
        assert done.returncode == 0, done.stderr
    done = run("eval.py", "--", name, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_a_flag_inside_another_word_stays_as_it_is(folder, monkeypatch):
    """--num-samples is a way to write --num_samples, and nothing else is rewritten."""
    monkeypatch.chdir(folder)
    shutil.copy(folder / "series.csv", folder / "x--num-samples.csv")
    evaluating("runs/series", "--impute", "x--num-samples.csv", "--out", "o--num-samples.csv")
    assert (folder / "o--num-samples.csv").exists()


def helped(*words):
    """What --help prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        program.command(["train", *words, "--help"])
    assert end.value.code == 0
    return " ".join(out.getvalue().split())


def test_the_default_is_the_level_parallel_method_where_it_has_a_config():
    for dataset, flag in (("basketball", "--method.passes"), ("files", "--method.levels")):
        assert flag in helped("--dataset", dataset), dataset
    with pytest.raises(InputError, match="naomi_parallel.py; write one, or name"):
        training("--dataset", "files", "--method", "naomi_parallel")


def test_help_lists_every_setting_with_meaning_and_value():
    words = helped("--dataset", "billiards", "--method", "naomi")
    for part in (
        "--method.hidden N H, width of both GRUs",
        "--method.head_hidden N",
        "--phases.root_error.optimizer.learning_rate",
        "Here: 188,195.",
        "--method.layers N Stacked GRU layers (paper: 2). Here: 1.",
        "--method.stochastic true|false Heads give a Gaussian's mean and standard deviation "
        "instead of a value. Here: false.",
        "--transforms.symmetries true|false",
        "--dataset {traffic,billiards,basketball,files}",
    ):
        assert part in words, part


@pytest.mark.parametrize(
    "value,shown",
    [(0, "0"), (1, "1"), (0.0, "0.0"), (1.0, "1.0"), (True, "true"), (False, "false")],
)
def test_numbers_are_shown_as_numbers(value, shown):
    assert str(flags._shown(value)) == shown


LONG = [*TINY, "--phases.squared_error.epochs=400", "--eval_epochs=20", "--workdir", "long"]


def wait_for(path, process, seconds=120):
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)


def test_ctrl_c_saves_and_says_how_to_go_on(folder):
    words, options = command("train.py", "--data", "series.csv", *LONG, cwd=folder)
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    wait_for(folder / "long/metrics.jsonl", process)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "all saved. Go on with: python" in said and "--data series.csv" in said
    assert "Traceback" not in said
    steps = [p.name for p in (folder / "long/checkpoints").iterdir() if p.name.isdigit()]
    assert steps


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Sharding info not provided")  # there is one device
def test_kill_9_three_times_changes_nothing(folder):
    """The same final parameters, to the bit, as a run left alone."""
    rng = np.random.default_rng()
    alone = [*LONG[:-1], "alone"]
    assert run("train.py", "--data", "series.csv", *alone, cwd=folder).returncode == 0
    killed = [*LONG[:-1], "killed"]
    words, options = command("train.py", "--data", "series.csv", *killed, cwd=folder)
    for _ in range(3):
        process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
        )
        wait_for(folder / "killed/metrics.jsonl", process)
        time.sleep(rng.uniform(5, 15))
        process.kill()
        process.wait()
    last = run("train.py", "--data", "series.csv", *killed, cwd=folder)
    assert last.returncode == 0, last.stderr
    assert "resuming at step" in last.stderr
    one, other = (
        json.loads((folder / name / "results.json").read_text()) for name in ("alone", "killed")
    )
    assert one == other
    one, other = (checkpoint(folder / name) for name in ("alone", "killed"))
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def checkpoint(workdir):
    """The arrays of the latest checkpoint by name."""
    import jax
    import orbax.checkpoint as ocp

    folder = workdir / "checkpoints"
    latest = max((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))
    tree = ocp.PyTreeCheckpointer().restore(latest / "default")
    return {
        jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }
