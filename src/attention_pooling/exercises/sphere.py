"""Weights from dot products, on the unit sphere and off it."""

import numpy as np

from .judging import REPEATS, SPECIAL, Examination, Stage, Trial, judged, misfits_to_each
from .result import Answer, Verdict, check_for
from .similarities import SLIPPED_SHARES, by_rows, nearest_alone


@check_for("unit_sphere", "Unit sphere", after="slope")
def check_unit_sphere(f: Answer) -> Verdict:
    """Check Gaussian weights computed from dot products of unit vectors.

    Asked are the weights to a share of each, the smallest included, whatever way they are computed
    in. Widths are ordinary, very wide, narrow enough for weights of 1e-15, and 0.01, where exp of
    a score overflows, where a row without a near key underflows, and where the score that is
    largest in size is the opposite key's. Keys repeat, lie on queries and opposite to them, and
    numbers of queries and keys coincide or are 1.

    Parameters
    ----------
    f : callable
        ``f(queries, keys, sigma)`` with unit vectors in the rows of queries (m, d) and keys
        (n, d) and a positive width, as small as 0.01. Returns weights (m, n).

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(weights, _on_the_sphere(rng), misfits_to_each)(answer),
        "Your weights are the Gaussian's for unit vectors, and hold at width 0.01.",
    )


@check_for("off_sphere", "Off the sphere", after="unit_sphere")
def check_off_sphere(f: Answer) -> Verdict:
    """Check Gaussian weights computed from dot products and key norms, for vectors of any length.

    Asked is what `check_unit_sphere` asks, for vectors from length 0 to 1,000.

    Parameters
    ----------
    f : callable
        ``f(queries, keys, sigma)`` with queries (m, d), keys (n, d) and a positive width, as
        small as 0.01. Returns weights (m, n).

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(weights, _off_the_sphere(rng), misfits_to_each)(answer),
        "Your weights are the Gaussian's for vectors of any length: the query's norm cancels, "
        "the key's stays.",
    )


def softmax(scores):
    """Return the softmax of each row, with the largest score shifted out."""
    return by_rows(np.exp(scores - scores.max(axis=1, keepdims=True)))


def weights(queries, keys, sigma):
    """Return Gaussian weights from distances, the right answer."""
    return softmax(-(np.linalg.norm(queries[:, None] - keys, axis=2) ** 2) / (2 * sigma**2))


def _scored(score):
    """Make a slip of wrong scores, given dot products (m, n), width and number of coordinates."""

    def slip(queries, keys, sigma):
        return softmax(score(queries @ keys.T, sigma, queries.shape[1]))

    return slip


def _shared(share):
    """Make a slip of a wrong normalisation of exp(scores)."""
    return lambda queries, keys, sigma: share(np.exp(queries @ keys.T / sigma**2))


