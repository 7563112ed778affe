"""Exercises on how sure an estimate is: its standard error, and how it moves with the query."""

import numpy as np

from .judging import REPEATS, SPECIAL, UNITS, Examination, Stage, Trial, judged
from .result import Answer, Verdict, check_for
from .similarities import SLIPPED_GAUSSIANS, by_rows, gaussian


@check_for("standard_error", "Plus or minus", after="rates")
def check_standard_error(f: Answer) -> Verdict:
    """Check the standard errors of weighted means.

    Asked is √(variance · Σ w²) for each row. Weights are spread or concentrated, equal to zero out
    of reach, and in one place of either sign, like those of a local line; a row of NaN, a query
    that no key reaches, stays NaN. Numbers of queries and keys coincide or are 1, and the unit of
    the values varies.

    Parameters
    ----------
    f : callable
        ``f(weights, variance)`` with weights (m, n), of which each row sums to one, and the
        variance of the noise, a positive number. Returns the standard error of the estimate at
        each query, shape (m,).

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(standard_errors, _error_stages(rng))(answer),
        "Your standard errors are right for spread and for concentrated weights, and for weights "
        "of either sign.",
    )


@check_for("slope", "If the question is off", after="standard_error")
def check_slope(f: Answer) -> Verdict:
    """Check the derivative of a Gaussian estimate in its query.

    Asked is Cov_w(k, v) / σ², the covariance of keys and values under the weights of the query.
    Widths are ordinary and so narrow that every similarity of a row underflows while two keys
    still share the weight; keys repeat; units, origin, order and numbers of keys and queries vary.

    Parameters
    ----------
    f : callable
        ``f(queries, keys, values, sigma)`` with queries (m,), keys (n,), values (n,) and a
        positive width, as small as 0.01. Returns the derivative of the estimate in the query at
        each query, shape (m,).

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(slopes, _slope_stages(rng))(answer),
        "Your slopes are the covariances of keys and values under the weights, over σ², and hold "
        "at width 0.01.",
    )


def standard_errors(weights, variance):
    """Return the standard errors of weighted means, the right answer."""
    return np.sqrt(variance * _squares(weights))


def _squares(weights):
    return (weights**2).sum(axis=1)


ERROR_SLIPS = {
    "This is the variance of the estimate: its square root is wanted, in the unit of the values.": (
        lambda weights, variance: variance * _squares(weights)
    ),
    "The variance is not under the root: it is a square already, √(variance · Σ w²).": (
        lambda weights, variance: variance * np.sqrt(_squares(weights))
    ),
    "The variance has no influence: noise of twice the variance makes √2 times the error.": (
        lambda weights, variance: np.sqrt(_squares(weights))
    ),
    "This is s/√n, as if all n keys had equal weights: take √(variance · Σ w²).": (
        lambda weights, variance: np.full(len(weights), np.sqrt(variance / weights.shape[1]))
    ),
    "This is s/n: even with equal weights it would be s/√n, and they are not equal.": (
        lambda weights, variance: np.full(len(weights), np.sqrt(variance) / weights.shape[1])
    ),
    "The weights are not squared one by one: they sum to one, and what is left is s, the noise of "
    "a single value.": lambda weights, variance: np.full(len(weights), np.sqrt(variance)),
    "The squares are added over the queries (axis 0): each query needs a sum over its keys "
    "(axis 1).": lambda weights, variance: np.sqrt(variance * (weights**2).sum(axis=0)),
    "The squares are added over the whole matrix: each query has an error of its own.": (
        lambda weights, variance: np.sqrt(variance * (weights**2).sum())
    ),
    "The squares are averaged over the keys: add them up, for weights are shares already.": (
        lambda weights, variance: np.sqrt(variance * (weights**2).mean(axis=1))
    ),
    "This is the effective number of keys, 1/Σ w²: the error is s over its root.": (
        lambda weights, variance: 1 / _squares(weights)
    ),
    "The error is divided by Σ w² where it is multiplied with it: more keys in effect make it "
    "smaller.": lambda weights, variance: np.sqrt(variance / _squares(weights)),
    "The noise is divided by the effective number of keys, not by its root: √(variance · Σ w²).": (
        lambda weights, variance: np.sqrt(variance) * _squares(weights)
    ),
    "Only the largest weight counts here: every key adds its w² · variance.": (
        lambda weights, variance: np.sqrt(variance) * weights.max(axis=1)
    ),
    "The weights' own mean is subtracted: not their spread counts but their size, Σ w².": (
        lambda weights, variance: np.sqrt(variance) * weights.std(axis=1)
    ),
    "The noise of a new value is in it: √(variance · (1 + Σ w²)) is for predicting a value, and "
    "the estimate alone has √(variance · Σ w²).": (
        lambda weights, variance: np.sqrt(variance * (1 + _squares(weights)))
    ),
    "These are two standard errors, half of a band: return one.": (
        lambda weights, variance: 2 * standard_errors(weights, variance)
    ),
    "These are 1.96 standard errors, half of a band: return one.": (
        lambda weights, variance: 1.96 * standard_errors(weights, variance)
    ),
}


