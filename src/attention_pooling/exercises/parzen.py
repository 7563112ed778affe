"""The difference of two Parzen window estimates."""

import numpy as np

from ..kernels import boxcar, epanechnikov, gaussian
from .answers import Wrong
from .judging import (
    Examination,
    Stage,
    Trial,
    check,
    close_up_to_a_factor,
    fitted,
    positive_factor,
)


def check_parzen(f):
    """Check the difference of the Parzen estimates of two classes.

    Parameters
    ----------
    f : callable
        ``f(queries, keys, labels, kernel, sigma)`` with queries (m,) or (m, d), keys (n,) or
        (n, d), labels +1 or −1 of shape (n,), a kernel of the scaled distance u and a positive
        width. Returns p̂(x, y=1) − p̂(x, y=−1) at the queries, shape (m,), up to one positive
        constant factor.

    Returns
    -------
    CheckResult
    """
    return check(
        "parzen",
        f,
        _examine,
        "Your function gives (1/n) Σ yᵢ α(u) for one and for several coordinates and for more "
        "than one kernel. Its sign is the decision of Nadaraya–Watson.",
    )


def distances(queries, keys):
    """Return Euclidean distances (m, n) between points in rows."""
    if keys.ndim == 1:
        return np.abs(queries[:, None] - keys)
    return np.sqrt(((queries[:, None] - keys) ** 2).sum(axis=2))


def difference(queries, keys, labels, kernel, sigma):
    """Return (1/n) Σ yᵢ α(u), the right answer."""
    return kernel(distances(queries, keys) / sigma) @ labels / len(keys)


def _scaled(u_of):
    """Make a slip of a wrong scaled distance, given distances and width."""

    def slip(queries, keys, labels, kernel, sigma):
        return kernel(u_of(distances(queries, keys), sigma)) @ labels

    return slip


def _labelled(weights_of):
    """Make a slip of wrong weights for the keys, given their labels."""

    def slip(queries, keys, labels, kernel, sigma):
        return kernel(distances(queries, keys) / sigma) @ weights_of(labels)

    return slip


def _pooled(pool):
    """Make a slip of a wrong way from similarities (m, n) and labels to the result."""

    def slip(queries, keys, labels, kernel, sigma):
        return pool(kernel(distances(queries, keys) / sigma), labels)

    return slip


SLIPS = {
    "The sign is turned round: this is p̂(x, y=−1) − p̂(x, y=1).": _labelled(lambda y: -y),
    "The labels −1 count as 0, so that only the class y = +1 has a say: the labels are ±1, not "
    "0/1.": _labelled(lambda y: (y + 1) / 2),
    "The labels are turned from 0/1 into ±1 with 2y − 1, but they are ±1 already.": (
        _labelled(lambda y: 2 * y - 1)
    ),
    "Only the class y = −1 has a say: subtract its estimate from the one of y = +1.": (
        _labelled(lambda y: (1 - y) / 2)
    ),
    "Both classes are added: the estimate of y = −1 must be subtracted, so that its keys count "
    "with the label −1.": _labelled(np.abs),
    "Each class is averaged over its own keys: that is the difference of the densities within "
    "the classes, p̂(x | y). The joint density p̂(x, y) divides both sums by the same n.": (
        _labelled(lambda y: np.where(y > 0, 1 / (y > 0).sum(), -1 / (y < 0).sum()))
    ),
    "This is the Nadaraya–Watson score: each query's sum is divided by the sum of its "
    "similarities. The densities alone are wanted, with one factor for all queries.": (
        _pooled(lambda k, y: (k @ y) / k.sum(axis=1))
    ),
    "The wrong axis is normalised: each key's similarities are made to sum to one over the "
    "queries. Nothing needs to be normalised here.": _pooled(lambda k, y: (k / k.sum(axis=0)) @ y),
    "This is the decision, the sign alone: return the difference itself.": (
        _pooled(lambda k, y: np.sign(k @ y))
    ),
    "The sum runs over the queries and leaves one number for each key: sum over the keys, which "
    "leaves one for each query.": _pooled(lambda k, y: k.sum(axis=0) * y),
    "The sum over the keys is missing: the result has one number for each pair of query and "
    "key.": _pooled(lambda k, y: k * y),
    "The kernel is given the distance itself: divide it by the width first, u = d/σ.": (
        _scaled(lambda d, s: d)
    ),
    "The distance is divided by σ² and not by σ: the kernel takes u = d/σ.": (
        _scaled(lambda d, s: d / s**2)
    ),
    "The distance is multiplied by the width: the kernel takes u = d/σ.": (
        _scaled(lambda d, s: d * s)
    ),
    "The kernel is given the squared distance u²: it takes u = d/σ and squares by itself where "
    "it needs to.": _scaled(lambda d, s: (d / s) ** 2),
    "The distance is squared before it is divided by the width: the kernel takes u = d/σ.": (
        _scaled(lambda d, s: d**2 / s)
    ),
    "The kernel is given u²/2: it takes u = d/σ, and squares and halves by itself where it needs "
    "to.": _scaled(lambda d, s: (d / s) ** 2 / 2),
    "The kernel is given −u²/2, the exponent of a Gaussian: it takes u = d/σ.": (
        _scaled(lambda d, s: -((d / s) ** 2) / 2)
    ),
    "The argument `kernel` is not used: this is a Gaussian whatever kernel is handed over.": (
        lambda queries, keys, labels, kernel, sigma: difference(
            queries, keys, labels, gaussian, sigma
        )
    ),
}

