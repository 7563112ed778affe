"""The Gaussian kernel on a line: a fast Gauss transform.

Queries and keys fall into boxes narrower than σ. What a box of keys adds to a query in another box
is a smooth function of the places of both within their boxes, hence a short double sum of
polynomials [1]_. So a box of keys is described by P moments, a box of queries by P coefficients,
and one P × P matrix for each distance between boxes leads from the moments to the coefficients.

That serves queries with a key within NEAR widths; `far_gauss` serves the others. Let u be a
distance in widths σ, and boxes ρ ≤ 1 widths wide. Three things are lost of Σ wᵢ |vᵢ|:

- Keys with u² > NEAR² + 2 (LOST + ln n − ln min |vᵢ|), where max |vᵢ| = 1: all n of them weigh at
  most exp(−LOST) = 2e-16 of a key within NEAR widths, and exp(6 − LOST) of one within the NEAR + 2ρ
  that such a key may be from other queries of a box. Where a query's own key is left out, that is
  less than what rounding takes from its part.
- What is no polynomial. P nodes in a box miss at most 2 (ρ/4)ᴾ max |g⁽ᴾ⁾| / P! of g(u) =
  exp(−u²/2), and nodes for queries and keys less than four times that, one more than Lebesgue's
  constant. g⁽ᴾ⁾ is g times a Hermite polynomial, whose size is below 1.1 √P! exp(u²/4), by Cramér's
  inequality, and below (u² + (P − 1)!!^(2/P))^(P/2), by Minkowski's, since it is the mean of
  (u + iZ)ᴾ with a standard normal Z. At ρ = 1 that makes 5e-16 for a value of 1.
- Rounding: P ε of the largest weight between two boxes, in a sum of P products.

Boxes o apart hold u from (|o| − 1) ρ to (|o| + 1) ρ. Hence each box of queries knows bounds of the
last two, and of the least that its sum can be; their quotient must be below ACCURACY. It is where
values are alike. Where distant keys have by far the largest values, their weights matter, which
differ by a factor up to exp(2ρu) within boxes; those queries are served once more, by boxes of half
the width. Even the least double, 5e-324, counts only up to u = 40, so the narrowest boxes always
pass, with exp(5) P ε: but for a query whose own key, left out, has far more than all others.

The derivative of a weight exp(−λ) in ln σ is 2 λ exp(−λ), where λ = u²/2. Sums of these go the same
way: of λ g(u) = (g″(u) + g(u)) / 2 the polynomials miss what they miss of two derivatives more, and
rounding is that of a factor λ more. A query's λ may all be less by one number, for that adds to the
derivative a multiple of the sums, which a quotient of two sums forgets.

References
----------
.. [1] L. Greengard and J. Strain, The Fast Gauss Transform, SIAM Journal on Scientific and
   Statistical Computing 12(1), 1991, 79–94.
"""

from math import factorial, prod

import numpy as np

from .chebyshev import FIT, NODES, P, boxes_of, evaluated, moments
from .far_gauss import far_sums, farther, similarities
from .windows import window_shares, window_sums

NEAR = 2
"""Distance in widths up to which a query's nearest key must lie for boxes to serve it."""

LOST = 36
"""Keys whose score is smaller by so much change no digit."""

ACCURACY = 1e-11
"""Error that sums by boxes may have, in units of Σ wᵢ |vᵢ|."""

ROUNDING = P * np.finfo(float).eps
"""Of a sum of P products, in units of the largest."""

NARROWEST = 1 / 32
"""Boxes are at least so wide, in widths."""

AT_ONCE = 1 << 12
"""Pairs of boxes whose polynomials are in memory together."""

COSTS = {"pair": 0.025, "start": 3000, "point": 0.25, "box": 5, "pair of boxes": 0.3}
"""Microseconds for a pair of query and key by itself, and for the parts of the transform."""


