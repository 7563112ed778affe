"""The attention explorer: the Gaussian's score becomes a transformer's, one step at a time."""

import math

import numpy as np
import traitlets

from ..arrays import finite_numbers, finite_width, finite_widths
from ..figures import COLORS
from ..pooling import attention_weights
from .figure import Figure
from .modules import joined
from .still import checked_choice

SCORES = ("distance", "expanded", "product", "circle", "scaled")
MOST_KEYS = 24


class ScoreExplorer(Figure):
    """Compare weights from dot products with the Gaussian's, with or without a running kernel.

    In a notebook this is a widget whose `sigma`, `score` and `query` Python can read, set and
    observe. In the built book the same figure runs without Python.

    Parameters
    ----------
    keys : array, shape (n, 2)
        At most 24 keys, none at the origin, which has no direction.
    sigma : float, optional
        Width at the start, in the unit of the keys; its square is the temperature. A width by
        which a distance overflows is refused.
    query : pair of float, optional
        The query at the start.
    score : str, optional
        The step at the start: the Gaussian's "distance"; the same "expanded" into a product and
        the key's length; the "product" alone; the product of keys moved to the unit "circle"; the
        product "scaled" by √d as in transformers.
    sigmas : tuple of float, optional
        The slider's range, in the unit of the keys.
    alt : str, optional
        Text alternative of the still figure.

    Attributes
    ----------
    sigma : float
        The width. Any positive number by which no distance overflows: only the slider's thumb
        stays within its range.
    score : str
        The step.
    query : tuple of float
        Where the query is.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    Examples
    --------
    >>> explorer = ScoreExplorer([[1.0, 0.0], [0.0, 2.0]], query=(0.5, 0.5))
    >>> explorer.score = "product"
    >>> explorer.score, explorer.sigma, explorer.query
    ('product', 0.7, (0.5, 0.5))
    """

    _esm = joined("scores.mjs")
    _css = joined("scores.css")
    _root, _label = "nw-scores", "Attention explorer"
    _still = 720, 340  # pixels
    sigma = traitlets.Any().tag(sync=True)
    score = traitlets.Any().tag(sync=True)
    query = traitlets.Any().tag(sync=True)

    def __init__(
        self,
        keys,
        sigma=0.7,
        query=(1.0, 0.5),
        *,
        score="distance",
        sigmas=(0.1, 5.0),
        alt=None,
    ):
        # A trait called keys would hide a method that every widget has.
        self._points = _points(keys)
        query = _pair(query)
        sigmas = finite_widths(sigmas, self._span(query))
        data = {"keys": self._points.tolist(), "sigmas": sigmas, "colors": COLORS}
        super().__init__(alt, data, sigma=sigma, score=score, query=query)

    @traitlets.validate("sigma")
    def _valid_sigma(self, proposal):
        return finite_width(proposal.value, self._span(self.query))

    @traitlets.validate("score")
    def _valid_score(self, proposal):
        return checked_choice("score", proposal.value, SCORES)

    @traitlets.validate("query")
    def _valid_query(self, proposal):
        query = _pair(proposal.value)
        finite_width(self.sigma, self._span(query))
        return query

    def _span(self, query):
        """Return more than any distance from the query, also to keys moved to the circle."""
        return math.hypot(*query) + max(1.0, *(math.hypot(*key) for key in self._points))

    def _description(self):
        return (
            f"Left: {len(self._points)} keys and a query in the plane, each key as large as its "
            f"weight. Right: a bar for each key, filled to its weight by the score "
            f"“{self.score}” and outlined to its weight by distance, width {self.sigma:.3g}."
        )

    def _draw(self, fig):
        """Draw the still figure."""
        keys, weights, gaussian = compared(self._points, self.sigma, self.query, self.score)
        numbers = range(1, len(keys) + 1)
        plane, bars = fig.subplots(1, 2)
        plane.scatter(*keys.T, s=4 + 1500 * weights, color=COLORS["key"], lw=0, label="key")
        plane.plot(*self.query, "o", color=COLORS["query"], label="query", zorder=3)
        for number, key in zip(numbers, keys, strict=True):
            plane.annotate(str(number), key, xytext=(6, 6), textcoords="offset points")
        plane.set_aspect("equal", "datalim")
        plane.margins(0.15)
        plane.set(xlabel="first coordinate", ylabel="second coordinate")
        bars.barh(numbers, weights, color=COLORS["key"], label="by this score")
        bars.barh(numbers, gaussian, fill=False, label="by distance")
        bars.invert_yaxis()
        bars.set(xlabel="weight", ylabel="key", xlim=(0, 1), yticks=numbers)
        bars.legend()


@np.errstate(all="ignore")
def compared(keys, sigma, query, score):
    """Return the keys that a step uses, their weights by its score, and their weights by distance.

    Parameters
    ----------
    keys : array, shape (n, 2)
    sigma : float
    query : array, shape (2,)
    score : str
        One of `SCORES`.

    Returns
    -------
    tuple of array
        Of shapes (n, 2), (n,) and (n,).
    """
    query = np.asarray(query)
    if score == "circle":
        keys = keys / np.hypot(*keys.T)[:, None]
    if score == "scaled":
        sigma = 2**0.25
    (gaussian,) = attention_weights(query[None], keys, sigma=sigma)
    if score == "distance":
        return keys, gaussian, gaussian
    products = keys @ query
    if score == "expanded":
        products -= (keys**2).sum(axis=1) / 2
    # Divided twice, because the square of a very narrow width is 0.
    shares = np.exp((products - products.max()) / sigma / sigma)
    return keys, shares / shares.sum(), gaussian


def _pair(query):
    pair = finite_numbers("query", query)
    if pair.shape != (2,):
        raise ValueError(f"query must be two numbers, got {query!r:.60}")
    return tuple(pair.tolist())


def _points(keys):
    keys = finite_numbers("keys", keys)
    if keys.ndim != 2 or keys.shape[1] != 2 or not 0 < len(keys) <= MOST_KEYS:
        raise ValueError(f"keys must have shape (n, 2), n from 1 to {MOST_KEYS}, got {keys.shape}")
    if not (lengths := np.hypot(*keys.T)).all():
        raise ValueError(f"keys must have a direction, got {keys[lengths == 0][0].tolist()}")
    return keys
