"""Several devices train what one trains. In a process of its own: the number of devices is set at start."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys, tempfile, jax, numpy as np
from configs import basketball
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.training import config, devices, loop, models, run_folder

assert jax.device_count() == 8
x = np.random.default_rng(0).standard_normal((32, 10, 2)).astype(np.float32).cumsum(1) / 10
data = Dataset("toy", "toy", True, x, x[:5], x[:5])
settings = basketball.get_config()
with settings.unlocked():
    settings.update(batch_size=16, eval_epochs=2)
settings.model.update(hidden=4, head_hidden=4, levels=2)
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
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *phases], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "same", done.stderr[-3000:]
