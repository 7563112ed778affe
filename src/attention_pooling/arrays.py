"""What the public functions accept as queries, keys, values and sigma."""

import warnings
from numbers import Number

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_numpy_array

POINTS = "queries", "keys"


def common_arrays(**arrays):
    """Return the namespace of the named arrays, their common floating dtype, and they themselves.

    Integers count as float64; a list takes the dtype of the arrays beside it. Half precision is
    widened to float32, in which everything is then computed: only results go back to the dtype.
    """
    arrays = {name: _plain(name, array) for name, array in arrays.items()}
    given = {name: array for name, array in arrays.items() if is_array_api_obj(array)}
    listed = {name: _numbers(name, array) for name, array in arrays.items() if name not in given}
    try:
        xp = array_namespace(*given.values()) if given else array_namespace(np.empty(0))
    except TypeError:
        kinds = ", ".join(f"{name} {type(array).__name__}" for name, array in given.items())
        raise ValueError(f"arrays must come from one library, got {kinds}") from None
    given = {name: _floating(xp, name, array) for name, array in given.items()}
    dtype = xp.result_type(*(array.dtype for array in given.values())) if given else xp.float64
    wide = xp.result_type(dtype, xp.float32)
    home = device(next(iter(given.values()))) if given else None
    return (
        xp,
        dtype,
        [
            xp.astype(given[name], wide, copy=False)
            if name in given
            else xp.asarray(listed[name], dtype=wide, device=home)
            for name in arrays
        ],
    )


def real_array(name, given):
    """Return the namespace of one array or list of real numbers, and it in its floating dtype."""
    array = _plain(name, given)
    array = array if is_array_api_obj(array) else _numbers(name, array)
    xp = array_namespace(array)
    return xp, _floating(xp, name, array)


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
    sigma = _plain("sigma", sigma)
    if not is_array_api_obj(sigma) or is_numpy_array(sigma):
        given = _numbers("sigma", sigma)
        sigma = xp.asarray(given, dtype=keys.dtype, device=device(keys))
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
    usable = xp.isfinite(sigma) & (sigma > 0)
    if not holds(xp.all(usable)):
        raise ValueError(f"sigma must be positive and finite, got {shown(given)}")
    # What cannot be refused, because its value is still to come, gives NaN.
    return xp.where(usable, sigma, xp.full_like(sigma, xp.nan))


def finite_numbers(name, given):
    """Return finite numbers from any library as NumPy's float64, out of an autograd graph."""
    given = _plain(name, given)
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


def is_masked(given):
    """Tell whether there is one of NumPy's masked arrays, which forget their mask in a list."""
    if not isinstance(given, (list, tuple)):
        return isinstance(given, np.ma.MaskedArray)
    # Few lists hold anything but numbers, and looking at types is quick.
    kinds = (list, tuple, np.ma.MaskedArray)
    return any(issubclass(kind, kinds) for kind in set(map(type, given))) and any(
        map(is_masked, given)
    )


def holds(condition):
    """Tell whether a condition on values holds, or suppose so where values are still to come."""
    return bool(condition) if is_known(condition) else True


def is_known(condition):
    """Tell whether a condition has its value.

    `jax.jit` traces a function without values, and `torch.func.vmap` with many at once.
    """
    try:
        bool(condition)
    except (TypeError, RuntimeError):
        return False
    return True


def counted(xp, condition):
    """Return how often a condition holds, as an int where values are known."""
    count = xp.sum(xp.astype(condition, int))
    try:
        return int(count)
    except (TypeError, RuntimeError):
        return count


def shown(array):
    """Return an array as plain numbers for a message, or as it is inside `jax.grad`."""
    try:
        return array.tolist()
    except TypeError:
        return array


def _plain(name, given):
    """Return NumPy's subclasses and foreign bytes as its plain arrays, its objects as a list."""
    if is_masked(given):
        raise ValueError(f"{name} must not be masked, got {given!r:.60}")
    if not is_numpy_array(given):
        return given
    array = np.asarray(given)
    if array.dtype.kind not in "biufc":
        return array.tolist() if array.dtype.kind == "O" else _numbers(name, array)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _floating(xp, name, array):
    if xp.isdtype(array.dtype, "real floating"):
        return array
    if xp.isdtype(array.dtype, ("bool", "integral")):
        # Python's float is float64, but not in JAX unless the reader has asked for it there.
        floating = xp.astype(array, float)
        if name in POINTS:
            _refuse_rounded(xp, name, array, floating)
        return floating
    raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")


def _refuse_rounded(xp, name, whole, floating):
    """Refuse points that would move, and could meet others: a width may be as small as they."""
    exact = xp.astype(floating, whole.dtype) == whole
    if not holds(xp.all(exact)):
        wrong = shown(whole[~exact][0])
        raise ValueError(f"{name} must be whole numbers that {floating.dtype} has, got {wrong}")


def _is_number(item):
    """Tell a number among objects: Decimal and Fraction are; None, "1" and a duration are not."""
    return isinstance(item, (Number, np.bool_)) and not isinstance(item, np.timedelta64)


@np.errstate(all="ignore")
def _numbers(name, listed):
    try:
        # The reader may have turned warnings into errors.
        with warnings.catch_warnings(action="ignore"):
            numbers = np.asarray(listed)
        kind = numbers.dtype.kind
        # NumPy would read numbers out of strings, and drop an imaginary part with a warning.
        real = kind in "biuf" or kind == "O" and all(map(_is_number, numbers.flat))
        floating = numbers.astype(float) if real else None
    except (OverflowError, RuntimeError, TypeError, ValueError):
        floating = None
    if floating is None:
        raise ValueError(f"{name} must hold real numbers, got {listed!r:.60}")
    if kind in "iu" and name in POINTS:
        _refuse_rounded(np, name, numbers, floating)
    return floating


def _refuse_infinite(xp, name, array):
    finite = xp.isfinite(array)
    if not holds(xp.all(finite)):
        raise ValueError(f"{name} must be finite, got {shown(array[~finite][0])}")
