"""Claims of the chapter on libraries."""

import numpy as np

from . import says


@says(
    "In this draw the first two gradients are negative and the last two positive, so between σ "
    "= 0.2 and σ = 0.5 the error has a minimum.",
)
def gradient_changes_sign(gradient, keys, values, SIGMAS):
    return np.sign([gradient(s, keys, values) for s in SIGMAS]).tolist() == [-1, -1, 1, 1]
