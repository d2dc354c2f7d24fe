"""train.py and eval.py as a user runs them."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

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
    assert "python eval.py runs/files --impute" in said
    results = json.loads((folder / "runs/files/results.json").read_text())
    assert [row["title"][:3] for row in results["rows"]] == ["Lin", "KNN", "NAO"]
    config = json.loads((folder / "runs/files/config.json").read_text())["config"]
    assert config["method"] == {**config["method"], "name": "naomi", "hidden": 4}


def test_eval_prints_the_same_table(folder):
    done = run("eval.py", "runs/files", cwd=folder)
    assert done.returncode == 0, done.stderr
    table = (folder / "train.txt").read_text().partition("Test data:")[2].partition("\nNext")[0]
    assert table.strip() in done.stdout


def test_the_report_holds_the_numbers_that_eval_prints(folder):
    table = run("eval.py", "runs/files", cwd=folder).stdout.splitlines()
    done = run("eval.py", "runs/files", "--report", "page.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    page = (folder / "page.html").read_text()
    rows = table[table.index(next(line for line in table if line.startswith("---"))) + 1 :]
    assert len(rows) == 3
    for row in rows:
        title, value = re.split(r"  +", row.strip())
        assert f"<td>{title}</td><td>{value}</td>" in page


def test_a_csv_with_holes_is_filled(folder):
    lines = (folder / "series.csv").read_text().splitlines()
    lines[5], lines[6], lines[9] = ",", ",nan", lines[9].split(",")[0] + ","
    (folder / "holes.csv").write_text("\n".join(lines) + "\n")
    done = run("eval.py", "runs/files", "--impute", "holes.csv", "--out", "filled.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "5 of 600 entries" in done.stdout and "trained on: series.csv" in done.stdout
    filled = (folder / "filled.csv").read_text().splitlines()
    for number, (before, after) in enumerate(zip(lines, filled, strict=True)):
        if number not in (5, 6, 9):
            assert before == after
    assert np.isfinite(np.loadtxt(folder / "filled.csv", delimiter=",", skiprows=1)).all()
    assert filled[9].split(",")[0] == lines[9].split(",")[0]


def test_a_forecast_goes_on_from_the_run(folder):
    done = run("train.py", "--data", "series.csv", *TINY, "--forecast", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Started from:  runs/files" in done.stdout and "missing at the end" in done.stdout
    assert (folder / "runs/files_forecast/results.json").exists()


def test_a_finished_run_is_not_trained_again(folder):
    before = (folder / "runs/files/metrics.jsonl").read_text()
    done = run("train.py", "--data", "series.csv", *TINY, cwd=folder)
    assert done.returncode == 0 and "NAOMI" in done.stdout
    assert (folder / "runs/files/metrics.jsonl").read_text() == before


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
        "runs/files_rnn: no run to start from; train one",
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
    ("eval.py", [], "one argument is needed"),
    ("eval.py", ["damaged"], "cannot be read as a checkpoint"),
    ("eval.py", ["nowhere"], "nowhere: not the folder of a run"),
    ("eval.py", ["runs/files", "--impute", "series.csv"], "--impute needs --out"),
    (
        "eval.py",
        ["runs/files", "--impute", "wide.csv", "--out", "o.csv"],
        "wide.csv: 3 values at a step",
    ),
    ("eval.py", ["runs/files", "--out", "o.csv"], "--out goes with --impute"),
    ("eval.py", ["runs/files", "--num-samples", "3"], "--num_samples goes with --impute"),
    ("eval.py", ["--table", "9"], "--table: invalid choice: 9"),
    ("eval.py", ["runs/files", "--report", "o.html", "--figure", "o.png"], "are two jobs"),
]


@pytest.mark.parametrize("script,arguments,message", BAD)
def test_bad_input_is_one_line_and_status_2(folder, script, arguments, message):
    (folder / "wide.csv").write_text("1,2,\n4,5,6\n")
    (folder / "broken.py").write_text("1 / 0")
    (folder / "empty.py").write_text("")
    shutil.copytree(folder / "runs/files", folder / "damaged", dirs_exist_ok=True)
    for file in (folder / "damaged").rglob("d/*"):
        file.write_bytes(b"garbage")
    done = run(script, *arguments, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr


def test_nothing_is_written_before_all_is_checked(folder):
    """The corrected command after a bad setting runs, in the same folder."""
    for wrong in (
        "--masks.test.missing=2,99",
        "--phases.squared_error.epochs=-1",
    ):
        arguments = ["--data", "series.csv", *TINY, "--workdir", "corrected", wrong]
        assert run("train.py", *arguments, cwd=folder).returncode == 2
        assert not (folder / "corrected").exists()
    done = run("train.py", "--data", "series.csv", *TINY, "--workdir", "corrected", cwd=folder)
    assert done.returncode == 0, done.stderr


def test_a_flag_inside_another_word_stays_as_it_is(folder):
    """--num-samples is a way to write --num_samples, and nothing else is rewritten."""
    shutil.copy(folder / "series.csv", folder / "x--num-samples.csv")
    done = run(
        "eval.py", "runs/files", "--impute", "x--num-samples.csv", "--out", "o--num-samples.csv",
        cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "o--num-samples.csv").exists()


def test_the_default_is_the_level_parallel_method_where_it_has_a_config(folder):
    for dataset, flag in (("traffic", "--method.passes"), ("basketball", "--method.levels")):
        done = run("train.py", "--dataset", dataset, "--help", cwd=folder)
        assert flag in done.stdout, dataset
    done = run("train.py", "--dataset", "files", "--method", "naomi_parallel", cwd=folder)
    assert done.returncode == 2 and "naomi_parallel.py; write one, or name" in done.stderr


def test_help_lists_every_setting_with_meaning_and_value(folder):
    done = run("train.py", "--dataset", "billiards", "--method", "naomi", "--help", cwd=folder)
    assert done.returncode == 0 and not done.stderr
    words = " ".join(done.stdout.split())
    for part in (
        "--method.hidden N, H, width of both GRUs",
        "--method.head_hidden N, --method.head-hidden N",
        "--phases.root_error.optimizer.learning_rate",
        "Here: 188,195.",
        "--transforms.symmetries true|false",
        "--dataset {traffic,billiards,basketball,files}",
    ):
        first, _, second = part.partition(", H")
        assert first in words and second in words, part


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
