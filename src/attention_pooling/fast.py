"""Estimates without their weights, for as many queries and keys as there are."""

from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array, is_torch_array
from numpy.typing import ArrayLike

from .arrays import (
    checked_points,
    checked_sigma,
    checked_values,
    common_arrays,
    counted,
    is_masked,
)
from .fast_gauss import gaussian_shares, gaussian_sums
from .kernels import Polynomial, Similarity, Unreached, constant, gaussian
from .pooling import checked_unreached, chosen_kernel, scaled_distances
from .sorted_moments import compact_shares, compact_sums
from .streaming import (
    blocked_estimate,
    gaussian_estimate,
    is_in_a_graph,
    is_transformed,
    largest_square,
)
from .windows import distances, window_shares, window_sums, windows

FEW_PAIRS = 1 << 15
"""So many pairs of query and key are quickest in one matrix."""

CROWD = 32
"""So many keys in one of 65,536 cells between the least and the greatest are too many to merge."""


@np.errstate(all="ignore")
def pool(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    kernel: Similarity = "gaussian",
    sigma: ArrayLike = 1.0,
    *,
    unreached: Unreached = "nan",
) -> Any:
    """Estimate the value at each query as `nadaraya_watson` does, without keeping the weights.

    Memory grows like m + n and never like m · n. A progress bar appears where a call takes long
    in a terminal or a notebook. Dtypes, masked arrays and derivatives are treated as there.

    Parameters
    ----------
    queries : array, shape (m,) or (m, d)
        Where to estimate.
    keys : array, shape (n,) or (n, d)
        Where values were observed, in the unit of `queries`.
    values : array, shape (n,) or (n, c)
        What was observed at each key.
    kernel : callable or str, optional
        A function of the scaled distance u, or the name of one in `KERNELS`.
    sigma : float or array of shape (d,), optional
        Width, in the unit of `keys`: one for all coordinates or one for each.
    unreached : {"nan", "nearest"}, optional
        What a query gets that no key reaches: NaN, or the mean value of its nearest keys.

    Returns
    -------
    array, shape (m,) or (m, c)
        The estimate, an array of the library and dtype that came in.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    See Also
    --------
    nadaraya_watson : The weights as well.

    Notes
    -----
    What is computed, and in what time, depends on the work; the first row that applies counts:

    =========================================  =====================================  ==========
    any points, the constant kernel            the mean of the values                 n
    a few pairs of query and key               one matrix                             m · n
    points on a line, Gaussian                 a fast Gauss transform                 m + n
    points on a line, a kernel with a reach    prefix sums of moments of sorted keys  m + n
    several coordinates, your own kernel       blocks of queries one after another,   m · n
                                               in PyTorch if it is imported already
    =========================================  =====================================  ==========

    Points on a line are sorted besides. The transform, of [1]_, is taken with other polynomials.
    Then m + n holds wherever the points lie, but for three things. With the Gaussian, queries
    farther than two widths from all keys are served one octave of that distance after the other,
    each with the keys that count there. If values differ so much in size that distant keys count
    more than near ones, Gaussian sums are taken again in narrower boxes, at most six times. And
    with the other kernels a query takes as long as it has keys in reach where their similarities
    average below about a thousandth, or their values add up to less than 1e-20 · n of all: many
    queries with many keys just inside the edge of their reach take m · n.

    Values and a width that require a gradient cost no more than a few times as much: sums of the
    same kind give the first derivatives, and only the second take blocks. But in the derivatives in
    values, queries farther than two widths from all keys meet the keys that count one by one. Where
    a key lies at the edge of a kernel's reach, the derivative in the width is the mean of those on
    both sides. Queries and keys that require a gradient, and tensors that lie on another device or
    that `torch.func` transforms, take one matrix or blocks.

    Results agree with dense float64 to 1e-10 of `Σ wᵢ |vᵢ|`, or to 1e-7 where scores −u²/2 exceed
    10⁴ in size, and derivatives to as much of the sizes of their terms. With vectors for values,
    `|vᵢ|` is the largest component, each in units of its own maximum. A query so far away that its
    distances to several keys are the same floating-point number gets their mean from one matrix,
    and the value of the nearest from the transform.

    References
    ----------
    .. [1] L. Greengard and J. Strain, The Fast Gauss Transform, SIAM Journal on Scientific and
       Statistical Computing 12(1), 1991, 79–94.

    Examples
    --------
    >>> pool([0.0, 9.0], [-1.0, 1.0, 3.0], [0.0, 2.0, 9.0], "boxcar").tolist()
    [1.0, nan]
    """
    checked_unreached(unreached)
    estimate = _small_estimate(queries, keys, values, kernel, sigma)
    if estimate is not None:
        return estimate
    xp, dtype, arrays = common_arrays(queries=queries, keys=keys, values=values)
    queries, keys, values = arrays
    queries, keys = checked_points(xp, queries=queries, keys=keys)
    checked_values(xp, values, keys)
    kernel, sigma = chosen_kernel(kernel), checked_sigma(xp, sigma, keys)
    compute = METHODS[method(queries, keys, values, kernel, sigma)]
    return xp.astype(compute(queries, keys, values, kernel, sigma, unreached), dtype, copy=False)


