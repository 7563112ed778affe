"""Nadaraya–Watson regression: average the values, weighted by similarity of key to query."""

import sys
from math import frexp
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import (
    array_namespace,
    device,
    is_array_api_obj,
    is_numpy_array,
    is_torch_array,
)
from numpy.typing import ArrayLike

from .arrays import (
    checked_points,
    checked_sigma,
    checked_values,
    common_arrays,
    holds,
    is_known,
    is_masked,
    shown,
)
from .kernels import KERNELS, Polynomial, Similarity, Unreached, gaussian


class Pooled(NamedTuple):
    """What pooling gives: unpack it as ``estimate, weights = nadaraya_watson(...)``."""

    estimate: Any
    """Pooled values, shape (m,) or (m, c)."""
    weights: Any
    """Attention weights, shape (m, n)."""


@np.errstate(all="ignore")
def nadaraya_watson(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    kernel: Similarity = "gaussian",
    sigma: ArrayLike = 1.0,
    *,
    mask: ArrayLike | None = None,
    unreached: Unreached = "nan",
) -> Pooled:
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
        If an argument cannot be used; the message names it and the value received. NumPy's masked
        arrays are refused: leave out the rows that are missing.

    See Also
    --------
    pool : The estimate alone, for as many queries and keys as there are.
    leave_one_out : Judge a width by it.

    Notes
    -----
    Half precision is computed in float32, and only the results are rounded to it. Libraries that
    differentiate find the derivatives of every order, also at a query that lies on a key; there,
    a kernel's kink counts as level. Of your own kernel in several coordinates the third and higher
    ones are not found there.

    References
    ----------
    .. [1] Elizbar A. Nadaraya, On Estimating Regression, Theory of Probability and Its
       Applications 9(1), 1964, 141–142.
    .. [2] Geoffrey S. Watson, Smooth Regression Analysis, Sankhyā A 26(4), 1964, 359–372.

    Examples
    --------
    >>> estimate, weights = nadaraya_watson([0.0], [-1.0, 1.0, 3.0], [0.0, 2.0, 9.0], "boxcar")
    >>> estimate.tolist(), weights.tolist()
    ([1.0], [[0.5, 0.5, 0.0]])
    """
    xp, dtype, arrays = common_arrays(queries=queries, keys=keys, values=values)
    queries, keys, values = arrays
    queries, keys = checked_points(xp, queries=queries, keys=keys)
    checked_values(xp, values, keys)
    weights = attention_weights(queries, keys, kernel, sigma, mask=mask, unreached=unreached)
    estimate = _product(weights, values)
    return Pooled(*(xp.astype(array, dtype, copy=False) for array in (estimate, weights)))


@np.errstate(all="ignore")
def attention_weights(
    queries: ArrayLike,
    keys: ArrayLike,
    kernel: Similarity = "gaussian",
    sigma: ArrayLike = 1.0,
    *,
    mask: ArrayLike | None = None,
    unreached: Unreached = "nan",
) -> Any:
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

    See Also
    --------
    nadaraya_watson : The estimate as well.
    effective_keys : How many keys have most of the weight.

    Notes
    -----
    Gaussian weights are the softmax of the scores −u²/2, taken after the largest score has been
    subtracted, so that a narrow width tends to the nearest key and never to 0/0. Dtypes, masked
    arrays and derivatives are treated as by `nadaraya_watson`.

    Examples
    --------
    >>> attention_weights([0.0], [0.0, 0.5, 2.0], "triangular").round(3).tolist()
    [[0.667, 0.333, 0.0]]
    """
    xp, dtype, (queries, keys) = common_arrays(queries=queries, keys=keys)
    queries, keys = checked_points(xp, queries=queries, keys=keys)
    kernel = chosen_kernel(kernel)
    checked_unreached(unreached)
    sigma = checked_sigma(xp, sigma, keys)
    placed = _in_units(xp, queries, keys, sigma)
    u = _distances(xp, sigma, *placed)
    mask = checked_mask(xp, mask, u)
    if kernel is gaussian:
        similarity = xp.exp(_scores(xp, u, mask, *placed))
    else:
        similarity = _similarity(xp, kernel, u, *placed)
    weights = _shares(xp, xp.where(mask, similarity, xp.zeros_like(u)))
    if unreached == "nearest":
        closest = xp.astype(mask & (u == _nearest(xp, u, mask)), u.dtype)
        weights = xp.where(xp.isnan(weights), _shares(xp, closest), weights)
    if not is_known(xp.all(u[:1, :1] >= 0)):
        usable = xp.all(xp.isfinite(u), axis=1, keepdims=True)
        weights = xp.where(usable, weights, xp.full_like(weights, xp.nan))
    return xp.astype(weights, dtype, copy=False)