def gaussian_sums(queries, keys, columns, sigma, own=None, order=0):
    """Sum each column but the last over the keys, weighted by the Gaussian kernel.

    Parameters
    ----------
    queries, keys : array, shape (m,) and (n,)
        Sorted.
    columns : float64 array, shape (c + 1, n)
        What is summed: ones first. The last bounds the size of those between, and is at most 1.
    sigma : floating-point scalar
        Width, of the dtype of queries and keys.
    own : integer array, shape (m,), optional
        The key that each query leaves out; it lies at the query.
    order : {0, 1}, optional
        With 1, the sums' derivatives in ln σ as well.

    Returns
    -------
    array, shape (order + 1, c, m)
        Sums, up to one factor for each query; zero where there is no other key. Their derivatives
        follow in the same unit, up to one multiple of the sums for each query.
    """
    queries, keys = (points.astype(float, copy=False) for points in (queries, keys))
    sigma, columns, mass = float(sigma), columns[:-1], columns[-1:]
    if mass.all():
        masses = np.vstack([columns[:1], mass])
        sums, _ = _relative_sums(queries, keys, columns, masses, sigma, own, order)
        sums[1:] *= 2
        return sums
    # Keys of value 0 may be much nearer than those that matter to the other columns.
    ones, unit = _relative_sums(queries, keys, columns[:1], columns[:1], sigma, own, order)
    rest, other = _relative_sums(queries, keys, columns[1:], mass, sigma, own, order)
    sums = np.concatenate([ones, farther(rest, (other - unit) * (unit / 2 + other / 2))], axis=1)
    sums[1:] *= 2
    return sums


def gaussian_shares(queries, keys, columns, sigma, own=None):
    """Share each query's columns out among the keys, by their Gaussian weights.

    Queries and keys change places in the sums by boxes; those with no key within NEAR widths, whose
    weights would be the ratio of two that vanish, meet the keys that count one by one.

    Parameters
    ----------
    queries, keys, sigma, own
        As for `gaussian_sums`.
    columns : float64 array, shape (c, m)
        What each query shares out; nothing where it has no key.

    Returns
    -------
    array, shape (c, n)
        What each key gets.
    """
    queries, keys = (points.astype(float, copy=False) for points in (queries, keys))
    sigma, ones = float(sigma), np.ones((1, len(keys)))
    sums, unit = _relative_sums(queries, keys, ones, ones, sigma, own, 0)
    columns = columns / np.where(sums[0, 0] > 0, sums[0, 0], np.inf)
    near, far = np.flatnonzero(unit <= NEAR), np.flatnonzero((unit > NEAR) & (sums[0, 0] > 0))
    own = np.broadcast_to(-1, queries.shape) if own is None else own
    shares = np.zeros((len(columns), len(keys)))

    exponents = np.frexp(np.max(abs(columns), axis=1, keepdims=True, initial=0))[1]
    parts = np.ldexp(columns[:, near], -exponents) * np.exp(unit[near] ** 2 / 2 - NEAR**2 / 2)
    masses = np.max(abs(parts), axis=0, keepdims=True, initial=0)
    if masses.any():
        left_out = np.full(len(keys), -1)
        left_out[own[near][own[near] >= 0]] = np.flatnonzero(own[near] >= 0)
        sums, unit_of_key = _relative_sums(keys, queries[near], parts, masses, sigma, left_out, 0)
        shares = np.ldexp(sums[0] * np.exp(NEAR**2 / 2 - unit_of_key**2 / 2), exponents)

    edges, gaps = _neighbours(queries[far], keys, sigma, own[far])
    nearest = keys[np.where(gaps[0] < gaps[1], *edges)]
    reach = np.hypot(unit[far], np.sqrt(2 * (LOST + np.log(len(keys))))) * sigma
    reach += 4 * np.finfo(float).eps * (abs(queries[far]) + reach)

    def similarity(rows, places):
        apart, closest = queries[far[rows]] - keys[places], queries[far[rows]] - nearest[rows]
        return np.exp((keys[places] - nearest[rows]) / sigma * ((apart + closest) / sigma / 2))

    low = np.searchsorted(keys, queries[far] - reach)
    high = np.searchsorted(keys, queries[far] + reach, side="right")
    return shares + window_shares(columns[:, far], similarity, low, high, len(keys), own[far])


