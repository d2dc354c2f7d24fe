"""From a mask to the static schedule of the decode.

NAOMI's recursion (Algorithm 1 of the paper; Liu et al., NeurIPS 2019) decides at run time which
step to fill next. With F and B the forward and backward GRU, hf_t and hb_t their states after
reading step t, g_l the head of level l and s = 2^l its stride:

    hb_t = B(hb_{t+1}, I_t) for t = T - 1 .. 0         I_t = [1, x_t] if x_t is observed entirely,
    c = -1                                             else [0, its known entries]
    while c < T - 1:
        if x_{c+1} is known:
            hf_{c+1} = F(hf_c, x_{c+1});  c = c + 1    consume it
        else:
            n = the next known step after c, or T
            l = the largest level with c + 2s <= n
            x_{c+s} = g_l(hf_c, hb_{c+2s})             fill the middle of 2s steps
            hb_t = B(hb_{t+1}, I_t) for t <= c + s     those whose I_t or hb_{t+1} is new

Each decision follows from the mask alone, so all are made here, before the decode, as integers of a
fixed shape, and the loop becomes one scan over *ticks*. A tick evaluates at most one head and one
cell, and writes one new state:

    x_{c+s} = g_l(hf_c, hb_{c+2s})           head = l + 1      rows forward and pivot -> x[step]
    hf_t = F(hf_{t-1}, x_t)                  cell = FORWARD    row source -> row row
    hb_t = B(hb_{t+1}, [1, x_t])             cell = BACKWARD   the same, x_t was filled in this tick
    hb_t = B(hb_{t+1}, [0, known of x_t])    cell = CHAIN      the same, x_t is still missing

Backward states that no later tick reads are left out. For example, nothing observed of 7 steps:

    >>> print(make_schedule(np.zeros(7), levels=3))
    7 steps, 3 levels
       0  x_3 = g_2(hf_-1, hb_7);  hb_3 = B(hb_4, [1, x_3])
       1  hb_2 = B(hb_3, [0, known of x_2])
       2  x_1 = g_1(hf_-1, hb_3);  hb_1 = B(hb_2, [1, x_1])
       3  x_0 = g_0(hf_-1, hb_1);  hf_0 = F(hf_-1, x_0)
       4  hf_1 = F(hf_0, x_1)
       5  x_2 = g_0(hf_1, hb_3);  hf_2 = F(hf_1, x_2)
       6  hf_3 = F(hf_2, x_3)
       7  x_5 = g_1(hf_3, hb_7);  hb_5 = B(hb_6, [1, x_5])
       8  x_4 = g_0(hf_3, hb_5);  hf_4 = F(hf_3, x_4)
       9  hf_5 = F(hf_4, x_5)
      10  x_6 = g_0(hf_5, hb_7);  hf_6 = F(hf_5, x_6)

The rows:

    row 0 .. T          the backward states hb_0 .. hb_T of the initial backward pass (hb_T = 0)
    row T + 1 + t       hf_t, the forward state that has consumed x_t
    row 2T + 1 + u      the u-th new backward state

No row is written twice, so a tick names its operands by row and nothing has to be copied or undone;
the gradient walks the same ticks in reverse, and reads the operands of all forward cells, and those
of all backward cells, as one slice each. Row T doubles as hf_{-1} = 0.

The gap between the known steps c0 and n has m = n - c0. A block of stride s = 2^l is used while
m >= 2s, so the strides of a gap's blocks, their first steps and with them the place of every tick
follow from integer divisions: there is no loop over steps here either.
"""

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Int, Shaped

from naomi_jax.recursion import checks, gaps
from naomi_jax.recursion.gaps import ArrayLike

Leaf = Any  # an integer Array; JAX rebuilds the tree with other leaves too

# What a tick does with a GRU cell.
IDLE = 0  # nothing: padding
FORWARD = 1  # h = F(h, x_t)
BACKWARD = 2  # h = B(h, [1, x_t]), x_t just decoded
CHAIN = 3  # h = B(h, [0, known entries of x_t]), x_t still missing


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
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

    head: Leaf
    cell: Leaf
    step: Leaf
    row: Leaf
    source: Leaf
    forward: Leaf
    pivot: Leaf
    forward_tick: Leaf
    head_tick: Leaf
    backward_tick: Leaf
    levels: int = dataclasses.field(metadata={"static": True})

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
        total += blocks * _updates_of_block(level)
        distance -= blocks * 2**level
    return total


@functools.cache
def _updates_of_widths(steps, levels):
    """(T + 2,) backward updates of a gap between known steps so many steps apart."""
    return np.array([0, *(max_backward_ticks(width - 1, levels) for width in range(1, steps + 2))])


