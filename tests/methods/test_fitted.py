"""A trained method as a file that needs jax alone."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data.transforms import chain, standardize
from naomi_jax.errors import InputError
from naomi_jax.methods.fitted import Fitted
from naomi_jax.methods.grui import GRUI, GruiSettings
from naomi_jax.methods.naomi import NAOMI, NaomiSettings
from naomi_jax.methods.naomi_parallel import NAOMI_PARALLEL, ParallelSettings

STEPS, DIM = 9, 2
SCRIPT = """
import sys
import jax, numpy as np
from jax import export
given = np.load("given.npz")
program = export.deserialize(open("program", "rb").read())
np.save("filled.npy", program.call(given["x"], given["mask"], np.uint32(7)))
np.save("two.npy", program.call(given["x"][:2], given["mask"][:2], np.uint32(7)))
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


SMALL = dict(hidden=4, layers=1, head_hidden=3)
CASES = {
    "all transforms": (
        *(NAOMI, NaomiSettings(**SMALL, levels=3, residual=True, context=True)),
        chain.Transforms(neighbors=3, channel_independent=True),
    ),
    "stochastic": (
        *(NAOMI, NaomiSettings(**SMALL, levels=3, stochastic=True)),
        chain.Transforms(),
    ),
    "parallel": (
        *(NAOMI_PARALLEL, ParallelSettings(width=4, states=2, passes=2, stochastic=True)),
        chain.Transforms(),
    ),
    "autoregressive": (GRUI, GruiSettings(**SMALL), chain.Transforms()),
}


@pytest.mark.parametrize(
    "case",
    [
        case
        if case in ("parallel", "all transforms")
        else pytest.param(case, marks=pytest.mark.slow)
        for case in CASES
    ],
)
def test_an_exported_program_fills_alike_without_this_package(case, tmp_path):
    model = fitted(*CASES[case])
    rng = np.random.default_rng(2)
    x = rng.normal(50, 9, (5, STEPS, DIM)).astype(np.float32)
    mask = rng.random(x.shape) < 0.4
    x = np.where(mask, x, np.nan)
    model.export(tmp_path / "program", STEPS)
    np.savez(tmp_path / "given.npz", x=x, mask=mask)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr[-3000:]
    for name, rows in (("filled.npy", 5), ("two.npy", 2)):
        filled = np.load(tmp_path / name)
        expected = model.fill(x[:rows], mask[:rows], jax.random.key(7))
        np.testing.assert_array_equal(filled[mask[:rows]], x[:rows][mask[:rows]])
        np.testing.assert_allclose(filled, expected, rtol=1e-4)


def test_what_cannot_be_exported_is_one_line(tmp_path):
    model = fitted(*CASES["stochastic"])
    for steps in (0, 1.5, True):
        with pytest.raises(ValueError, match=f"steps: {steps}; a whole number"):
            model.export(tmp_path / "program", steps)
    with pytest.raises(InputError, match="cannot be written"):
        model.export(tmp_path / "nowhere" / "program", STEPS)