@np.errstate(all="ignore")
def effective_keys(weights: ArrayLike) -> Any:
    """Count the keys that each query attends to in effect, 1 / Σ w² [1]_.

    Parameters
    ----------
    weights : array, shape (m, n)
        Attention weights. A row that does not add up to one is divided by its sum first.

    Returns
    -------
    array, shape (m,)
        Between 1 (one key has all the weight) and n (all have the same); NaN where unreached.

    Raises
    ------
    ValueError
        If a weight is negative or infinite, or all weights of a row are 0.

    See Also
    --------
    attention_weights : Where the weights come from.

    References
    ----------
    .. [1] Leslie Kish, Survey Sampling, Wiley, 1965, section 11.7.

    Examples
    --------
    >>> effective_keys([[0.5, 0.5, 0.0, 0.0]]).tolist()
    [2.0]
    """
    xp, dtype, (weights,) = common_arrays(weights=weights)
    if weights.ndim != 2:
        raise ValueError(f"weights must have shape (m, n), got {tuple(weights.shape)}")
    wrong = (weights < 0) | xp.isinf(weights)
    if not holds(~xp.any(wrong)):
        raise ValueError(f"weights must be 0 or more and finite, got {shown(weights[wrong][0])}")
    empty = xp.all(weights == 0, axis=1)
    if not holds(~xp.any(empty)):
        raise ValueError(f"weights must not all be 0 in a row, got {shown(weights[empty][0, :])}")
    # By the largest first, because a sum may overflow.
    shares = weights / xp.max(weights, axis=1, keepdims=True)
    shares = shares / xp.sum(shares, axis=1, keepdims=True)
    return xp.astype(1 / xp.sum(shares**2, axis=1), dtype, copy=False)


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


def scaled_distances(xp, queries, keys, sigma):
    """Return u = ‖(q − k) / σ‖ for points in rows, shape (m, n)."""
    return _distances(xp, sigma, *_in_units(xp, queries, keys, sigma))


def _distances(xp, sigma, queries, keys, size, width, ratios):
    if len(keys) == 1:
        length = _length(xp, queries[0, :, None] - keys[0, :])
    else:
        squared = _squared(queries, keys, ratios)
        # The square root's derivative at 0 is infinite, so it must not be taken there.
        apart = squared > 0
        root = xp.sqrt(xp.where(apart, squared, xp.ones_like(squared)))
        length = xp.where(apart, root, xp.zeros_like(root))
    # Dividing by one width last lets equal distances stay equal.
    u = length * size / width
    if not holds(xp.all(xp.isfinite(u))):
        raise ValueError(f"sigma must not make scaled distances overflow, got {shown(sigma)}")
    return u


def checked_mask(xp, mask, u):
    """Return a mask of the shape of u, of ones by default."""
    if mask is None:
        return xp.ones_like(u, dtype=xp.bool)
    if is_masked(mask):
        raise ValueError(f"mask must not be masked, got {mask!r:.60}")
    foreign = is_array_api_obj(mask) and not is_numpy_array(mask)
    mask = xp.asarray(mask if foreign else np.array(mask), device=device(u))
    if mask.dtype != xp.bool or mask.shape != u.shape:
        raise ValueError(
            f"mask must be boolean of shape {tuple(u.shape)}, "
            f"got {mask.dtype} of shape {tuple(mask.shape)}"
        )
    return mask


