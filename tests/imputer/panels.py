"""Tables as the engine has them, for tests."""

import numpy as np
import pandas as pd

from naomi_jax.imputer.preparation import calendar
from naomi_jax.imputer.preparation.panel import Panel


def panel(values, lengths=None, times=None):
    """Series of these lengths under one another; a step between rows unless times are given."""
    lengths = (len(values),) if lengths is None else lengths
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    if times is None:
        times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
    return Panel(values, bounds, times, np.zeros((len(values), 0)))


def stamped(values, begin="2024-01-01", freq="h"):
    """(calendar, panel) of one series with stamps; 2024 begins on a Monday."""
    stamps = pd.date_range(begin, periods=len(values), freq=freq).to_numpy()
    stamps = stamps.astype("datetime64[ns]")
    bounds = np.array([0, len(values)])
    counted = calendar.fit(stamps, bounds)
    times = counted.steps(stamps, len(values))
    return counted, Panel(values, bounds, times, np.zeros((len(values), 0)), stamps)


def holed(seed, shape, share=0.3):
    """Noise with holes."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    values[rng.random(shape) < share] = np.nan
    return values