def method(queries, keys, values, kernel, sigma):
    """Name what `pool` computes for arrays that have been checked.

    Parameters
    ----------
    queries, keys : array, shape (m, d) and (n, d)
    values : array, shape (n,) or (n, c)
    kernel : callable
    sigma : array, shape () or (d,)

    Returns
    -------
    str
        One of `METHODS`.
    """
    quick = _quick_method(queries, keys, values, kernel, sigma)
    few = queries.shape[0] * keys.shape[0] <= FEW_PAIRS
    if few and quick != "mean":
        return "one matrix"
    return quick or "blocks"


def _quick_method(queries, keys, values, kernel, *sigmas):
    """Name what takes no time for each pair of query and key, or return None."""
    if is_in_a_graph(queries, keys) or not _is_readable(queries, keys, values, *sigmas):
        return None
    if kernel is constant:
        return "mean"
    if keys.shape[1] > 1:
        return None
    if kernel is gaussian:
        return "fast Gauss transform"
    has_a_reach = isinstance(kernel, Polynomial) and kernel.is_compact
    return "prefix sums" if has_a_reach else None


def _mean(queries, keys, values, kernel, sigma, unreached):
    observed = _as_numpy(values)
    mean = np.sum(observed / len(observed), axis=0, dtype=float)
    estimate = np.repeat(mean[None], queries.shape[0], axis=0)

    def shares(given):
        return np.repeat(np.sum(given / len(observed), axis=0)[None], len(observed), axis=0)

    return _result([estimate], shares, queries, keys, values, kernel, sigma, unreached)


def _through_sums(queries, keys, values, kernel, sigma, unreached):
    points, places, observed, width = map(_as_numpy, (queries, keys, values, sigma))
    results, shares = SortedKeys(places, observed).estimate(
        points, kernel, width, unreached, order=int(is_in_a_graph(sigma))
    )
    return _result(results, shares, queries, keys, values, kernel, sigma, unreached)


def _result(results, shares, queries, keys, values, kernel, sigma, *options):
    """Return NumPy's estimate as the values' library has it, in PyTorch's graph if they are in one.

    The results are the estimate and, unless it is 0, its derivative in ln σ. Shares are a function
    that leads from derivatives in the estimate to those in the values.
    """
    estimate, *slope = (_beside(values, result) for result in results)
    if not is_in_a_graph(values, sigma):
        return estimate
    from .graph import recorded

    slope = slope[0] if slope else estimate * 0
    return recorded(estimate, slope, shares, queries, keys, values, kernel, sigma, *options)


