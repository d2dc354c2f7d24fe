"""How many steps of one imputation have to wait for each other.

What decides the time on a GPU is not the work but the chain: the paper's decode takes one tick
after the other, about 2 T of them. Here a pass costs two sweeps up and down a tree over its events,
and there are at most log2(T + 1) passes.
"""

import math

import jax
import jax.extend.core

from naomi_jax.parallel.levels import num_levels


def dependent_steps(steps: int, known: int, passes: int | None = None, depth: int = 2) -> int:
    """Joins of neighbors that wait for each other; the two directions run side by side.

    The layers between add a fixed number of operations a block, samples one more sweep over the
    targets of a pass; `placing_steps` has what comes before the first pass.

    Args:
      steps: T.
      known: observed steps.
      passes: R; None for the full recursion.
      depth: blocks.
    """
    count = min(passes or num_levels(steps), num_levels(steps))
    total = 0
    events = known
    for index in reversed(range(count)):
        total += depth * 2 * max(math.ceil(math.log2(max(events, 1))), 1)
        # After level l every gap is at most 2^l long, so that so many events may have come to be
        # known.
        events = min(steps, max(events, min(known + (steps + 1) // 2**index, 2 * events + 1)))
    return total


def placing_steps(steps: int) -> int:
    """Joins that wait for each other before the first pass: levels and geometry, by the mask alone.

    The geometry of no pass depends on a value, so that all passes' are placed side by side: the
    sweeps for the pivots of all gaps, the halvings, and two cumulative sweeps one after the other.

    Args:
      steps: T.
    """
    sweep = 2 * math.ceil(math.log2(max(steps, 2)))
    return 3 * sweep + num_levels(steps)


def loops(jaxpr: jax.extend.core.Jaxpr) -> list[float]:
    """Trip counts of all loops of a program, in order; infinity where the count is not static.

    Args:
      jaxpr: such as `jax.make_jaxpr(f)(*arguments).jaxpr`.
    """
    found = []
    for equation in jaxpr.eqns:
        if equation.primitive.name == "scan":
            found.append(equation.params["length"])
        elif equation.primitive.name == "while":
            found.append(math.inf)
        for value in equation.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    found += loops(inner)
    return found
