"""A trained method as a file that needs jax alone."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data.transforms import chain, standardize
from naomi_jax.errors import InputError
from naomi_jax.methods.fitted import Fitted
from naomi_jax.methods.naomi import NAOMI, NaomiSettings
from naomi_jax.methods.naomi_parallel import NAOMI_PARALLEL, ParallelSettings

STEPS, DIM = 9, 2
SCRIPT = """
import glob, sys
import jax, numpy as np
from jax import export
given = np.load("given.npz")
for path in glob.glob("*.program"):
    program = export.deserialize(open(path, "rb").read())
    for rows in (5, 2):
        filled = program.call(given["x"][:rows], given["mask"][:rows], np.uint32(7))
        np.save(f"{path}.{rows}.npy", filled)
assert not any(name.startswith("naomi_jax") for name in sys.modules)
"""


def fitted(method, settings, transforms):
    """With random parameters, and statistics that are not those of standardized values."""
    rng = np.random.default_rng(0)
    scaler = standardize.Standardizer(
        rng.normal(50, 9, (STEPS, DIM)).astype(np.float32), np.float32([3, 20])
    )
    memory = jnp.asarray(rng.standard_normal((20, STEPS, DIM)), jnp.float32)
    params = method.fresh(jax.random.key(1), settings, transforms.model_dim(DIM))
    return Fitted(method, params, chain.build(transforms, scaler, memory))


CASES = {
    "all transforms": (
        *(NAOMI, NaomiSettings(4, 1, 3, 3, stochastic=True, residual=True, context=True)),
        chain.Transforms(neighbors=3, channel_independent=True),
    ),
    "parallel": (
        *(NAOMI_PARALLEL, ParallelSettings(width=4, states=2, passes=2, stochastic=True)),
        chain.Transforms(),
    ),
}


def test_exported_programs_fill_alike_without_this_package(tmp_path):
    pytest.importorskip("flatbuffers")
    models = {name: fitted(*case) for name, case in CASES.items()}
    rng = np.random.default_rng(2)
    x = rng.normal(50, 9, (5, STEPS, DIM)).astype(np.float32)
    mask = rng.random(x.shape) < 0.4
    x = np.where(mask, x, np.nan)
    for name, model in models.items():
        model.export(tmp_path / f"{name}.program", STEPS)
    np.savez(tmp_path / "given.npz", x=x, mask=mask)
    quick = {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=tmp_path, env=quick, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-3000:]
    for name, model in models.items():
        for rows in (5, 2):  # any number of them
            filled = np.load(tmp_path / f"{name}.program.{rows}.npy")
            expected = model.fill(x[:rows], mask[:rows], jax.random.key(7))
            np.testing.assert_array_equal(filled[mask[:rows]], x[:rows][mask[:rows]])
            np.testing.assert_allclose(filled, expected, rtol=1e-4)


def test_what_cannot_be_exported_is_one_line(tmp_path, monkeypatch):
    model = fitted(*CASES["parallel"])
    for steps in (0, 1.5, True):
        with pytest.raises(ValueError, match=f"steps: {steps}; a whole number"):
            model.export(tmp_path / "program", steps)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="export needs flatbuffers: pip install"):
        model.export(tmp_path / "program", STEPS)
    monkeypatch.undo()
    pytest.importorskip("flatbuffers")
    with pytest.raises(InputError, match="cannot be written"):
        model.export(tmp_path / "nowhere" / "program", STEPS)
