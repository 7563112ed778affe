"""Exercises on several widths: one for each coordinate, and one for each key."""

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
from .similarities import SLIPPED_SHARES, by_rows


@check_for("coordinate_widths", "A width for each coordinate", after="leave_one_out")
def check_coordinate_widths(f: Answer) -> Verdict:
    """Check Gaussian weights with a width for each coordinate.

    Asked are the weights to a share of each, the smallest included: also of queries about nine
    widths away from all keys, where nothing but ratios of tiny similarities is left. Coordinates
    come in different units, keys repeat, and numbers of queries, keys and coordinates coincide or
    are 1.

    Parameters
    ----------
    f : callable
        ``f(queries, keys, sigma)`` with queries (m, d), keys (n, d) and sigma (d,), all positive.
        Returns weights (m, n).

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(weights, _stages(rng), misfits_to_each)(answer),
        "Your weights are the Gaussian's, with a width of its own for each coordinate.",
    )


@check_for("adaptive_widths", "A width for each key", after="coordinate_widths")
def check_adaptive_widths(f: Answer) -> Verdict:
    """Check Abramson's widths, one for each key.

    Asked are the widths to a share of each, in the order of the keys. The pilot's width is smaller
    and larger than sigma; keys are crowded, far from all others, repeated, in different units, and
    one alone.

    Parameters
    ----------
    f : callable
        ``f(keys, sigma, pilot)`` with keys (n,) and two positive widths. Returns the n widths
        σ λᵢ with λᵢ = (p̃(kᵢ)/g)^(−½), where p̃ is the Gaussian density estimate of width pilot
        at all keys, the own one included, and g the geometric mean of its values at the keys.

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(adaptive, _adaptive_stages(rng), misfits_to_each)(answer),
        "Your widths grow where keys are few, and their geometric mean is sigma.",
    )


def _weights(scaled, share=by_rows):
    """Make weights of a way to bring (m, n, d) differences and widths to squares of u."""

    def formula(queries, keys, sigma):
        return share(np.exp(-scaled(queries[:, None] - keys, sigma) / 2))

    return formula


def _squares(differences, sigma):
    return ((differences / sigma) ** 2).sum(axis=2)


weights = _weights(_squares)

SLIPS = {
    "Each difference is squared and then divided by σⱼ: it is u = (qⱼ − kⱼ)/σⱼ that is squared, "
    "so that σⱼ² divides.": _weights(lambda x, s: (x**2 / s).sum(axis=2)),
    "The coordinates are multiplied by their widths: divide by them, so that a large width makes "
    "its coordinate matter less.": _weights(lambda x, s: ((x * s) ** 2).sum(axis=2)),
    "The widths are averaged: each must divide its own coordinate before the sum.": (
        _weights(lambda x, s: (x**2).sum(axis=2) / s.mean() ** 2)
    ),
    "The sum of squares is divided by the sum of the σⱼ²: each must divide its own coordinate "
    "before the sum.": _weights(lambda x, s: (x**2).sum(axis=2) / (s**2).sum()),
    "The sum of squares is divided by the mean of the σⱼ²: each must divide its own coordinate "
    "before the sum.": _weights(lambda x, s: (x**2).sum(axis=2) / (s**2).mean()),
    "The sum of squares is divided by the product of the widths: each must divide its own "
    "coordinate before the sum.": _weights(lambda x, s: (x**2).sum(axis=2) / s.prod() ** 2),
    "The first width is used for all coordinates: each has its own.": (
        _weights(lambda x, s: (x**2).sum(axis=2) / s[0] ** 2)
    ),
    "The widths have no influence: divide each coordinate by its own.": (
        _weights(lambda x, s: (x**2).sum(axis=2))
    ),
    "The widths are in reverse order: the first belongs to the first coordinate.": (
        _weights(lambda x, s: _squares(x, s[::-1]))
    ),
    "The distance is not squared: the exponent is −u²/2 with u² = Σ (qⱼ − kⱼ)²/σⱼ².": (
        _weights(lambda x, s: np.sqrt(_squares(x, s)))
    ),
    "Absolute differences are added: add the squares of (qⱼ − kⱼ)/σⱼ.": (
        _weights(lambda x, s: np.abs(x / s).sum(axis=2))
    ),
    "The absolute differences are added first and squared then: add the squares.": (
        _weights(lambda x, s: np.abs(x / s).sum(axis=2) ** 2)
    ),
    "The squares are averaged over the coordinates: add them.": (
        _weights(lambda x, s: ((x / s) ** 2).mean(axis=2))
    ),
    "Only the first coordinate counts: add the squares of all.": (
        _weights(lambda x, s: (x / s)[:, :, 0] ** 2)
    ),
    "The ½ is missing: the exponent is −u²/2.": _weights(lambda x, s: 2 * _squares(x, s)),
    "The sign of the exponent is wrong: similarity must fall with distance.": (
        _weights(lambda x, s: -_squares(x, s))
    ),
    **{hint: _weights(_squares, share) for hint, share in SLIPPED_SHARES.items()},
}


