"""Compact kernels on a line: sums over windows of sorted keys, read off prefix sums.

On either side of the query, a compact kernel of the book is a polynomial of the distance. A sum of
polynomials needs only the keys' moments, and the moments of a window are a difference of two
prefix sums. The work is that of sorting, whatever the width.
"""

import numpy as np

from .kernels import boxcar, epanechnikov, triangular
from .windows import distances, window_sums, windows

SIDES = {
    boxcar: ((1, 0, 0), (1, 0, 0)),
    triangular: ((1, 1, 0), (1, -1, 0)),
    epanechnikov: ((1, 0, -1), (1, 0, -1)),
}
"""Coefficients of 1, (k − q)/σ and its square, for keys before the query and after it.

Epanechnikov's lack the factor ¾, which cancels."""

FEW = 16
"""Windows of at most so many keys are summed pair by pair."""

EPS = np.finfo(float).eps
TOLERANCE = 1e-11


def compact_sums(queries, keys, columns, mass, sigma, kernel, own=None):
    """Sum each column over the keys, weighted by a compact kernel.

    Parameters
    ----------
    queries, keys : array, shape (m,) and (n,)
        Sorted.
    columns : float64 array, shape (c, n)
        What is summed: ones first.
    mass : float64 array, shape (n,)
        Bounds the size of the other columns.
    sigma : floating-point scalar
        Width, of the dtype of queries and keys.
    kernel : callable
        One of those in `SIDES`.
    own : integer array, shape (m,), optional
        The key that each query leaves out; it lies at the query.

    Returns
    -------
    array, shape (c, m)
        Sums, up to one factor for each query; zero where no key is in reach.
    """
    low, high = windows(
        queries,
        keys,
        sigma,
        lambda rows, places: kernel(distances(queries[rows], keys[places], sigma)) > 0,
    )
    before, after = SIDES[kernel]
    middle = high if before == after else np.searchsorted(keys, queries)
    moments = Moments(keys, np.vstack([columns, mass]), sigma, order=np.flatnonzero(before)[-1])
    sums = moments.weighted(queries, low, middle, before)
    if before != after:
        sums += moments.weighted(queries, middle, high, after)
    if own is not None:
        sums -= np.vstack([columns, mass])[:, own]  # its weight at distance 0 is 1

    # Digits are lost where weights are small against 1, and windows small against all the keys.
    lost = 16 * EPS * moments.between(low, high)[:, 0].T + moments.noise[:, None]
    doubtful = ~(lost < TOLERANCE * sums)
    valued = np.concatenate([[0], np.cumsum(mass > 0)])
    direct = (high - low <= FEW) | doubtful[0] | doubtful[-1] & (valued[low] < valued[high])
    sums = sums[:-1]
    sums[:, direct] = window_sums(
        queries[direct],
        keys,
        columns,
        sigma,
        lambda u, begins, counts: kernel(u),
        low[direct],
        high[direct],
        None if own is None else own[direct],
    )
    return sums


class Moments:
    """Prefix sums of columns · xᵖ, where x is a key's distance from an anchor in units of σ.

    Anchors stand at most σ before their keys, so that powers stay small. Running sums carry what
    rounding took from them in a second sum [1]_.

    References
    ----------
    .. [1] T. Ogita, S. M. Rump and S. Oishi, Accurate Sum and Dot Product, SIAM Journal on
       Scientific Computing 26(6), 2005, 1955–1988.
    """

    def __init__(self, keys, columns, sigma, order):
        self.sigma = float(sigma)
        keys = keys.astype(float)
        box = np.floor((keys - keys[0]) / self.sigma) if order else np.zeros(len(keys))
        is_first = np.append(True, box[1:] != box[:-1])
        first = np.flatnonzero(is_first)
        self.group = np.cumsum(is_first) - 1
        self.anchor, self.end = keys[first], np.append(first[1:], len(keys))
        x = (keys - self.anchor[self.group]) / self.sigma
        self.table = np.zeros((len(keys) + 1, 2, order + 1, len(columns)))
        for p in range(order + 1):
            for c, column in enumerate(columns):
                self.table[1:, 0, p, c], self.table[1:, 1, p, c] = _running_sum(column * x**p)
        self.noise = len(keys) * EPS**2 * self.table[-1, 0, 0]

    def between(self, low, high):
        """Return the moments of keys low:high, shape (m, order + 1, c)."""
        difference = self.table[high] - self.table[low]
        return difference[:, 0] + difference[:, 1]

    def weighted(self, queries, low, high, coefficients):
        """Return sums of columns, weighted by a polynomial of (k − q)/σ, over keys low:high."""
        constant, linear, square = coefficients
        sums = np.zeros((self.table.shape[-1], len(queries)))
        rows = np.flatnonzero(low < high)
        low = low[rows]
        while len(rows):
            group = self.group[low]
            stop = np.minimum(self.end[group], high[rows])
            t = ((self.anchor[group] - queries[rows]) / self.sigma)[:, None]
            about_anchor = (constant + linear * t + square * t**2, linear + 2 * square * t, square)
            moments = self.between(low, stop)
            for p in range(moments.shape[1]):
                sums[:, rows] += (about_anchor[p] * moments[:, p]).T
            more = stop < high[rows]
            rows, low = rows[more], stop[more]
        return sums


def _running_sum(terms):
    total = np.cumsum(terms)
    before = np.append(0.0, total[:-1])
    added = total - before
    lost = (before - (total - added)) + (terms - added)
    return total, np.cumsum(lost)