def _in_blocks(queries, keys, values, kernel, sigma, unreached):
    arrays = queries, keys, values, sigma
    if kernel is gaussian and _is_readable(*arrays) and not is_in_a_graph(*arrays):
        given = [_as_numpy(array) for array in arrays]
        if largest_square(*given[:2], given[3]) < 1e7:
            return _beside(values, gaussian_estimate(*given))
    return blocked_estimate(queries, keys, values, kernel, sigma, unreached)


METHODS = {
    "mean": _mean,
    "one matrix": _in_blocks,
    "fast Gauss transform": _through_sums,
    "prefix sums": _through_sums,
    "blocks": _in_blocks,
}
"""What `pool` computes, by the names of its docstring."""


class LeaveOneOutCurve(NamedTuple):
    """What leaving each value out in turn gives, at several widths."""

    errors: Any
    """Mean squared errors, shape (s,), in the squared unit of the values."""
    unreached: Any
    """How many keys no other key reaches, shape (s,); where there are any, the error is NaN."""


@np.errstate(all="ignore")
def leave_one_out_curve(
    keys: ArrayLike,
    values: ArrayLike,
    kernel: Similarity = "gaussian",
    sigmas: ArrayLike = (1.0,),
) -> LeaveOneOutCurve:
    """Judge several widths by `leave_one_out`, without an n × n matrix for each.

    On a line, the sums behind `pool` are taken over all keys, and each key's own part is subtracted
    from them. Derivatives come from such sums where those of `pool` do.

    Parameters
    ----------
    keys : array, shape (n,) or (n, d)
        Where values were observed.
    values : array, shape (n,) or (n, c)
        What was observed at each key.
    kernel : callable or str, optional
        A function of the scaled distance u, or the name of one in `KERNELS`.
    sigmas : sequence of s widths, optional
        Each a number or of shape (d,), in the unit of `keys`.

    Returns
    -------
    LeaveOneOutCurve
        ``(errors, unreached)``.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    See Also
    --------
    leave_one_out : One width, with the estimates and with derivatives of every order.

    Examples
    --------
    >>> errors, unreached = leave_one_out_curve([0.0, 1.0, 3.0], [0.0, 3.0, 0.0], "boxcar", [1, 2])
    >>> errors.tolist(), unreached.tolist()
    ([nan, 9.0], [1, 0])
    """
    xp, dtype, (keys, values) = common_arrays(keys=keys, values=values)
    (keys,) = checked_points(xp, keys=keys)
    checked_values(xp, values, keys)
    kernel = chosen_kernel(kernel)
    if is_masked(sigmas):
        raise ValueError(f"sigmas must not be masked, got {sigmas!r:.60}")
    widths = np.iterable(sigmas) and [checked_sigma(xp, sigma, keys) for sigma in sigmas]
    if not widths:
        raise ValueError(f"sigmas must hold a width at least, got {sigmas!r}")
    own = xp.arange(keys.shape[0], device=device(keys))
    problem = keys, keys, values, kernel
    quick = _quick_method(*problem, *widths)
    if quick == "mean":
        results = [_means_of_others(_as_numpy(values))], _means_of_others
        estimates = (_result(*results, *problem, sigma, "nan", own) for sigma in widths)
    elif quick:
        sorted_keys = SortedKeys(_as_numpy(keys), _as_numpy(values))
        estimates = (
            _result(
                *sorted_keys.estimate_without_own(
                    kernel, _as_numpy(sigma), order=int(is_in_a_graph(sigma))
                ),
                *problem,
                sigma,
                "nan",
                own,
            )
            for sigma in widths
        )
    else:
        estimates = (blocked_estimate(*problem, sigma, own=own) for sigma in widths)
    errors, unreached = [], []
    for estimate in estimates:
        estimate = xp.astype(estimate, values.dtype, copy=False)
        errors.append(xp.mean((estimate - values) ** 2))
        unreached.append(counted(xp, xp.isnan(xp.reshape(estimate, (keys.shape[0], -1))[:, 0])))
    known = all(isinstance(count, int) for count in unreached)
    return LeaveOneOutCurve(
        xp.astype(xp.stack(errors), dtype, copy=False),
        np.asarray(unreached) if known else xp.stack(unreached),
    )


