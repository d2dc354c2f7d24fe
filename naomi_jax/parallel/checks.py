"""Checks of the arguments of `impute`: one line says which, what is wrong, what is accepted.

Shapes and dtypes are checked always, values only where they are concrete: under jit, vmap and grad
they cannot be seen.
"""

import jax
import jax.core
import numpy as np

from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.recursion.arrays import numeric
from naomi_jax.recursion.checks import (
    as_array,
    check_key,
    check_lengths,
    check_mask,
    check_observed,
    check_samples,
    check_sequences,
    concrete,
    hosted,
)

__all__ = [
    "as_array",
    "check_arguments",
    "check_lengths",
    "check_observed",
    "hosted",
    "read_times",
]


def check_arguments(x, mask, config: ParallelConfig, num_samples, key, covariates) -> None:
    """Everything but times, lengths and observed values.

    Raises:
      TypeError: dtype. ValueError: shape, a mask other than 0 and 1, no key, covariates that the
        model does not read or lacks, or NaN among them.
    """
    if config.columns == "pairs":  # of any number of them
        check_sequences(x, max(x.shape[-1:], default=0))
        if x.shape[-1] % 2:
            raise ValueError(f"x: {x.shape[-1]} columns; this model reads pairs of columns")
    else:
        check_sequences(x, config.dim)
    check_mask(mask, x)
    check_samples(num_samples)
    if key is not None:
        check_key(key)
    elif config.stochastic:
        raise ValueError("key: this model is stochastic; pass a key, such as jax.random.key(0)")
    if covariates is None:
        if config.covariates:
            raise ValueError(f"covariates: none; this model reads {config.covariates} at each step")
        return
    covariates = as_array("covariates", covariates)
    accepted = [(*x.shape[:-1], config.covariates), (x.shape[-2], config.covariates)]
    if not config.covariates or covariates.shape not in accepted:
        options = " or ".join(str(shape) for shape in dict.fromkeys(accepted))
        needed = f"{options} is needed" if config.covariates else "this model reads none"
        raise ValueError(f"covariates: shape {covariates.shape} with x {x.shape}; {needed}")
    values = concrete(covariates)
    if values is not None and not np.isfinite(values).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"covariates: {values[place]} at {place}; finite values are needed")


def read_times(times, x, lengths):
    """Times as (1 or B, T), the first step's subtracted; one per step where there are none.

    Subtracted in the precision they come in: seconds since 1970 need more digits than float32 has.

    Raises:
      TypeError: dtype. ValueError: shape, NaN, infinite, or not increasing within a sequence's
        length.
    """
    steps = x.shape[-2]
    if times is None:
        return np.arange(steps, dtype=np.float32)[None]
    times = numeric("times", times)
    traced = isinstance(times, jax.core.Tracer)
    times = times if traced else np.asarray(times)
    accepted = list(dict.fromkeys([(steps,), x.shape[:-1]]))
    if times.shape not in accepted:
        options = " or ".join(str(shape) for shape in accepted)
        raise ValueError(
            f"times: shape {times.shape} does not match x {x.shape}; {options} is needed"
        )
    times = times.reshape(-1, steps)
    if not traced:
        _check_increasing(times, concrete(lengths) if lengths is not None else None)
    since = times - times[:, :1]
    return since.astype(np.float32)


def _check_increasing(times, lengths):
    inside = np.ones((1, times.shape[1]), bool)
    if lengths is not None:
        inside = np.arange(times.shape[1]) < lengths[:, None]
        times = np.broadcast_to(times, inside.shape)
    bad = ~np.isfinite(times) & inside
    if bad.any():
        row, step = np.argwhere(bad)[0]
        raise ValueError(f"times: {times[row, step]} at step {step}; finite values are needed")
    back = (np.diff(times, axis=1) <= 0) & inside[:, 1:]
    if back.any():
        row, step = np.argwhere(back)[0]
        raise ValueError(
            f"times: {times[row, step + 1]} at step {step + 1} after {times[row, step]}; "
            "each must be later than the one before"
        )
