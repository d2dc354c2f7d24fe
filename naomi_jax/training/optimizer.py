"""The optimizer of a phase, in optax's terms."""

from typing import Any

import jax
import optax

from naomi_jax.training.plan import PlannedPhase


def make_optimizer(phase: PlannedPhase, params: Any) -> optax.GradientTransformation:
    """AdamW with a clipped gradient and the phase's schedule; of `params` only shapes are read."""
    settings = phase.optimizer
    update = _adamw(phase, 1.0)
    if settings.scale_inputs:
        shares, labels = _input_shares(params)
        update = optax.partition({name: _adamw(phase, s) for name, s in shares.items()}, labels)
    return optax.chain(optax.clip_by_global_norm(settings.clip), update)


def _input_shares(params) -> tuple[dict[str, float], Any]:
    """The share of the rate for each label, and each weight's label.

    Weights that read the data take min(1, H / D): Adam moves each weight equally far, so that D > H
    of them move a unit's sum further than its H recurrent ones do.
    """
    shares, labels = {"all": 1.0}, jax.tree.map(lambda _: "all", params)
    for name in ("gru", "back_gru"):
        if name in params:
            first = params[name][0]
            shares[name] = min(1.0, first["wh"].shape[0] / first["wx"].shape[0])
            labels[name][0]["wx"] = name
    return shares, labels


def _adamw(phase, share):
    return optax.adamw(
        _rate(phase, share),
        weight_decay=phase.optimizer.weight_decay,
        mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
    )


def _rate(phase, share):
    """The schedule, times `share`."""
    peak = phase.optimizer.learning_rate * share
    if phase.optimizer.schedule == "cosine":
        first = 0.0 if phase.warmup else peak
        horizon = max(phase.horizon, phase.warmup + 1)
        return optax.warmup_cosine_decay_schedule(first, peak, phase.warmup, horizon)
    constant = optax.constant_schedule(peak)
    if not phase.warmup:
        return constant
    rise = optax.linear_schedule(0.0, peak, phase.warmup)
    return optax.join_schedules([rise, constant], [phase.warmup])
