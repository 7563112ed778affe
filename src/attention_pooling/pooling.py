"""Nadaraya–Watson regression: average the values, weighted by similarity of key to query."""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj

from .arrays import checked_points, checked_sigma, checked_values, common_arrays, holds, shown
from .kernels import KERNELS, gaussian


class Pooled(NamedTuple):
    """What pooling gives: unpack it as ``estimate, weights = nadaraya_watson(...)``."""

    estimate: Any
    """Pooled values, shape (m,) or (m, c)."""
    weights: Any
    """Attention weights, shape (m, n)."""


def nadaraya_watson(
    queries, keys, values, kernel=gaussian, sigma=1.0, *, mask=None, unreached="nan"
):
    r"""Estimate the value at each query by attention pooling over the keys.

    The estimate is :math:`f(q) = \sum_i v_i\, \alpha(u_i) / \sum_j \alpha(u_j)` with
    :math:`u_i = \lVert q - k_i \rVert / \sigma` [1]_ [2]_.

    Parameters
    ----------
    queries : array, shape (m,) or (m, d)
        Where to estimate.
    keys : array, shape (n,) or (n, d)
        Where values were observed, in the unit of `queries`.
    values : array, shape (n,) or (n, c)
        What was observed at each key. One-hot labels make the estimate class probabilities.
    kernel : callable or str, optional
        A function of the scaled distance u, or the name of one in `KERNELS`.
    sigma : float or array of shape (d,), optional
        Width, in the unit of `keys`: one for all coordinates or one for each.
    mask : boolean array, shape (m, n), optional
        True where a query may attend to a key. All of them by default.
    unreached : {"nan", "nearest"}, optional
        What a query gets that no key reaches: NaN, or the mean value of its nearest keys.

    Returns
    -------
    Pooled
        ``(estimate, weights)``, arrays of the library and dtype that came in.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    References
    ----------
    .. [1] E. A. Nadaraya, On Estimating Regression, Theory of Probability and Its
       Applications 9(1), 1964, 141–142.
    .. [2] G. S. Watson, Smooth Regression Analysis, Sankhyā A 26(4), 1964, 359–372.

    Examples
    --------
    >>> estimate, weights = nadaraya_watson([0.0], [-1.0, 1.0, 3.0], [0.0, 2.0, 9.0], "boxcar")
    >>> estimate.tolist(), weights.tolist()
    ([1.0], [[0.5, 0.5, 0.0]])
    """
    xp, (queries, keys, values) = common_arrays(queries=queries, keys=keys, values=values)
    queries, keys = checked_points(xp, queries=queries, keys=keys)
    checked_values(xp, values, keys)
    weights = attention_weights(queries, keys, kernel, sigma, mask=mask, unreached=unreached)
    return Pooled(weights @ values, weights)


def attention_weights(queries, keys, kernel=gaussian, sigma=1.0, *, mask=None, unreached="nan"):
    """Share each query's attention among the keys, in proportion to their similarity.

    Parameters
    ----------
    queries : array, shape (m,) or (m, d)
        Where to estimate.
    keys : array, shape (n,) or (n, d)
        Where values were observed, in the unit of `queries`.
    kernel : callable or str, optional
        A function of the scaled distance u, or the name of one in `KERNELS`.
    sigma : float or array of shape (d,), optional
        Width, in the unit of `keys`: one for all coordinates or one for each.
    mask : boolean array, shape (m, n), optional
        True where a query may attend to a key. All of them by default.
    unreached : {"nan", "nearest"}, optional
        What a query gets that no key reaches: a row of NaN, or equal weights on its nearest keys.

    Returns
    -------
    array, shape (m, n)
        Weights; each row sums to one, or is NaN where no key is in reach.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    Notes
    -----
    Gaussian weights are the softmax of the scores −u²/2, taken after the largest score has been
    subtracted, so that a narrow width tends to the nearest key and never to 0/0.

    Examples
    --------
    >>> attention_weights([0.0], [0.0, 0.5, 2.0], "triangular").round(3).tolist()
    [[0.667, 0.333, 0.0]]
    """
    xp, (queries, keys) = common_arrays(queries=queries, keys=keys)
    queries, keys = checked_points(xp, queries=queries, keys=keys)
    kernel = chosen_kernel(kernel)
    checked_unreached(unreached)
    u = scaled_distances(xp, queries, keys, checked_sigma(xp, sigma, keys))
    mask = checked_mask(xp, mask, u)
    similarity = _shifted_gaussian(xp, u, mask) if kernel is gaussian else _evaluated(xp, kernel, u)
    weights = _shares(xp, xp.where(mask, similarity, xp.zeros_like(u)))
    if unreached == "nearest":
        closest = xp.astype(mask & (u == _nearest(xp, u, mask)), u.dtype)
        return xp.where(xp.isnan(weights), _shares(xp, closest), weights)
    return weights


