"""Exercises on what pooling does at its limits: gaps, temperature and local lines."""

import numpy as np

from .judging import Examination, Stage, Trial, check
from .similarities import SLIPPED_GAUSSIANS, by_rows, gaussian


def check_gaps(f):
    """Check a boxcar estimate that is NaN where no key is in reach.

    Parameters
    ----------
    f : callable
        ``f(queries, keys, values, sigma)`` with queries (m,), keys (n,), values (n,) and a
        positive width. Returns the mean value of the keys within distance sigma (≤) of each
        query, NaN where there are none, shape (m,).

    Returns
    -------
    CheckResult
    """
    return check(
        "gaps",
        f,
        lambda answer, rng: Examination(box_means, _gap_stages(rng))(answer),
        "The estimate is the mean in reach, and says NaN where it knows nothing.",
    )


def check_temperature(f):
    """Check the temperature at which a softmax attends to a wanted number of keys.

    Parameters
    ----------
    f : callable
        ``f(scores, count)`` with scores (n,), all different, and a count between 1 and n.
        Returns the temperature τ > 0 for which the weights softmax(scores / τ) have an effective
        number of keys 1 / Σ w² equal to count.

    Returns
    -------
    CheckResult
    """
    return check(
        "temperature",
        f,
        lambda answer, rng: Examination(temperature, _temperature_stages(rng))(answer),
        "At your temperature the softmax attends to as many keys as were asked for.",
    )


def check_local_linear(f):
    """Check local linear regression with Gaussian weights.

    Parameters
    ----------
    f : callable
        ``f(queries, keys, values, sigma)`` with queries (m,), keys (n,), values (n,) and a
        positive width. Returns at each query the height of the line that minimises
        Σ αᵢ (vᵢ − a − b (kᵢ − q))², shape (m,).

    Returns
    -------
    CheckResult
    """
    return check(
        "local_linear",
        f,
        lambda answer, rng: Examination(local_lines, _line_stages(rng))(answer),
        "Your lines are the weighted least squares fits, and reproduce a straight line exactly, "
        "up to the ends.",
    )


def _box(fill, reach=lambda distances, sigma: distances <= sigma):
    """Make a boxcar estimate of what to say where nothing is in reach."""

    def estimate(queries, keys, values, sigma):
        distances = np.abs(queries[:, None] - keys)
        within = reach(distances, sigma)
        count = within.sum(axis=1)
        means = (within @ values) / np.maximum(count, 1)
        return np.where(count > 0, means, fill(distances, values))

    return estimate


def _nan(distances, values):
    return np.nan


box_means = _box(_nan)

GAP_SLIPS = {
    "Where no key is in reach the estimate is 0, as if that had been observed: say NaN.": (
        _box(lambda d, v: 0.0)
    ),
    "Where no key is in reach the estimate is the mean of all values: that looks like an "
    "observation; say NaN.": _box(lambda d, v: v.mean()),
    "Where no key is in reach the estimate is the nearest key's value: that is a policy worth "
    "asking for, not a silent one; say NaN.": _box(lambda d, v: v[d.argmin(axis=1)]),
    "Where no key is in reach the estimate is infinite: say NaN.": _box(lambda d, v: np.inf),
    "Where no key is in reach the estimate repeats an earlier one: say NaN.": (
        lambda queries, keys, values, sigma: _carried_on(queries, keys, values, sigma)
    ),
    "Queries that no key reaches are dropped: keep one entry for each query, NaN there.": (
        lambda queries, keys, values, sigma: (means := box_means(queries, keys, values, sigma))[
            ~np.isnan(means)
        ]
    ),
    "A key at a distance of exactly sigma is left out: the boxcar reaches as far as u ≤ 1.": (
        _box(_nan, lambda d, s: d < s)
    ),
    "The window is sigma wide in all: sigma is its reach to either side.": (
        _box(_nan, lambda d, s: d <= s / 2)
    ),
    "The reach is σ² because the distance is not squared with it: compare |q − k| with σ.": (
        _box(_nan, lambda d, s: d <= s**2)
    ),
    "The width has no influence: keys count within distance sigma, not within 1.": (
        _box(_nan, lambda d, s: d <= 1)
    ),
    "The values in reach are added: take their mean.": (
        lambda queries, keys, values, sigma: np.where(
            np.isnan(box_means(queries, keys, values, sigma)),
            np.nan,
            (np.abs(queries[:, None] - keys) <= sigma) @ values,
        )
    ),
    "The values in reach are added, which makes 0 where none is: take their mean, and NaN.": (
        lambda queries, keys, values, sigma: (np.abs(queries[:, None] - keys) <= sigma) @ values
    ),
    "This is how many keys are in reach: take the mean of their values.": (
        lambda queries, keys, values, sigma: (np.abs(queries[:, None] - keys) <= sigma).sum(axis=1)
    ),
    "This is NaN everywhere: where keys are in reach, their mean is wanted.": (
        lambda queries, keys, values, sigma: np.full(len(queries), np.nan)
    ),
}