def _weights(rng, m, n, sharpness):
    return by_rows(rng.uniform(0.05, 1, (m, n)) ** sharpness)


def _error_trial(weights, variance, tried=""):
    m, n = weights.shape
    return Trial(
        {"weights": weights, "variance": float(variance)},
        f"weights of {m} queries and {n} keys{tried}, variance {variance:.3g}",
    )


def _error_stages(rng):
    m, n = int(rng.integers(4, 7)), int(rng.integers(8, 12))
    in_reach = _weights(rng, 4, 9, 1) * (rng.uniform(size=(4, 9)) < 0.4)
    in_reach[:, 4] = rng.uniform(0.1, 1, 4)
    unreached = np.where(np.arange(5)[:, None] == 2, np.nan, _weights(rng, 5, 8, 2))
    both_signs = np.append(by_rows(rng.uniform(0.5, 1, (4, 6))), -rng.uniform(0.2, 0.4, (4, 1)), 1)
    return [
        Stage(
            [
                _error_trial(_weights(rng, m, n, 1), rng.uniform(3, 5)),
                _error_trial(_weights(rng, m, n + 2, 4), rng.uniform(0.2, 0.4)),
                _error_trial(_weights(rng, m + 1, n, 2), rng.uniform(6, 9)),
            ],
            ERROR_SLIPS,
        ),
        Stage(
            [_error_trial(_weights(rng, 4, 9, 2), v) for v in (3e-8, 7e9)],
            {},
            UNITS,
        ),
        Stage(
            [_error_trial(both_signs / both_signs.sum(axis=1, keepdims=True), 2.5)],
            {},
            "Where no weight is negative your function is right; for weights of either sign, such "
            "as those of a local line, it is not: noise adds up whatever the sign, by Σ w².",
        ),
        Stage(
            [
                _error_trial(by_rows(in_reach), 1.5, ", most of which are out of reach"),
                _error_trial(unreached, 1.5, ", one of which reaches no key and has a row of NaN"),
                _error_trial(_weights(rng, 6, 6, 2), 0.7),
                _error_trial(_weights(rng, 1, 7, 2), 0.7),
                _error_trial(np.ones((3, 1)), 0.7),
                _error_trial(np.eye(4)[:3], 4.0, ", each query with one key of its own"),
                _error_trial(_weights(rng, 3, 200, 1), 4.0),
            ],
            {},
            SPECIAL,
        ),
    ]


def _slopes(similarity=gaussian, read=lambda cov, sigma, w, x, v: cov / sigma**2):
    """Make slopes, right by default, of their similarity and of what is read off the weights."""

    def slope(queries, keys, values, sigma):
        weights = by_rows(similarity(queries[:, None] - keys, sigma))
        return np.array(
            [
                read(w @ ((keys - w @ keys) * (values - w @ values)), sigma, w, keys - q, values)
                for q, w in zip(queries, weights, strict=True)
            ]
        )

    return slope


def _without_underflow(distances, sigma):
    nearest = np.abs(distances).min(axis=1, keepdims=True)
    return np.exp((nearest**2 - distances**2) / (2 * sigma**2))


slopes = _slopes(_without_underflow)

SLOPE_SLIPS = {
    "The sign is wrong: where values grow with the keys, the estimate grows with the query.": (
        _slopes(read=lambda cov, s, w, x, v: -cov / s**2)
    ),
    "The width is not squared: the score is −(q − k)²/(2σ²), so that its derivative is "
    "(k − q)/σ².": _slopes(read=lambda cov, s, w, x, v: cov / s),
    "The covariance is not divided by σ²: the score's derivative in q is (k − q)/σ².": (
        _slopes(read=lambda cov, s, w, x, v: cov)
    ),
    "This is half of the slope: the derivative of −(q − k)²/(2σ²) is (k − q)/σ², without the 2.": (
        _slopes(read=lambda cov, s, w, x, v: cov / (2 * s**2))
    ),
    "This is twice the slope: the derivative of −(q − k)²/(2σ²) is (k − q)/σ², without a 2.": (
        _slopes(read=lambda cov, s, w, x, v: 2 * cov / s**2)
    ),
    "The sum of similarities depends on the query, too: the derivative of the quotient subtracts "
    "the mean of k − q times the estimate.": _slopes(
        read=lambda cov, s, w, x, v: w @ (x * v) / s**2
    ),
    "This is the slope of the local line, the covariance over the variance of the keys: the "
    "estimate's own slope divides by σ².": _slopes(
        read=lambda cov, s, w, x, v: cov / (w @ (x - w @ x) ** 2)
    ),
    "The covariance is that of a sample, divided by 1 − Σ w²: under given weights nothing is "
    "corrected (np.cov needs ddof=0).": _slopes(
        read=lambda cov, s, w, x, v: cov / s**2 / (1 - w @ w)
    ),
    "All keys count equally in the covariance: weigh each with the query's weights.": (
        lambda queries, keys, values, sigma: np.full(
            len(queries), np.cov(keys, values, ddof=0)[0, 1] / sigma**2
        )
    ),
    "This is the estimate itself: its derivative in the query is wanted.": (
        _slopes(read=lambda cov, s, w, x, v: w @ v)
    ),
    "This is the weighted mean of keys times values: subtract the product of their means.": (
        lambda queries, keys, values, sigma: (
            by_rows(gaussian(queries[:, None] - keys, sigma)) @ (keys * values) / sigma**2
        )
    ),
    "This is the variance of the keys over σ², the slope for values that equal the keys.": (
        _slopes(read=lambda cov, s, w, x, v: w @ (x - w @ x) ** 2 / s**2)
    ),
    **{hint: _slopes(similarity=wrong) for hint, wrong in SLIPPED_GAUSSIANS.items()},
}