def _trial(queries, keys, sigma, tried=""):
    widths = ", ".join(f"{width:.3g}" for width in sigma)
    return Trial(
        {"queries": queries, "keys": keys, "sigma": sigma},
        f"{len(queries)} queries and {len(keys)} keys{tried}, widths {widths}",
        tolerance=1e-3,
    )


def _ordinary(rng, m, n, d, unit=1.0, tried=""):
    sigma = rng.permutation(np.geomspace(0.4, rng.uniform(1.8, 3), d))
    queries, keys = rng.uniform(0, 2, (m, d)), rng.uniform(0, 2, (n, d))
    return _trial(unit * queries, unit * keys, unit * sigma, tried)


def _stages(rng):
    m, n = int(rng.integers(4, 7)), int(rng.integers(8, 12))
    plain = [_ordinary(rng, m, n + (d > 2), d) for d in (2, 2, 3, int(rng.integers(4, 6)))]
    sigma = rng.uniform(0.3, 0.6, 2)
    far = np.array([[1, 1], [-1, 1], [1, -1]]) * 6.5 * sigma * rng.uniform(1, 1.05, (3, 2))
    near = sigma * rng.uniform(-0.5, 0.5, (8, 2))
    repeated = np.repeat(rng.uniform(0, 2, (4, 3)), [1, 2, 3, 1], axis=0)
    units = np.array([1e3, 1.0, 1e-3])
    return [
        Stage(plain, SLIPS),
        Stage(
            [
                _trial(far, near, sigma, " about nine widths away"),
                _trial(2 * near[:3], 9 * near, sigma / 2, " up to nine widths apart"),
            ],
            {},
            "Where similarities are large your weights are right; where they are small they are "
            "not: only their ratios matter, and nothing may be cut off or added.",
        ),
        Stage([_ordinary(rng, 5, 9, 3, units)], {}, UNITS),
        Stage([_trial(repeated[1:4], repeated, rng.uniform(0.5, 2, 3))], {}, REPEATS),
        Stage(
            [
                _ordinary(rng, 4, 4, 4, tried=" with as many coordinates"),
                _ordinary(rng, 5, 5, 2),
                _ordinary(rng, 1, 7, 3),
                _ordinary(rng, 6, 1, 3),
                _ordinary(rng, 4, 6, 1, tried=" with one coordinate"),
            ],
            {},
            SPECIAL,
        ),
    ]


def density(keys, width):
    """Return the Gaussian density estimate at the keys themselves."""
    u = (keys[:, None] - keys) / width
    return np.exp(-(u**2) / 2).mean(axis=1) / (width * np.sqrt(2 * np.pi))


def _geometric_mean(x):
    return np.exp(np.log(x).mean())


def _adaptive(power=-0.5, centre=_geometric_mean, estimate=density):
    """Make adaptive widths, right by default, of their three ingredients."""

    def widths(keys, sigma, pilot):
        at_keys = estimate(keys, pilot)
        return sigma * (at_keys / centre(at_keys)) ** power

    return widths


adaptive = _adaptive()


def _density_without_own(keys, width):
    u = (keys[:, None] - keys) / width
    similarity = np.exp(-(u**2) / 2)
    return (similarity.sum(axis=1) - 1) / (len(keys) - 1)