def _relative_sums(queries, keys, columns, masses, sigma, own, order):
    """Return sums over the keys that have mass, in units of exp(−u²/2), and u.

    With order 1, sums follow that are weighted by λ exp(−λ), where λ is 0 at u.
    """
    own = np.broadcast_to(-1, queries.shape) if own is None else own
    if not masses.all():
        valued = masses[-1] > 0
        own = np.where((own >= 0) & valued[own], np.cumsum(valued)[own] - 1, -1)
        keys, columns, masses = keys[valued], columns[:, valued], masses[:, valued]
    scores = LOST + np.log(len(keys)) - np.log(masses.min())
    reach = np.sqrt(NEAR**2 + 2 * scores) * sigma
    width = 2.0 ** (np.frexp(sigma)[1] - 1)

    sums, unit = np.empty((order + 1, len(columns), len(queries))), np.zeros(len(queries))
    left, rest = np.arange(len(queries)), []
    while len(left):
        pay = _where_boxes_pay(queries[left], keys, sigma, width, reach)
        rest.append(left[~pay])
        left = left[pay]
        if len(left):
            found, lost = _box_sums(
                queries[left], keys, columns, masses, sigma, width, reach, own[left], order
            )
            for row, part in zip(sums.reshape(-1, len(queries)), found, strict=True):
                row[left] = part
            left, width = left[lost], width / 2
    if any(map(len, rest)):
        rest = np.sort(np.concatenate(rest))
        sums[..., rest], unit[rest] = _pair_sums(
            queries[rest], keys, columns, sigma, scores, reach, own[rest], order
        )
    return sums, unit


def _pair_sums(queries, keys, columns, sigma, scores, reach, own, order):
    """Return the sums in units of the weights of the nearest keys, and the distances of those."""
    edges, gaps = _neighbours(queries, keys, sigma, own)
    nearest = gaps.min(axis=0)
    sums = np.empty((order + 1, len(columns), len(queries)))
    near, far = np.flatnonzero(nearest <= NEAR), np.flatnonzero(nearest > NEAR)
    sums[..., far] = far_sums(gaps[:, far], edges[:, far], keys, columns, sigma, scores, order)

    def lag(rows, places):
        closest = nearest[near[rows]]
        u = abs(queries[near[rows]] - keys[places]) / sigma
        return (u - closest) * (closest / 2 + u / 2)

    low = np.searchsorted(keys, queries[near] - reach)
    high = np.searchsorted(keys, queries[near] + reach, side="right")
    for part, similarity in zip(sums, similarities(lag, order), strict=True):
        part[:, near] = window_sums(columns, similarity, low, high, own[near])
    return sums, nearest


def _neighbours(queries, keys, sigma, own):
    """Return the places of the last key before each query and the first after, and their distances.

    Distances are in widths, and infinite where there is no such key.
    """
    before = np.where(own < 0, np.searchsorted(keys, queries), own)
    after = np.where(own < 0, before, own + 1)
    edged = np.concatenate([[-np.inf], keys, [np.inf]])
    gaps = np.stack([queries - edged[before], edged[after + 1] - queries]) / sigma
    return np.stack([before - 1, after]), gaps