def _in_units(xp, queries, keys, sigma):
    """Return coordinates in units of σ, but for a factor of both, one width, and its ratio to each.

    A coordinate of all points is a row, for fast loops. The units are powers of two: they cost no
    rounding, and have no derivatives that overflow where σ is narrow. The factor keeps products of
    two coordinates finite.
    """
    _, most = frexp(xp.finfo(sigma.dtype).max)
    units = _power_of_two(xp, sigma, most - 1)
    farthest = xp.max(xp.abs(xp.concat([queries, keys])), axis=0)
    exponents = xp.log2(xp.where(farthest > 0, farthest, xp.ones_like(farthest))) - xp.log2(units)
    exponent = xp.ceil(xp.max(exponents))
    size = 2.0 ** xp.maximum(exponent - (most // 2 - 12), xp.zeros_like(exponent))
    # Divided by the width first, small numbers keep their digits, if large ones stay finite then.
    first = 2.0 ** xp.maximum(exponent - (most - 1), xp.zeros_like(exponent))
    queries, keys = (
        _in_rows(xp, points / first / units / (size / first)) for points in (queries, keys)
    )
    widths = sigma / units
    if len(keys) > 1 and sigma.ndim:
        width, ratios = widths[0], widths[0] / widths
    else:
        width, ratios = widths, None
    return queries, keys, size, width, ratios


def _in_rows(xp, points):
    if points.shape[1] == 1:
        return points.T
    return xp.stack([points[:, j] for j in range(points.shape[1])])


def _power_of_two(xp, number, most):
    exponent = xp.ceil(xp.log2(number))
    return 2.0 ** xp.where(exponent > most, xp.full_like(exponent, most), exponent)


def _length(xp, differences):
    if is_numpy_array(differences):
        return xp.abs(differences)
    # The slope of abs at 0 is 0, and would make the second derivative of a smooth kernel 0 there.
    return xp.where(differences < 0, -differences, differences)


def _squared(queries, keys, ratios):
    # One coordinate at a time: (m, n, d) differences would not fit for images as keys.
    squared = 0.0
    for j in range(len(keys)):
        difference = queries[j, :, None] - keys[j, :]
        squared = squared + (difference if ratios is None else difference * ratios[j]) ** 2
    return squared


def _product(weights, values):
    if is_torch_array(weights):
        amp, kind = sys.modules["torch"].amp, weights.device.type
        if amp.is_autocast_available(kind):
            # Within the reader's `torch.autocast`, products would have half precision.
            with amp.autocast(kind, enabled=False):
                return weights @ values
    return weights @ values


def _shares(xp, similarity):
    total = xp.sum(similarity, axis=1, keepdims=True)
    reached = total > 0
    shares = similarity / xp.where(reached, total, xp.ones_like(total))
    return xp.where(reached, shares, xp.full_like(shares, xp.nan))


def _nearest(xp, u, mask):
    return xp.min(xp.where(mask, u, xp.full_like(u, xp.inf)), axis=1, keepdims=True)


def _scores(xp, u, mask, queries, keys, size, width, ratios):
    """Return the scores −u²/2, less that of the nearest key.

    For a key k and the nearest n this is ⟨k − n, (q − n) + (q − k)⟩ / 2σ²: no square of a large
    distance is subtracted from another, equal distances give 0, and every derivative exists.
    """
    nearest = xp.argmin(xp.where(mask, u, xp.full_like(u, xp.inf)), axis=1)
    score = 0.0
    for j in range(len(keys)):
        n = xp.take(keys[j, :], nearest)[:, None]
        # Step by step, because memory for many results at once takes longer than the arithmetic.
        part = queries[j, :, None] - keys[j, :]
        part = part + (queries[j, :, None] - n)
        part = part * (keys[j, :] - n)
        score = score + (part if ratios is None else part * ratios[j] ** 2)
    score = score * size * size
    # Where all is out of reach but the nearest key, rounding can make another seem nearer.
    score = xp.where(mask & (score < 1), score, xp.zeros_like(score))
    score = xp.maximum(score, xp.full_like(score, -xp.finfo(score.dtype).max / 16))
    return score / width / width / 2


def _similarity(xp, kernel, u, queries, keys, size, width, ratios):
    similarity = _evaluated(xp, kernel, u)
    ours = isinstance(kernel, Polynomial)
    if is_numpy_array(u) or ours and (kernel.is_flat_at_0 or kernel.is_even and len(keys) == 1):
        return similarity
    # What follows changes no similarity, but second derivatives where a query lies on a key.
    if len(keys) == 1 and not ours:
        # Both sides count: a kink has slope 0 then, and a smooth kernel its curvature.
        return similarity / 2 + _evaluated(xp, kernel, xp.where(u > 0, u, 0 - u)) / 2
    squared = xp.where(u == 0, _squared(queries, keys, ratios), xp.zeros_like(u))
    squared = squared * size * size / width / width
    if ours:
        return similarity + kernel.bend(squared)
    # The curvature at 0 is the slope of α in u² a little further on.
    _, digits = frexp(xp.finfo(u.dtype).eps)
    little = xp.full_like(u, 2.0 ** (digits // 3))
    further = _evaluated(xp, kernel, xp.sqrt(little**2 + squared))
    return similarity + (further - _evaluated(xp, kernel, little))


def _evaluated(xp, kernel, u):
    similarity = kernel(u)
    alike = is_array_api_obj(similarity) and array_namespace(similarity) is xp
    if not alike or is_masked(similarity) or similarity.shape != u.shape:
        raise ValueError(
            f"kernel must return an array like u, of shape {tuple(u.shape)}, got {similarity!r:.60}"
        )
    usable = (similarity >= 0) & xp.isfinite(similarity)
    if not holds(xp.all(usable)):
        wrong = shown(similarity[~usable][0])
        raise ValueError(f"kernel must return finite similarities of at least 0, got {wrong}")
    cast = xp.astype(similarity, u.dtype, copy=False)
    countable = xp.isfinite(xp.sum(cast, axis=1))
    if not holds(xp.all(countable)):
        wrong = shown(xp.max(similarity))
        raise ValueError(f"kernel must return similarities with finite sums, got {wrong}")
    return cast
