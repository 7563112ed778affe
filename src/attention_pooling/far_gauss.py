"""The Gaussian kernel far from the keys: in wide gaps and outside of everything.

Let d be a query's distance from the last key before it, its edge, in widths σ, and δ that of the
edge from a key before it. Relative to the edge's the key's weight is exp(−δ²/2 − δ d). Two things
follow. Only keys with δ²/2 + δ d below some number count, a stretch as short as 1/d. And the
weight is a smooth function of δ and of d. Hence, for all queries with d in one octave,

- keys in a box so narrow that δ d varies by 2 · VARIATION at most are replaced by the nodes of
  Chebyshev polynomials, with the moments' share of the columns;
- queries behind the same edge, in a stretch as narrow for the farthest δ, are answered by a
  polynomial through the answers at its nodes,

wherever that leaves fewer. What is left is summed pair by pair. On the other side of a query the
same is true of the keys after it, and the two sides are added.

With P nodes for exp(a x), |x| ≤ 1, interpolation errs by at most 4 (a/2)ᴾ e^(a/2) / P!, which is
4e-15 for a = VARIATION, against a weight of e⁻ᵃ or more; and with nodes for keys and for queries by
four times that, one more than Lebesgue's constant. So each term, and hence the sum, is right to
1e-12 of its size, wherever the keys lie and whatever their values are.

With −λ for such a score, λ exp(−λ) is as smooth, and its sums, which make the derivative in σ, are
taken at the same nodes. Of these a term errs by 1e-12 (λ + P) of the weight.
"""

import numpy as np

from .chebyshev import FIT, NODES, P, boxes_of, evaluated, moments
from .windows import ranges, window_sums

VARIATION = 1.5
"""How much the score may differ from its mean within a box or a stretch."""


def far_sums(gaps, edges, keys, columns, sigma, scores, order=0):
    """Sum each column over the keys, in units of the weight of a query's nearest key.

    Parameters
    ----------
    gaps : array, shape (2, m)
        Distances, in widths, of sorted queries from the last key before and the first key after.
        Each is more than 1; infinite where there is no such key.
    edges : integer array, shape (2, m)
        The places of these keys.
    keys : float64 array, shape (n,)
        Sorted.
    columns : float64 array, shape (c, n)
        What is summed.
    sigma : float
        Width.
    scores : float
        Keys whose score is smaller by this than that of the nearest do not matter.
    order : {0, 1}, optional
        With 1, each weight exp(−λ) times its own λ is summed as well.

    Returns
    -------
    array, shape (order + 1, c, m)
        Sums; zero where there are no keys.
    """
    nearest = gaps.min(axis=0)
    lags = (gaps - nearest) * (nearest / 2 + gaps / 2)
    sums = np.zeros((order + 1, len(columns), gaps.shape[1]))
    before, after = (np.flatnonzero(lag < scores) for lag in lags)
    sums[..., before] = farther(
        _side_sums(gaps[0, before], edges[0, before], keys, columns, sigma, scores, order),
        lags[0, before],
    )
    after = after[::-1]  # mirrored, the keys after a query lie before it
    sums[..., after] += farther(
        _side_sums(
            gaps[1, after],
            len(keys) - 1 - edges[1, after],
            -keys[::-1],
            columns[:, ::-1],
            sigma,
            scores,
            order,
        ),
        lags[1, after],
    )
    return sums


def farther(sums, lag):
    """Return sums weighted by exp(−λ), and then λ exp(−λ), for a λ that is larger by a lag."""
    lag = np.minimum(lag, 1e3)  # where exp(−λ) is 0, and λ may be infinite
    sums = np.exp(-lag) * sums
    sums[1:] += lag * sums[0]
    return sums


def similarities(lag, order):
    """Return, as functions of pairs like λ itself, the weights exp(−λ), then λ exp(−λ)."""

    def similarity(rows, places):
        return np.exp(-lag(rows, places))

    def weighted_lag(rows, places):
        lags = lag(rows, places)
        return lags * np.exp(-lags)

    return [similarity, weighted_lag][: order + 1]


def _side_sums(d, edges, keys, columns, sigma, scores, order):
    """Sum over the keys up to each query's edge, in units of the edge's weight."""
    sums = np.empty((order + 1, len(columns), len(d)))
    octaves = np.frexp(d)[1]
    for octave in np.unique(octaves):
        rows = np.flatnonzero(octaves == octave)
        sums[..., rows] = _octave_sums(
            d[rows], 2.0 ** (octave - 1), edges[rows], keys, columns, sigma, scores, order
        )
    return sums


def _octave_sums(d, least, edges, keys, columns, sigma, scores, order):
    """Do so for d from some least distance up to its double."""
    reach = 2 * scores / (np.hypot(least, np.sqrt(2 * scores)) + least)
    width = 2.0 ** np.floor(np.log2(2 * VARIATION / (2 * least + reach)) + np.log2(sigma))
    stretches = np.ceil(least * reach / (2 * VARIATION))
    places = (d / least - 1) * stretches
    stretch = np.floor(places)
    changes = (edges[1:] != edges[:-1]) | (stretch[1:] != stretch[:-1])
    begins = np.flatnonzero(np.append(True, changes))
    sizes = np.diff(np.append(begins, len(d)))
    many = sizes > P

    ends = keys[edges[begins]]
    low = np.searchsorted(keys, ends - reach * sigma - width)
    high = edges[begins] + 1
    some = ranges(np.maximum(low, np.append(0, high[:-1])), high)[1]
    origins, shifts, columns = _thinned(keys[some], columns[:, some], width)

    single = np.repeat(~many, sizes)
    nodes = least * (1 + (stretch[begins[many], None] + NODES) / stretches)
    d = np.concatenate([d[single], nodes.ravel()])
    ends = np.concatenate([np.repeat(ends, sizes)[single], np.repeat(ends[many], P)])

    def lag(rows, places):
        delta = (ends[rows] - origins[places] - shifts[places]) / sigma
        return delta * (delta / 2 + d[rows])

    low = np.searchsorted(origins, ends - reach * sigma - width)
    high = np.searchsorted(origins, ends, side="right")
    pooled = np.concatenate(
        [window_sums(columns, weights, low, high) for weights in similarities(lag, order)]
    )
    sums = np.empty((len(pooled), len(single)))
    alone = np.count_nonzero(single)
    sums[:, single] = pooled[:, :alone]
    coefficients = pooled[:, alone:].reshape(len(pooled), np.count_nonzero(many), P) @ FIT.T
    sums[:, ~single] = evaluated(
        places[~single], np.cumsum(sizes[many]), coefficients.swapaxes(0, 1)
    )
    return sums.reshape(order + 1, len(columns), -1)


def _thinned(keys, columns, width):
    """Return keys as sums of an origin and a shift, and columns, P at most for each box."""
    boxes, begins = boxes_of(keys / width)
    sizes = np.diff(begins)
    many = (sizes > P) & np.isfinite(boxes)  # else boxes are narrower than differences of keys
    single = np.repeat(~many, sizes)
    sums = moments(keys[~single] / width, np.cumsum(sizes[many]), columns[:, ~single])
    columns = np.hstack(
        [columns[:, single], (sums @ FIT).swapaxes(0, 1).reshape(len(columns), P * len(sums))]
    )
    # The origin of a box is exact; a node's place beside a large origin would not be.
    origins = np.concatenate([keys[single], np.repeat(boxes[many] * width, P)])
    shifts = np.concatenate([np.zeros(single.sum()), np.tile(NODES * width, many.sum())])
    order = np.argsort(origins, kind="stable")
    return origins[order], shifts[order], columns[:, order]