SLIPS = {
    "The sign of the exponent is wrong: keys in the query's direction get the least weight. A "
    "large dot product is a small distance.": _scored(lambda p, s, d: -p / s**2),
    "The width is not squared: the score is q·k/σ², not q·k/σ.": _scored(lambda p, s, d: p / s),
    "The scores are halved: −‖q − k‖²/(2σ²) = (q·k − 1)/σ², so that the 2 cancels.": (
        _scored(lambda p, s, d: p / (2 * s**2))
    ),
    "The scores are doubled: −(2 − 2 q·k) is still to be divided by 2σ², which leaves q·k/σ².": (
        _scored(lambda p, s, d: 2 * p / s**2)
    ),
    "The scores are halved and the width is not squared: q·k/σ² is wanted, not q·k/(2σ).": (
        _scored(lambda p, s, d: p / (2 * s))
    ),
    "The width sigma has no influence: the score is q·k/σ².": _scored(lambda p, s, d: p),
    "The scores are divided by √d as in the transformer: here σ² is the temperature, q·k/σ².": (
        _scored(lambda p, s, d: p / np.sqrt(d))
    ),
    "The scores are divided by √d on top of σ²: the Gaussian knows no √d.": (
        _scored(lambda p, s, d: p / s**2 / np.sqrt(d))
    ),
    "The scores are multiplied by σ²: divide by it.": _scored(lambda p, s, d: p * s**2),
    "The distance is measured along the sphere, by the angle: the Gaussian takes the straight "
    "line, ‖q − k‖² = 2 − 2 q·k.": _scored(
        lambda p, s, d: -(np.arccos(np.clip(p, -1, 1)) ** 2) / (2 * s**2)
    ),
    "The square root of 2 − 2 q·k is not squared again: the exponent needs ‖q − k‖².": (
        _scored(lambda p, s, d: -np.sqrt(np.maximum(2 - 2 * p, 0)) / (2 * s**2))
    ),
    "These are the dot products themselves: a softmax must turn them into weights.": (
        lambda queries, keys, sigma: queries @ keys.T
    ),
    "These are the scores q·k/σ²: a softmax must turn them into weights.": (
        lambda queries, keys, sigma: queries @ keys.T / sigma**2
    ),
    "The dot products are normalised without exp: they can be negative, weights cannot.": (
        lambda queries, keys, sigma: by_rows(queries @ keys.T)
    ),
    "The weights are the Gaussian similarities, not normalised: divide each row by its sum.": (
        lambda queries, keys, sigma: np.exp((queries @ keys.T - 1) / sigma**2)
    ),
    "These are log-weights: apply exp, or softmax in place of log_softmax.": (
        lambda queries, keys, sigma: np.log(weights(queries, keys, sigma))
    ),
    **{hint: _shared(share) for hint, share in SLIPPED_SHARES.items()},
}


def _clipped(top):
    def slip(queries, keys, sigma):
        return by_rows(np.exp(np.clip(queries @ keys.T / sigma**2, -top, top)))

    return slip


def _zeros_where_underflow(queries, keys, sigma):
    similarity = np.exp((queries @ keys.T - 1) / sigma**2)
    total = similarity.sum(axis=1, keepdims=True)
    return np.where(total > 0, similarity / total, 0)


def _equal_where_underflow(queries, keys, sigma):
    similarity = np.exp((queries @ keys.T - 1) / sigma**2)
    total = similarity.sum(axis=1, keepdims=True)
    return np.where(total > 0, similarity / total, 1 / len(keys))


NARROW = (
    "At ordinary widths your weights are right, at width 0.01 they are not: scores reach 1/σ² = "
    "10,000 there, and differences of a few units decide."
)
SMALL = (
    "At ordinary widths your weights are right; at a narrower one, where some are very small, they "
    "are not: nothing may be cut off, rounded or added there."
)
NARROW_SLIPS = {
    "At width 0.01 the exponential overflows: scores reach 1/σ² = 10,000. Subtract the largest "
    "score of each row before exp; the weights stay the same.": (
        lambda queries, keys, sigma: by_rows(np.exp(queries @ keys.T / sigma**2))
    ),
    "At width 0.01 all of a row underflows to 0/0. Subtract the largest score of each row before "
    "exp; the weights stay the same.": (
        lambda queries, keys, sigma: by_rows(np.exp((queries @ keys.T - 1) / sigma**2))
    ),
    "At width 0.01 some rows of weights are all zero: exp underflows, and what was done against "
    "0/0 hides it. Subtract the largest score of each row before exp.": _zeros_where_underflow,
    "At width 0.01 some rows share their weight equally among all keys: exp underflows, and what "
    "was done against 0/0 hides it. Subtract the largest score of each row before exp.": (
        _equal_where_underflow
    ),
    "At width 0.01 all weights are zero, which do not sum to one: subtract the largest score of "
    "each row before exp.": lambda queries, keys, sigma: np.zeros((len(queries), len(keys))),
    "At width 0.01 all the weight goes to the nearest key even where another is almost as near: "
    "the softmax must still compare them.": (
        lambda queries, keys, sigma: nearest_alone(weights(queries, keys, sigma))
    ),
    "The scores are clipped, which makes large ones equal: subtract the largest score of each "
    "row instead.": _clipped(700),
    "The scores are clipped at 100, which makes large ones equal: subtract the largest score of "
    "each row instead.": _clipped(100),
    "The scores are clipped at 50, which makes large ones equal: subtract the largest score of "
    "each row instead.": _clipped(50),
    "The width is not allowed to become small: a floor under sigma changes the weights at width "
    "0.01.": lambda queries, keys, sigma: weights(queries, keys, max(sigma, 0.1)),
}


