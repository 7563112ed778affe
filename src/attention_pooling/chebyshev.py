"""Few polynomials instead of many points: sums into boxes, and smooth functions out of them.

Within a box, a smooth function f of a place is Σₚ aₚ Bₚ, with polynomials Bₚ of degree below P.
Hence Σᵢ vᵢ f(xᵢ) = Σₚ aₚ Σᵢ vᵢ Bₚ(xᵢ): of the points in a box only P moments are needed, and f
itself only at the P nodes of Chebyshev. All Bₚ are products of his polynomials, whose degrees are
the powers of two that make up p: one product each, and as good as independent.
"""

import numpy as np

P = 16
"""Polynomials in a box, and nodes that determine them: a power of two."""

AT_ONCE = 1 << 14
"""Places whose polynomials are in memory together."""

NODES = (1 - np.cos(np.pi * (np.arange(P) + 0.5) / P)) / 2
"""Nodes in a box from 0 to 1, in ascending order."""


def boxes_of(places):
    """Return the boxes of sorted places, each once, and where they begin, with the end of all."""
    floors = np.floor(places)
    begins = np.flatnonzero(np.append(True, floors[1:] != floors[:-1]))
    return floors[begins], np.append(begins, len(places))


def moments(places, ends, columns):
    """Sum each column, times each polynomial, over the places of each box.

    Parameters
    ----------
    places : array, shape (n,)
        In boxes of width 1, box by box.
    ends : integer array, shape (boxes,)
        Where boxes end.
    columns : array, shape (c, n)
        What is summed.

    Returns
    -------
    array, shape (boxes, c, P)
    """
    sums = np.zeros((len(ends), len(columns), P))
    for box, points, polynomials in _polynomials_by_box(places, ends):
        sums[box] += columns[:, points] @ polynomials.T
    return sums


def evaluated(places, ends, coefficients):
    """Evaluate the polynomials of each box, given by coefficients of shape (boxes, c, P).

    Returns
    -------
    array, shape (c, n)
    """
    values = np.empty((coefficients.shape[1], len(places)))
    for box, points, polynomials in _polynomials_by_box(places, ends):
        values[:, points] = coefficients[box] @ polynomials
    return values


def _polynomials_by_box(places, ends):
    """Yield a box, a slice of its places, and the polynomials there, shape (P, places)."""
    ends = ends.tolist()
    # As much for few places, because the C library then keeps for the next call what one has freed.
    room = np.empty((P, AT_ONCE))
    box = 0
    for start in range(0, len(places), AT_ONCE):
        stop = min(start + AT_ONCE, len(places))
        polynomials = _polynomials(places[start:stop], room[:, : stop - start])
        at = start
        while at < stop:
            end = min(ends[box], stop)
            yield box, slice(at, end), polynomials[:, at - start : end - start]
            box, at = box + (end == ends[box]), end


def _polynomials(places, out):
    """Write the polynomials at places to P rows: T₁, T₂, T₄, … and the products of these."""
    out[0], out[1] = 1, 2 * (places - np.floor(places)) - 1
    n = 1
    while 2 * n < P:
        out[2 * n] = 2 * out[n] ** 2 - 1
        np.multiply(out[2 * n], out[1 : 2 * n], out=out[2 * n + 1 : 4 * n])
        n *= 2
    return out


FIT = np.linalg.inv(_polynomials(NODES, np.empty((P, P)))).T
"""Leads from the values of a function at the nodes to its coefficients."""
