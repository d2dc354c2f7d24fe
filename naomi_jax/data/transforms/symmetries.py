"""Symmetries of a square box: more training sequences that are as likely as the given ones."""

import numpy as np

_SIGNS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.float32)


def of_a_box(x: np.ndarray) -> np.ndarray:
    """The eight images of (N, T, 2) under the symmetries of the box, (8N, T, 2), x itself first.

    Signs of each coordinate and their order: each image is as likely a sequence as the original.
    """
    images = [x[..., order] * signs for order in ([0, 1], [1, 0]) for signs in _SIGNS]
    return np.concatenate(images)