def _exponents(score):
    """Make a slip of wrong scores from queries, keys and width."""
    return lambda queries, keys, sigma: softmax(score(queries, keys, sigma))


def _squares(points):
    return (points**2).sum(axis=1)


def _units(points):
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _off_scores(queries, keys, sigma):
    return (queries @ keys.T - _squares(keys) / 2) / sigma**2


NARROW_SLIPS_OFF_THE_SPHERE = {
    "At width 0.01 the exponential overflows, or a row underflows to 0/0: scores reach thousands. "
    "Subtract the largest score of each row before exp; the weights stay the same.": (
        lambda queries, keys, sigma: by_rows(np.exp(_off_scores(queries, keys, sigma)))
    ),
    "At width 0.01 all of a row underflows to 0/0. Subtract the largest score of each row before "
    "exp; the weights stay the same.": lambda queries, keys, sigma: by_rows(
        np.exp(_off_scores(queries, keys, sigma) - _squares(queries)[:, None] / (2 * sigma**2))
    ),
}

SLIPS_OFF_THE_SPHERE = {
    "The key's norm is dropped: q·k/σ² alone favours long keys. Off the sphere −‖k‖²/(2σ²) "
    "stays; only the query's norm is the same for all keys and cancels.": (
        _exponents(lambda q, k, s: q @ k.T / s**2)
    ),
    "The key's norm lacks its ½: the score is (q·k − ‖k‖²/2)/σ².": (
        _exponents(lambda q, k, s: (q @ k.T - _squares(k)) / s**2)
    ),
    "The key's norm is added: −‖q − k‖² contains −‖k‖², with a minus.": (
        _exponents(lambda q, k, s: (q @ k.T + _squares(k) / 2) / s**2)
    ),
    "The key's norm is not squared: the score needs −‖k‖²/(2σ²).": (
        _exponents(lambda q, k, s: (q @ k.T - np.sqrt(_squares(k)) / 2) / s**2)
    ),
    "The key's norm is not divided by σ²: both terms of the score are.": (
        _exponents(lambda q, k, s: q @ k.T / s**2 - _squares(k) / 2)
    ),
    "The dot product is not doubled: −‖q − k‖² contains + 2 q·k, which the 2σ² turns into "
    "q·k/σ².": _exponents(lambda q, k, s: (q @ k.T - _squares(k)) / (2 * s**2)),
    "The width is not squared: both terms of the score are divided by σ².": (
        _exponents(lambda q, k, s: (q @ k.T - _squares(k) / 2) / s)
    ),
    "The vectors are brought to length one first: that is cosine similarity, which loses their "
    "lengths.": _exponents(lambda q, k, s: _units(q) @ _units(k).T / s**2),
    "The sign of the exponent is wrong: distant keys get the most weight.": (
        _exponents(lambda q, k, s: -(q @ k.T - _squares(k) / 2) / s**2)
    ),
    "The width sigma has no influence: divide the score by σ².": (
        _exponents(lambda q, k, s: q @ k.T - _squares(k) / 2)
    ),
    "These are the scores: a softmax must turn them into weights.": (
        lambda queries, keys, sigma: _off_scores(queries, keys, sigma)
    ),
    **{
        hint: lambda queries, keys, sigma, share=share: share(
            np.exp(_off_scores(queries, keys, sigma) - _squares(queries)[:, None] / (2 * sigma**2))
        )
        for hint, share in SLIPPED_SHARES.items()
    },
}