def _box_sums(queries, keys, columns, masses, sigma, width, reach, own, order):
    """Return the sums by boxes, those of each order in turn, and where they are not accurate.

    The width is a power of two: then a point's place in its box suffers no rounding.
    """
    ratio = width / sigma
    keys, queries = keys / width, queries / width
    key_boxes, key_begins = boxes_of(keys)
    boxes, begins = boxes_of(queries)
    # The last one stands for all boxes without keys.
    box_moments = np.zeros((len(columns), len(key_boxes) + 1, P))
    box_moments[:, :-1] = moments(keys, key_begins[1:], columns).swapaxes(0, 1)
    box_masses = np.zeros((len(masses), len(key_boxes) + 1))
    box_masses[:, :-1] = np.add.reduceat(masses, key_begins[:-1], axis=1)

    most = np.ceil(reach / width)
    offsets = np.arange(
        max(-most, boxes[0] - key_boxes[-1]), min(most, boxes[-1] - key_boxes[0]) + 1
    )
    matrices = _translations(offsets, ratio, order)
    closest, farthest = np.maximum(abs(offsets) - 1, 0) * ratio, (abs(offsets) + 1) * ratio
    least, most = np.exp(-(farthest**2) / 2), np.exp(-(closest**2) / 2)
    lacking = [ROUNDING * most + _fitting_error(ratio, closest, farthest)]
    if order:
        further = ROUNDING * most * farthest**2 + _fitting_error(ratio, closest, farthest, P + 2)
        lacking.append((lacking[0] + further) / 2)
    bounds = np.stack([least, np.max(lacking, axis=0)], axis=1)
    coefficients = np.empty((len(boxes), order + 1, len(columns), P))
    lower, error = np.empty((2, len(masses), len(boxes)))
    for start in range(0, len(boxes), rows := AT_ONCE // len(offsets) + 1):
        some = slice(start, start + rows)
        wanted = boxes[some, None] - offsets
        sources = np.minimum(np.searchsorted(key_boxes, wanted), len(key_boxes) - 1)
        sources[key_boxes[sources] != wanted] = len(key_boxes)
        for c, moment in enumerate(box_moments):
            of_sources = moment[sources].reshape(len(sources), -1)
            for p, matrix in enumerate(matrices):
                coefficients[some, p, c] = of_sources @ matrix
        lower[:, some], error[:, some] = np.moveaxis(box_masses[:, sources] @ bounds, -1, 0)

    sums = evaluated(queries, begins[1:], coefficients.reshape(len(boxes), -1, P))
    lost = np.repeat(~np.all(error < ACCURACY * lower, axis=0), np.diff(begins))
    left_out = np.flatnonzero(own >= 0)
    if len(left_out):
        own, box = own[left_out], np.repeat(np.arange(len(boxes)), np.diff(begins))[left_out]
        sums[: len(columns), left_out] -= columns[:, own]
        others = lower[:, box] - np.exp(-(ratio**2) / 2) * masses[:, own]
        lost[left_out] = ~np.all(error[:, box] < ACCURACY * others, axis=0)
    return sums, lost


def _fitting_error(ratio, closest, farthest, n=P):
    """Bound what polynomials of two boxes lack, for u between a closest and a farthest.

    It is that of a function whose derivative of order P is the n-th of exp(−u²/2).
    """
    oscillating = 1.1 * np.sqrt(float(factorial(n))) * np.exp(-(closest**2) / 4)
    growing = (farthest**2 + prod(range(1, n, 2)) ** (2 / n)) ** (n / 2) * np.exp(-(closest**2) / 2)
    return 8 * (ratio / 4) ** P / factorial(P) * np.minimum(oscillating, growing)


def _translations(offsets, ratio, order):
    """Return, of each order, the maps from the moments of boxes at offsets to coefficients."""
    apart = NODES - NODES[:, None]  # (keys, queries)
    lags = ((offsets[:, None, None] + apart) * ratio) ** 2 / 2
    weights = [lags**p * np.exp(-lags) for p in range(order + 1)]
    return [(FIT @ weight @ FIT.T).reshape(-1, P) for weight in weights]


def _where_boxes_pay(queries, keys, sigma, width, reach):
    """Weigh for each box of queries its cost against that of single pairs."""
    if width < NARROWEST * sigma:
        return np.zeros(len(queries), dtype=bool)
    _, begins = boxes_of(queries / width)
    counts, firsts = np.diff(begins), queries[begins[:-1]]
    around = np.array([-reach, -NEAR * sigma, NEAR * sigma + width, reach])
    low, near, stop, high = np.searchsorted(keys, firsts + around[:, None])
    for_a_box = COSTS["box"] + COSTS["pair of boxes"] * 2 * reach / width
    saved = COSTS["pair"] * counts * (high - low) - for_a_box
    # From 2**53 on, boxes have no neighbours among the numbers.
    pay = (saved > 0) & (near < stop) & (abs(firsts) < width * 2.0**50)
    worth = np.sum(saved[pay]) > COSTS["start"] + COSTS["point"] * (len(keys) + np.sum(counts[pay]))
    return np.repeat(pay & worth, counts)
