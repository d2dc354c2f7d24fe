"""from_torch: the same imputations as an eager PyTorch model with the public checkpoints' names."""

import jax
import numpy as np
import pytest

import naomi_jax
from naomi_jax.methods.shared import losses


def state_dict(dim=2, hidden=3, layers=2, levels=2, width=4, stochastic=True, seed=0):
    """The arrays of a public checkpoint, random."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for prefix, inputs in (("gru", dim), ("back_gru", dim + 1)):
        for layer in range(layers):
            arrays[f"{prefix}.weight_ih_l{layer}"] = (3 * hidden, inputs if layer == 0 else hidden)
            arrays[f"{prefix}.weight_hh_l{layer}"] = (3 * hidden, hidden)
            arrays[f"{prefix}.bias_ih_l{layer}"] = (3 * hidden,)
            arrays[f"{prefix}.bias_hh_l{layer}"] = (3 * hidden,)
    for level in range(levels):
        heads = {"dec.0": (width, 2 * hidden), "mean": (dim, width)}
        if stochastic:
            heads["std.0"] = (dim, width)
        for name, shape in heads.items():
            arrays[f"networks.{2**level}.{name}.weight"] = shape
            arrays[f"networks.{2**level}.{name}.bias"] = shape[:1]
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in arrays.items()}


@pytest.mark.parametrize("stochastic,layers,levels", [(False, 1, 3), (True, 2, 4)])
def test_equals_an_eager_torch_model(stochastic, layers, levels):
    torch = pytest.importorskip("torch")
    from benchmarks.eager_torch import Naomi

    torch.manual_seed(0)
    steps, batch, dim = 33, 3, 2
    theirs = Naomi(dim, 16, layers, levels, 8, stochastic)
    params = naomi_jax.from_torch({k: v.numpy() for k, v in theirs.state_dict().items()})
    rng = np.random.default_rng(1)
    for _ in range(5):
        x = rng.standard_normal((batch, steps, dim)).astype(np.float32)
        mask = rng.random(steps) < 0.15
        mask[0] = True
        key = jax.random.key(3)
        noise = None
        if stochastic:
            drawn = np.asarray(jax.random.normal(key, (1, steps, batch, dim)))[0]
            noise = torch.from_numpy(drawn.copy())
        ours = naomi_jax.impute(params, x, mask, key)
        with torch.no_grad():
            expected = theirs.impute(torch.from_numpy(x).swapaxes(0, 1), mask, noise)
        np.testing.assert_allclose(ours, expected.swapaxes(0, 1).numpy(), atol=2e-5, rtol=0)
    if not stochastic:
        loss = theirs.teacher_forced(torch.from_numpy(x).swapaxes(0, 1), mask)
        np.testing.assert_allclose(losses.teacher_forced(params, x, mask), loss.item(), rtol=1e-5)


def test_sizes_are_read_off_the_arrays():
    params = naomi_jax.from_torch(state_dict(dim=5, hidden=7, layers=1, levels=3, width=2))
    from naomi_jax.recursion.model import config_of

    expected = naomi_jax.ModelConfig(5, 7, 1, 3, 2, stochastic=True)
    assert config_of(params) == expected


@pytest.mark.parametrize(
    "change,message",
    [
        (lambda d: d.pop("gru.bias_hh_l0"), "gru.bias_hh_l0 is missing"),
        (lambda d: d.pop("networks.2.mean.bias"), "networks.2.mean.bias is missing"),
        (lambda d: d.update({"extra.weight": np.zeros(3)}), "extra.weight is not a part"),
        (lambda d: [d.pop(k) for k in list(d) if k.startswith("networks")], "strides"),
        (lambda d: [d.pop(k) for k in list(d) if k.startswith("networks.1.")], "strides"),
        (lambda d: d.update({"gru.weight_hh_l0": np.zeros((8, 3))}), "gru.weight_hh_l0 has shape"),
        (lambda d: d.update({"networks.1.mean.bias": np.zeros(9)}), "different shapes"),
        (lambda d: d.update({"back_gru.weight_ih_l0": np.zeros((9, 2))}), "back_gru"),
    ],
)
def test_a_damaged_state_dict_names_the_array(change, message):
    arrays = state_dict()
    change(arrays)
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        naomi_jax.from_torch(arrays)


def test_single_res_checkpoints_are_the_one_level_of_a_naomi():
    named = state_dict(levels=1)
    single = {name.removeprefix("networks.1."): array for name, array in named.items()}
    assert "dec.0.weight" in single and "std.0.bias" in single
    jax.tree.map(
        np.testing.assert_array_equal, naomi_jax.from_torch(single), naomi_jax.from_torch(named)
    )