def _carried_on(queries, keys, values, sigma):
    means = box_means(queries, keys, values, sigma)
    for i in range(1, len(means)):
        if np.isnan(means[i]):
            means[i] = means[i - 1]
    return means


def _gap_stages(rng):
    trials = []
    for reach in (6, 10):
        # Multiples of 1/8, so that a distance of exactly sigma is exact.
        keys = np.concatenate([rng.integers(0, 20, 7), rng.integers(60, 80, 7)]) / 8
        queries = np.concatenate([[keys[0]], np.arange(0, 84, rng.integers(5, 8)) / 8])
        queries = np.append(queries, keys.max() + reach / 8)
        values = rng.uniform(1, 3, len(keys))
        trials.append(
            Trial(
                {"queries": queries, "keys": keys, "values": values, "sigma": reach / 8},
                f"{len(queries)} queries and {len(keys)} keys with a gap between them, width "
                f"{reach / 8}",
            )
        )
    return [Stage(trials, GAP_SLIPS, hints={"raised": "Keys can be out of reach of a query."})]


def _softmax(scores):
    return by_rows(np.exp(scores - scores.max())[None])[0]


def _bisected(scores, count, counted):
    """Return the temperature at which a count that grows with it reaches the wanted one."""
    low, high = 1e-6, 1e6
    for _ in range(80):
        middle = np.sqrt(low * high)
        if counted(_softmax(scores / middle)) < count:
            low = middle
        else:
            high = middle
    return np.sqrt(low * high)


def _effective(weights):
    return 1 / (weights**2).sum()


def _perplexity(weights):
    positive = weights[weights > 0]
    return np.exp(-(positive * np.log(positive)).sum())


def temperature(scores, count):
    """Return the temperature with the wanted effective number of keys, the right answer."""
    return _bisected(scores, count, _effective)


TEMPERATURE_SLIPS = {
    "This is the inverse temperature: scores are divided by τ, not multiplied.": (
        lambda scores, count: 1 / temperature(scores, count)
    ),
    "This is the width σ: the temperature is what divides the scores, σ².": (
        lambda scores, count: np.sqrt(temperature(scores, count))
    ),
    "This is the temperature squared: it divides the scores as it is.": (
        lambda scores, count: temperature(scores, count) ** 2
    ),
    "Twice the temperature: nothing but τ divides the scores, as in exp(s/τ), without a ½.": (
        lambda scores, count: 2 * temperature(scores, count)
    ),
    "Half the temperature: nothing but τ divides the scores, as in exp(s/τ), without a ½.": (
        lambda scores, count: temperature(scores, count) / 2
    ),
    "The logarithm of the temperature is returned: take exp of it.": (
        lambda scores, count: np.log(temperature(scores, count))
    ),
    "The count is the perplexity, exp of the entropy: here it is 1 / Σ w².": (
        lambda scores, count: _bisected(scores, count, _perplexity)
    ),
    "The count is 1 / max w: here it is 1 / Σ w².": (
        lambda scores, count: _bisected(scores, count, lambda w: 1 / w.max())
    ),
    "This is the count itself: a temperature that leads to it is wanted.": (
        lambda scores, count: float(count)
    ),
    "These are the weights: return the temperature that leads to them.": (
        lambda scores, count: _softmax(scores / temperature(scores, count))
    ),
    "This is the effective number of keys at temperature 1: search for the temperature.": (
        lambda scores, count: _effective(_softmax(scores))
    ),
}