class SortedKeys:
    """Keys on a line in sorted order, and the columns that are summed over them.

    Parameters
    ----------
    keys : NumPy array, shape (n, 1)
        Where values were observed.
    values : NumPy array, shape (n,) or (n, c)
        What was observed.
    """

    def __init__(self, keys, values):
        self.order = _order(keys[:, 0])
        self.keys = keys[self.order, 0]
        self.shape = values.shape[1:]
        values = values[self.order].reshape(len(values), -1).T.astype(float)
        # Powers of two as units cost no rounding, and sums can neither overflow nor vanish.
        self.exponents = np.frexp(np.max(abs(values), axis=1, keepdims=True))[1]
        values = np.ldexp(values, -self.exponents)
        mass = np.max(abs(values), axis=0) if values.any() else np.ones(len(keys))
        self.columns = np.vstack([np.ones(len(keys)), values, mass])

    def estimate(self, queries, kernel, sigma, unreached, order=0):
        """Return the estimate at queries of shape (m, 1) and, at order 1, its slope in ln σ.

        Besides, return a function from derivatives in the estimate to those in the values.
        """
        places = _order(queries[:, 0])
        queries, sigma = queries[places, 0], sigma.reshape(())[()]
        sums = self._sums(queries, kernel, sigma, order=order)
        lonely = np.flatnonzero(sums[0, 0] == 0) if unreached == "nearest" else []
        if len(lonely):
            sums[0][:, lonely] = self._nearest_sums(queries[lonely], sigma)

        def shares(given):
            given = given[places].reshape(len(places), -1).T.astype(float)
            received = self._shares(given, queries, kernel, sigma)
            if len(lonely):
                received += self._nearest_shares(given[:, lonely], queries[lonely], sigma)
            return self._beside_keys(received)

        return self._ratio(sums, places), shares

    def estimate_without_own(self, kernel, sigma, order=0):
        """Return the same at each key from the others."""
        own, sigma = np.arange(len(self.keys)), sigma.reshape(())[()]
        sums = self._sums(self.keys, kernel, sigma, own, order)

        def shares(given):
            given = given[self.order].reshape(len(own), -1).T.astype(float)
            return self._beside_keys(self._shares(given, self.keys, kernel, sigma, own))

        return self._ratio(sums, self.order), shares

    def _sums(self, queries, kernel, sigma, own=None, order=0):
        span = max(queries[-1], self.keys[-1]) - min(queries[0], self.keys[0])
        if not span / sigma < np.inf:
            # The farthest pair tells whether any distance overflows.
            scaled_distances(np, queries[[0, -1], None], self.keys[[0, -1], None], sigma)
        if kernel is gaussian:
            return gaussian_sums(queries, self.keys, self.columns, sigma, own, order)
        return compact_sums(queries, self.keys, self.columns, sigma, kernel, own, order)

    @np.errstate(all="ignore")
    def _shares(self, given, queries, kernel, sigma, own=None):
        if not np.isfinite(given).all():
            return np.full((len(given), len(self.keys)), np.nan)
        if kernel is gaussian:
            return gaussian_shares(queries, self.keys, given, sigma, own)
        return compact_shares(queries, self.keys, given, sigma, kernel, own)

    def _beside_keys(self, columns):
        rows = np.empty_like(columns.T)
        rows[self.order] = columns.T
        return rows.reshape(len(rows), *self.shape)

    def _nearest_sums(self, queries, sigma):
        low, high = self._nearest(queries, sigma)
        return window_sums(self.columns[:-1], _alike, low, high)

    def _nearest_shares(self, given, queries, sigma):
        low, high = self._nearest(queries, sigma)
        return window_shares(given / (high - low), _alike, low, high, len(self.keys))

    def _nearest(self, queries, sigma):
        edges = np.searchsorted(self.keys, queries) + np.array([[-1], [0]])
        neighbours = self.keys[np.clip(edges, 0, len(self.keys) - 1)]
        nearest = np.min(distances(queries, neighbours, sigma), axis=0)

        def ties(rows, places):
            return distances(queries[rows], self.keys[places], sigma) <= nearest[rows]

        return windows(queries, self.keys, nearest * sigma, ties)

    def _ratio(self, sums, places):
        results = np.empty((len(sums), len(places), sums.shape[1] - 1))
        ratio = sums[0, 1:] / sums[0, 0]  # 0/0 where unreached
        slopes = (sums[1:, 1:] - ratio * sums[1:, :1]) / sums[0, 0]
        for result, part in zip(results, [ratio, *slopes], strict=True):
            result[places] = np.ldexp(part, self.exponents).T
        return results.reshape(len(sums), len(places), *self.shape)


