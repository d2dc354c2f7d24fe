"""Several devices and several processes train what one trains. Apart from this process: both are set at start."""

import os
import pathlib
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from naomi_jax.errors import InputError
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config
from naomi_jax.training import devices

ROOT = pathlib.Path(__file__).parents[2]

SCRIPT = """
import os, sys, tempfile, jax, numpy as np
from configs import basketball
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.methods import registry as models
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config, devices, loop

assert jax.device_count() == 8
x = np.random.default_rng(0).standard_normal((32, 10, 2)).astype(np.float32).cumsum(1) / 10
data = Dataset("toy", "toy", True, x, x[:5], x[:5])
settings = basketball.get_config()
with settings.unlocked():
    settings.update(batch_size=16, eval_epochs=2)
settings.model.update(hidden=4, head_hidden=4, levels=2, context=True)
settings.channel_independent = True
settings.masks.update(low=5.0, high=8.0, per_sequence=True)
settings.discriminator.update(hidden=4, pretrain_updates=1)
for phase in ("teacher_forced", "free_running", "adversarial"):
    settings[phase].update(epochs=int(phase in sys.argv[1:]), warmup_epochs=0)
run = config.resolve(settings.to_dict(), x.shape)

def parameters():
    with tempfile.TemporaryDirectory() as folder:
        loop.train(run, data, folder, stream=open(os.devnull, "w"))
        return run_folder.load_model(folder, run)[0]

eight = parameters()
assert {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(eight)} <= {1, 8}

mesh, key = devices.mesh(16), jax.random.key(0)
assert mesh.size == 8
mask = np.ones((5, 10)); mask[:, 3:6] = 0
shared = devices.impute(run.functions.impute, mesh, devices.replicate(eight, mesh), x[:5], mask, key)
assert shared.shape == (5, 10, 2)  # 5 sequences on 8 devices
np.testing.assert_array_equal(np.asarray(shared)[mask == 1], x[:5][mask == 1])

try:
    devices.mesh(12)
except InputError as error:
    assert "batch_size: 12" in str(error) and "batch_size=8" in str(error)
else:
    raise AssertionError

devices.mesh = lambda batch_size: None
jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6), eight, parameters())
print("same")
"""


@pytest.mark.parametrize(
    "phases",
    [
        ["free_running"],
        pytest.param(["teacher_forced", "adversarial"], marks=pytest.mark.slow),
    ],
)
def test_eight_devices_equal_one(phases):
    done = start("-c", SCRIPT, *phases, flags="--xla_force_host_platform_device_count=8")
    said, errors = done.communicate()
    assert said.strip() == "same", errors[-3000:]


def start(*arguments, cwd=None, flags=""):
    """A Python process that finds this project."""
    environment = {
        **os.environ,
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "PYTHONPATH": str(ROOT),
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *arguments], cwd=cwd, env=environment, **pipes)


def test_two_processes_equal_one(tmp_path):
    """Both train, one writes and speaks, and one process alone reads what two wrote."""
    t = np.arange(120)[:, None]
    np.savetxt(tmp_path / "series.csv", np.sin(t / [4, 5]), delimiter=",")
    tiny = "hidden=4 levels=2 head_hidden=4".split()
    command = [str(ROOT / "train.py"), "--data", "series.csv"]
    command += [f"--config.model.{setting}" for setting in tiny]
    command += ["--config.window=10", "--config.stride=2", "--config.batch_size=8"]
    command += ["--config.teacher_forced.epochs=0", "--config.free_running.epochs=2"]
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    runs = [start(*command, "--workdir", "one", cwd=tmp_path)]
    for number in range(2):
        here = ["--workdir", "two", f"--processes={address},2,{number}"]
        runs.append(start(*command, *here, cwd=tmp_path))
    said = [run.communicate(timeout=200) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said[-1][1][-3000:]
    assert "NAOMI" in said[1][0] and "NAOMI" not in said[2][0]
    record = run_folder.read(tmp_path / "two")
    run = run_config.resolve(record["config"], tuple(record["data"]["shape"][0]))
    (one, _, step), (two, _, same_step) = (
        run_folder.load_model(tmp_path / name, run) for name in ("one", "two")
    )
    assert step == same_step
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6), one, two)
    logs = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("one", "two")]
    assert logs[0].count("val_error") == logs[1].count("val_error") > 0


def test_processes_are_given_as_words_that_can_be_read():
    with pytest.raises(InputError, match="auto, or HOST:PORT,COUNT,NUMBER"):
        devices.join("localhost,2,0")
    with pytest.raises(InputError, match="cannot be joined"):
        devices.join("auto")  # there are no others here
