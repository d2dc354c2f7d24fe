"""Several devices and several processes train what one trains.

Apart from this process: both are set at start.
"""

import os
import pathlib
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from naomi_jax.errors import InputError
from naomi_jax.runs import opening
from naomi_jax.training import devices, loop
from naomi_jax.training.checkpoints import Checkpoints

ROOT = pathlib.Path(__file__).parents[2]

SCRIPT = """
import dataclasses, os, sys, tempfile, jax, numpy as np
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.errors import InputError
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.runs import folder, opening
from naomi_jax.training import devices, loop
from naomi_jax.training.settings import Adversary, Optimizer, Phase
from tests.settings import same_masks, small_run

assert jax.device_count() == 8
x = np.random.default_rng(0).standard_normal((32, 10, 2)).astype(np.float32).cumsum(1) / 10
data = Dataset("files", "toy", True, x, x[:5], x[:5])
OF = {
    "teacher_forced": (1, Optimizer(learning_rate=2e-3)),
    "squared_error": (1, Optimizer(learning_rate=2e-4, clip=1.0)),
    "discriminator": (0.5,),  # one update
    "adversarial": (1, Optimizer(learning_rate=6e-5, schedule="constant")),
}
run = small_run(
    method=NaomiSettings(
        hidden=4, layers=1, levels=2, head_hidden=4, stochastic=True, residual=True, context=True
    ),
    masks=same_masks(Masks(missing=(5, 8))),
    transforms=Transforms(channel_independent=True),
    phases=tuple(Phase(objective, *OF[objective]) for objective in sys.argv[1:]),
    adversary=Adversary(hidden=4, learning_rate=4e-4, step_gain=15.0, error_weight=10.0),
    batch_size=16,
)
# A mask for each sequence, which is laid out over the devices too.
kind = dataclasses.replace(run.kind, mask_per_sequence=True)
type(run).kind = property(lambda self: kind)

def trained():
    with tempfile.TemporaryDirectory() as workdir:
        folder.create_or_resume(workdir, run, data)
        loop.train(run, data, workdir, stream=open(os.devnull, "w"))
        return opening.load(workdir)

model = trained()
eight = model.params
assert {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(eight)} <= {1, 8}

mesh, key = devices.mesh(16), jax.random.key(0)
assert mesh.size == 8
mask = np.ones((5, 10)); mask[:, 3:6] = 0
method, params = devices.on_mesh(kind, mesh), devices.replicate(eight, mesh)
shared = model._replace(method=method, params=params).fill(x[:5], mask, key)
assert shared.shape == (5, 10, 2)  # 5 sequences on 8 devices
np.testing.assert_array_equal(np.asarray(shared)[mask == 1], x[:5][mask == 1])

try:
    devices.mesh(12)
except InputError as error:
    assert "batch_size: 12" in str(error) and "batch_size=8" in str(error)
else:
    raise AssertionError

devices.mesh = lambda batch_size: None
jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6), eight, trained().params)
print("same")
"""


@pytest.mark.parametrize(
    "phases",
    [
        ["squared_error"],
        pytest.param(["teacher_forced", "discriminator", "adversarial"], marks=pytest.mark.slow),
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


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path):
    """Both train, one writes and speaks, and one process alone reads what two wrote."""
    t = np.arange(120)[:, None]
    np.savetxt(tmp_path / "series.csv", np.sin(t / [4, 5]), delimiter=",")
    tiny = "hidden=4 levels=2 head_hidden=4".split()
    command = [str(ROOT / "train.py"), "--data", "series.csv"]
    command += [f"--method.{setting}" for setting in tiny]
    command += ["--data.window=10", "--data.stride=2", "--batch_size=8"]
    command += ["--phases.teacher_forced.epochs=0", "--phases.squared_error.epochs=2"]
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
    best = []
    for name in ("one", "two"):
        with Checkpoints(tmp_path / name / loop.CHECKPOINTS, read_only=True) as checkpoints:
            best.append(checkpoints.best())
    assert best[0] == best[1]
    one, two = (opening.load(tmp_path / name).params for name in ("one", "two"))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6), one, two)
    logs = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("one", "two")]
    assert logs[0].count("val_error") == logs[1].count("val_error") > 0


def test_processes_are_given_as_words_that_can_be_read():
    with pytest.raises(InputError, match="auto, or HOST:PORT,COUNT,NUMBER"):
        devices.join("localhost,2,0")
    with pytest.raises(InputError, match="cannot be joined"):
        devices.join("auto")  # there are no others here
