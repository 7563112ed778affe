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
    given = {name: _floating(xp, name, array) for name, array in given.items()}
    dtype = xp.result_type(*(array.dtype for array in given.values())) if given else xp.float64
    home = device(next(iter(given.values()))) if given else None
    return xp, [
        xp.astype(given[name], dtype, copy=False)
        if name in given
        else _moved(xp, _numbers(name, array), dtype, home)
        for name, array in arrays.items()
    ]


def checked_points(xp, **points):
    """Return queries and keys as (rows, d), having refused what is empty, ragged or not finite."""
    rows = []
    for name, array in points.items():
        if array.ndim not in (1, 2):
            raise ValueError(f"{name} must have one or two axes, got shape {tuple(array.shape)}")
        if (name == "keys" and array.shape[0] == 0) or array.shape[1:] == (0,):
            raise ValueError(f"{name} must not be empty, got shape {tuple(array.shape)}")
        _refuse_infinite(xp, name, array)
        rows.append(array if array.ndim == 2 else array[:, None])
    widths = {name: array.shape[1] for name, array in zip(points, rows, strict=True)}
    if len(set(widths.values())) > 1:
        listing = ", ".join(f"{name} {width}" for name, width in widths.items())
        raise ValueError(f"queries and keys must have as many coordinates, got {listing}")
    return rows


def checked_values(xp, values, keys):
    """Refuse values that do not pair with the keys, or are not finite: 0 · ∞ is not 0."""
    if values.ndim not in (1, 2):
        raise ValueError(f"values must have one or two axes, got shape {tuple(values.shape)}")
    if values.shape[0] != keys.shape[0]:
        raise ValueError(
            f"values must be as many as keys, got {values.shape[0]} values for {keys.shape[0]} keys"
        )
    _refuse_infinite(xp, "values", values)


def checked_sigma(xp, sigma, keys):
    """Return sigma as an array of shape () or (d,) beside the keys, still in its autograd graph."""
    if not is_array_api_obj(sigma) or is_numpy_array(sigma):
        given = _numbers("sigma", sigma)
        sigma = _moved(xp, given, keys.dtype, device(keys))
    elif array_namespace(sigma) is xp:
        given = _floating(xp, "sigma", sigma)
        sigma = xp.astype(given, keys.dtype, copy=False)
    else:
        raise ValueError(
            f"sigma must come from the library of the keys, got {type(sigma).__name__} "
            f"beside {type(keys).__name__}"
        )
    d = keys.shape[1]
    if sigma.ndim > 1 or sigma.ndim == 1 and sigma.shape[0] != d:
        raise ValueError(f"sigma must be a number or have shape ({d},), got {tuple(sigma.shape)}")
    if not holds(xp.all(xp.isfinite(sigma) & (sigma > 0))):
        raise ValueError(f"sigma must be positive and finite, got {shown(given)}")
    return sigma


def finite_numbers(name, given):
    """Return finite numbers from any library as NumPy's float64, out of an autograd graph."""
    if is_array_api_obj(given) and not is_numpy_array(given):
        given = given.tolist()
    numbers = _numbers(name, given)
    _refuse_infinite(np, name, numbers)
    return numbers


def finite_number(name, given):
    """Return one number as a float."""
    number = finite_numbers(name, given)
    if number.ndim:
        raise ValueError(f"{name} must be a number, got {given!r:.60}")
    return float(number)


def finite_width(sigma, span, name="sigma"):
    """Return one width as a float, by which no distance up to the span overflows."""
    width = finite_number(name, sigma)
    if width <= 0:
        raise ValueError(f"{name} must be positive and finite, got {width}")
    if not span / width < np.inf:
        raise ValueError(f"{name} must not make scaled distances overflow, got {width}")
    return width


def finite_widths(sigmas, span):
    """Return the least and the most of a range of widths."""
    ends = finite_numbers("sigmas", sigmas)
    if ends.shape != (2,) or ends[0] >= ends[1]:
        raise ValueError(f"sigmas must be (least, most), got {sigmas!r:.60}")
    return tuple(finite_width(end, span, "sigmas") for end in ends)


def holds(condition):
    """Tell whether a condition on values holds, or suppose so where values are still to come."""
    try:
        return bool(condition)
    except TypeError:
        # What `jax.jit` compiles is traced without values, and cannot depend on them.
        return True


def shown(array):
    """Return an array as plain numbers for a message, or as it is inside `jax.grad`."""
    try:
        return array.tolist()
    except TypeError:
        return array


def _floating(xp, name, array):
    if xp.isdtype(array.dtype, "real floating"):
        return array
    if xp.isdtype(array.dtype, ("bool", "integral")):
        # Python's float is float64, but not in JAX unless the reader has asked for it there.
        return xp.astype(array, float)
    raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")


def _numbers(name, listed):
    try:
        numbers = np.asarray(listed)
        # NumPy would read numbers out of strings, and drop an imaginary part with a warning.
        if numbers.dtype.kind in "biufO":
            return numbers.astype(float)
    except (OverflowError, RuntimeError, TypeError, ValueError):
        pass
    raise ValueError(f"{name} must hold real numbers, got {listed!r:.60}")


@np.errstate(over="ignore")
def _moved(xp, numbers, dtype, home):
    return xp.asarray(numbers, dtype=dtype, device=home)


def _refuse_infinite(xp, name, array):
    finite = xp.isfinite(array)
    if not holds(xp.all(finite)):
        raise ValueError(f"{name} must be finite, got {shown(array[~finite][0])}")
