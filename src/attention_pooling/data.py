"""What the book's chapters work on: three data sets, and measurements of cost."""

import json
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .arrays import real_array


class Data(NamedTuple):
    """Keys with their values, and queries with the truth where it is known."""

    keys: np.ndarray
    """Where values were observed, shape (n,) or (n, d)."""
    values: np.ndarray
    """What was observed, shape (n,) or (n, c)."""
    queries: np.ndarray
    """Where to estimate, shape (m,) or (m, d)."""
    truth: np.ndarray | None = None
    """What should come out at the queries, shape (m,) or (m, c), or None where nobody knows."""


@np.errstate(all="ignore")
def trend(x: ArrayLike) -> Any:
    """Return the source section's truth, 2 sin x + x.

    Parameters
    ----------
    x : array
        Places, of any shape.

    Returns
    -------
    array
        The truth at each place.

    Examples
    --------
    >>> trend(np.array([0.0])).tolist()
    [0.0]
    """
    # NumPy's sine of small integers has half precision.
    xp, x = real_array("x", x)
    return 2 * xp.sin(x) + x


def noisy_trend(rng: np.random.Generator, n: int = 40) -> Data:
    """Draw the source section's problem: y = 2 sin x + x + ε with ε ~ N(0, 1).

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the draws.
    n : int, optional
        Number of keys.

    Returns
    -------
    Data
        Keys, uniform on [0, 5] and sorted; noisy values; queries 0, 0.1, …, 4.9; the truth there.

    Examples
    --------
    >>> data = noisy_trend(np.random.default_rng(0), n=3)
    >>> data.keys.shape, data.queries.shape, bool((np.diff(data.keys) > 0).all())
    ((3,), (50,), True)
    """
    keys = np.sort(rng.uniform(0, 5, n))
    queries = np.arange(50) / 10
    return Data(keys, trend(keys) + rng.standard_normal(n), queries, trend(queries))


def mcycle() -> Data:
    """Load head accelerations after a simulated motorcycle impact, 133 of them [1]_.

    Returns
    -------
    Data
        Keys: time after the impact in ms, sorted, 94 distinct. Values: acceleration in g.
        Queries: 200 equally spaced times from the first key to the last.

    References
    ----------
    .. [1] B. W. Silverman, Some Aspects of the Spline Smoothing Approach to Non-Parametric
       Regression Curve Fitting, Journal of the Royal Statistical Society B 47(1), 1985, 1–52.

    Examples
    --------
    >>> mcycle().keys.shape
    (133,)
    """
    table = files(__package__) / "mcycle.csv"
    with table.open() as lines:
        keys, values = np.loadtxt(lines, delimiter=",", skiprows=1, unpack=True)
    return Data(keys, values, np.linspace(keys[0], keys[-1], 200))


def digits(rng: np.random.Generator, n: int = 1500) -> Data:
    """Split scikit-learn's bundled 8×8 images of handwritten digits into keys and queries.

    Parameters
    ----------
    rng : numpy.random.Generator
        Shuffles the images before they are split.
    n : int, optional
        Number of keys; the rest of the 1,797 images are queries.

    Returns
    -------
    Data
        Keys and queries: images as rows of 64 pixels between 0 and 1. Values and truth: the
        digits, one-hot, shape (·, 10).

    Raises
    ------
    ValueError
        If `n` leaves no key or no query.

    Examples
    --------
    >>> data = digits(np.random.default_rng(0))
    >>> data.keys.shape, data.truth.shape
    ((1500, 64), (297, 10))
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    if not 0 < n < len(images):
        raise ValueError(f"n must lie between 1 and {len(images) - 1}, got {n}")
    order = rng.permutation(len(images))
    pixels, one_hot = images[order] / 16, np.eye(10)[labels[order]]
    return Data(pixels[:n], one_hot[:n], pixels[n:], one_hot[n:])


def cost_measurements() -> dict[str, Any]:
    """Load the times and the memory that other ways of pooling took on one machine.

    Returns
    -------
    dict
        ``versions`` of the libraries; ``cores``; ``works``, which for each work lists the rows of a
        table: ``contestant``, ``seconds``, ``ratio`` to `pool` and its ``target``, added
        ``megabytes``, ``error`` against dense float64 and ``rounds``; and ``growth``, which for
        each method lists ``n``, ``seconds`` and ``megabytes``.

    Examples
    --------
    >>> sorted(cost_measurements())
    ['cores', 'growth', 'versions', 'works']
    """
    return json.loads((files(__package__) / "cost.json").read_text(encoding="utf-8"))
