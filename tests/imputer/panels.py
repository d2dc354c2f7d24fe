"""Tables as the engine has them, for tests."""

import dataclasses

import numpy as np
import pandas as pd

from naomi_jax.imputer import fitting
from naomi_jax.imputer.judging import holding_out
from naomi_jax.imputer.models.candidate import Given, Learning
from naomi_jax.imputer.preparation import calendar, preparation
from naomi_jax.imputer.preparation.panel import Panel, rows_of


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


def given_of(table, counted=None, window=None, **changes):
    """The table as candidates see it, with a preparation that `changes` changes."""
    counted = counted or calendar.fit(None, table.bounds)
    none = np.full(table.values.shape[1], np.nan)
    found, _ = preparation.fit(table, counted, none, none, window)
    found = dataclasses.replace(found, **changes)
    return Given(found.clean(found.stabilizer.panel(table)), found)


def learning_of(given, seed=0, **changes):
    """What a fit may use of it, as `fitting.fit` says: an eighth of the rows is kept aside."""
    panel, window = given.panel, given.preparation.window
    learn, held = holding_out.split(panel, window, seed)
    mixture = fitting.mixture(panel, False)

    def hidden(table, windows, number, rows=12 * window):
        return holding_out.hidden(table, windows, window, mixture, seed, number, rows)

    rows = np.isin(np.arange(len(panel.values)), rows_of(learn))
    found = Learning(rows=rows, seed=seed, hidden=hidden, windows=held, stretches=learn)
    return dataclasses.replace(found, **changes)
