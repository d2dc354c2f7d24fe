"""From a mask to the static schedule of the decode.

NAOMI's recursion (Algorithm 1 of the paper; Liu et al., NeurIPS 2019) decides at run time which step
to fill next. All of these decisions follow from the mask, so they are made here, before the decode,
as integers of a fixed shape. The decode becomes one scan over *ticks*. A tick evaluates at most one
head and one GRU cell, and writes one new state:

    row 0 .. T          the backward states hb_0 .. hb_T of the initial backward pass (hb_T = 0)
    row T + 1 + t       hf_t, the forward state that has consumed x_t
    row 2T + 1 + u      the u-th new backward state

No row is written twice, so a tick names its operands by row and nothing has to be copied or undone;
the gradient walks the same ticks in reverse, and reads the operands of all forward cells, and those of
all backward cells, as one slice each. Row T doubles as hf_{-1} = 0.

The gap between the known steps c0 and n has m = n - c0. A block of stride s = 2^l is used while
m >= 2s, so the strides of a gap's blocks, their first steps and with them the place of every tick
follow from integer divisions: there is no loop over steps here either.
"""

import functools
import itertools
from typing import NamedTuple

import chex
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from naomi_jax.recursion import gaps

# What a tick does with a GRU cell.
IDLE = 0  # nothing: padding
FORWARD = 1  # h = F(h, x_t)
BACKWARD = 2  # q = B(src, [1, x_t]), x_t just decoded
CHAIN = 3  # q = B(src, 0): step t is still missing


@flax.struct.dataclass
class Schedule:
    """The ticks of one mask, in order; (N,) int32 each, or (B, N) with one mask per sequence.

    Attributes:
      head: 0, or l + 1 where the head of level l decodes x[step] in this tick.
      cell: IDLE, FORWARD, BACKWARD or CHAIN.
      step: the time step that is decoded, consumed or passed.
      row: row of the state that the cell computes; for IDLE the row after the last.
      source: row of the state that the cell updates.
      forward: row of hf_c, the head's left pivot.
      pivot: row of hb_{c+2s}, the head's right pivot.
      forward_tick: (T,) the tick that consumes step t; N where there is none (beyond the length).
      head_tick: (T,) the tick that decodes step t; N where there is none (observed, or beyond).
      backward_tick: (U,) the BACKWARD and CHAIN ticks in order, then N.
      levels: R, static.
    """

    head: chex.Array
    cell: chex.Array
    step: chex.Array
    row: chex.Array
    source: chex.Array
    forward: chex.Array
    pivot: chex.Array
    forward_tick: chex.Array
    head_tick: chex.Array
    backward_tick: chex.Array
    levels: int = flax.struct.field(pytree_node=False)

    @property
    def ticks(self) -> int:
        """N, ticks with the padding."""
        return self.head.shape[-1]

    @property
    def steps(self) -> int:
        """T."""
        return self.forward_tick.shape[-1]

    def __str__(self):
        return describe(self)


def max_ticks(steps: int, levels: int) -> int:
    """N: the most ticks that any mask of `steps` steps needs.

    Nothing observed is the worst case: joining two gaps never takes fewer backward updates.
    """
    return steps + max_backward_ticks(steps, levels)


