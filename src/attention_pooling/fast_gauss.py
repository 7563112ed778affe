"""The Gaussian kernel on a line: a fast Gauss transform.

Queries and keys fall into boxes narrower than σ. What a box of keys adds to a query in another box
is a smooth function of the places of both within their boxes, hence a short double sum of Chebyshev
polynomials [1]_. So a box of keys is described by P moments, a box of queries by P coefficients,
and one P × P matrix for each distance between boxes leads from the moments to the coefficients.

References
----------
.. [1] L. Greengard and J. Strain, The Fast Gauss Transform, SIAM Journal on Scientific and
   Statistical Computing 12(1), 1991, 79–94.
"""

import numpy as np

from .windows import window_sums

P = 16
"""Chebyshev polynomials that describe a Gaussian within a box of width σ to 1e-16."""

AT_ONCE = 1 << 12
"""Places, or pairs of boxes, whose polynomials are in memory together."""

LIFT = 300
"""Score of the nearest box of keys: weights can then fall to exp(−900) without underflow."""

COSTS = {"pair": 0.025, "start": 3000, "point": 0.25, "box": 5, "pair of boxes": 0.3}
"""Microseconds for a pair of query and key by itself, and for the parts of the transform."""


def gaussian_sums(queries, keys, columns, mass, sigma, own=None):
    """Sum each column over the keys, weighted by the Gaussian kernel.

    Far from the keys all weights are small against what rounding leaves of their sum. There boxes
    are halved until the weights of the keys in a box are alike, or keys are taken one by one.

    Parameters
    ----------
    queries, keys : array, shape (m,) and (n,)
        Sorted.
    columns : float64 array, shape (c, n)
        What is summed: ones first.
    mass : float64 array, shape (n,)
        Bounds the size of the other columns; at most 1.
    sigma : floating-point scalar
        Width, of the dtype of queries and keys.
    own : integer array, shape (m,), optional
        The key that each query leaves out; it lies at the query.

    Returns
    -------
    array, shape (c, m)
        Sums, up to one factor for each query; zero where there is no other key.
    """
    sums = np.zeros((len(columns), len(queries)))
    width = 2.0 ** (np.frexp(float(sigma))[1] - 1)
    worthless = _worthless(queries, keys, mass, sigma, own)
    left = np.arange(len(queries))
    while len(left):
        some, others = queries[left], None if own is None else own[left]
        if _boxes_pay(some, keys, mass, sigma, width, others):
            sums[:, left], exact = _box_sums(some, keys, columns, mass, sigma, width, others)
            left, width = left[~(exact[0] & (exact[1] | worthless[left]))], width / 2
        else:
            low, high = _relevant(some, keys, mass, sigma, others)
            sums[:, left] = window_sums(
                some, keys, columns, sigma, _similarities, low, high, others
            )
            break
    sums[1:, worthless] = 0
    return sums


