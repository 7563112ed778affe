"""The wrong similarities and normalisations that several exercises have in common."""

import numpy as np


def gaussian(distances, sigma):
    """Return exp(−d²/(2σ²)), the right one."""
    return np.exp(-(distances**2) / (2 * sigma**2))


HALF_MISSING = "The ½ is missing: the exponent is −d²/σ² where it should be −d²/(2σ²)."
HALF_MISPLACED = "The ½ ended in the wrong place: −2d²/σ² where −d²/(2σ²) is needed (a / b * c?)."

SLIPPED_GAUSSIANS = {
    "The sign of the exponent is wrong: similarity must fall with distance, exp(−d²/(2σ²)).": (
        lambda d, s: np.exp(d**2 / (2 * s**2))
    ),
    "The width is not squared: the exponent divides by 2σ where it needs 2σ².": (
        lambda d, s: np.exp(-(d**2) / (2 * s))
    ),
    HALF_MISSING: lambda d, s: np.exp(-(d**2) / s**2),
    "The ½ is missing and the width is not squared: −d²/σ where −d²/(2σ²) is needed.": (
        lambda d, s: np.exp(-(d**2) / s)
    ),
    "The distance is not squared: a Gaussian needs −d²/(2σ²), not −d/σ.": (
        lambda d, s: np.exp(-np.abs(d) / s)
    ),
    "The distance is not squared: a Gaussian needs −d²/(2σ²), not −d/(2σ²).": (
        lambda d, s: np.exp(-np.abs(d) / (2 * s**2))
    ),
    "The distance is not squared: a Gaussian needs −u²/2 with u = d/σ, not −u/2.": (
        lambda d, s: np.exp(-np.abs(d) / (2 * s))
    ),
    "The width sigma has no influence: divide the distance by it before you square.": (
        lambda d, s: np.exp(-(d**2) / 2)
    ),
    HALF_MISPLACED: lambda d, s: np.exp(-2 * d**2 / s**2),
    "The exponent multiplies by σ², where it should divide: u = d/σ, and `/ 2 * sigma**2` needs "
    "brackets, `/ (2 * sigma**2)`.": (lambda d, s: np.exp(-(d**2) / 2 * s**2)),
}
"""Hint → the similarity of distance and width that it describes."""


def by_rows(similarity):
    """Normalise over the keys, the right way."""
    return similarity / similarity.sum(axis=1, keepdims=True)


def nearest_alone(similarity):
    """Give all the weight of a row to its largest entry."""
    return (similarity == similarity.max(axis=1, keepdims=True)).astype(float)


SLIPPED_SHARES = {
    "The wrong axis is normalised: the columns sum to one (over queries, axis 0) where the rows "
    "should (over keys, axis 1).": lambda k: k / k.sum(axis=0, keepdims=True),
    "The weights are normalised over the whole matrix: each query needs weights of its own that "
    "sum to one.": lambda k: k / k.sum(),
    "The weights are not normalised: divide each row of similarities by its sum.": lambda k: k,
    "The similarities are averaged over n: divide by the sum of each row, not by the number of "
    "keys.": lambda k: k / k.shape[1],
    "The largest similarity is divided out instead of the sum: rows must sum to one.": (
        lambda k: k / k.max(axis=1, keepdims=True)
    ),
    "Each row is divided by its Euclidean norm: it is the plain sum of the weights that should "
    "be one.": lambda k: k / np.sqrt((k**2).sum(axis=1, keepdims=True)),
    "All the weight goes to the nearest key: a kernel shares it among the keys.": nearest_alone,
    "All keys get the same weight: it must depend on the distance.": (
        lambda k: np.full_like(k, 1 / k.shape[1])
    ),
    "The softmax is taken of the similarities: exp is applied twice. Divide them by their sum.": (
        lambda k: np.exp(k) / np.exp(k).sum(axis=1, keepdims=True)
    ),
}
"""Hint → what is done to a matrix of similarities (queries, keys) instead."""


def slipped_weights(distances_of):
    """Return hint → weights for each slip, from a function that gives distances and width.

    Parameters
    ----------
    distances_of : callable
        Takes the arguments of a trial, returns the distances (m, n) and the width.
    """

    def slip(similarity, shares):
        return lambda **arguments: shares(similarity(*distances_of(**arguments)))

    return {
        **{hint: slip(wrong, by_rows) for hint, wrong in SLIPPED_GAUSSIANS.items()},
        **{hint: slip(gaussian, wrong) for hint, wrong in SLIPPED_SHARES.items()},
    }
