"""Sums over the keys near each query, one pair at a time, for sorted queries and keys."""

import numpy as np

from .progress import watched

PAIRS_AT_ONCE = 1 << 18
"""Pairs of query and key in memory together."""


def distances(queries, keys, sigma):
    """Return u by the very expression of the dense code, so that ties fall as they do there."""
    return np.abs(queries - keys) / sigma


def windows(queries, keys, sigma, within):
    """Return the ranges of keys whose distance from a query satisfies a condition.

    Parameters
    ----------
    queries, keys : array, shape (m,) and (n,)
        Sorted.
    sigma : array, shape () or (m,)
        About how far the condition holds, in units of the keys.
    within : callable
        Called with queries, as places, and one key for each, as places: whether the condition
        holds. It must hold up to some distance from a query and fail beyond.

    Returns
    -------
    low, high : integer arrays, shape (m,)
        Keys ``low:high`` of each query.
    """
    middle = np.searchsorted(keys, queries)
    low = np.searchsorted(keys, queries - sigma)
    high = np.searchsorted(keys, queries + sigma, side="right")
    ends = np.full_like(middle, len(keys))
    return (
        _first(low, np.zeros_like(middle), middle, within),
        _first(high, middle, ends, lambda rows, places: ~within(rows, places)),
    )


def _first(guess, start, stop, holds):
    """Return the first place from start on for which `holds`, or stop; the guess is nearly right.

    Rounding misplaces the edge of a window by little, but many keys may be equal: hence bisection.
    """
    guess = np.clip(guess, start, stop)
    rows = np.flatnonzero(guess > start)
    late = rows[holds(rows, guess[rows] - 1)]
    rows = np.flatnonzero(guess < stop)
    early = rows[~holds(rows, guess[rows])]
    start[early], stop[late] = guess[early] + 1, guess[late] - 1
    rows = np.concatenate([early, late])
    while len(rows := rows[start[rows] < stop[rows]]):
        middle = (start[rows] + stop[rows]) // 2
        found = holds(rows, middle)
        stop[rows[found]], start[rows[~found]] = middle[found], middle[~found] + 1
    guess[early], guess[late] = start[early], start[late]
    return guess


def window_sums(columns, similarity, low, high, own=None):
    """Sum each column over the keys of each query's window, weighted by similarity.

    Parameters
    ----------
    columns : float64 array, shape (c, n)
        What is summed.
    similarity : callable
        Called with queries, as places, and one key for each, as places; returns their weights.
    low, high : integer arrays, shape (m,)
        Keys ``low:high`` of each query.
    own : integer array, shape (m,), optional
        The key that each query leaves out.

    Returns
    -------
    array, shape (c, m)
        Sums; zero where a window is empty.
    """
    sums = np.zeros((len(columns), len(low)))
    for rows, places, weights in _weighted_pairs(similarity, low, high, own):
        begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
        filled = rows[begins]
        for total, column in zip(sums, columns, strict=True):
            total[filled] = np.add.reduceat(weights * column[places], begins)
    return sums


def window_shares(columns, similarity, low, high, n, own=None):
    """Sum each column over the queries that have a key in their window, weighted by similarity.

    Parameters
    ----------
    columns : float64 array, shape (c, m)
        What is summed.
    similarity, low, high, own
        As for `window_sums`.
    n : int
        How many keys there are.

    Returns
    -------
    array, shape (c, n)
        Sums; zero where no window has the key.
    """
    sums = np.zeros((len(columns), n))
    for rows, places, weights in _weighted_pairs(similarity, low, high, own):
        for total, column in zip(sums, columns, strict=True):
            total += np.bincount(places, weights * column[rows], minlength=n)
    return sums


def _weighted_pairs(similarity, low, high, own):
    """Yield the pairs of some windows after another: queries, as places, keys, and weights."""
    pairs = np.cumsum(high - low)
    full = np.searchsorted(pairs, np.arange(PAIRS_AT_ONCE, pairs[-1:].sum(), PAIRS_AT_ONCE))
    edges = np.unique([0, *full, len(low)])
    for start, stop in watched(list(zip(edges[:-1], edges[1:], strict=True))):
        rows, places = ranges(low[start:stop], high[start:stop])
        if len(rows):
            rows += start
            weights = similarity(rows, places)
            if own is not None:
                weights[places == own[rows]] = 0
            yield rows, places, weights


def ranges(low, high):
    """Return all rows' numbers from low up to high in one array, after the row of each."""
    counts = high - low
    rows = np.repeat(np.arange(len(counts)), counts)
    skipped = np.cumsum(counts) - counts
    return rows, np.arange(len(rows)) + np.repeat(low - skipped, counts)
