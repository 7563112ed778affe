"""The difference of two Parzen window estimates."""

import numpy as np

from ..kernels import KERNELS, gaussian
from .judging import (
    REPEATS,
    SPECIAL,
    UNITS,
    Examination,
    Stage,
    Trial,
    fitted,
    judged,
    misfits_to_largest,
)
from .result import Answer, Verdict, check_for


@check_for("parzen", "Parzen windows", after="own_kernel")
def check_parzen(f: Answer) -> Verdict:
    """Check the difference of the Parzen estimates of two classes.

    Asked is Σ yᵢ α(‖x − xᵢ‖/σ) times a positive factor that n, d, σ and the kernel may determine,
    as a density's does, but neither the places of the points nor the labels. So each factor is
    taken from several trials that share the four and differ in the rest: shares of the classes
    from one key to all, places, numbers of queries, repeated keys, and queries so far away that
    nothing but the smallest similarities is left. Kernel, units and d change from stage to stage.

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
    return judged(
        f,
        _examine,
        "Your function gives Σ yᵢ α(u), up to one positive factor for all queries, for one and "
        "for several coordinates and for each kernel tried. Its sign is the decision of "
        "Nadaraya–Watson.",
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
    "The sum is divided by the number of keys of class +1, so that the factor depends on the "
    "labels: divide by a constant such as n.": _pooled(lambda k, y: k @ y / (y > 0).sum()),
    "The sum is divided by the number of keys of class −1, so that the factor depends on the "
    "labels: divide by a constant such as n.": _pooled(lambda k, y: k @ y / (y < 0).sum()),
    "The sum is divided by the number of queries: divide by a constant such as n, the number of "
    "keys.": _pooled(lambda k, y: k @ y / len(k)),
    "The sum is divided by the sum of all similarities, so that the factor depends on where the "
    "points lie: divide by a constant such as n.": _pooled(lambda k, y: k @ y / k.sum()),
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
COMPACT = (
    "With kernels that reach everywhere your function is right; with one that is zero beyond "
    "u = 1 it is not."
)
FAR = (
    "With keys near the queries your function is right; where all are far away it is not: "
    "similarities stay small there, and nothing may be cut off, rounded or added."
)
ONE_CLASS = (
    "Where both classes have keys your function is right; where one has none it is not: its "
    "estimate is zero there."
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
    return lambda u: gaussian(u) + share * KERNELS["epanechnikov"](u)


def _trial(setting, queries, keys, labels, tried):
    arguments = {"queries": queries, "keys": keys, "labels": labels, **setting}
    shapes = f"{len(queries)} queries and {len(keys)} keys"
    positive = int(labels.clip(0).sum())
    return Trial(
        arguments,
        f"{shapes}{tried}, {positive} of them of class +1; width {setting['sigma']:.3g}",
    )


def _labels(rng, n, positive):
    return rng.permutation(np.where(np.arange(n) < positive, 1.0, -1.0))


def _trials(rng, kernel, name, d=None, unit=1.0):
    """Return trials with one n, d, width and kernel: one factor must do for all."""
    n = int(rng.integers(14, 20))
    # A width well away from 1 and, as a square, from itself.
    sigma = unit * float(rng.choice([rng.uniform(0.5, 0.75), rng.uniform(1.4, 1.8)]))
    setting = {"kernel": kernel, "sigma": sigma}
    shape = () if d is None else (d,)
    tried = f" with {'one coordinate' if d is None else f'{d} coordinates'}, kernel {name}"
    trials = []
    few = int(rng.integers(6, 10))
    for m, positive, origin, span in [
        (few, n // 3, 0, 3),
        (few, n - 4, -7, 1.5),
        (n, n // 2, 0, 3),
        (1, 1, 0, 3),
    ]:
        places = origin + rng.uniform(0, span, (m + n, *shape))
        trials.append(
            _trial(setting, unit * places[:m], unit * places[m:], _labels(rng, n, positive), tried)
        )
    return trials


def _repeated(rng, kernel):
    """Return a trial whose keys and queries repeat, with labels that agree and that do not."""
    few = rng.uniform(0, 3, 5)
    setting = {"kernel": kernel, "sigma": float(rng.uniform(0.5, 0.75))}
    keys = np.repeat(few, [1, 2, 3, 4, 5])
    labels = np.array([1, 1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1.0])
    order = rng.permutation(15)
    queries = np.append(few, few[:2])
    return _trial(setting, queries, keys[order], labels[order], ", some of the same place")


def _distant(rng):
    n, sigma = 12, float(rng.uniform(0.5, 0.75))
    setting = {"kernel": gaussian, "sigma": sigma}
    keys = rng.permutation(np.linspace(0, 2, n) + rng.uniform(0, 0.01, n))
    labels = _labels(rng, n, 5)
    near = rng.uniform(0, 2, 6)
    far = np.concatenate([-8 * sigma - rng.uniform(0, 0.3, 3), 2 + 8 * sigma + near[:3] / 10])
    return [
        _trial(setting, near, keys, labels, ""),
        _trial(setting, far, keys, labels, " at least eight widths away"),
    ]


def _single(rng, kernel):
    setting = {"kernel": kernel, "sigma": float(rng.uniform(0.5, 0.75))}
    return [
        _trial(setting, rng.uniform(0, 1, m), rng.uniform(0, 1, 1), np.array([y]), "")
        for m, y in ((4, 1.0), (1, -1.0))
    ]


def _one_class(rng, kernel):
    setting = {"kernel": kernel, "sigma": float(rng.uniform(0.5, 0.75))}
    return [
        _trial(setting, rng.uniform(0, 3, 5), rng.uniform(0, 3, 9), np.full(9, y), "")
        for y in (1.0, -1.0)
    ]


def _stages(rng):
    mixture, name = _mixture(rng), "Gaussian plus a share of Epanechnikov"
    several = [_trials(rng, mixture, name, d) for d in (2, int(rng.integers(3, 6)), 1)]
    compact = [_trials(rng, kernel, name) for name, kernel in KERNELS.items() if kernel.is_compact]
    return [
        Stage(_trials(rng, mixture, name), SLIPS),
        Stage(_distant(rng), {}, FAR),
        *(Stage(trials, SLIPS_IN_COORDINATES, MANY_COORDINATES) for trials in several),
        *(Stage(trials, SLIPS, COMPACT) for trials in compact),
        *(Stage(_trials(rng, mixture, name, None, u), {}, UNITS) for u in (1e-3, 1e3)),
        Stage([_repeated(rng, mixture)], {}, REPEATS),
        Stage(_one_class(rng, mixture), {}, ONE_CLASS),
        Stage(_single(rng, mixture), {}, SPECIAL),
    ]


def _factor(results, expected):
    """Return the factor that brings the expected numbers of some trials closest to the results."""
    return sum(map(np.vdot, expected, results)) / sum(map(np.vdot, expected, expected))


def _up_to_a_factor(results, expected):
    """Return misfits after division by one positive factor for all trials."""
    factor = _factor(results, expected)
    if not (np.isfinite(factor) and factor > 0):
        return [np.full(right.shape, np.inf) for right in expected]
    return misfits_to_largest([got / factor for got in results], expected)


def _changing_factor(results, expected):
    """Describe a factor that is another one for each trial, or return None."""
    # One number alone is right up to a factor whatever it is.
    pairs = [
        (fitted(got, right), right)
        for got, right in zip(results, expected, strict=True)
        if right.size > 1
    ]

    def agree(pairs):
        return all(misfit.max() <= 1e-4 for misfit in _up_to_a_factor(*zip(*pairs, strict=True)))

    if not all(agree([pair]) for pair in pairs) or not pairs or agree(pairs):
        return None
    factors = [_factor([got], [right]) for got, right in pairs]
    return (
        "Within one call your function is right up to a factor, but from call to call the factor "
        "depends on the labels, or on where the points lie, or on the number of queries: divide "
        "by a constant such as n. Factors to (1/n) Σ yᵢ α(u): "
        f"{', '.join(f'{factor:.4g}' for factor in factors)}."
    )


def _examine(answer, rng):
    Examination(
        difference,
        _stages(rng),
        _up_to_a_factor,
        diagnose=_changing_factor,
        leeway=" up to a positive factor",
    )(answer)