def _on_the_sphere(rng):
    return _stages(rng, _units, SLIPS, NARROW_SLIPS)


def _off_the_sphere(rng):
    def any_length(points):
        return _units(points) * rng.uniform(0.6, 1.5, (len(points), 1))

    ordinary, small, *rest = _stages(
        rng, any_length, SLIPS_OFF_THE_SPHERE, NARROW_SLIPS_OFF_THE_SPHERE
    )
    points = rng.standard_normal((13, 3))
    lengths = [
        _trial(points[:4], np.append(points[4:], np.zeros((1, 3)), axis=0), 0.6),
        _trial(1e3 * points[:4], 1e3 * points[4:], 600.0),
        # All keys are far away, and the longest is not the nearest.
        _trial(9 * _units(points[:4]), points[4:], 0.6),
    ]
    return [
        ordinary,
        small,
        Stage(
            lengths,
            {},
            "With vectors of lengths near 1 your weights are right; with other lengths, 0 among "
            "them, they are not.",
        ),
        *rest,
    ]


def _stages(rng, placed, slips, narrow_slips):
    def points(m, d):
        return placed(rng.standard_normal((m, d)))

    def ordinary(m, n, d, sigma):
        return _trial(points(m, d), points(n, d), sigma)

    def any_width():
        return float(rng.choice([rng.uniform(0.5, 0.7), rng.uniform(1.3, 1.6)]))

    m, n = int(rng.integers(4, 7)), int(rng.integers(8, 12))
    plain = [ordinary(m, n + (d > 3), d, any_width()) for d in (3, 3, int(rng.integers(4, 7)))]
    repeated = np.repeat(points(4, 3), [1, 2, 3, 1], axis=0)
    return [
        Stage(plain, slips),
        Stage([ordinary(5, 9, 3, rng.uniform(0.18, 0.25))], {}, SMALL),
        Stage([_narrow_trial(rng, placed)], narrow_slips, NARROW),
        Stage([_trial(points(4, 3), repeated, any_width())], {}, REPEATS),
        Stage(
            [
                ordinary(5, 5, 3, any_width()),
                ordinary(1, 7, 4, any_width()),
                ordinary(6, 1, 4, any_width()),
                ordinary(4, 6, 1, any_width()),
                ordinary(4, 6, 40, 0.5),
                ordinary(4, 6, 2, 30.0),
                # Each query lies on a key and opposite to another.
                _trial(repeated[:3], np.concatenate([repeated, -repeated]), any_width()),
            ],
            {},
            SPECIAL,
        ),
    ]


def _trial(queries, keys, sigma, tolerance=1e-3):
    tried = (
        f"{len(queries)} queries and {len(keys)} keys in {keys.shape[1]} coordinates, "
        f"width {sigma:.3g}"
    )
    return Trial(
        {"queries": queries, "keys": keys, "sigma": float(sigma)}, tried, tolerance=tolerance
    )


def _narrow_trial(rng, placed):
    """Every other query has two keys within about a width, the rest have none near."""
    m, d, sigma = 6, 3, 0.01
    queries = placed(rng.standard_normal((m, d)))
    length = np.linalg.norm(queries, axis=1, keepdims=True)
    near = [queries + 0.6 * sigma * rng.standard_normal((m, d)) for _ in range(2)]
    keys = [(_units(points) * length)[::2] for points in near]
    # The last key is opposite to a query.
    keys = np.concatenate([*keys, placed(rng.standard_normal((4, d))), -queries[1:2]])
    if (_units(queries[1::2]) @ _units(keys).T).max() > 0.9:
        return _narrow_trial(rng, placed)
    # In single precision a score of 20,000 is known to about 0.01.
    return _trial(queries, keys, sigma, tolerance=0.05)
