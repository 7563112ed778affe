"""The explorer of a direction: a map with one row is turned, and error and attention follow."""

import numpy as np
import traitlets

from ..arrays import finite_number, finite_numbers, finite_width, finite_widths
from ..figures import COLORS, draw_weights
from ..pooling import attention_weights
from ..width import leave_one_out
from . import ramp
from .figure import Figure
from .modules import joined

MOST_KEYS = 200
ANGLES = 61


class DirectionExplorer(Figure):
    """Turn the direction that a map with one row looks along, with or without a running kernel.

    For keys in the plane the map is (cos φ, sin φ)/σ, and pooling is that of a Gaussian on the
    keys' places along the direction. In a notebook this is a widget whose `angle` and `sigma`
    Python can read, set and observe; `error` is the leave-one-out error. In the built book the same
    figure runs without Python.

    Parameters
    ----------
    keys : array, shape (n, 2)
        At most 200.
    values : array, shape (n,)
    matters : float
        By which direction the heatmap is sorted, in degrees.
    angle : float, optional
        Of the direction at the start, in degrees.
    sigma : float, optional
        Width at the start, in the unit of the keys.
    sigmas : tuple of float, optional
        The slider's range, in the unit of the keys.
    alt : str, optional
        Text alternative of the still figure.

    Attributes
    ----------
    angle : float
        Of the direction, from 0 to 180 degrees.
    sigma : float
        The width. Any positive number: only the slider's thumb stays within its range.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    Examples
    --------
    >>> corners = [[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]]
    >>> explorer = DirectionExplorer(corners, [1.0, 1.0, 3.0, 3.0], matters=0.0, sigma=1.0)
    >>> round(explorer.error, 3)
    0.0
    >>> explorer.angle = 90
    >>> round(explorer.error, 3)
    4.0
    """

    _esm = joined("direction.mjs")
    _css = joined("direction.css")
    _root, _label = "nw-direction", "Explorer of a direction"
    _still = 720, 480  # pixels
    angle = traitlets.Any().tag(sync=True)
    sigma = traitlets.Any().tag(sync=True)

    def __init__(
        self, keys, values, matters, *, angle=0.0, sigma=0.4, sigmas=(0.05, 5.0), alt=None
    ):
        self._keys, self._values = finite_numbers("keys", keys), finite_numbers("values", values)
        if self._keys.ndim != 2 or self._keys.shape[1] != 2 or not 2 <= len(keys) <= MOST_KEYS:
            raise ValueError(
                f"keys must have shape (n, 2), n from 2 to {MOST_KEYS}, got {self._keys.shape}"
            )
        if self._values.shape != self._keys.shape[:1]:
            raise ValueError(
                f"values must have shape ({len(self._keys)},), got {self._values.shape}"
            )
        self._matters = finite_number("matters", matters)
        data = {
            "keys": self._keys.tolist(),
            "values": self._values.tolist(),
            "matters": self._matters,
            "sigmas": finite_widths(sigmas, self._span),
            "colors": COLORS,
            "ramp": ramp(),
        }
        super().__init__(alt, data, angle=angle, sigma=sigma)

    @traitlets.validate("angle")
    def _valid_angle(self, proposal):
        angle = finite_number("angle", proposal.value)
        if not 0 <= angle <= 180:
            raise ValueError(f"angle must be from 0 to 180 degrees, got {angle}")
        return angle

    @traitlets.validate("sigma")
    def _valid_sigma(self, proposal):
        return finite_width(proposal.value, self._span)

    @property
    def _span(self):
        return float(np.hypot(*np.ptp(self._keys, axis=0)))

    @property
    def error(self):
        """The leave-one-out error."""
        return self._error(self.angle)

    def _along(self, angle):
        return self._keys @ [np.cos(np.radians(angle)), np.sin(np.radians(angle))]

    def _error(self, angle):
        return float(leave_one_out(self._along(angle), self._values, sigma=self.sigma).error)

    def _description(self):
        return (
            f"Above: {len(self._keys)} keys in the plane, coloured by value, with a line along "
            f"{self.angle:.3g} degrees, and a heatmap of the weights that they give to each other, "
            f"width {self.sigma:.3g}. Below: the leave-one-out error over the angle."
        )

    def _draw(self, fig):
        """Draw the still figure."""
        axes = fig.subplot_mosaic([["plane", "weights"], ["error", "error"]], height_ratios=(3, 2))
        plane = axes["plane"]
        plane.scatter(*self._keys.T, c=self._values, s=14)
        centre = (self._keys.min(axis=0) + self._keys.max(axis=0)) / 2
        way = np.array([np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))])
        ends = centre + np.outer([-1, 1], 0.45 * np.ptp(self._keys, axis=0).min() * way)
        plane.plot(*ends.T, color=COLORS["query"])
        plane.set(xlabel="first coordinate", ylabel="second coordinate")
        order = self._along(self._matters).argsort()
        places, sorted_along = self._along(self.angle)[order], self._along(self._matters)[order]
        others = ~np.eye(len(places), dtype=bool)
        weights = attention_weights(places, places, sigma=self.sigma, mask=others)
        distinct, first = np.unique(sorted_along, return_index=True)
        draw_weights(axes["weights"], distinct, distinct, weights[np.ix_(first, first)])
        axes["weights"].set(xlabel="key, along what matters", ylabel="query")
        angles = np.linspace(0, 180, ANGLES)
        axes["error"].plot(angles, [self._error(each) for each in angles], color=COLORS["estimate"])
        axes["error"].axvline(self.angle, color=COLORS["query"], lw=1.5)
        axes["error"].set(xlabel="angle of the direction (°)", ylabel="leave-one-out error")
