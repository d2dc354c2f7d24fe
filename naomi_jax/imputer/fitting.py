"""Fitting an engine to a table: prepare, fit the candidates, judge them, fit on all rows."""

import dataclasses
import time
from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.judging import holding_out, judge
from naomi_jax.imputer.judging.judge import Judging
from naomi_jax.imputer.judging.report import Report
from naomi_jax.imputer.models import linear, registry
from naomi_jax.imputer.models.candidate import Candidate, Given, Learning
from naomi_jax.imputer.preparation import preparation
from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.panel import Panel, rows_of, series_windows
from naomi_jax.parallel.hiding import Hiding

_FEW_HOLES = 0.005  # share of holes below which their pattern says nothing
_REACH = 12  # cycles, or windows, that rows which are hidden alike span at least
# What of the time is done when the models were fitted, when they were judged, and at the end.
_FITTED, _JUDGED = 0.6, 0.85


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What may be chosen by hand; None: by the data.

    Attributes:
      simple: fit only what needs no training.
      network: train a network, too.
      window: rows of its windows.
      minutes: at most, of what can be bounded.
      seed: of everything random.
      hiding: which entries to hide in training and when judging.
      low, high: (D,) bounds of each column; NaN where there are none.
    """

    low: Float[np.ndarray, " D"]
    high: Float[np.ndarray, " D"]
    simple: bool = False
    network: bool = False
    window: int | None = None
    minutes: float | None = None
    seed: int = 0
    hiding: Hiding | None = None


@dataclasses.dataclass(frozen=True)
class Watch:
    """Who looks on while a fit goes on.

    Attributes:
      stage: is told which part begins, and the share of the whole that is done.
      at: is told the share that is done.
      keep: is given what was fitted so far, by the model's title, to go on from another time.
      begun: what `keep` was given by an earlier fit of the same table with the same wishes.
    """

    stage: Callable[[str, float], None] = lambda name, share: None
    at: Callable[[float], None] = lambda share: None
    keep: Callable[[dict[str, tuple[Candidate, ...]]], None] = lambda found: None
    begun: Mapping[str, tuple[Candidate, ...]] = dataclasses.field(default_factory=dict)


def fit(
    panel: Panel, calendar: Calendar, wishes: Wishes, watch: Watch = Watch()
) -> tuple[Engine, Report]:
    """An engine for tables like this one, and what it reaches on held-out entries.

    An eighth of the rows is kept aside, candidates are fitted to the others and judged on these;
    then all rows are learned from. Where nothing is trained no rows are kept aside: every entry is
    judged by a season that was found without it.
    """
    began = time.monotonic()
    whole = 60 * (np.inf if wishes.minutes is None else wishes.minutes)
    watch.stage("preparing", 0.0)
    prepared, clean = preparation.fit(panel, calendar, wishes.low, wishes.high, wishes.window)
    small = not (clean.observed.sum(0) >= linear.FEWEST_ROWS).any() and not wishes.network
    simple = wishes.simple or small
    window = prepared.window
    hiding = wishes.hiding or mixture(clean, simple)
    section = _REACH * max((window, *calendar.periods))

    def hidden(panel, windows, number, rows=section):
        return holding_out.hidden(panel, windows, window, hiding, wishes.seed, number, rows)

    if simple:
        learn = held = series_windows(clean, window, window)
        learned = prepared
    else:
        learn, held = holding_out.split(clean, window, wishes.seed)
        rows = np.zeros(len(clean.values), bool)
        rows[rows_of(learn)] = True
        learned = prepared.learned_from(clean.without(~rows[:, None]))
    learning = Learning(
        rows=np.isin(np.arange(len(clean.values)), rows_of(learn)),
        seed=wishes.seed,
        hidden=hidden,
        windows=held,
        stretches=learn,
    )
    models = [
        model
        for model in registry.every()
        if (model.simple or not simple) and (wishes.network or not model.network)
    ]
    clock = _Clock(began, whole, watch)
    found = _fitted(models, Given(clean, learned), learning, clock, dict(watch.begun))
    watch.stage("judging", _FITTED)
    judging = Judging(held, hidden, section, simple, wishes.seed)
    parts = judge.judge(learned, found, clean, judging, clock.between("judging", _FITTED, _JUDGED))
    blend, residuals, report = parts
    if not simple:
        watch.stage("learning from all rows", _JUDGED)
        found = _again(models, Given(clean, prepared), learning, clock, found)
    watch.at(1.0)
    return Engine(prepared, found, blend, residuals), report


@dataclasses.dataclass(frozen=True)
class _Clock:
    """Shares of the time that a fit has."""

    began: float
    whole: float
    watch: Watch

    def moment(self, share):
        """`time.monotonic()` when this share of it is over."""
        return self.began + share * self.whole if np.isfinite(self.whole) else np.inf

    def between(self, name, first, last):
        """at(share of this stage) -> whether there is time left for it."""

        def at(share):
            self.watch.at(first + share * (last - first))
            return time.monotonic() < self.moment(last)

        return at


def _fitted(models, given, learning, clock, done):
    """The candidates of all models; each sees those before it in `learning.kept`."""
    found: list[Candidate] = []
    slow = [model.title for model in models if not model.simple]
    for model in models:
        if model.title not in done:
            place = slow.index(model.title) if model.title in slow else 0
            first, last = (_FITTED * (place + n) / max(len(slow), 1) for n in (0, 1))
            if not model.simple:
                clock.watch.stage(model.title, first)
            mine = _for(learning, found, clock, model.title, first, last)
            done[model.title] = model.fit(given, mine)
            if not model.simple:
                clock.watch.keep(dict(done))
        found.extend(done[model.title])
    return tuple(found)


def _again(models, given, learning, clock, judged):
    """The candidates once more, from all rows: those that were judged, in their order."""
    found = {one.name: one for one in judged}
    everything = np.ones(len(given.panel.values), bool)
    for model in models:
        mine = _for(learning, tuple(found.values()), clock, model.title, _JUDGED, 1.0)
        for one in model.fit(given, dataclasses.replace(mine, rows=everything)):
            if one.name in found:
                found[one.name] = one
    return tuple(found.values())


def _for(learning, found, clock, title, first, last):
    return dataclasses.replace(
        learning,
        began=time.monotonic(),
        until=clock.moment(last),
        at=clock.between(title, first, last),
        kept={one.name: one for one in found},
    )


def mixture(panel: Panel, small: bool) -> Hiding:
    """Half of the patterns are the table's own holes, where it has some.

    Nine of ten in a small table: what would be left of it under other patterns is another table.
    """
    missing = float(1 - panel.observed.mean())
    own = 0.0 if missing < _FEW_HOLES else 45.0 if small else 5.0
    return Hiding(
        entries=1.5,
        steps=1.0,
        block=1.5,
        wide_block=1.0,
        column=0.5 if panel.values.shape[1] > 1 else 0.0,
        holes=own,
        low=0.05,
        high=0.3 if small else 0.9,
    )
