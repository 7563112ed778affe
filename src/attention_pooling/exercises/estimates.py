"""Exercises on what pooling does at its limits: gaps, temperature and local lines."""

import numpy as np

from .judging import (
    REPEATS,
    SPECIAL,
    UNITS,
    Examination,
    Stage,
    Trial,
    judged,
    misfits_to_each,
)
from .result import Answer, Verdict, check_for
from .similarities import HALF_MISPLACED, HALF_MISSING, SLIPPED_GAUSSIANS, by_rows, gaussian


@check_for("gaps", "Say that you do not know", after="parzen")
def check_gaps(f: Answer) -> Verdict:
    """Check a boxcar estimate that is NaN where no key is in reach.

    Asked is the mean over the keys in reach, decided by how many there are and by nothing else.
    So the values in reach are all negative in one place, add up to 0 in another and are all 0 in
    a third; keys lie at exactly the width, on either side, and just beyond; and gaps are between
    keys and at both ends. Places are whole multiples of a power of two, which keeps distances
    exact in single precision, too; units, order and numbers of keys and queries vary.

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
    return judged(
        f,
        lambda answer, rng: Examination(box_means, _gap_stages(rng))(answer),
        "The estimate is the mean in reach, and says NaN where it knows nothing.",
    )


@check_for("temperature", "Temperature", after="off_sphere")
def check_temperature(f: Answer) -> Verdict:
    """Check the temperature at which a softmax attends to a wanted number of keys.

    Asked is τ to four digits for any scores, so the temperature is drawn first, between 0.003 and
    300, and the count follows: it comes near 1 and near n. Scores are shifted far from 0, two of
    them nearly tie, and there are from 2 to 150 of them.

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
    return judged(
        f,
        lambda answer, rng: Examination(temperature, _temperature_stages(rng), misfits_to_each)(
            answer
        ),
        "At your temperature the softmax attends to as many keys as were asked for.",
    )