def enough_backward_ticks(known: Bool[np.ndarray, "B T"], levels: int) -> int:
    """Backward updates that are enough for these masks: one of three numbers, the largest being U.

    So few, because each is a program of its own. On the host, without a device.

    Args:
      known: steps; those beyond a sequence's length count as known.
      levels: R.
    """
    steps = known.shape[1]
    most = max_backward_ticks(steps, levels)
    needed = (gaps.widths(known) @ _updates_of_widths(steps, levels)).max()
    return next(size for size in (most // 8, most // 2, most) if needed <= size)


def make_schedule(
    mask: Shaped[ArrayLike, " T"] | Sequence[int],
    levels: int,
    length: int | Int[ArrayLike, ""] | None = None,
) -> Schedule:
    """The schedule of Algorithm 1, from the mask alone.

    Integer code without data-dependent shapes: it can be jitted with `mask` and `length` traced,
    and vmapped over both. All shapes follow from (T, levels).

    Args:
      mask: (T,), 1 or True = observed, 0 or False = missing. Step 0 may be missing too. A list is
        as good as an array.
      levels: R; the coarsest stride is 2^(R-1).
      length: steps of this sequence; steps from `length` on are padding. Default T.

    Returns:
      Schedule with (N,) fields, N = max_ticks(T, levels).

    Raises:
      ValueError, TypeError: a message naming the argument. Values are checked where they are
        concrete.
    """
    mask = checks.as_array("mask", mask)
    checks.check_steps(mask)
    if not isinstance(levels, int | np.integer) or levels < 1:
        raise ValueError(f"levels: {levels!r}; a whole number of 1 or more is needed")
    if length is not None:
        checks.check_length(length, mask.shape[0])
    return lay_out(mask, int(levels), length)


@functools.partial(jax.jit, static_argnames=("levels", "updates"))
def lay_out(
    mask: Shaped[ArrayLike, " T"],
    levels: int,
    length: int | Int[ArrayLike, ""] | None = None,
    updates: int | None = None,
) -> Schedule:
    """`make_schedule` of arguments that were checked, with room for so many backward updates.

    Args:
      updates: at least as many as the mask needs; None for U, which is enough for every mask.
    """
    steps = mask.shape[0]
    updates = max_backward_ticks(steps, levels) if updates is None else updates
    end = steps if length is None else jnp.asarray(length, jnp.int32)
    inside = jnp.arange(steps) < end
    known = (mask != 0) & inside
    blocks = _choose_blocks(known, inside, end, levels)
    layout = _place_ticks(blocks, _program(_useful_levels(steps, levels)), steps + updates)
    return _name_rows(layout, steps, levels, updates)


class _Blocks(NamedTuple):
    """What happens at each step, (T,).

    Attributes:
      kind: of the block that fills it: 0 = OBSERVE (nothing to fill), l + 1 = BLOCK(l).
      opens: whether it is the first step of its block.
    """

    kind: Array
    opens: Array


def _choose_blocks(known, inside, end, levels):
    """Which block fills each step: as coarse as what is left of the gap allows."""
    index = jnp.arange(known.shape[0], dtype=jnp.int32)
    before, after = gaps.nearest(known, end)
    distance = after - before
    offset = index - before  # 1 is the first missing step
    base = before
    level = jnp.zeros_like(index)
    last = index - 1  # the last step consumed before the block
    found = known
    for coarse in reversed(range(_useful_levels(known.shape[0], levels))):
        stride = 2**coarse
        covered = jnp.maximum(distance // stride - 1, 0) * stride
        here = ~found & (offset <= covered)
        level = jnp.where(here, coarse, level)
        last = jnp.where(here, base + (offset - 1) // stride * stride, last)
        found = found | here
        distance, offset, base = distance - covered, offset - covered, base + covered
    opens = inside & (known | (index == last + 1))
    return _Blocks(jnp.where(known, 0, level + 1), opens)


class _Layout(NamedTuple):
    """What happens in each tick, (N,).

    Attributes:
      used: whether the tick is not padding.
      op: the fields of _Op, relative to the tick's block.
      last: c, the last step consumed before the block.
      before: new backward states before the block.
    """

    used: Array
    op: dict[str, Array]
    last: Array
    before: Array


def _place_ticks(blocks, program, ticks):
    """The ticks of all blocks one after the other."""
    step = jnp.arange(blocks.kind.shape[0], dtype=jnp.int32)
    ticks_here = jnp.where(blocks.opens, jnp.asarray(program.size)[blocks.kind], 0)
    updates_here = jnp.where(blocks.opens, jnp.asarray(program.updates)[blocks.kind], 0)
    end = jnp.cumsum(ticks_here)
    start = end - ticks_here
    # A tick belongs to the last step that opens a block at or before it.
    tick = jnp.arange(ticks, dtype=jnp.int32)
    first = jnp.where(blocks.opens, start, ticks)
    owner = jax.lax.cummax(jnp.zeros(ticks, jnp.int32).at[first].set(step, mode="drop"))
    used = tick < end[-1]
    place = jnp.asarray(program.offset)[blocks.kind[owner]] + tick - start[owner]
    place = jnp.where(used, place, 0)
    op = {name: jnp.asarray(getattr(program, name))[place] for name in _Op._fields}
    return _Layout(used, op, owner - 1, (jnp.cumsum(updates_here) - updates_here)[owner])


def _name_rows(layout, steps, levels, updates):
    """The Schedule: steps and rows of the sequence in place of those relative to a block."""
    used, op, last, before = layout
    ticks = used.shape[0]
    head = jnp.where(used, op["head"], 0)
    cell = jnp.where(used, op["cell"], IDLE)
    step = jnp.where(used, last + op["step"], 0)
    ahead, backward = cell == FORWARD, (cell == BACKWARD) | (cell == CHAIN)
    rank = jnp.cumsum(backward) - 1
    new = 2 * steps + 1  # row of the first new backward state

    def backward_row(name):
        base = jnp.where(op[name + "_is_new"], new + before, last)
        return jnp.where(used, base + op[name], 0)

    tick = jnp.arange(ticks, dtype=jnp.int32)
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
        backward_tick=_inverse(backward, rank, tick, updates, ticks),
        levels=levels,
    )


def _inverse(chosen, position, tick, size, missing):
    """(size,) the chosen ticks, each at its position; `missing` where there is none."""
    position = jnp.where(chosen, position, size)
    return jnp.full(size, missing, jnp.int32).at[position].set(tick, mode="drop")


def _useful_levels(steps, levels):
    """Levels that some gap of `steps` steps can use: a block needs 2^(l+1) <= T + 1."""
    return min(levels, (steps + 1).bit_length() - 1)


class _Op(NamedTuple):
    """A tick relative to its block.

    Steps and rows of the initial pass count from c, rows of new backward states from the block's
    first.
    """

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

    def emit(level, c, backward):
        """Append BLOCK(level) at c; `backward` maps steps to (row, is_new)."""
        stride = 2**level
        pivot = backward[c + 2 * stride]
        if level == 0:
            ops.append(_Op(1, FORWARD, c + 1, 0, False, *pivot))
            return

        def update(head, cell, step):
            ops.append(_Op(head, cell, step, *backward[step + 1], *pivot))
            backward[step] = next(updates), True

        update(level + 1, BACKWARD, c + stride)
        for k in range(1, stride // 2):
            update(0, CHAIN, c + stride - k)
        last = c
        for lower in reversed(range(level)):
            emit(lower, last, backward)
            last += 2**lower
        ops.append(_Op(0, FORWARD, c + stride, 0, False, *pivot))

    # Before the block, the backward states are those of the initial pass.
    emit(level, 0, {step: (step, False) for step in range(2 * 2**level + 1)})
    return tuple(ops)


@functools.cache
def _updates_of_block(level):
    return sum(op.cell != FORWARD for op in _block(level))


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
    updates = [0, *map(_updates_of_block, range(levels))]
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
    if isinstance(schedule.head, Tracer):
        return f"Schedule(traced, steps={schedule.steps}, levels={schedule.levels})"
    names = ("head", "cell", "step", "row", "source", "forward", "pivot")
    ticks = [
        dict(zip(names, tick))
        for tick in zip(*(np.asarray(getattr(schedule, name)).tolist() for name in names))
    ]
    steps = schedule.steps
    step_of_row = {tick["row"]: tick["step"] for tick in ticks}

    def forward(row):  # row T is hf_-1
        return f"hf_{row - steps - 1}"

    def backward(row):
        return f"hb_{row if row <= steps else step_of_row[row]}"

    lines = [f"{steps} steps, {schedule.levels} levels"]
    for number, tick in enumerate(ticks):
        if tick["cell"] == IDLE:
            break
        step, source, parts = tick["step"], tick["source"], []
        if tick["head"]:
            left, right = forward(tick["forward"]), backward(tick["pivot"])
            parts.append(f"x_{step} = g_{tick['head'] - 1}({left}, {right})")
        if tick["cell"] == FORWARD:
            parts.append(f"hf_{step} = F({forward(source)}, x_{step})")
        else:
            value = f"[1, x_{step}]" if tick["cell"] == BACKWARD else f"[0, known of x_{step}]"
            parts.append(f"hb_{step} = B({backward(source)}, {value})")
        lines.append(f"{number:4d}  " + ";  ".join(parts))
    return "\n".join(lines)