def effective_keys(weights):
    """Count the keys that each query attends to in effect, 1 / Σ w².

    Parameters
    ----------
    weights : array, shape (m, n)
        Attention weights.

    Returns
    -------
    array, shape (m,)
        Between 1 (one key has all the weight) and n (all have the same); NaN where unreached.

    Examples
    --------
    >>> effective_keys([[0.5, 0.5, 0.0, 0.0]]).tolist()
    [2.0]
    """
    xp, (weights,) = common_arrays(weights=weights)
    if weights.ndim != 2:
        raise ValueError(f"weights must have shape (m, n), got {tuple(weights.shape)}")
    return 1 / xp.sum(weights**2, axis=1)


def chosen_kernel(kernel):
    """Return the kernel for a name in `KERNELS`, or the reader's own function as it is."""
    if callable(kernel):
        return kernel
    if not isinstance(kernel, str) or kernel not in KERNELS:
        raise ValueError(
            f"kernel must be a function or one of {', '.join(KERNELS)}, got {kernel!r}"
        )
    return KERNELS[kernel]


def checked_unreached(unreached):
    """Refuse what is not a way to treat unreached queries."""
    if unreached not in ("nan", "nearest"):
        raise ValueError(f"unreached must be 'nan' or 'nearest', got {unreached!r}")


@np.errstate(over="ignore", invalid="ignore")
def scaled_distances(xp, queries, keys, sigma):
    """Return u = ‖(q − k) / σ‖ for points in rows, shape (m, n), with derivatives finite at 0."""
    d = keys.shape[1]
    if d == 1:
        u = xp.abs(queries - keys.T) / sigma
    else:
        # Dividing by one width last lets equal distances stay equal, and a tiny width not overflow.
        narrowest = xp.min(sigma)
        ratios = xp.broadcast_to(narrowest / sigma, (d,))
        # Squares overflow where distances do not; a power of two as unit costs no rounding.
        points = xp.concat([queries, keys])
        span = xp.max((xp.max(points, axis=0) - xp.min(points, axis=0)) * ratios)
        unit = 2.0 ** xp.floor(xp.log2(xp.where(span > 0, span, xp.ones_like(span))))
        queries, keys = queries / unit, keys / unit
        # One coordinate at a time: (m, n, d) differences would not fit for images as keys.
        squared = 0.0
        for j in range(d):
            squared = squared + ((queries[:, j, None] - keys[None, :, j]) * ratios[j]) ** 2
        # The square root's derivative at 0 is infinite, so it must not be taken there.
        apart = squared > 0
        root = xp.sqrt(xp.where(apart, squared, xp.ones_like(squared)))
        u = unit * xp.where(apart, root, xp.zeros_like(root)) / narrowest
    if not holds(xp.all(xp.isfinite(u))):
        raise ValueError(f"sigma must not make scaled distances overflow, got {shown(sigma)}")
    return u


def checked_mask(xp, mask, u):
    """Return a mask of the shape of u, of ones by default."""
    if mask is None:
        return xp.ones_like(u, dtype=xp.bool)
    mask = xp.asarray(mask, device=device(u))
    if mask.dtype != xp.bool or mask.shape != u.shape:
        raise ValueError(
            f"mask must be boolean of shape {tuple(u.shape)}, "
            f"got {mask.dtype} of shape {tuple(mask.shape)}"
        )
    return mask


def _shares(xp, similarity):
    total = xp.sum(similarity, axis=1, keepdims=True)
    reached = total > 0
    shares = similarity / xp.where(reached, total, xp.ones_like(total))
    return xp.where(reached, shares, xp.full_like(shares, xp.nan))


def _nearest(xp, u, mask):
    # Where all is masked the farthest stands in: an infinity would make the gradient NaN.
    return xp.min(xp.where(mask, u, xp.max(u, axis=1, keepdims=True)), axis=1, keepdims=True)


@np.errstate(over="ignore")
def _shifted_gaussian(xp, u, mask):
    nearest = _nearest(xp, u, mask)
    # (n² − u²) / 2 by its factors: squares overflow, and lose the digits of a small difference.
    lag = nearest - u
    score = xp.where(lag < 0, lag * (nearest / 2 + u / 2), xp.zeros_like(u))
    return xp.exp(score)


def _evaluated(xp, kernel, u):
    similarity = kernel(u)
    alike = is_array_api_obj(similarity) and array_namespace(similarity) is xp
    if not alike or similarity.shape != u.shape:
        raise ValueError(
            f"kernel must return an array like u, of shape {tuple(u.shape)}, got {similarity!r:.60}"
        )
    usable = (similarity >= 0) & xp.isfinite(similarity)
    if not holds(xp.all(usable)):
        wrong = shown(similarity[~usable][0])
        raise ValueError(f"kernel must return finite similarities of at least 0, got {wrong}")
    with np.errstate(over="ignore"):
        cast = xp.astype(similarity, u.dtype, copy=False)
        countable = xp.isfinite(xp.sum(cast, axis=1))
    if not holds(xp.all(countable)):
        wrong = shown(xp.max(similarity))
        raise ValueError(f"kernel must return similarities with finite sums, got {wrong}")
    return cast