def _box_sums(queries, keys, columns, mass, sigma, width, own):
    """Return the sums by boxes; and where those of ones and of mass are accurate, shape (2, m).

    The width is a power of two: then a key's place in its box suffers no rounding.
    """
    ratio = width / float(sigma)
    keys, queries = keys.astype(float) / width, queries.astype(float) / width
    key_boxes, key_begins = _boxes(keys)
    boxes, begins = _boxes(queries)
    nearest = _to_nearest(boxes, key_boxes)
    masses = np.vstack([columns[0], mass])
    box_masses = np.add.reduceat(masses, key_begins[:-1], axis=1)
    moments = np.zeros((len(key_boxes), len(columns), P))
    for box, points, polynomials in _polynomials_by_box(keys, key_begins):
        moments[box] += columns[:, points] @ polynomials.T

    reach = _reach(ratio, len(keys))
    offsets = np.arange(
        max(-np.ceil(reach), boxes[0] - key_boxes[-1]),
        min(np.ceil(reach), boxes[-1] - key_boxes[0]) + 1,
    )[:, None]
    matrices = _translations(offsets[..., None], ratio)
    least = np.exp((offsets**2 - (abs(offsets) + 1) ** 2) * ratio**2 / 2)
    most = np.exp((offsets**2 - np.maximum(abs(offsets) - 1, 0) ** 2) * ratio**2 / 2)
    coefficients = np.zeros((len(boxes), len(columns), P))
    lower, upper = np.zeros((2, 2, len(boxes)))
    for some in _slices(len(boxes), AT_ONCE // (len(offsets) + 1) + 1):
        sources = np.searchsorted(key_boxes, boxes[some] - offsets)  # (offsets, boxes)
        sources = np.minimum(sources, len(key_boxes) - 1)
        scores = LIFT + (nearest[some] ** 2 - offsets**2) * ratio**2 / 2
        scores[key_boxes[sources] != boxes[some] - offsets] = -np.inf
        weights = np.exp(scores)
        parts = weights[..., None, None] * moments[sources]  # (offsets, boxes, c, P)
        parts = parts.reshape(len(offsets), -1, P) @ matrices
        coefficients[some] = parts.sum(axis=0).reshape(-1, len(columns), P)
        lower[:, some] = np.sum(least * weights * box_masses[:, sources], axis=1)
        upper[:, some] = np.sum(most * weights * box_masses[:, sources], axis=1)
    beyond = np.exp(LIFT + np.minimum(nearest**2 - reach**2, 0) * ratio**2 / 2)
    lost = 2e-15 * upper + beyond * box_masses.sum(axis=1, keepdims=True)

    sums = np.empty((len(columns), len(queries)))
    for box, points, polynomials in _polynomials_by_box(queries, begins):
        sums[:, points] = coefficients[box] @ polynomials
    lower, lost = (np.repeat(bound, np.diff(begins), axis=1) for bound in (lower, lost))
    if own is not None:
        sums -= np.exp(LIFT) * columns[:, own]
        lower -= np.exp(LIFT) * least[offsets == 0] * masses[:, own]
    return sums, (lost < 1e-11 * lower) & (lower > 1e-280)


def _reach(ratio, n):
    """Return how many boxes away keys can matter to a query that boxes of a width can serve."""
    # Farther than 4.2 / ratio from all keys, weights within a box differ too much.
    return np.hypot(4.2 / ratio, np.sqrt(2 * (36 + np.log(n)))) / ratio


def _boxes(places):
    """Return the boxes of sorted places, each once, and where they begin, with the end of all."""
    floors = np.floor(places)
    begins = np.flatnonzero(np.append(True, floors[1:] != floors[:-1]))
    return floors[begins], np.append(begins, len(places))


def _polynomials_by_box(places, begins):
    """Yield a box, a slice of its places, and Chebyshev polynomials there, shape (P, places)."""
    ends = begins[1:].tolist()
    box = at = 0
    for part in _slices(len(places), AT_ONCE):
        polynomials = _polynomials(places[part])
        while at < part.stop:
            stop = min(ends[box], part.stop)
            yield box, slice(at, stop), polynomials[:, at - part.start : stop - part.start]
            box, at = box + (stop == ends[box]), stop


def _polynomials(places):
    """Return Chebyshev polynomials 0 … P − 1 of the place within a box, taken from −1 to 1."""
    x = 2 * (places - np.floor(places)) - 1
    polynomials = np.empty((P, len(x)))
    polynomials[0], polynomials[1] = 1, x
    x = 2 * x
    for p in range(2, P):
        np.multiply(x, polynomials[p - 1], out=polynomials[p])
        polynomials[p] -= polynomials[p - 2]
    return polynomials


def _translations(offsets, ratio):
    """Return for each offset of a query's box from a key's the map from moments to coefficients."""
    angles = np.pi * (np.arange(P) + 0.5) / P
    fit = np.cos(np.arange(P)[:, None] * angles) * 2 / P
    fit[0] /= 2
    nodes = np.cos(angles) / 2
    apart = nodes - nodes[:, None]  # (keys, queries)
    scores = -(offsets + apart / 2) * apart * ratio**2
    return fit @ np.exp(scores) @ fit.T


def _slices(length, step):
    return [slice(at, min(at + step, length)) for at in range(0, length, step)]


def _boxes_pay(queries, keys, mass, sigma, width, own):
    """Weigh the cost of boxes against that of single pairs, estimated from some of the queries."""
    size = np.max(abs(np.concatenate([queries[[0, -1]], keys[[0, -1]]])))
    if width < float(sigma) / 64 or size >= width * 2.0**50:
        return False
    some = slice(None, None, -(-len(queries) // 1000))
    low, high = _relevant(queries[some], keys, mass, sigma, None if own is None else own[some])
    singly = COSTS["pair"] * np.mean(high - low) * len(queries)
    boxes = len(_boxes(queries / width)[0])
    through_boxes = (
        COSTS["start"]
        + COSTS["point"] * (len(queries) + len(keys))
        + COSTS["box"] * boxes
        + COSTS["pair of boxes"] * boxes * 2 * _reach(width / float(sigma), len(keys))
    )
    return through_boxes < singly


@np.errstate(over="ignore")
def _relevant(queries, keys, mass, sigma, own):
    """Return the range of keys outside which no key changes the digits of a query's sums."""
    valued = np.flatnonzero(mass)
    scores = 36 + np.log(len(keys)) - np.log(mass[valued].min())
    farthest = _weightless(queries, keys, sigma, own)
    radius = np.hypot(_to_nearest(queries, keys, own, valued), float(sigma) * np.sqrt(2 * scores))
    radius = np.minimum(radius, farthest)
    radius += 4 * np.finfo(float).eps * (abs(queries) + radius)
    low = np.searchsorted(keys, queries - radius)
    return low, np.searchsorted(keys, queries + radius, side="right")


def _worthless(queries, keys, mass, sigma, own):
    """Return where all keys with a weight above 0 have the value 0."""
    if mass.all():
        return np.zeros(len(queries), dtype=bool)
    nearest = _to_nearest(queries, keys, own, np.flatnonzero(mass))
    return nearest > _weightless(queries, keys, sigma, own)


@np.errstate(over="ignore")
def _weightless(queries, keys, sigma, own):
    """Return the distance beyond which a key's weight is 0, as its score is smaller by 746."""
    nearest = _to_nearest(queries, keys, own)
    return np.hypot(nearest, float(sigma) * np.sqrt(2 * 746))


def _to_nearest(queries, keys, own=None, places=None):
    """Return each query's distance from the nearest of the keys at some places but its own."""
    places = np.arange(len(keys)) if places is None else places
    queries, keys = queries.astype(float), keys[places].astype(float)
    if own is None:
        before = after = np.searchsorted(keys, queries)
    else:
        before, after = (np.searchsorted(places, own, side=side) for side in ("left", "right"))
    edged = np.concatenate([[-np.inf], keys, [np.inf]])
    return np.minimum(queries - edged[before], edged[after + 1] - queries)


@np.errstate(over="ignore")
def _similarities(u, begins, counts):
    """Return exp(−u²/2) relative to the nearest key of each query, as the dense code does."""
    nearest = np.repeat(np.minimum.reduceat(u, begins), counts)
    return np.exp((nearest - u) * (nearest / 2 + u / 2))
