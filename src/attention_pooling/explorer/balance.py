"""The explorer of bias and variance: what they are at a query, and draws that come to show it."""

import numpy as np
import traitlets

from ..arrays import finite_number, finite_numbers, finite_width, finite_widths
from ..figures import COLORS
from ..pooling import attention_weights
from .figure import Figure
from .modules import joined
from .still import checked_text, label_axis

MOST_KEYS = 400
MOST_QUERIES = 400
WIDTHS = 61


class BalanceExplorer(Figure):
    """See bias², variance and their sum against the width, with or without a running kernel.

    Keys are given, and values are the truth with normal noise. The Gaussian estimate at a query
    then has the mean Σ wᵢ m(kᵢ) and the variance s² Σ wᵢ², with the truth m and the noise's
    standard deviation s; no draw is needed for these, but the reader can make draws. In a notebook
    this is a widget whose `sigma` and `query` Python can read, set and observe. In the built book
    the same figure runs without Python. Its `bias` and `variance` are those at width and query.

    Parameters
    ----------
    keys : array, shape (n,)
        At most 400.
    truth : callable
        The truth: takes an array of keys or queries and returns as many numbers.
    queries : array, shape (m,), optional
        At most 400 places that a query can have, by default 101 over the range of the keys.
    noise : float, optional
        Standard deviation of the noise.
    sigma : float, optional
        Width at the start, in the unit of the keys.
    query : float, optional
        The query at the start; by default the one in the middle.
    sigmas : tuple of float, optional
        The range of widths, in the unit of the keys.
    key_label, value_label : str, optional
        Axis labels.
    alt : str, optional
        Text alternative of the still figure.

    Attributes
    ----------
    sigma : float
        The width. Any positive number: only the slider's thumb stays within its range.
    query : float
        The query: of what it is set to, the nearest of `queries`.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    Examples
    --------
    >>> explorer = BalanceExplorer([0.0, 1.0], np.square, [0.0, 0.5, 1.0], sigma=1e3)
    >>> round(explorer.bias, 3), round(explorer.variance, 3)
    (0.25, 0.5)
    >>> explorer.query = 0.9
    >>> explorer.query, round(explorer.bias, 3)
    (1.0, -0.5)
    """

    _esm = joined("balance.mjs")
    _css = joined("balance.css")
    _root, _label = "nw-balance", "Explorer of bias and variance"
    _still = 720, 320  # pixels
    sigma = traitlets.Any().tag(sync=True)
    query = traitlets.Any().tag(sync=True)

    def __init__(
        self,
        keys,
        truth,
        queries=None,
        *,
        noise=1.0,
        sigma=0.35,
        query=None,
        sigmas=(0.05, 3.0),
        key_label="key",
        value_label="value",
        alt=None,
    ):
        self._keys = _line("keys", keys, MOST_KEYS)
        if queries is None:
            queries = np.linspace(self._keys.min(), self._keys.max(), 101)
        self._queries = np.sort(_line("queries", queries, MOST_QUERIES))
        self._noise = finite_width(noise, 1.0, "noise")
        self._truth, self._at_keys = (
            _truth_at(truth, places) for places in (self._queries, self._keys)
        )
        self._sigmas = finite_widths(sigmas, self._span)
        labels = {"key_label": key_label, "value_label": value_label}
        self._labels = tuple(checked_text(name, label) for name, label in labels.items())
        data = {
            "keys": self._keys.tolist(),
            "truthAtKeys": self._at_keys.tolist(),
            "queries": self._queries.tolist(),
            "truth": self._truth.tolist(),
            "noise": self._noise,
            "sigmas": self._sigmas,
            "labels": self._labels,
            "unit": "",
            "colors": COLORS,
        }
        middle = self._queries[len(self._queries) // 2]
        super().__init__(alt, data, sigma=sigma, query=middle if query is None else query)

    @traitlets.validate("sigma")
    def _valid_sigma(self, proposal):
        return finite_width(proposal.value, self._span)

    @traitlets.validate("query")
    def _valid_query(self, proposal):
        query = finite_number("query", proposal.value)
        return float(self._queries[np.abs(self._queries - query).argmin()])

    @property
    def _span(self):
        return float(np.ptp(np.append(self._keys, self._queries)))

    @property
    def bias(self):
        """The mean of the estimate less the truth, at the query."""
        return self._balance(self.query, self.sigma)[0]

    @property
    def variance(self):
        """The variance of the estimate at the query."""
        return self._balance(self.query, self.sigma)[1]

    def _balance(self, query, sigma):
        (weights,) = attention_weights([query], self._keys, sigma=sigma)
        there = self._truth[self._queries == query][0]
        return (
            float(weights @ self._at_keys - there),
            float(self._noise**2 * (weights**2).sum()),
        )

    def _description(self):
        return (
            f"Left: the dashed truth over {len(self._queries)} queries, and a band of one standard "
            f"deviation about the mean of the Gaussian estimates of width {self.sigma:.3g}. Right: "
            f"bias squared, variance and their sum over the width at the query {self.query:.3g}."
        )

    def _draw(self, fig):
        """Draw the still figure."""
        weights = attention_weights(self._queries, self._keys, sigma=self.sigma)
        mean = weights @ self._at_keys
        deviation = self._noise * np.sqrt((weights**2).sum(axis=1))
        left, right = fig.subplots(1, 2)
        band = {"color": COLORS["estimate"], "alpha": 0.25, "lw": 0}
        left.fill_between(self._queries, mean - deviation, mean + deviation, **band)
        left.plot(self._queries, mean, color=COLORS["estimate"], label="mean ± deviation")
        left.plot(self._queries, self._truth, "--", color=COLORS["truth"], label="truth")
        left.axvline(self.query, color=COLORS["query"], lw=1.5, label="query")
        left.legend()
        for axis, label in zip((left.xaxis, left.yaxis), self._labels, strict=True):
            label_axis(axis, label)
        widths = np.geomspace(*self._sigmas, WIDTHS)
        bias, variance = np.transpose([self._balance(self.query, width) for width in widths])
        for curve, style, label in (
            (bias**2, "--", "bias²"),
            (variance, ":", "variance"),
            (bias**2 + variance, "-", "sum"),
        ):
            right.semilogx(widths, curve, style, color=COLORS["estimate"], label=label)
        right.axvline(self.sigma, color="#777777", lw=1)
        right.set(ylim=(0, self._noise**2), xlabel="width σ", ylabel="mean squared error")
        right.legend()


def _line(name, given, most):
    numbers = finite_numbers(name, given)
    if numbers.ndim != 1 or not 0 < len(numbers) <= most:
        raise ValueError(f"{name} must have shape (n,), n from 1 to {most}, got {numbers.shape}")
    return numbers


def _truth_at(truth, places):
    if not callable(truth):
        raise ValueError(f"truth must be a function, got {truth!r:.60}")
    levels = finite_numbers("truth", truth(places))
    if levels.shape != places.shape:
        raise ValueError(f"truth must return shape {places.shape}, got {levels.shape}")
    return levels
