"""What the encoder reads of an event and of a target: values, straight lines, slopes and log times.

Nothing here depends on where the arrays begin or end, nor on the steps without an event: a row that
is absent and a row that is wholly missing give the same features.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from naomi_jax.parallel.inputs.geometry import Geometry, take_entries, take_rows

# With more columns, the features of one column alone (slopes, its own distances) would be most of
# the input layer and overfit; the state and the event's own distances must do.
DETAILED_COLUMNS = 32


def event_features(
    values: Float[Array, "B K D"], place: Geometry, detailed: bool
) -> tuple[Float[Array, "B K D F"], Float[Array, "P K 2"], Float[Array, "B K D 2"] | None]:
    """Features of each column at each event, and of the event.

    Args:
      values: x at the events, 0 where missing.
      place: the pass.
      detailed: with slopes and distances of the column.

    Returns:
      Of each column: known or not, the value (the line's where it is missing), and if detailed the
      slopes to the column's known events on both sides and the log times to them. Of the event: the
      log times to the events on both sides. And the slopes themselves, if detailed, else None.
    """
    known = place.known
    left, right, since, until, has_left, has_right = _sides(
        values, place, place.before, place.after, place.time
    )
    value = jnp.where(known, values, _line(left, right, since, until, has_left, has_right))
    columns = [jnp.broadcast_to(known, value.shape).astype(value.dtype), value]
    slopes = None
    if detailed:
        sides = _slope(value - left, since, has_left), _slope(right - value, until, has_right)
        slopes = jnp.stack(sides, axis=-1)
        columns += [
            *(_compressed(slope) for slope in sides),
            _log_time(since, has_left, value.shape),
            _log_time(until, has_right, value.shape),
        ]
    count = place.time.shape[1]
    valid = known.any(-1)
    follows = jnp.concatenate([valid[:, 1:], jnp.zeros_like(valid[:, :1])], axis=1)
    following = jnp.concatenate([place.gap[:, 1:], jnp.zeros_like(place.gap[:, :1])], axis=1)
    first = jnp.arange(count)[None] > 0
    shape = place.gap.shape
    event = [_log_time(place.gap, valid & first, shape), _log_time(following, follows, shape)]
    return jnp.stack(columns, axis=-1), jnp.stack(event, axis=-1), slopes


def target_features(
    values: Float[Array, "B K D"],
    own: Float[Array, "B Q D"],
    known,
    place: Geometry,
    slopes: Float[Array, "B K D 2"] | None,
):
    """The line at each target, features of each column and of the target's step.

    Args:
      values: x at the events, 0 where missing.
      own: x at the targets' steps, 0 where missing.
      known: (M, Q, E) which of them are known.
      place: the pass.
      slopes: of the events, for detailed features: the slope of the line, those on the far sides
        of both pivots, and the distances of the column. None without.

    Returns:
      line: (B, Q, D), constant beyond the outermost known entries, 0 in a column without any.
      columns: (B, Q, D, F): known or not, the known value, the line, and if detailed its slope and
        the log times to the column's pivots.
      step: (P, Q, 2), the log times to the events on both sides.
      distance: (P, Q, E), time to the nearest pivot of the column; 1 without any.
      bends: (B, Q, D, 2), how far a curve that leaves each pivot with the slope on its far side is
        from the line there, or None. Half of both added to the line is the curve of Catmull and Rom
        where entries are evenly spaced; beyond the last pivot one is the line through the last two.
    """
    left, right, since, until, has_left, has_right = _sides(
        values, place, place.target_before, place.target_after, place.target_time
    )
    line = _line(left, right, since, until, has_left, has_right)
    columns = [jnp.broadcast_to(known, line.shape).astype(line.dtype), own, line]
    bends = None
    if slopes is not None:
        both = has_left & has_right
        before = jnp.where(has_left, take_entries(slopes[..., 0], place.target_before), 0)
        after = jnp.where(has_right, take_entries(slopes[..., 1], place.target_after), 0)
        slope = _slope(right - left, since + until, both)
        span = jnp.where(both & (since + until > 0), since + until, 1)  # 0 at a known entry
        share = jnp.where(both, since / span, 0)
        bend = (before - slope) * since * (1 - share) ** 2
        back = (slope - after) * until * jnp.where(both, share, 1) ** 2
        start = take_entries(place.before, place.target_before) >= 0
        end = take_entries(place.after, place.target_after) < _count(place)
        bends = jnp.stack(
            [jnp.where(has_left & start, bend, 0), jnp.where(has_right & end, back, 0)], axis=-1
        )
        bends = jnp.arcsinh(bends)  # about itself, and logarithmic after a spike
        columns += [
            *(_compressed(part) for part in (slope, before, after)),
            *(bends[..., 0], bends[..., 1]),
            _log_time(since, has_left, line.shape),
            _log_time(until, has_right, line.shape),
        ]
    gaps = [
        (place.target_time - take_rows(place.time, place.left), place.left >= 0),
        (take_rows(place.time, place.right) - place.target_time, place.right < _count(place)),
    ]
    shape = place.target_time.shape
    step = [_log_time(gap, has, shape) for gap, has in gaps]
    far = jnp.finfo(line.dtype).max
    distance = jnp.minimum(jnp.where(has_left, since, far), jnp.where(has_right, until, far))
    distance = jnp.where(has_left | has_right, distance, 1)
    return line, jnp.stack(columns, axis=-1), jnp.stack(step, axis=-1), distance, bends


def _count(place):
    return place.events.shape[1]


def _sides(values, place, before, after, time):
    """Values at both pivots of each column, times since and until them, and whether they exist."""
    left, right = take_entries(values, before), take_entries(values, after)
    stamps = place.time[..., None]
    since = time[..., None] - take_entries(stamps, before)
    until = take_entries(stamps, after) - time[..., None]
    return left, right, since, until, before >= 0, after < _count(place)


def _line(left, right, since, until, has_left, has_right):
    both = has_left & has_right
    span = since + until  # 0 at a known entry
    whole = jnp.where(both & (span > 0), span, 1)
    share = jnp.where(both, since / whole, jnp.where(has_left, 0, 1))
    line = left + share * (right - left)
    line = jnp.where(has_left & ~has_right, left, line)
    line = jnp.where(has_right & ~has_left, right, line)
    return jnp.where(has_left | has_right, line, 0)


def _slope(difference, elapsed, exists):
    """Change per unit of time, about a gap."""
    exists = exists & (elapsed > 0)  # 0 at a known entry
    return jnp.where(exists, difference / jnp.where(exists, elapsed, 1), 0)


def _compressed(slope):
    """In ten units of time; logarithmic where it is large (a spike)."""
    return jnp.arcsinh(10 * slope)


def _log_time(elapsed, exists, shape):
    """log(1 + time) / 2, about 1 in gaps of ten units; -1 where there is no such neighbor."""
    scaled = jnp.log1p(jnp.where(exists, elapsed, 0)) / 2
    return jnp.broadcast_to(jnp.where(exists, scaled, -1), shape)
