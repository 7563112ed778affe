"""Call an answer, and read what it returns as plain numbers."""

import traceback
from collections import deque
from collections.abc import Iterator
from inspect import iscoroutine
from itertools import islice

import numpy as np

from ..limits import OutOfMemory, Overtime

MOST = 100_000
"""Numbers that are read from a result; every right one is far smaller."""


class Wrong(Exception):
    """The answer is wrong; the message says why."""


class Unattempted(Exception):
    """The answer is still the stub."""


class Raised(Wrong):
    """The answer raised an exception; the message ends with its last line."""


def called(answer, arguments):
    """Return what the answer returns, or raise `Wrong` with the last line of its traceback."""
    try:
        return answer(*arguments)
    except Overtime:
        raise
    except MemoryError:
        raise OutOfMemory from None
    except RecursionError:
        raise Raised("Your function calls itself without end (RecursionError).") from None
    except BaseException as error:
        raise Raised(f"Your function raised an exception: {last_line(error)}") from None


def last_line(error):
    """Return the last line of the traceback of an error, at most 300 characters."""
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__


def numbers(result):
    """Return the result of an answer as an array of float64, or raise `Wrong`."""
    if result is None or result is ...:
        raise Unattempted
    try:
        return _numbers(result)
    except (Wrong, Overtime):
        raise
    except MemoryError:
        raise OutOfMemory from None
    except BaseException as error:
        raise Wrong(
            f"The result, {kind(result)}, cannot be read as numbers: {last_line(error)}"
        ) from None


def _numbers(result):
    if iscoroutine(result):
        result.close()
        raise Wrong("Your function is `async`: write a plain `def`, so that it returns numbers.")
    array = np.asarray(_plain(result))
    if array.size > MOST:
        raise Wrong(f"Your function returns {array.size} numbers, far too many: {array.shape}.")
    if array.dtype.kind in "USO" and any(isinstance(x, str | bytes) for x in array.flat):
        raise Wrong("Your function returns text (strings); return the numbers themselves.")
    if array.dtype.kind == "c":
        raise Wrong("Your function returns complex numbers; every quantity here is real.")
    if array.dtype.kind not in "biufO":
        raise Wrong(f"Your function returns {kind(result)} of dtype {array.dtype}, not numbers.")
    return array.astype(float)


def _plain(result):
    """Replace iterators, tensors and missing entries, also inside lists, by what NumPy reads."""
    if isinstance(result, Iterator):
        result = list(islice(result, MOST + 1))
    if isinstance(result, np.ma.MaskedArray):
        # What lies under a mask is missing, hence NaN.
        return np.asarray(result.astype(object).filled(np.nan))
    if type(result).__module__.partition(".")[0] == "pandas":
        return result.to_numpy(na_value=np.nan)
    if isinstance(result, list | tuple | deque):
        if len(result) > MOST:
            raise Wrong(f"Your function returns {len(result)} entries, far too many.")
        if any(entry is None or entry is ... for entry in result):
            raise Wrong("Your function returns a list in which some entries are empty (None).")
        return [_plain(entry) for entry in result]
    if hasattr(result, "detach"):
        result = result.detach().cpu()
        # Half precision, for one, has no counterpart that every NumPy reads.
        return result.double().numpy() if result.is_floating_point() else result.numpy()
    return result


def kind(result):
    """Return the type of a result, for messages."""
    name = type(result).__name__
    return f"an object of type {name}"
