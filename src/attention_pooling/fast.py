"""Estimates without their weights, for as many queries and keys as there are."""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import is_numpy_array, is_torch_array

from .arrays import checked_points, checked_sigma, checked_values, common_arrays
from .fast_gauss import gaussian_sums
from .kernels import constant, gaussian
from .pooling import checked_unreached, chosen_kernel, scaled_distances
from .sorted_moments import SIDES, compact_sums
from .streaming import is_in_a_graph, streamed_estimate
from .windows import distances, window_sums, windows

FEW_PAIRS = 1 << 15
"""So many pairs of query and key are quickest in one matrix."""


def pool(queries, keys, values, kernel=gaussian, sigma=1.0, *, unreached="nan"):
    """Estimate the value at each query as `nadaraya_watson` does, without keeping the weights.

    Memory grows like m + n and never like m · n. A progress bar appears where a call takes long
    in a terminal or a notebook.

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

    Notes
    -----
    What is computed, and in what time, depends on the work:

    ============================================  =====================================  ==========
    points on a line, Gaussian                    a fast Gauss transform [1]_            m + n
    points on a line, another kernel of the book  prefix sums of moments of sorted keys  m + n
    any points, the constant kernel               the mean of the values                 n
    a few pairs of query and key                  one matrix                             m · n
    several coordinates, your own kernel,         blocks of queries one after another,   m · n
    tensors that require a gradient               in PyTorch if it is imported already
    ============================================  =====================================  ==========

    Results agree with dense float64 to 1e-10 of Σ wᵢ |vᵢ|, or to 1e-7 where scores −u²/2 exceed
    10⁴ in size. With vectors for values, |vᵢ| is the largest component, each in units of its own
    maximum.

    References
    ----------
    .. [1] L. Greengard and J. Strain, The Fast Gauss Transform, SIAM Journal on Scientific and
       Statistical Computing 12(1), 1991, 79–94.

    Examples
    --------
    >>> pool([0.0, 9.0], [-1.0, 1.0, 3.0], [0.0, 2.0, 9.0], "boxcar").tolist()
    [1.0, nan]
    """
    if kernel is gaussian or kernel == "gaussian":
        estimate = _small_estimate(queries, keys, values, sigma)
        if estimate is not None:
            checked_unreached(unreached)
            return estimate
    xp, (queries, keys, values) = common_arrays(queries=queries, keys=keys, values=values)
    queries, keys = checked_points(xp, queries=queries, keys=keys)
    checked_values(xp, values, keys)
    kernel, sigma = chosen_kernel(kernel), checked_sigma(xp, sigma, keys)
    checked_unreached(unreached)
    if len(queries) * len(keys) > FEW_PAIRS and _is_on_a_line(kernel, queries, keys, values, sigma):
        line = Line(keys, values)
        estimate = line.estimate(queries, kernel, sigma, unreached)
        return xp.asarray(estimate, dtype=values.dtype)
    return streamed_estimate(xp, queries, keys, values, kernel, sigma, unreached)


class LeaveOneOutCurve(NamedTuple):
    """What leaving each value out in turn gives at each of several widths."""

    errors: Any
    """Mean squared errors, shape (s,), in the squared unit of the values."""
    unreached: np.ndarray
    """How many keys no other key reaches, shape (s,); where there are any, the error is NaN."""