MANY_COORDINATES = (
    "With one coordinate your function is right; with keys of shape (n, d) it is not: the "
    "distance there is ‖x − xᵢ‖, the square root of the sum of squares over the coordinates."
)


def _in_coordinates(similarity_of):
    """Make a slip of a wrong way to treat (m, n, d) differences, scaled by the width."""

    def slip(queries, keys, labels, kernel, sigma):
        return similarity_of(kernel, (queries[:, None] - keys) / sigma) @ labels

    return slip


SLIPS_IN_COORDINATES = {
    "The distance is the sum over the coordinates of |xⱼ − kⱼ| (Manhattan): take the square root "
    "of the sum of their squares.": _in_coordinates(lambda a, u: a(np.abs(u).sum(axis=2))),
    "The distance is the largest difference of a coordinate: take the square root of the sum of "
    "their squares.": _in_coordinates(lambda a, u: a(np.abs(u).max(axis=2))),
    "The square root is missing over several coordinates: the kernel is given u².": (
        _in_coordinates(lambda a, u: a((u**2).sum(axis=2)))
    ),
    "The distance is the mean over the coordinates: it is the square root of the sum of "
    "squares.": _in_coordinates(lambda a, u: a(np.sqrt((u**2).mean(axis=2)))),
    "The kernel is applied to each coordinate and the results are multiplied: here it is a "
    "function of the one distance ‖x − xᵢ‖/σ.": (
        _in_coordinates(lambda a, u: a(np.abs(u)).prod(axis=2))
    ),
    "The kernel is applied to each coordinate and the results are added: here it is a function "
    "of the one distance ‖x − xᵢ‖/σ.": _in_coordinates(lambda a, u: a(np.abs(u)).sum(axis=2)),
    "Only the first coordinate counts: the distance needs all of them.": (
        _in_coordinates(lambda a, u: a(np.abs(u[:, :, 0])))
    ),
}


def _mixture(rng):
    """Return a kernel that no answer has seen before."""
    share = rng.uniform(0.3, 0.7)
    return lambda u: gaussian(u) + share * epanechnikov(u)


def _trial(rng, kernel, name, d=None):
    n = int(rng.integers(14, 20))
    m = int(rng.integers(6, 10))
    shape = () if d is None else (d,)
    keys = rng.uniform(0, 3, (n, *shape))
    labels = np.where(np.arange(n) < n // 3, 1.0, -1.0)
    queries = rng.uniform(0, 3, (m, *shape))
    # A width well away from 1 and, as a square, from itself.
    sigma = float(rng.choice([rng.uniform(0.5, 0.75), rng.uniform(1.4, 1.8)]))
    arguments = {
        "queries": queries,
        "keys": keys,
        "labels": rng.permutation(labels),
        "kernel": kernel,
        "sigma": sigma,
    }
    coordinates = "one coordinate" if d is None else f"{d} coordinates"
    return Trial(
        arguments,
        f"{m} queries and {n} keys with {coordinates}, {labels.clip(0).sum():.0f} of them of "
        f"class +1; kernel {name}; width {sigma:.2f}",
    )


def _examine(answer, rng):
    mixture = _mixture(rng)
    plain = [
        _trial(rng, mixture, "Gaussian plus a share of Epanechnikov"),
        _trial(rng, gaussian, "Gaussian"),
        _trial(rng, mixture, "Gaussian plus a share of Epanechnikov"),
    ]
    several = [
        _trial(rng, mixture, "Gaussian plus a share of Epanechnikov", d)
        for d in (2, int(rng.integers(3, 6)))
    ]
    compact = [_trial(rng, kernel, kernel.__name__) for kernel in (epanechnikov, boxcar)]
    examination = Examination(
        difference,
        [
            Stage(plain, SLIPS),
            Stage(
                several, SLIPS_IN_COORDINATES, MANY_COORDINATES, hints={"raised": MANY_COORDINATES}
            ),
            Stage(
                compact,
                SLIPS,
                "With kernels that reach everywhere your function is right; with one that is "
                "zero beyond u = 1 it is not.",
            ),
        ],
        close_up_to_a_factor,
    )
    examination(answer)
    _refuse_changing_factor(examination, answer, plain[0])


def _refuse_changing_factor(examination, answer, trial):
    """Refuse a factor that depends on the data; n, d, σ and the kernel may enter it."""
    halved = dict(trial.arguments, keys=trial.arguments["keys"] / 2)
    factors = []
    for arguments in (trial.arguments, halved):
        right = difference(**arguments)
        got = fitted(examination.outcome(answer, Trial(arguments, trial.tried)), right.shape)
        factors.append(positive_factor(got, right))
    if abs(factors[0] / factors[1] - 1) > 1e-3:
        raise Wrong(
            "Within one call your function is right up to a factor, but the factor depends on "
            "where the keys lie: divide by a constant such as n, not by a sum of similarities.\n"
            f"Tried: {trial.tried}; then the same with all keys halved. "
            f"Came out: factors {factors[0]:.4g} and {factors[1]:.4g} to (1/n) Σ yᵢ α(u)."
        )
