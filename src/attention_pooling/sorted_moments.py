"""Compact kernels on a line: sums over windows of sorted keys, read off prefix sums.

On either side of the query, a compact kernel of the table is a polynomial of the distance. A sum of
polynomials needs only the keys' moments, and the moments of a window are a difference of two
prefix sums. The work is that of sorting, whatever the width.
"""

import numpy as np

from .windows import distances, window_sums, windows

FEW = 16
"""Windows of at most so many keys are summed pair by pair."""

AT_ONCE = 1 << 13
"""Queries in memory together."""

EPS = np.finfo(float).eps


def compact_sums(queries, keys, columns, sigma, kernel, own=None, order=0):
    """Sum each column but the last over the keys, weighted by a compact kernel.

    Parameters
    ----------
    queries, keys : array, shape (m,) and (n,)
        Sorted.
    columns : float64 array, shape (c + 1, n)
        What is summed: ones first. The last bounds the size of those between.
    sigma : floating-point scalar
        Width, of the dtype of queries and keys.
    kernel : Polynomial
        With a finite reach.
    own : integer array, shape (m,), optional
        The key that each query leaves out; it lies at the query.
    order : {0, 1}, optional
        With 1, the sums' derivatives in ln σ as well. A key at the very edge of the reach, where
        the derivative jumps, counts half.

    Returns
    -------
    array, shape (order + 1, c, m)
        Sums in units of the kernel's height; zero where no key is in reach.
    """
    # In units of the reach, where −u d/du is the derivative in ln σ.
    inside = np.array([c * kernel.reach**p for p, c in enumerate(kernel.coefficients)], dtype=float)
    powers = np.arange(len(inside))
    polynomials = [inside, -powers * inside][: order + 1]
    edge = polynomials[-1].sum() / 2 if order else 0.0
    reach = sigma * kernel.reach
    # A distance is split at an anchor into up to 1 and up to 2, whose powers cancel.
    rounding = 4 * EPS * max(np.sum(abs(polynomial) * 3.0**powers) for polynomial in polynomials)
    moments = Moments(keys, columns, reach, order=len(inside) - 1)
    valued = np.concatenate([[0], np.cumsum(columns[-1] > 0)])
    sums = np.empty((order + 1, len(columns) - 1, len(queries)))
    for start in range(0, len(queries), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        some, others = queries[part], None if own is None else own[part]

        def reaches(rows, places, some=some):
            return distances(some[rows], keys[places], sigma) <= kernel.reach

        def passes(rows, places, some=some):
            return distances(some[rows], keys[places], sigma) < kernel.reach

        low, high = windows(some, keys, reach, reaches)
        middle = low if kernel.is_even else np.searchsorted(keys, some)
        fast = np.zeros((order + 1, len(columns), len(some)))
        for total, polynomial in zip(fast, polynomials, strict=True):
            total += moments.weighted(some, low, middle, polynomial * (-1.0) ** powers)
            total += moments.weighted(some, middle, high, polynomial)
        if edge:
            within = windows(some, keys, reach, passes)
            for start_of_ties, end_of_ties in ((low, within[0]), (within[1], high)):
                ties = between(moments.totals[:, 0], start_of_ties, end_of_ties)
                fast[1] -= edge * ties
        if others is not None:
            fast[0] -= moments.columns[:, others]  # a query's own key has weight 1
        # Digits are lost where weights are small against 1, and windows small against all keys.
        sizes = np.stack([high - low, between(moments.mass, low, high)])
        lost = rounding * sizes + moments.noise
        doubtful = ~(lost < 1e-11 * fast[0, [0, -1]])
        direct = doubtful[0] | doubtful[-1] & (valued[low] < valued[high]) | (high - low <= FEW)
        sums[..., part] = fast[:, :-1]
        rows = np.flatnonzero(direct)

        def similarity(pairs, places, some=some[rows]):
            return kernel(distances(some[pairs], keys[places], sigma)) / kernel.height

        def growth(pairs, places, some=some[rows]):
            u = distances(some[pairs], keys[places], sigma) / kernel.reach
            return np.where(u == 1, edge, np.polyval(polynomials[-1][::-1], u))

        left_out = None if others is None else others[rows]
        for total, weights in zip(sums, [similarity, growth][: order + 1], strict=True):
            total[:, start + rows] = window_sums(
                columns[:-1], weights, low[rows], high[rows], left_out
            )
    return sums


def compact_shares(queries, keys, columns, sigma, kernel, own=None):
    """Share each query's columns out among the keys, by their weights.

    Parameters
    ----------
    queries, keys, sigma, kernel
        As for `compact_sums`.
    columns : float64 array, shape (c, m)
        What each query shares out; nothing where no key is in reach.
    own : integer array, shape (m,), optional
        The key that each query leaves out: that of the same place.

    Returns
    -------
    array, shape (c, n)
        What each key gets.
    """
    total = compact_sums(queries, keys, np.ones((2, len(keys))), sigma, kernel, own)[0, 0]
    columns = columns / np.where(total > 0, total, np.inf)
    exponents = np.frexp(np.max(abs(columns), axis=1, keepdims=True))[1]
    columns = np.ldexp(columns, -exponents)
    columns = np.vstack([np.ones(len(queries)), columns, np.max(abs(columns), axis=0)])
    return np.ldexp(compact_sums(keys, queries, columns, sigma, kernel, own)[0, 1:], exponents)


class Moments:
    """Prefix sums of columns · xᵖ, where x is a key's distance from an anchor in units of σ.

    Anchors stand at most σ from their keys, so that powers stay small. What rounding takes from
    a running sum is summed as well [1]_.

    References
    ----------
    .. [1] T. Ogita, S. M. Rump and S. Oishi, Accurate Sum and Dot Product, SIAM Journal on
       Scientific Computing 26(6), 2005, 1955–1988.
    """

    def __init__(self, keys, columns, sigma, order):
        self.columns, self.sigma = columns, float(sigma)
        keys = keys.astype(float)
        box = np.floor((keys / 2 - keys[0] / 2) / self.sigma) if order else np.zeros(len(keys))
        is_first = np.append(True, box[1:] != box[:-1])
        first = np.flatnonzero(is_first)
        self.group = np.cumsum(is_first) - 1
        self.ends = np.append(first[1:], len(keys))
        self.anchors = keys[first] / 2 + keys[self.ends - 1] / 2
        x = (keys - self.anchors[self.group]) / self.sigma
        self.totals = np.zeros((2, order + 1, len(columns), len(keys) + 1))
        for p in range(order + 1):
            for c, column in enumerate(columns):
                self.totals[:, p, c, 1:] = _running_sum(column * x**p)
        # Contiguous, because otherwise np.take makes a copy at each call.
        self.mass = np.ascontiguousarray(self.totals[:, 0, -1])
        self.noise = len(keys) * EPS**2 * self.totals[0, 0, [0, -1], -1:]

    def weighted(self, queries, low, high, coefficients):
        """Return sums of columns, weighted by a polynomial of (k − q)/σ, over keys low:high."""
        sums = np.zeros((len(self.columns), len(queries)))
        rows = np.flatnonzero(low < high)
        low = low[rows]
        while len(rows):
            group = self.group[low]
            stop = np.minimum(self.ends[group], high[rows])
            about_anchor = list(coefficients)
            if len(coefficients) > 1:
                _shift(about_anchor, (self.anchors[group] - queries[rows]) / self.sigma)
            moments = between(self.totals, low, stop)
            sums[:, rows] += sum(a * m for a, m in zip(about_anchor, moments, strict=True))
            more = stop < high[rows]
            rows, low = rows[more], stop[more]
        return sums


def _shift(coefficients, t):
    """Make the coefficients of p(x) those of p(x + t) in powers of x, by Horner's scheme."""
    for done in range(len(coefficients) - 1):
        for p in range(len(coefficients) - 2, done - 1, -1):
            coefficients[p] = coefficients[p] + t * coefficients[p + 1]


def between(totals, low, high):
    """Return the sums over keys low:high, given prefix sums and what rounding took from them."""
    total, rest = np.take(totals, high, axis=-1) - np.take(totals, low, axis=-1)
    return total + rest


def _running_sum(terms):
    total = np.cumsum(terms)
    before = np.append(0.0, total[:-1])
    added = total - before
    lost = (before - (total - added)) + (terms - added)
    return total, np.cumsum(lost)
