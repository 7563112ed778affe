"""What the public functions accept as queries, keys, values and sigma."""

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_numpy_array


def common_arrays(**arrays):
    """Return the namespace of the named arrays, and the arrays in it with one floating dtype.

    Integers count as float64; a list takes the dtype of the arrays beside it.
    """
    given = {name: array for name, array in arrays.items() if is_array_api_obj(array)}
    try:
        xp = array_namespace(*given.values()) if given else array_namespace(np.empty(0))
    except TypeError:
        kinds = ", ".join(f"{name} {type(array).__name__}" for name, array in given.items())
        raise ValueError(f"arrays must come from one library, got {kinds}") from None
    dtypes = []
    for name, array in given.items():
        if xp.isdtype(array.dtype, "real floating"):
            dtypes.append(array.dtype)
        elif xp.isdtype(array.dtype, ("bool", "integral")):
            dtypes.append(xp.float64)
        else:
            raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")
    dtype = xp.result_type(*dtypes) if dtypes else xp.float64
    home = device(next(iter(given.values()))) if given else None
    return xp, [
        xp.astype(array, dtype, copy=False)
        if name in given
        else xp.asarray(_numbers(name, array), dtype=dtype, device=home)
        for name, array in arrays.items()
    ]


def _numbers(name, listed):
    try:
        return np.asarray(listed, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold real numbers, got {listed!r}") from None


def checked_points(xp, **points):
    """Return queries and keys as (rows, d), having refused what is empty, ragged or not finite."""
    rows = []
    for name, array in points.items():
        if array.ndim not in (1, 2):
            raise ValueError(f"{name} must have shape (n,) or (n, d), got {tuple(array.shape)}")
        if name == "keys" and array.shape[0] == 0 or array.ndim == 2 and array.shape[1] == 0:
            raise ValueError(f"{name} must not be empty, got shape {tuple(array.shape)}")
        if not xp.all(xp.isfinite(array)):
            bad = array[~xp.isfinite(array)][0]
            raise ValueError(f"{name} must be finite, got {float(bad)}")
        rows.append(array if array.ndim == 2 else array[:, None])
    widths = {name: array.shape[1] for name, array in zip(points, rows, strict=True)}
    if len(set(widths.values())) > 1:
        listing = ", ".join(f"{name} {width}" for name, width in widths.items())
        raise ValueError(f"queries and keys must have as many coordinates, got {listing}")
    return rows


def checked_values(values, keys):
    """Refuse values that do not pair with the keys."""
    if values.ndim not in (1, 2):
        raise ValueError(f"values must have shape (n,) or (n, c), got {tuple(values.shape)}")
    if values.shape[0] != keys.shape[0]:
        raise ValueError(
            f"values must be as many as keys, got {values.shape[0]} values for {keys.shape[0]} keys"
        )


def checked_sigma(xp, sigma, keys):
    """Return sigma as an array of shape () or (d,) beside the keys, still in its autograd graph."""
    if not is_array_api_obj(sigma) or is_numpy_array(sigma):
        sigma = xp.asarray(_numbers("sigma", sigma), dtype=keys.dtype, device=device(keys))
    elif array_namespace(sigma) is not xp:
        raise ValueError(
            f"sigma must come from the library of the keys, got {type(sigma).__name__} "
            f"beside {type(keys).__name__}"
        )
    d = keys.shape[1]
    if sigma.ndim > 1 or sigma.ndim == 1 and sigma.shape[0] != d:
        raise ValueError(f"sigma must be a number or have shape ({d},), got {tuple(sigma.shape)}")
    if not xp.all(xp.isfinite(sigma)) or not xp.all(sigma > 0):
        raise ValueError(f"sigma must be positive and finite, got {sigma.tolist()}")
    return xp.astype(sigma, keys.dtype, copy=False)
