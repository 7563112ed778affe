"""Similarity as a function of the scaled distance u = ‖q − k‖ / σ."""

import numpy as np

from .arrays import real_array


@np.errstate(all="ignore")
def gaussian(u):
    """Gaussian kernel exp(−u²/2): smooth, and positive at every distance.

    Parameters
    ----------
    u : array
        Scaled distances, any shape, without unit. The sign is irrelevant.

    Returns
    -------
    array
        Similarities, in the shape of `u`.

    Examples
    --------
    >>> gaussian([0.0, 1.0]).round(4).tolist()
    [1.0, 0.6065]
    """
    xp, u = real_array("u", u)
    return xp.exp(-(u**2) / 2)


def boxcar(u):
    """Boxcar kernel, 1 where |u| ≤ 1 and 0 elsewhere: every key in reach counts the same.

    Parameters
    ----------
    u : array
        Scaled distances, any shape, without unit. The sign is irrelevant.

    Returns
    -------
    array
        Similarities, in the shape of `u`.

    Examples
    --------
    >>> boxcar([0.0, -1.0, 1.1]).tolist()
    [1.0, 1.0, 0.0]
    """
    xp, u = real_array("u", u)
    # u**0 instead of a plain one keeps u in an autograd graph, with derivative zero.
    return xp.where(xp.abs(u) <= 1, u**0, xp.zeros_like(u))


def constant(u):
    """Constant kernel 1: distance plays no part.

    Parameters
    ----------
    u : array
        Scaled distances, any shape, without unit.

    Returns
    -------
    array
        Ones, in the shape of `u`.

    Examples
    --------
    >>> constant([0.0, 100.0]).tolist()
    [1.0, 1.0]
    """
    _, u = real_array("u", u)
    return u**0


def triangular(u):
    """Triangular kernel max(0, 1 − |u|): similarity falls along a straight line.

    Parameters
    ----------
    u : array
        Scaled distances, any shape, without unit. The sign is irrelevant.

    Returns
    -------
    array
        Similarities, in the shape of `u`.

    Examples
    --------
    >>> triangular([0.0, -0.25, 2.0]).tolist()
    [1.0, 0.75, 0.0]
    """
    xp, u = real_array("u", u)
    return 1 - xp.minimum(xp.abs(u), xp.ones_like(u))


@np.errstate(all="ignore")
def epanechnikov(u):
    """Epanechnikov kernel ¾ max(0, 1 − u²): a parabola's cap [1]_.

    Parameters
    ----------
    u : array
        Scaled distances, any shape, without unit. The sign is irrelevant.

    Returns
    -------
    array
        Similarities, in the shape of `u`.

    References
    ----------
    .. [1] V. A. Epanechnikov, Non-Parametric Estimation of a Multivariate Probability Density,
       Theory of Probability and Its Applications 14(1), 1969, 153–158.

    Examples
    --------
    >>> epanechnikov([0.0, 0.5, -1.0]).tolist()
    [0.75, 0.5625, 0.0]
    """
    xp, u = real_array("u", u)
    # (1 − u)(1 + u) keeps its digits at the edge, where 1 − u² cancels.
    return 0.75 * xp.maximum((1 - u) * (1 + u), xp.zeros_like(u))


KERNELS = {
    kernel.__name__: kernel for kernel in (gaussian, boxcar, constant, triangular, epanechnikov)
}
"""The book's kernels by name, in the book's order."""
