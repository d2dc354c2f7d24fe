"""Billiards: one ball in a box, simulated (after Fragkiadaki et al., 2015).

The ball's center moves in a straight line and is reflected where it touches a wall, RADIUS inside
the box [-1, 1]^2, without friction. Velocity components are independent N(0, SPEED^2) per step.
Both constants were chosen so that the Expert row (the data) and the Linear row of the paper's
Table 2 come out close; 2000 sequences, 180-195 of 200 steps missing, seed 0, the metrics below:

                              Expert            Linear
                            here   paper      here   paper
    step change (1e-3)     1.573   1.588     1.024   0.961
    reflection to wall     0.013   0.018     0.249   0.247
    L2 (1e-2, per step)        0       0     18.52   19.00
    sinuosity              1.001   1.000     1.226   1.121

Reflection to wall of the data stays 28 % below the paper's at every radius from 0.15 to 0.2: with
exact reflections the sample next to a contact is a quarter of the normal velocity away on average,
which is 0.013 at this speed. A faster ball would reach 0.018 at the price of the other rows.
"""

import numpy as np

from naomi_jax.data import drawing, metrics, registry
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError

RADIUS = 0.18
WALL = 1 - RADIUS  # |coordinate| of the ball's center at contact
SPEED = 0.042  # standard deviation of a velocity component, per step


def simulate(count: int, steps: int, seed) -> np.ndarray:
    """Independent sequences, (count, steps, 2) float32: the ball's center at each step.

    The start is uniform. A straight line is folded back into the box by a triangle wave, which is
    the exact reflection; a corner needs no case of its own.
    """
    rng = np.random.default_rng(seed)
    start = rng.uniform(-WALL, WALL, (count, 1, 2))
    velocity = rng.normal(0, SPEED, (count, 1, 2))
    line = start + velocity * np.arange(steps)[:, None]
    folded = np.mod(line + WALL, 4 * WALL)
    return (np.minimum(folded, 4 * WALL - folded) - WALL).astype(np.float32)


def load(
    train: int = 4000, val: int = 400, test: int = 1000, steps: int = 200, seed: int = 0
) -> Dataset:
    """The paper's sizes by default; splits are independent draws."""
    seeds = np.random.SeedSequence(seed).spawn(3)
    sets = (simulate(n, steps, s) for n, s in zip((train, val, test), seeds))
    return Dataset("billiards", "billiards, simulated here", True, *sets)


def symmetries(x: np.ndarray) -> np.ndarray:
    """The eight images of (N, T, 2) under the symmetries of the box, (8N, T, 2), x itself first.

    Signs of each coordinate and their order: each image is as likely a sequence as the original.
    """
    images = [x[..., order] * signs for order in ([0, 1], [1, 0]) for signs in _SIGNS]
    return np.concatenate(images)


_SIGNS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.float32)


def _load(request: registry.Request) -> Dataset:
    if request.path is not None:
        raise InputError("--data: billiards is simulated; for your own file use --dataset files")
    return load()


def _square(wall):
    return drawing.rectangle(-wall, -wall, 2 * wall, 2 * wall)


BILLIARDS = registry.register(
    registry.DatasetKind(
        name="billiards",
        load=_load,
        metrics=(
            metrics.Metric(
                "sinuosity", 1, lambda truth, filled, mask: metrics.sinuosity(filled, truth)
            ),
            metrics.STEP_CHANGE,
            metrics.Metric(
                "reflection to wall",
                1,
                metrics.of_filled(lambda x: metrics.reflection_to_wall(x, WALL)),
            ),
            # The paper's L2 is a squared distance: summed over the two coordinates.
            metrics.Metric("L2 [1e-2 per step]", 2e2, metrics.missing_l2),
        ),
        table=2,
        paper={
            "linear": (1.121, 0.961, 0.247, 19.00),
            "knn": (1.469, 24.59, 0.189, 5.381),
            "grui": (1.859, 28.19, 0.225, 20.57),
            "maskgan": (1.095, 15.35, 0.100, 1.830),
            "single_res": (1.019, 9.290, 0.038, 0.233),
            "naomi": (1.006, 7.239, 0.023, 0.067),
            registry.EXPERT: (1.000, 1.588, 0.018, 0.0),
        },
        drawing=drawing.Plane(
            unit="half widths of the box",
            # The box, and dotted where the center of the ball turns.
            outline=(drawing.Curve(_square(1)), drawing.Curve(_square(WALL), "dotted")),
            limits=((-1.05, 1.05), (-1.05, 1.05)),
        ),
        symmetries=symmetries,
    )
)
