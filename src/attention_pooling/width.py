"""Judge a width by the error at each key when its own value is left out."""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import device
from numpy.typing import ArrayLike

from .arrays import checked_points, common_arrays, counted
from .kernels import Similarity
from .pooling import nadaraya_watson


class LeaveOneOut(NamedTuple):
    """What leaving each value out in turn gives."""

    error: Any
    """Mean squared error, a scalar in the squared unit of the values."""
    unreached: int
    """How many keys no other key reaches; `error` is NaN unless there are none."""
    estimate: Any
    """The estimate at each key without its own value, shape (n,) or (n, c)."""


@np.errstate(all="ignore")
def leave_one_out(
    keys: ArrayLike,
    values: ArrayLike,
    kernel: Similarity = "gaussian",
    sigma: ArrayLike = 1.0,
) -> LeaveOneOut:
    """Predict each value from the others and average the squared errors.

    Leaving a key out masks it from its own query and renormalises the rest of the row, so that
    one matrix of weights replaces n refits [1]_.

    Parameters
    ----------
    keys : array, shape (n,) or (n, d)
        Where values were observed.
    values : array, shape (n,) or (n, c)
        What was observed at each key.
    kernel : callable or str, optional
        A function of the scaled distance u, or the name of one in `KERNELS`.
    sigma : float or array of shape (d,), optional
        Width, in the unit of `keys`.

    Returns
    -------
    LeaveOneOut
        ``(error, unreached, estimate)``. The error is NaN where a key is reached by no other:
        dropping such keys would make the narrowest width look best. Its derivative in sigma is
        finite wherever the error is.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received. NumPy's masked
        arrays are refused.

    See Also
    --------
    leave_one_out_curve : Many widths at once, without an n × n matrix for each.

    Notes
    -----
    Half precision is computed in float32, and only the results are rounded to it. Within a function
    that JAX compiles or PyTorch maps, `unreached` is an array.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning,
       2nd ed., Springer, 2009, section 7.10.

    Examples
    --------
    >>> leave_one_out([0.0, 1.0, 2.0], [0.0, 3.0, 0.0], "boxcar").estimate.tolist()
    [3.0, 0.0, 3.0]
    >>> error, unreached, _ = leave_one_out([0.0, 1.0, 9.0], [0.0, 3.0, 0.0], "boxcar")
    >>> float(error), unreached
    (nan, 1)
    """
    xp, dtype, (keys, values) = common_arrays(keys=keys, values=values)
    (keys,) = checked_points(xp, keys=keys)
    others = ~xp.eye(keys.shape[0], dtype=xp.bool, device=device(keys))
    estimate, weights = nadaraya_watson(keys, keys, values, kernel, sigma, mask=others)
    error = xp.astype(xp.mean((estimate - values) ** 2), dtype, copy=False)
    unreached = counted(xp, xp.isnan(weights[:, 0]))
    return LeaveOneOut(error, unreached, xp.astype(estimate, dtype, copy=False))