NARROW = (
    "At ordinary widths your slopes are right, at width 0.01, with every key many widths away, "
    "they are not: the weights still depend on differences of scores that are large."
)
NARROW_SLIPS = {
    "At width 0.01 all of a row underflows to 0/0. Subtract the largest score of each row before "
    "exp; the weights stay the same.": _slopes(),
    "At width 0.01 the slopes are 0, as if exp had underflowed and that were hidden, or the "
    "nearest key had all the weight: two keys share it. Subtract the largest score of each row "
    "before exp.": (
        lambda queries, keys, values, sigma: np.nan_to_num(_slopes()(queries, keys, values, sigma))
    ),
    "The width is not allowed to become small: a floor under sigma changes the slopes at width "
    "0.01.": lambda queries, keys, values, sigma: slopes(queries, keys, values, max(sigma, 0.1)),
}


def _slope_trial(rng, m, n, unit=1.0, origin=0.0, keys=None, tried=""):
    keys = rng.uniform(0, 5, n) if keys is None else keys
    sigma = float(rng.choice([rng.uniform(0.5, 0.7), rng.uniform(1.4, 1.7)]))
    arguments = {
        "queries": unit * (rng.uniform(-0.5, 5.5, m) + origin),
        "keys": unit * (keys + origin),
        "values": 2 * np.sin(keys) + keys + 4 + rng.standard_normal(n),
        "sigma": unit * sigma,
    }
    return Trial(
        arguments,
        f"{m} queries and {n} keys between {arguments['keys'].min():.3g} and "
        f"{arguments['keys'].max():.3g}{tried}, width {unit * sigma:.3g}",
        1e-3,
    )


def _narrow_trial(rng):
    """Each query has two keys at nearly equal distances, of some forty widths or more."""
    sigma = 0.01
    middles = 3.0 * np.arange(4) + rng.uniform(0, 0.5, 4)
    reach = rng.uniform(0.45, 0.7, 4)
    keys = np.concatenate([middles - reach, middles + reach])
    # So near to the middle that the scores differ by one at most.
    queries = middles + rng.uniform(-0.5, 0.5, 4) * sigma**2 / reach
    values = rng.uniform(1, 2, 4) * rng.choice([-1, 1], 4)
    arguments = {
        "queries": queries,
        "keys": keys,
        "values": np.concatenate([5 - values, 5 + values]),
        "sigma": sigma,
    }
    # In single precision a score of 2,000 is known to about 0.001.
    return Trial(arguments, "4 queries, each between two of 8 keys, width 0.01", 0.02)


def _slope_stages(rng):
    m, n = int(rng.integers(5, 8)), int(rng.integers(12, 18))
    repeated = np.repeat(rng.permutation(np.arange(5) + rng.uniform(0, 0.5, 5)), [1, 2, 3, 4, 1])
    return [
        Stage([_slope_trial(rng, m, n) for _ in range(3)], SLOPE_SLIPS),
        Stage([_narrow_trial(rng)], NARROW_SLIPS, NARROW),
        Stage([_slope_trial(rng, 5, 11, keys=repeated, tried=" at 5 places")], {}, REPEATS),
        Stage(
            [
                _slope_trial(rng, 5, 12, unit=unit, origin=origin)
                for unit, origin in ((1e-3, 0), (1e3, 0), (1, -20))
            ],
            {},
            UNITS,
        ),
        Stage(
            [
                _slope_trial(rng, 3, 2, keys=np.array([1.0, 3.0])),
                _slope_trial(rng, 3, 1, keys=np.array([2.0])),
                _slope_trial(rng, 1, 9),
                _slope_trial(rng, 9, 9),
            ],
            {},
            SPECIAL,
        ),
    ]