@check_for("local_linear", "Local lines", after="adaptive_widths")
def check_local_linear(f: Answer) -> Verdict:
    """Check local linear regression with Gaussian weights.

    Asked is the height of the weighted least squares line, for which only the ratios of the
    weights matter. So queries also lie in a gap five widths from the next key on either side and
    beyond both ends; straight lines must come back; keys repeat; units, origin, order and numbers
    of keys and queries vary, down to the two keys that a line needs.

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
    return judged(
        f,
        lambda answer, rng: Examination(local_lines, _line_stages(rng))(answer),
        "Your heights are those of the weighted least squares lines, and reproduce a straight "
        "line, up to the ends and beyond.",
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
    "Where the values in reach add up to 0 the estimate is NaN: it is unknown only where no key is "
    "in reach, so count the keys.": lambda queries, keys, values, sigma: _unless(
        lambda total: total == 0, queries, keys, values, sigma
    ),
    "Where the values in reach do not add up to more than 0 the estimate is NaN: it is unknown "
    "only where no key is in reach, so count the keys.": (
        lambda queries, keys, values, sigma: _unless(
            lambda total: total <= 0, queries, keys, values, sigma
        )
    ),
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


def _unless(unknown, queries, keys, values, sigma):
    total = (np.abs(queries[:, None] - keys) <= sigma) @ values
    return np.where(unknown(total), np.nan, box_means(queries, keys, values, sigma))


def _gap_trial(rng, reach, unit=1 / 8, origin=0, tried=""):
    """Return a trial with three groups of keys, whose values differ in sign, and gaps."""
    width = 2 * reach
    groups = []
    for start, values in [
        (0, -rng.uniform(1, 3, 5)),
        # They add up to 0 where all are in reach.
        (5 * width, np.array([2.0, -1, -1, 3, -3])),
        (10 * width, rng.uniform(1, 3, 5)),
        (15 * width, np.zeros(2)),
    ]:
        inside = np.sort(rng.choice(np.arange(1, reach), len(values) - 2, replace=False))
        places = start + np.concatenate([[0], inside, [reach]])
        groups.append((places, values))
    keys, values = map(np.concatenate, zip(*groups, strict=True))
    queries = [
        place + step
        for places, _ in groups
        for place in (places[0], places[-1])
        for step in (-reach - 1, -reach, 0, reach, reach + 1)
    ]
    queries = np.array([*queries, -width, 3 * width + 1, 3 * width + 1, 20 * width])
    order = rng.permutation(len(keys))
    arguments = {
        "queries": unit * (origin + rng.permutation(queries)),
        "keys": unit * (origin + keys[order]),
        "values": values[order],
        "sigma": unit * reach,
    }
    return Trial(
        arguments,
        f"{len(queries)} queries and {len(keys)} keys with gaps between them, width "
        f"{unit * reach:.3g}{tried}",
    )


def _gap_stages(rng):
    def few(queries, keys, values, tried):
        arguments = {"queries": queries, "keys": keys, "values": values, "sigma": 0.75}
        return Trial(
            {name: np.array(a) if isinstance(a, list) else a for name, a in arguments.items()},
            tried,
        )

    level = float(rng.uniform(1, 3))
    return [
        Stage([_gap_trial(rng, reach) for reach in (6, 10)], GAP_SLIPS),
        Stage(
            [
                _gap_trial(rng, 7, 2.0**-12),
                _gap_trial(rng, 7, 2.0**7),
                _gap_trial(rng, 7, 1 / 8, -5000, ", all of them far below 0"),
            ],
            {},
            UNITS,
        ),
        Stage([_repeated_keys(rng)], {}, REPEATS),
        Stage(
            [
                few([0.5, 2.0, -0.75], [0.0], [-level], "one key"),
                few(
                    [1.0], [0.25, 1.75, 5.0], [-level, 1.0, 9.0], "one query, in reach of two keys"
                ),
                few([1.0], [5.0, 3.0], [level, 1.0], "one query, out of reach of both keys"),
                few(
                    [0.0, 3.0, 1.0], [0.5, 3.5, 9.0], [level, -1.0, 0.0], "as many queries as keys"
                ),
            ],
            {},
            SPECIAL,
        ),
    ]


def _repeated_keys(rng):
    places, counts = np.array([0.0, 0.5, 1.0, 4.0]), [3, 2, 4, 2]
    keys = np.repeat(places, counts)
    values = rng.uniform(-3, 3, len(keys))
    values[0] = values[1]
    order = rng.permutation(len(keys))
    arguments = {
        "queries": np.array([0.25, 4.0, 9.0, 0.25, 0.0]),
        "keys": keys[order],
        "values": values[order],
        "sigma": 0.5,
    }
    return Trial(arguments, "5 queries and 11 keys at 4 places, width 0.5")


def _softmax(scores):
    return by_rows(np.exp(scores - scores.max())[None])[0]


def _bisected(scores, count, counted):
    """Return the temperature at which a count that grows with it reaches the wanted one."""
    low, high = 1e-6, 1e6
    # Each step halves the logarithm of high / low, 28 at first, which comes to 3e-11.
    for _ in range(40):
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


def _temperature_trial(rng, n, wanted, spread, origin=0.0):
    """Return a trial whose answer is the wanted temperature; the spread is given in its units."""
    # Evenly spread with noise, so that no two scores tie.
    ranks = rng.permutation(n) + rng.uniform(0.1, 0.9, n)
    scores = wanted * (spread * ranks / n + origin)
    count = _effective(_softmax(scores / wanted))
    return Trial(
        {"scores": scores, "count": float(count)},
        f"{n} scores between {scores.min():.4g} and {scores.max():.4g}, count {count:.4g}",
        tolerance=1e-3,
    )


def _temperature_stages(rng):
    n = int(rng.integers(8, 30))
    ordinary = [
        _temperature_trial(rng, n, wanted, spread)
        for wanted, spread in [
            (rng.uniform(0.03, 0.05), rng.uniform(8, 12)),
            (rng.uniform(20, 30), rng.uniform(4, 6)),
            (rng.uniform(0.3, 0.5), rng.uniform(4, 6)),
            (rng.uniform(3, 5), rng.uniform(8, 12)),
        ]
    ]
    units = [
        _temperature_trial(rng, 20, wanted * rng.uniform(1, 1.2), rng.uniform(6, 8))
        for wanted in (0.003, 300)
    ]
    shifted = [
        _temperature_trial(rng, 20, rng.uniform(0.2, 0.5), rng.uniform(6, 8), origin)
        for origin in (1000, -3000)
    ]
    special = [
        _temperature_trial(rng, 150, rng.uniform(2, 5), rng.uniform(2, 3)),
        _temperature_trial(rng, 12, rng.uniform(2, 5), rng.uniform(1.5, 2)),
        _temperature_trial(rng, 12, rng.uniform(2, 5), rng.uniform(30, 40)),
        _few_scores([0.0, -float(rng.uniform(2.5, 3))], 1.15),
        _few_scores([*rng.uniform(-9, -5, 6), 0.0, -1e-3], int(rng.integers(3, 6))),
    ]
    return [
        Stage(ordinary, TEMPERATURE_SLIPS),
        Stage(units, {}, UNITS),
        Stage(
            shifted,
            {},
            "With scores near 0 your function is right; with scores far from it, which are divided "
            "by a low temperature, it is not. A constant that is added to all scores changes no "
            "weight.",
        ),
        Stage(special, {}, SPECIAL),
    ]


def _few_scores(scores, count):
    tried = f"scores {', '.join(f'{score:.3g}' for score in scores)}, count {count}"
    return Trial({"scores": np.array(scores), "count": count}, tried, tolerance=1e-3)


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
    # Powers of the right similarity: weights that count twice, as above, or four times.
    **{
        hint: _lines(similarity=wrong)
        for hint, wrong in SLIPPED_GAUSSIANS.items()
        if hint not in (HALF_MISSING, HALF_MISPLACED)
    },
    "A line is fitted through the local mean at the query and through the origin of the values: "
    "fit a and b together.": lambda queries, keys, values, sigma: _through_zero(
        queries, keys, values, sigma
    ),
}


def _through_zero(queries, keys, values, sigma):
    alpha = gaussian(queries[:, None] - keys, sigma)
    return queries * (alpha @ (keys * values)) / (alpha @ keys**2)


def _line_trial(rng, m, n, tried="", unit=1.0, origin=0.0, values=None, keys=None, queries=None):
    keys = rng.uniform(0, 5, n) if keys is None else keys
    queries = rng.uniform(0, 5, m) if queries is None else queries
    if values is None:
        values = 2 * np.sin(keys) + keys + 4 + 0.3 * rng.standard_normal(n)
    sigma = float(rng.choice([rng.uniform(0.6, 0.75), rng.uniform(1.4, 1.7)]))
    arguments = {
        "queries": unit * (queries + origin),
        "keys": unit * (keys + origin),
        "values": values,
        "sigma": unit * sigma,
    }
    return Trial(
        arguments,
        f"{m} queries and {n} keys between {arguments['keys'].min():.3g} and "
        f"{arguments['keys'].max():.3g}{tried}, width {unit * sigma:.3g}",
        1e-3,
    )


def _across_a_gap(rng):
    sigma = float(rng.uniform(0.3, 0.4))
    keys = rng.permutation(
        np.concatenate([rng.uniform(0, 1, 7), 1 + 11 * sigma + rng.uniform(0, 1, 7)])
    )
    queries = 1 + sigma * np.array([5.2, 5.5, 5.8])
    arguments = {"queries": queries, "keys": keys, "values": 5 + 3 * np.cos(keys), "sigma": sigma}
    tried = f"3 queries between two groups of keys, at least five widths away, width {sigma:.3g}"
    return Trial(arguments, tried, 1e-3)


def _line_stages(rng):
    m, n = int(rng.integers(5, 8)), int(rng.integers(12, 18))
    plain = [_line_trial(rng, m, n) for _ in range(3)]
    slope, grid = float(rng.uniform(2, 3)), rng.permutation(np.linspace(0, 5, 15))
    ends = np.array([-0.5, 0.0, 5.0, 5.5])
    straight = _line_trial(
        rng,
        4,
        15,
        " with values on a straight line",
        keys=grid,
        values=1 - slope * grid,
        queries=ends,
    )
    repeated = np.repeat(rng.permutation(np.arange(5) + rng.uniform(0, 0.5, 5)), [1, 2, 3, 4, 1])
    return [
        Stage(plain, LINE_SLIPS),
        Stage(
            [straight],
            {},
            "Inside the data your function is right; at its ends, with values on a straight line, "
            "it does not give them back.",
        ),
        Stage(
            [_across_a_gap(rng)],
            {},
            "Near the keys your function is right; where all keys are far it is not: their "
            "similarities are small there, but only their ratios matter, so that nothing may be "
            "cut off or added.",
        ),
        Stage([_line_trial(rng, 5, 11, " at 5 places", keys=repeated)], {}, REPEATS),
        Stage(
            [_line_trial(rng, 5, 12, unit=u, origin=o) for u, o in ((1e-3, 0), (1e3, 0), (1, -20))],
            {},
            UNITS,
        ),
        Stage(
            [
                _line_trial(
                    rng, 3, 2, keys=np.array([1.0, 3.0]), values=rng.uniform([1, 3], [2, 4])
                ),
                _line_trial(rng, 1, 9),
                _line_trial(rng, 9, 9),
            ],
            {},
            SPECIAL,
        ),
    ]
