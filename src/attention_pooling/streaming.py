"""The dense estimate, one block of queries after another, for any number of coordinates."""

import sys

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from .pooling import nadaraya_watson
from .progress import watched

PAIRS_AT_ONCE = 1 << 18
"""Pairs of query and key in memory together, unless one query has more."""

PAIRS_IN_PLACE = 1 << 20
"""The same for the Gaussian, which makes no copies of them."""

LARGE = 1 << 20
"""From so many pairs on, PyTorch's faster exponential is worth the way there and back."""


def blocked_estimate(queries, keys, values, kernel, sigma, unreached="nan", own=None):
    """Return `nadaraya_watson`'s estimate, with one block of weights at a time in memory.

    Parameters
    ----------
    queries, keys : array, shape (m, d) and (n, d)
        Where to estimate, and where values were observed.
    values : array, shape (n,) or (n, c)
        What was observed at each key.
    kernel : callable
        A function of the scaled distance u.
    sigma : array, shape () or (d,)
        Width.
    unreached : {"nan", "nearest"}, optional
        What a query gets that no key reaches.
    own : integer array, shape (m,), optional
        The key that each query leaves out.

    Returns
    -------
    array, shape (m,) or (m, c)
        The estimate; its gradient, too, is computed block by block.
    """
    xp = array_namespace(keys)
    places = xp.arange(keys.shape[0], device=device(keys))
    rows = max(1, PAIRS_AT_ONCE // keys.shape[0])
    arrays = queries, keys, values, sigma
    recorded = is_in_a_graph(*arrays) and not is_transformed(*arrays)
    estimate = _checkpointed if recorded else _estimate
    blocks = []
    for start in watched(range(0, max(1, queries.shape[0]), rows)):
        some = slice(start, start + rows)
        mask = None if own is None else own[some, None] != places
        blocks.append(estimate(queries[some], keys, values, kernel, sigma, mask, unreached))
    return xp.concat(blocks)


def is_in_a_graph(*arrays):
    """Tell whether PyTorch records what is done to the arrays, to differentiate it."""
    recorded = any(is_torch_array(array) and array.requires_grad for array in arrays)
    return recorded and sys.modules["torch"].is_grad_enabled()


def is_transformed(*arrays):
    """Tell whether PyTorch maps over the arrays or differentiates them forward, as `torch.func`."""
    return any(is_torch_array(array) and not _is_all_there(array) for array in arrays)


def _is_all_there(tensor):
    try:
        tensor.untyped_storage()
    except NotImplementedError:
        return False
    return sys.modules["torch"].autograd.forward_ad.unpack_dual(tensor).tangent is None


def _estimate(queries, keys, values, kernel, sigma, mask, unreached):
    return nadaraya_watson(
        queries, keys, values, kernel, sigma, mask=mask, unreached=unreached
    ).estimate


def _checkpointed(*arguments):
    """Keep nothing of a block but its estimate; the backward pass computes the rest once more."""
    from torch.utils.checkpoint import checkpoint

    return checkpoint(_estimate, *arguments, use_reentrant=False)


def largest_square(queries, keys, sigma):
    """Return a bound of u²: what is rounded when squares are subtracted from one another."""
    points = np.concatenate([queries, keys]).astype(float)
    return np.sum((np.ptp(points, axis=0) / sigma) ** 2)


def gaussian_estimate(queries, keys, values, sigma):
    """Return the Gaussian estimate from blocks computed in place, in PyTorch if it is imported.

    Parameters
    ----------
    queries, keys : NumPy array, shape (m, d) and (n, d)
        Where to estimate, and where values were observed.
    values : NumPy array, shape (n,) or (n, c)
        What was observed at each key.
    sigma : NumPy array, shape () or (d,)
        Width, at which `largest_square` is below 1e7.

    Returns
    -------
    NumPy array, shape (m,) or (m, c)
        The estimate in float64.
    """
    library = sys.modules.get("torch", np) if len(queries) * len(keys) >= LARGE else np
    queries, keys, values = (array.astype(float) for array in (queries, keys, values))
    # Products are quickest, but they lose the digits that distant keys have in common.
    by_products = largest_square(queries, keys, sigma) < 1e5
    if by_products:
        middle = keys.mean(axis=0)
        queries, keys = (queries - middle) / sigma, (keys - middle) / sigma
    widths = np.broadcast_to(sigma, keys.shape[1:]).tolist()
    estimate = np.empty((len(queries), *values.shape[1:]))
    rows = max(1, PAIRS_IN_PLACE // len(keys))
    # PyTorch's default device may be another.
    scores, squares = (
        library.empty((rows, len(keys)), dtype=library.float64, device="cpu") for _ in range(2)
    )
    points, coordinates, values = (
        library.asarray(array, device="cpu") for array in (queries, keys.T.copy(), values)
    )
    if by_products:
        half_squares = (coordinates**2).sum(0) / 2
    for start in watched(range(0, len(queries), rows)):
        some = points[start : start + rows]
        scores, squares = scores[: len(some)], squares[: len(some)]
        if by_products:
            library.matmul(some, coordinates, out=scores)
            scores -= half_squares
        else:
            scores[:] = 0
            for j, width in enumerate(widths):
                library.subtract(some[:, j, None], coordinates[j], out=squares)
                squares /= width
                squares *= squares
                scores -= squares
            scores /= 2
        scores -= library.amax(scores, 1)[:, None]
        weights = library.exp(scores, out=scores)
        weights /= weights.sum(1)[:, None]
        estimate[start : start + rows] = weights @ values
    return estimate
