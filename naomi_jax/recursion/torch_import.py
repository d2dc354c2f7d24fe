"""Parameters from a PyTorch checkpoint of the public implementation; torch is not needed."""

import re

import jax.numpy as jnp
import numpy as np

from naomi_jax.recursion import model


def from_torch(state_dict: dict) -> model.Params:
    """Convert a checkpoint of the authors' NAOMI or SingleRes.

    Args:
      state_dict: name -> array (numpy, or anything np.asarray takes): gru.weight_ih_l0 (3H, D),
        gru.weight_hh_l0 (3H, H), gru.bias_ih_l0, gru.bias_hh_l0 (3H,), ... for each layer;
        back_gru.* alike, with D + 1 inputs, the mask first; networks.<s>.dec.0.weight|bias,
        networks.<s>.mean.weight|bias and, for stochastic models, networks.<s>.std.0.weight|bias,
        for the strides s = 1, 2, 4, ...; or, in a SingleRes, dec.0.*, mean.* and std.0.* without
        networks.<s>, which become the one level of a NAOMI with R = 1. Gates in the order r, z, n.
        Other names are refused.

    Returns:
      Parameters for `impute`, in the arrays' dtype.

    Raises:
      ValueError: naming the array that is missing, superfluous or of a wrong shape.
    """
    single = re.compile(r"(dec\.0|mean|std\.0)\.")
    state_dict = {
        f"networks.1.{name}" if single.match(name) else name: array
        for name, array in state_dict.items()
    }
    arrays = _Arrays(state_dict)
    strides = sorted(
        {int(m[1]) for name in state_dict if (m := re.match(r"networks\.(\d+)\.", name))}
    )
    if not strides or strides != [2**level for level in range(len(strides))]:
        raise ValueError(
            f"state_dict: networks for the strides {strides}; 1, 2, 4, ... without a gap are needed"
        )
    parts = {"dec": "dec.0", "mean": "mean"}
    if f"networks.{strides[0]}.std.0.weight" in state_dict:
        parts["std"] = "std.0"
    params = {
        "gru": _gru(arrays, "gru"),
        "back_gru": _gru(arrays, "back_gru"),
        "heads": {
            ours: {
                "kernel": _stack(arrays, strides, theirs, "weight").swapaxes(1, 2),
                "bias": _stack(arrays, strides, theirs, "bias"),
            }
            for ours, theirs in parts.items()
        },
    }
    arrays.check_all_used()
    model.config_of(params)  # the parts must fit together
    return params


class _Arrays:
    """The state dict, keeping track of what was used."""

    def __init__(self, state_dict):
        self._left = dict(state_dict)

    def __contains__(self, name):
        return name in self._left

    def take(self, name):
        if name not in self._left:
            raise ValueError(f"state_dict: {name} is missing")
        return np.asarray(self._left.pop(name))

    def check_all_used(self):
        if self._left:
            raise ValueError(f"state_dict: {sorted(self._left)[0]} is not a part of a NAOMI model")


def _gru(arrays, prefix):
    layers = []
    while not layers or f"{prefix}.weight_ih_l{len(layers)}" in arrays:
        suffix = f"l{len(layers)}"
        wx, wh, bx, bh = (
            arrays.take(f"{prefix}.{name}_{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        hidden = wh.shape[-1]
        if wh.shape != (3 * hidden, hidden) or bx.shape != (3 * hidden,) or bh.shape != bx.shape:
            raise ValueError(
                f"state_dict: {prefix}.weight_hh_{suffix} has shape {wh.shape} and its biases "
                f"{bx.shape}, {bh.shape}; (3H, H), (3H,), (3H,) are needed"
            )
        # r and z add both biases; in n the recurrent one stands inside the product with r.
        bias = bx + np.concatenate([bh[: 2 * hidden], np.zeros_like(bh[2 * hidden :])])
        arrays_of_layer = {"wx": wx.T, "wh": wh.T, "b": bias, "c": bh[2 * hidden :]}
        layers.append({name: jnp.asarray(array) for name, array in arrays_of_layer.items()})
    return tuple(layers)


def _stack(arrays, strides, part, kind):
    found = [arrays.take(f"networks.{stride}.{part}.{kind}") for stride in strides]
    if len({array.shape for array in found}) > 1:
        shapes = ", ".join(str(array.shape) for array in found)
        raise ValueError(f"state_dict: networks.*.{part}.{kind} have different shapes: {shapes}")
    return jnp.asarray(np.stack(found))