@functools.cache
def max_backward_ticks(steps: int, levels: int) -> int:
    """U: the most backward updates that any mask of `steps` steps needs."""
    total, distance = 0, steps + 1
    for level in reversed(range(_useful_levels(steps, levels))):
        blocks = max(distance // 2**level - 1, 0)
        total += blocks * sum(op.cell != FORWARD for op in _block(level))
        distance -= blocks * 2**level
    return total


@functools.partial(jax.jit, static_argnames="levels")
def make_schedule(mask: chex.Array, levels: int, length: chex.Array | None = None) -> Schedule:
    """The schedule of DESIGN section 4, from the mask alone.

    Integer code without data-dependent shapes: it can be jitted with `mask` and `length` traced, and
    vmapped over both. All shapes follow from (T, levels).

    Args:
      mask: (T,) 1 or True = observed, 0 or False = missing. Step 0 may be missing too.
      levels: R; the coarsest stride is 2^(R-1).
      length: scalar, steps of this sequence; steps from `length` on are padding. Default T.

    Returns:
      Schedule with (N,) fields, N = max_ticks(T, levels).
    """
    chex.assert_rank(mask, 1)
    steps = mask.shape[0]
    length = steps if length is None else jnp.asarray(length, jnp.int32)
    index = jnp.arange(steps, dtype=jnp.int32)
    inside = index < length
    known = (mask != 0) & inside
    program = _program(_useful_levels(steps, levels))

    level, block = _blocks(known, index, length, levels)
    kind = jnp.where(known, 0, level + 1)  # a program: 0 = OBSERVE, l + 1 = BLOCK(l)
    opens = inside & (known | (index == block + 1))
    ticks_here = jnp.where(opens, jnp.asarray(program.size)[kind], 0)
    end = jnp.cumsum(ticks_here)
    start = end - ticks_here

    # Tick i belongs to the last step that opens a block at or before it.
    ticks = max_ticks(steps, levels)
    tick = jnp.arange(ticks, dtype=jnp.int32)
    opened = jnp.where(opens, start, ticks)
    owner = jax.lax.cummax(jnp.zeros(ticks, jnp.int32).at[opened].set(index, mode="drop"))
    valid = tick < end[-1]
    op = jnp.where(valid, jnp.asarray(program.offset)[kind[owner]] + tick - start[owner], 0)
    field = {name: jnp.asarray(getattr(program, name))[op] for name in _Op._fields}

    head = jnp.where(valid, field["head"], 0)
    cell = jnp.where(valid, field["cell"], IDLE)
    step = jnp.where(valid, owner - 1 + field["step"], 0)
    ahead, backward = cell == FORWARD, (cell == BACKWARD) | (cell == CHAIN)
    rank = jnp.cumsum(backward) - 1
    new = 2 * steps + 1
    updates_here = jnp.where(opens, jnp.asarray(program.updates)[kind], 0)
    new_of_block = (new + jnp.cumsum(updates_here) - updates_here)[owner]

    def backward_row(name):
        row = jnp.where(field[name + "_is_new"], new_of_block, owner - 1) + field[name]
        return jnp.where(valid, row, 0)

    return Schedule(
        head=head,
        cell=cell,
        step=step,
        row=jnp.select([ahead, backward], [steps + 1 + step, new + rank], steps + ticks + 1),
        source=jnp.where(ahead, steps + step, backward_row("source")),
        forward=jnp.where(head > 0, steps + 1 + step - jnp.left_shift(1, head) // 2, 0),
        pivot=backward_row("pivot"),
        forward_tick=_inverse(ahead, step, tick, steps, ticks),
        head_tick=_inverse(head > 0, step, tick, steps, ticks),
        backward_tick=_inverse(backward, rank, tick, max_backward_ticks(steps, levels), ticks),
        levels=levels,
    )


def _inverse(chosen, position, tick, size, missing):
    """(size,) the chosen ticks, each at its position; `missing` where there is none."""
    position = jnp.where(chosen, position, size)
    return jnp.full(size, missing, jnp.int32).at[position].set(tick, mode="drop")


def _blocks(known, index, length, levels):
    """Level l and last consumed step c of the block that fills each missing step; (T,) both."""
    before, after = gaps.nearest(known, length)
    distance = after - before
    offset = index - before  # 1 is the first missing step
    base = before
    level = jnp.zeros_like(index)
    block = index - 1
    found = known
    for l in reversed(range(_useful_levels(known.shape[0], levels))):
        stride = 2**l
        covered = jnp.maximum(distance // stride - 1, 0) * stride
        here = ~found & (offset <= covered)
        level = jnp.where(here, l, level)
        block = jnp.where(here, base + (offset - 1) // stride * stride, block)
        found = found | here
        distance, offset, base = distance - covered, offset - covered, base + covered
    return level, block


def _useful_levels(steps, levels):
    """Levels that some gap of `steps` steps can use: a block needs 2^(l+1) <= T + 1."""
    return min(levels, (steps + 1).bit_length() - 1)


class _Op(NamedTuple):
    """A tick relative to its block: steps and rows of the initial pass from c, rows of new backward
    states from the block's first."""

    head: int
    cell: int
    step: int
    source: int  # of a backward cell; the forward cell at step t updates hf_{t-1}
    source_is_new: bool
    pivot: int
    pivot_is_new: bool


@functools.cache
def _block(level):
    """The ticks of BLOCK(level), which fills steps c+1 .. c+2^level: a tuple of _Op."""
    ops, updates = [], itertools.count()

    def emit(l, c, backward):
        """Append BLOCK(l) at c; `backward` maps steps to (row, is_new)."""
        stride = 2**l
        pivot = backward[c + 2 * stride]
        if l == 0:
            ops.append(_Op(1, FORWARD, c + 1, 0, False, *pivot))
            return

        def update(head, cell, step):
            ops.append(_Op(head, cell, step, *backward[step + 1], *pivot))
            backward[step] = next(updates), True

        update(l + 1, BACKWARD, c + stride)
        for k in range(1, stride // 2):
            update(0, CHAIN, c + stride - k)
        last = c
        for lower in reversed(range(l)):
            emit(lower, last, backward)
            last += 2**lower
        ops.append(_Op(0, FORWARD, c + stride, 0, False, *pivot))

    # Before the block, the backward states are those of the initial pass.
    emit(level, 0, {step: (step, False) for step in range(2 * 2**level + 1)})
    return tuple(ops)


class _Program(NamedTuple):
    """OBSERVE, BLOCK(0), BLOCK(1), ... one after the other, an array for each field of _Op."""

    offset: np.ndarray
    size: np.ndarray
    updates: np.ndarray  # of the backward states
    head: np.ndarray
    cell: np.ndarray
    step: np.ndarray
    source: np.ndarray
    source_is_new: np.ndarray
    pivot: np.ndarray
    pivot_is_new: np.ndarray


@functools.cache
def _program(levels):
    observe = (_Op(0, FORWARD, 1, 0, False, 0, False),)
    blocks = [observe, *(_block(level) for level in range(levels))]
    size = np.array([len(block) for block in blocks], np.int32)
    updates = [sum(op.cell != FORWARD for op in block) for block in blocks]
    fields = (np.array(column) for column in zip(*(op for block in blocks for op in block)))
    fields = (c if c.dtype == bool else c.astype(np.int32) for c in fields)
    offset = np.cumsum(size, dtype=np.int32) - size
    return _Program(offset, size, np.array(updates, np.int32), *fields)


def describe(schedule: Schedule) -> str:
    """The schedule as text, a line for each tick: what is filled, at which level, from where.

    Needs a concrete schedule of a single mask.
    """
    if schedule.head.ndim != 1:
        return f"Schedule of {schedule.head.shape[0]} masks; index one to read it"
    if isinstance(schedule.head, jax.core.Tracer):
        return f"Schedule(traced, steps={schedule.steps}, levels={schedule.levels})"
    head, cell, step, row, source, forward, pivot = (
        np.asarray(field)
        for field in (
            schedule.head,
            schedule.cell,
            schedule.step,
            schedule.row,
            schedule.source,
            schedule.forward,
            schedule.pivot,
        )
    )
    steps = schedule.steps
    step_of_new = dict(zip(row[row > 2 * steps], step[row > 2 * steps]))

    def state(row, name):
        if steps < row <= 2 * steps:
            return f"hf_{row - steps - 1}"
        if row > steps:
            return f"hb_{step_of_new[row]}"
        return "hf_-1" if name == "hf" else f"hb_{row}"

    lines = [f"{schedule.steps} steps, {schedule.levels} levels"]
    for i in range(schedule.ticks):
        if cell[i] == IDLE:
            break
        parts = []
        if head[i]:
            level = head[i] - 1
            left, right = state(forward[i], "hf"), state(pivot[i], "hb")
            parts.append(f"x_{step[i]} = g_{level}({left}, {right})")
        if cell[i] == FORWARD:
            parts.append(f"hf_{step[i]} = F({state(source[i], 'hf')}, x_{step[i]})")
        else:
            value = f"[1, x_{step[i]}]" if cell[i] == BACKWARD else "0"
            parts.append(f"hb_{step[i]} = B({state(source[i], 'hb')}, {value})")
        lines.append(f"{i:4d}  " + ";  ".join(parts))
    return "\n".join(lines)