ADAPTIVE_SLIPS = {
    "The sign of the power is wrong: widths grow where the density is low, (p̃/g)^(−½).": (
        _adaptive(power=0.5)
    ),
    "The power is −1: Abramson's widths take the square root, (p̃/g)^(−½).": _adaptive(power=-1),
    "The power is 1, which makes widths grow with the density: (p̃/g)^(−½) is wanted.": (
        _adaptive(power=1)
    ),
    "The power is −2, the square in place of the root: (p̃/g)^(−½) is wanted.": (
        _adaptive(power=-2)
    ),
    "g is the arithmetic mean of the densities: take the geometric one, exp of the mean of the "
    "logarithms.": _adaptive(centre=np.mean),
    "g is the median of the densities: take the geometric mean.": _adaptive(centre=np.median),
    "g is the largest density: take the geometric mean.": _adaptive(centre=np.max),
    "g is the harmonic mean of the densities: take the geometric one.": (
        _adaptive(centre=lambda x: 1 / (1 / x).mean())
    ),
    "g is missing: without it the widths depend on the unit of the density.": (
        _adaptive(centre=lambda x: 1.0)
    ),
    "g is the product of the densities without the n-th root: take the geometric mean.": (
        _adaptive(centre=np.prod)
    ),
    "These are the factors λᵢ: multiply them by sigma.": (
        lambda keys, sigma, pilot: adaptive(keys, 1.0, pilot)
    ),
    "The widths are divided by sigma: multiply the factors λᵢ by it.": (
        lambda keys, sigma, pilot: adaptive(keys, 1.0, pilot) / sigma
    ),
    "The factors multiply the pilot's width: it serves the first estimate alone, they multiply "
    "sigma.": lambda keys, sigma, pilot: adaptive(keys, pilot, pilot),
    "The density is estimated with the width sigma: it has a width of its own, pilot.": (
        lambda keys, sigma, pilot: adaptive(keys, sigma, sigma)
    ),
    "sigma and pilot are swapped: the density takes pilot, the factors multiply sigma.": (
        lambda keys, sigma, pilot: adaptive(keys, pilot, sigma)
    ),
    "Each key is left out of the density at its own place: here it takes part.": (
        _adaptive(estimate=_density_without_own)
    ),
    "The pilot's width is not squared in the exponent: −d²/(2σ²).": (
        _adaptive(estimate=lambda k, w: density(k, np.sqrt(w)))
    ),
    "The ½ is missing in the density's exponent: −u²/2.": (
        _adaptive(estimate=lambda k, w: density(k, w / np.sqrt(2)))
    ),
    "This is the density at the keys: it is still to become widths.": (
        lambda keys, sigma, pilot: density(keys, pilot)
    ),
}


def _adaptive_trial(rng, keys, tried="", unit=1.0, order=1):
    sigma, pilot = [rng.uniform(0.2, 0.4), rng.uniform(0.6, 0.8)][::order]
    arguments = {"keys": unit * keys, "sigma": float(unit * sigma), "pilot": float(unit * pilot)}
    return Trial(
        arguments,
        f"{len(keys)} keys{tried}, sigma {arguments['sigma']:.3g}, pilot {arguments['pilot']:.3g}",
        1e-3,
    )


def _adaptive_stages(rng):
    def crowded(n):
        """Return keys that are crowded at one end."""
        return rng.permutation(5 * rng.uniform(0.1, 1, n) ** 3)

    n = int(rng.integers(10, 16))
    plain = [_adaptive_trial(rng, crowded(n), order=order) for order in (1, -1, 1)]
    repeated = rng.permutation(np.repeat(crowded(6), [1, 1, 2, 3, 4, 1]))
    return [
        Stage(plain, ADAPTIVE_SLIPS),
        Stage([_adaptive_trial(rng, repeated, " at 6 places")], {}, REPEATS),
        Stage([_adaptive_trial(rng, crowded(12), unit=unit) for unit in (1e-3, 1e3)], {}, UNITS),
        Stage(
            [
                _adaptive_trial(rng, crowded(12) - 50, " far below 0"),
                _adaptive_trial(rng, np.append(crowded(60), 40.0), ", one far from the others"),
                _adaptive_trial(rng, np.array([0.0, 1.0, -1.0]), ", two of them negatives"),
                _adaptive_trial(rng, crowded(2)),
                _adaptive_trial(rng, np.array([rng.uniform(1, 2)])),
            ],
            {},
            SPECIAL,
        ),
    ]
