"""The encoder of the level-parallel method: known events in, predictions at the targets out.

Blocks of recurrences over the events in both directions (LRU: Orvieto et al. 2023; S5: Smith et al.
2023), between them a gated MLP on both states. A target reads the states of all blocks, carried
from its neighbors on both sides to its own time.

Tensors are (B, K, G, F): B sequences, K events or Q targets, G lanes, F features. A model with
joint columns has one lane that reads all D columns at once; one with shared columns has D lanes
with the same weights, which hear of each other through a mean over the lanes known at an event:
parameters and work grow with D, not D^2, and 500 rows do not overfit. A model of pairs (x and y of
a player) has D / 2 lanes with the same weights and attention between them, and no name for any of
them: the order of the pairs does not matter. Times are the same for all lanes, so their
exponentials are computed once.
"""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from naomi_jax.parallel.config import HEADS, SLOWEST, ParallelConfig
from naomi_jax.parallel.inputs import features
from naomi_jax.parallel.inputs.geometry import Geometry, take_rows
from naomi_jax.parallel.network.mixture import Mixture
from naomi_jax.parallel.network.recurrence import Form, multiply, recurrence, transition
from naomi_jax.recursion.axes import leading

Params = dict


# Of a mixture's components at the start, before the softplus: 1, a quarter, 3, 1/20, ..
_SPREAD = np.array([0.5413, -1.26, 2.95, -2.97, 1.5, -0.4, 4.0, -2.0])
_FAST = 10.0  # what each pass has of its own is so many times its parameter, and moves as fast
_STRONGEST = 0.95  # correlation of neighbors: 1 would have no density
_TYPICAL = 10.0  # units of time between events for which inputs are scaled to keep states near 1


class Recurrence(nn.Module):
    """Both directions of a block: states at the events, and carried to the targets."""

    config: ParallelConfig
    form: Form

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "B K G W"], place: Geometry
    ) -> tuple[Float[Array, "B K G S"], Float[Array, "B Q G S"]]:
        """States of both directions at the events, and those of a target's neighbors then."""
        n = self.config.states
        slowest, fastest = math.log(SLOWEST), math.log(self.config.decay)

        def spread(key, shape):
            return jax.random.uniform(key, shape, minval=slowest, maxval=fastest)

        alpha = jnp.exp(self.param("log_decay", spread, (2, n)))
        even = jnp.linspace(0, self.config.frequency, n)
        omega = self.param("frequency", lambda key: jnp.stack([even, even]))
        v = nn.Dense(4 * n, name="input")(inputs)
        v = v * place.known.any(-1)[..., None, None]
        gain = jnp.sqrt(-jnp.expm1(-2 * _TYPICAL * alpha))
        v = v.reshape(*v.shape[:-1], 2, 2, n)  # direction, real and imaginary
        # Both directions in one recurrence, the backward one turned around: half the loops.
        v = _turn(v, -3) * leading(gain[:, None], v.ndim)
        following = jnp.concatenate([place.gap[:, 1:], jnp.zeros_like(place.gap[:, :1])], axis=1)
        gaps = jnp.stack([place.gap, jnp.flip(following, axis=1)], axis=-1)
        a = (part[:, :, None] for part in transition(alpha, omega, gaps))
        h = recurrence(_time_major(a), _time_major((v[..., 0, :], v[..., 1, :])), form=self.form)
        h = _turn(jnp.stack(_time_major(h), axis=-2), -3)  # (B, K, G, 2, 2, N)

        at = jnp.stack([place.left, place.right], axis=-1)
        exists = (at >= 0) & (at < place.events.shape[1])
        elapsed = [place.target_time - take_rows(place.time, at[..., way]) for way in (0, 1)]
        elapsed = jnp.where(exists, jnp.abs(jnp.stack(elapsed, axis=-1)), 0)
        re, im = transition(alpha, omega, elapsed)
        exists = exists[..., None]
        carry = (re * exists)[:, :, None], (im * exists)[:, :, None]  # (P, Q, 1, 2, N)
        held = jnp.stack([take_rows(h[..., way, :, :], at[..., way]) for way in (0, 1)], axis=-3)
        read = jnp.concatenate(multiply(carry, (held[..., 0, :], held[..., 1, :])), axis=-1)
        return h.reshape(*h.shape[:3], -1), read.reshape(*read.shape[:3], -1)


def _turn(both, axis):
    """(B, K, .., 2 at `axis`, ..) with the second of the two reversed in time."""
    forward, backward = jnp.split(both, 2, axis=axis)
    return jnp.concatenate([forward, jnp.flip(backward, axis=1)], axis=axis)


def _time_major(pair):
    first, second = pair
    return jnp.swapaxes(first, 0, 1), jnp.swapaxes(second, 0, 1)


def _normalize(x):
    return nn.LayerNorm(use_bias=False, use_scale=False)(x)