def _alike(rows, places):
    return np.ones(len(rows))


def _small_estimate(queries, keys, values, kernel, sigma):
    """Return the Gaussian estimate from one matrix, or None for what asks for more care."""
    if not (
        (kernel is gaussian or kernel == "gaussian")
        and type(queries) is type(keys) is type(values) is np.ndarray
        and queries.dtype == keys.dtype == values.dtype == np.float64
        and queries.ndim == keys.ndim == values.ndim == 1
        and len(keys) == len(values)
        and 0 < len(queries) * len(keys) <= FEW_PAIRS
        and isinstance(sigma, (float, int))
        and 0 < sigma < 1e300
    ):
        return None
    scores = queries[:, None] - keys
    scores *= scores
    scores *= -0.5 / sigma / sigma
    size = np.vdot(scores, scores)
    weights = np.exp(scores)
    total = weights.dot(np.ones(len(keys)))
    pooled = weights.dot(values)
    estimate = pooled / total
    # A NaN or an infinity has spread by now; sums of numbers that are all tiny have lost digits.
    finite = isfinite(size) and isfinite(np.vdot(estimate, estimate))
    return estimate if finite and (total * abs(pooled)).min() > 1e-280 else None


def _is_readable(*arrays):
    """Tell whether arrays are NumPy's, or tensors whose numbers NumPy can read."""
    xp = array_namespace(*arrays)
    here = all(
        is_numpy_array(array) or is_torch_array(array) and array.device.type == "cpu"
        for array in arrays
    )
    return here and not is_transformed(*arrays) and arrays[0].dtype in (xp.float32, xp.float64)


def _as_numpy(array):
    return array.detach().resolve_neg().numpy() if is_torch_array(array) else array


def _beside(values, estimate):
    """Return NumPy's estimate as an array of the values' library, on their device."""
    xp = array_namespace(values)
    return xp.asarray(estimate, device=device(values))


def _order(places):
    """Return what sorts places: roughly by NumPy's radix sort of 16 bits, then exactly."""
    least, most = np.min(places), np.max(places)
    cells = ((places - least) * (65535 / (most - least))).astype(np.uint16)
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    # A merge sort is quickest where few share a cell, and slowest where many do.
    crowded = 2 * np.count_nonzero(cells[CROWD:] == cells[:-CROWD]) > len(cells)
    return order[np.argsort(places[order], kind=None if crowded else "stable")]


def _means_of_others(values):
    sums = np.zeros((2, len(values) + 1, *values.shape[1:]))
    np.cumsum(values / max(1, len(values) - 1), axis=0, out=sums[0, 1:])
    np.cumsum(values[::-1] / max(1, len(values) - 1), axis=0, out=sums[1, 1:])
    others = sums[0, :-1] + sums[1, -2::-1]
    return others if len(values) > 1 else np.full_like(others, np.nan)