def _temperature_stages(rng):
    trials = []
    for _ in range(4):
        n = int(rng.integers(8, 30))
        count = float(rng.uniform(1.5, 0.4 * n))
        # A spread for which no count has its temperature near 1.
        spread = rng.choice([0.1, 10.0])
        scores = spread * rng.standard_normal(n)
        trials.append(
            Trial(
                {"scores": scores, "count": count},
                f"{n} scores between {scores.min():.2f} and {scores.max():.2f}, count {count:.2f}",
                tolerance=1e-3,
            )
        )
    hint = "Scores can be large, also after division by a low temperature."
    return [Stage(trials, TEMPERATURE_SLIPS, hints={"raised": hint})]


def _lines(similarity=gaussian, read=lambda height, slope, q: height, ridge=0.0):
    """Make local lines, right by default, of their similarity and of what is read off them."""

    def estimate(queries, keys, values, sigma):
        heights = []
        for q in queries:
            alpha = similarity(keys - q, sigma)
            x = np.stack([np.ones_like(keys), keys - q], axis=1)
            a, b = np.linalg.solve((x.T * alpha) @ x + ridge * np.eye(2), (x.T * alpha) @ values)
            heights.append(read(a, b, q))
        return np.array(heights)

    return estimate


local_lines = _lines()


def _pooled(queries, keys, values, sigma):
    return by_rows(gaussian(queries[:, None] - keys, sigma)) @ values


def _unweighted(queries, keys, values, sigma):
    slope, height = np.polyfit(keys, values, 1)
    return height + slope * queries


LINE_SLIPS = {
    "These are plain local means, Nadaraya–Watson: fit a line with a slope at each query.": _pooled,
    "The keys have no weights, so that one line serves all queries: weigh each squared error with "
    "αᵢ.": _unweighted,
    "The weights count twice: with rows multiplied by αᵢ the squared errors are weighed with αᵢ². "
    "Multiply by √αᵢ (np.polyfit, too, squares its w).": (
        _lines(similarity=lambda d, s: gaussian(d, s) ** 2)
    ),
    "The weights count half: the squared errors are weighed with √αᵢ in place of αᵢ.": (
        _lines(similarity=lambda d, s: np.sqrt(gaussian(d, s)))
    ),
    "The slope is returned: return the height of the line at the query.": (
        _lines(read=lambda height, slope, q: slope)
    ),
    "The height is read where the key coordinate is 0: read it at the query, or fit in k − q.": (
        _lines(read=lambda height, slope, q: height - slope * q)
    ),
    "The slope's part is counted twice: in k − q the height at the query is a alone.": (
        _lines(read=lambda height, slope, q: height + slope * q)
    ),
    "The slope's part is left out of a line in k: its height at the query is a + b q.": (
        _lines(read=lambda height, slope, q: slope * q)
    ),
    **{
        hint: _lines(similarity=wrong)
        for hint, wrong in SLIPPED_GAUSSIANS.items()
        if "½ is missing: the" not in hint and "½ ended" not in hint
    },
    "A line is fitted through the local mean at the query and through the origin of the values: "
    "fit a and b together.": lambda queries, keys, values, sigma: _through_zero(
        queries, keys, values, sigma
    ),
}


def _through_zero(queries, keys, values, sigma):
    alpha = gaussian(queries[:, None] - keys, sigma)
    return queries * (alpha @ (keys * values)) / (alpha @ keys**2)


def _line_stages(rng):
    trials = []
    for _ in range(3):
        m, n = int(rng.integers(5, 8)), int(rng.integers(12, 18))
        keys = rng.uniform(0, 5, n)
        values = 2 * np.sin(keys) + keys + 4 + 0.3 * rng.standard_normal(n)
        sigma = float(rng.choice([rng.uniform(0.6, 0.75), rng.uniform(1.4, 1.7)]))
        arguments = {
            "queries": rng.uniform(0, 5, m),
            "keys": keys,
            "values": values,
            "sigma": sigma,
        }
        trials.append(
            Trial(arguments, f"{m} queries and {n} keys between 0 and 5, width {sigma:.2f}", 1e-3)
        )
    return [Stage(trials, LINE_SLIPS)]