class Encoder(nn.Module):
    """Predictions at a pass's targets from its known events.

    Attributes:
      config: the sizes.
      form: of the recurrences.
      dropout: share of each MLP's outputs that is dropped; needs the rng "dropout".
    """

    config: ParallelConfig
    form: Form = "auto"
    dropout: float = 0.0

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "B T D"],
        known,
        place: Geometry,
        index: Int[Array, "L"],
        covariates: Float[Array, "V T C"] | None = None,
    ):
        """Values (B, Q, D), or if stochastic their distribution, a Mixture.

        Args:
          x: 0 where not known.
          known: (M, T, E) bool.
          place: the pass's geometry.
          index: which pass it is, one for all sequences (L = 1) or each (L = B).
          covariates: (1 or B, T, C).
        """
        config = self.config
        shared = config.columns == "shared"
        values = jnp.where(place.known, take_rows(x, place.events), 0)
        columns, event, slopes = features.event_features(values, place, config.detailed)
        h = self._lanes(columns, event, place.events, covariates)
        h = nn.Dense(config.width, name="embed_out")(
            nn.gelu(nn.Dense(config.width, name="embed")(h))
        )
        if shared:
            names = nn.initializers.normal(0.1)
            h = h + self.param("column", names, (config.dim, config.width))[None, None]
        reads = []
        for block in range(config.depth):
            u = _normalize(h)
            states, read = Recurrence(config, self.form, name=f"recurrence_{block}")(u, place)
            reads.append(read)
            if block < config.depth - 1:
                h = h + self._mlp(
                    jnp.concatenate([states, u, *self._others(u, place.known, block)], axis=-1),
                    block,
                )
        return self._predict(x, known, values, slopes, place, index, covariates, reads)

    def _others(self, u, known, name):
        """What the other lanes say at each event, as a list of one array or none."""
        kind, lanes = self.config.columns, u.shape[2]
        if kind == "joint":
            return []
        if known is not None and known.shape[-1] > 1:
            known = known.reshape(*known.shape[:2], lanes, -1).any(-1)
        if kind == "shared":
            return [_mean(u, known)]
        mask = None if known is None else known[:, :, None, None, :]
        attend = nn.MultiHeadDotProductAttention(HEADS, name=f"attention_{name}")
        return [attend(u, mask=mask)]

    def _lanes(self, columns, step, at, covariates):
        """(B, K, G, F) from features by column and by step; those of a lane side by side."""
        batch, count, dim = columns.shape[:3]
        columns = columns.reshape(batch, count, dim // self.config.lane, -1)
        parts = [step] if covariates is None else [step, take_rows(covariates, at)]
        shape = (*columns.shape[:3], -1)
        parts = [jnp.broadcast_to(p[:, :, None], (*shape[:3], p.shape[-1])) for p in parts]
        return jnp.concatenate([columns, *parts], axis=-1)

    def _mlp(self, inputs, block):
        width = self.config.width
        both = nn.Dense(4 * width, name=f"mlp_{block}")(inputs)
        gate, value = jnp.split(both, 2, axis=-1)
        return self._drop(nn.Dense(width, name=f"mlp_{block}_out")(nn.gelu(gate) * value))

    def _drop(self, x):
        return nn.Dropout(self.dropout, deterministic=self.dropout == 0)(x)

    def _predict(self, x, known, values, slopes, place, index, covariates, reads):
        config, width = self.config, 2 * self.config.width
        own_known = take_rows(known, place.targets)
        own = jnp.where(own_known, take_rows(x, place.targets), 0)
        line, columns, step, distance, bends = features.target_features(
            values, own, own_known, place, slopes
        )
        inputs = self._lanes(columns, step, place.targets, covariates)
        inputs = jnp.concatenate([*reads, inputs], axis=-1)
        level = nn.Embed(config.passes, width, name="level")(index)[:, None, None]
        hidden = nn.gelu(nn.Dense(width, name="read")(inputs) + level)
        if config.columns == "pairs":
            hidden = hidden + self._others(_normalize(hidden), None, "read")[0]
        hidden = hidden + nn.gelu(nn.Dense(width, name="head")(_normalize(hidden)))
        hidden = self._drop(hidden)

        def output(name, size):
            small = nn.initializers.variance_scaling(0.01, "fan_in", "normal")
            return nn.Dense(size, kernel_init=small, name=name)(hidden)

        if bends is not None:
            bent = output("bend", 2 * config.lane).reshape(bends.shape) * bends
            line = line + bent.sum(-1)
        if not config.stochastic:
            return line + output("value", config.lane).reshape(line.shape)
        # What is unknown grows like a random walk away from the nearest pivot, and may be much less
        # in fine passes than in coarse ones: a scale for each pass that moves fast.
        rate = self.param("log_scale", nn.initializers.zeros, (config.passes,))
        rate = jnp.exp(_FAST * rate)[index][:, None, None, None]
        scale = 0.1 * jnp.sqrt(distance)[..., None] * rate
        shape = (*line.shape, config.components)
        value, std = (
            output(name, config.lane * config.components).reshape(shape)
            for name in ("value", "std")
        )
        std = nn.softplus(std + leading(_SPREAD[: config.components], std.ndim)) * scale + 1e-4
        weight = (
            output("weight", config.components)
            if config.components > 1
            else jnp.zeros((*hidden.shape[:-1], 1), std.dtype)
        )
        along = self.param("correlation", nn.initializers.zeros, (config.passes,))
        along = _STRONGEST * jnp.tanh(_FAST * along)[index][:, None, None]
        return Mixture(line[..., None] + value * scale * 4, std, jax.nn.log_softmax(weight), along)


def _mean(u, known):
    """The mean over the columns known at each event: what the others say at that moment."""
    weight = jnp.broadcast_to(known, (*known.shape[:2], u.shape[2]))[..., None]
    total = jnp.maximum(weight.sum(2, keepdims=True), 1)
    return jnp.broadcast_to((u * weight).sum(2, keepdims=True) / total, u.shape)
