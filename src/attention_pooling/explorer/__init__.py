"""The explorer: drag the width, choose the kernel, move the query, and see what pooling gives."""

import math
import re
from html import escape

import anywidget
import numpy as np
import traitlets
from ipywidgets import Dropdown, FloatLogSlider, HBox, Layout, VBox, jslink

from ..arrays import finite_number, finite_numbers, finite_width, finite_widths
from ..data import Data
from ..fast import leave_one_out_curve
from ..figures import COLORS, draw_estimate, draw_weights
from ..kernels import KERNELS
from ..pooling import chosen_kernel, nadaraya_watson
from ..width import leave_one_out
from .modules import joined
from .still import checked_text, label_axis, living, still_image, still_picture

STILL = 720, 310  # pixels
STEP = 0.01  # of the slider, in decades
MOST_KEYS = 2000
MOST_QUERIES = 1000


class Explorer(VBox):
    """Explore an estimate and its attention weights, with or without a running kernel.

    In a notebook this is a widget: a slider for the width, a chooser for the kernel, and a view
    that redraws in the page while Python reads, sets and observes `sigma`, `kernel` and `query`.
    In the built book the same view runs without Python.

    Parameters
    ----------
    keys : array, shape (n,)
        Where values were observed, in any order; at most 2,000.
    values : array, shape (n,)
        What was observed at each key.
    queries : array, shape (m,), optional
        Where to estimate; at most 1,000. By default 200, equally spaced over the range of the keys.
    sigma : float, optional
        Width at the start, in the unit of the keys.
    kernel : str or callable, optional
        A name in `KERNELS`, or a function of the scaled distance u, which Python then evaluates
        at each change; a page without Python shows the still figure.
    query : float, optional
        The query whose weights are shown; by default the middle of the queries' range.
    truth : array, shape (m,), optional
        What should come out at the queries.
    sigmas : tuple of float, optional
        The slider's range, in the unit of the keys.
    panel : {None, "kernel", "leave-one-out"}, optional
        A third panel: the kernel laid around the query, or the leave-one-out error over the width.
    band : bool, optional
        Whether to draw two standard errors to either side of the estimate, with a variance of the
        noise from what is missed at each key when its value is left out. The bias is not in it.
    key_label, value_label : str, optional
        Axis labels; what stands in brackets at their end is taken as the unit.
    question : str, optional
        What the reader is to find out, asked under the panels.
    alt : str, optional
        Text alternative of the still figure.

    Attributes
    ----------
    data : Data
        Keys, values, queries and truth: what was given, or what the reader has made of it. Set it
        to a `Data` or to a tuple of (keys, values), (keys, values, queries) or all four.
    sigma : float
        The width. Any positive number: the slider's range widens where it has to.
    kernel : str or callable
        The kernel's name, or the reader's own function.
    query : float
        The query whose row of weights is shown.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    Examples
    --------
    >>> explorer = Explorer([0.0, 1.0, 2.0], [0.0, 3.0, 0.0], sigma=0.5)
    >>> explorer.sigma = 40
    >>> explorer.sigma, explorer.kernel, explorer.query
    (40.0, 'gaussian', 1.0)
    """

    data = traitlets.Any()
    sigma = traitlets.Any()
    kernel = traitlets.Any()
    query = traitlets.Any()

    def __init__(
        self,
        keys,
        values,
        queries=None,
        *,
        sigma=1.0,
        kernel="gaussian",
        query=None,
        truth=None,
        sigmas=(0.05, 20.0),
        panel=None,
        band=False,
        key_label="key",
        value_label="value",
        question=None,
        alt=None,
    ):
        data = _checked_data(keys, values, queries, truth)
        if panel not in (None, "kernel", "leave-one-out"):
            raise ValueError(f"panel must be None, 'kernel' or 'leave-one-out', got {panel!r}")
        query = (data.queries.min() + data.queries.max()) / 2 if query is None else query
        sigma, kernel = finite_width(sigma, _span(data)), _kernel(kernel)
        query = finite_number("query", query)
        self._panel, self._band = panel, bool(band)
        labels = {"key_label": key_label, "value_label": value_label}
        self._labels = tuple(checked_text(name, label) for name, label in labels.items())
        self._sigmas = finite_widths(sigmas, _span(data))
        self._question = None if question is None else checked_text("question", question)
        self._alt = None if alt is None else checked_text("alt", alt)
        self._slider = FloatLogSlider(
            value=sigma,
            **_exponents(sigma, *np.log10(self._sigmas)),
            step=STEP,
            description="width σ",
            readout=False,
        )
        self._chooser = Dropdown(options=_offered(kernel), value=kernel, description="kernel")
        self._view = _View(
            data=self._start(data, sigma, kernel, query),
            sigma=sigma,
            thumb=sigma,
            query=query,
            kernel_index=self._chooser.index,
        )
        # In the page, so that a drag redraws without waiting for Python.
        # The view first: what it shows when the two meet is what Python has set by then.
        self._links = [
            jslink((self._view, "thumb"), (self._slider, "value")),
            jslink((self._chooser, "index"), (self._view, "kernel_index")),
        ]
        controls = HBox([self._slider, self._chooser], layout=Layout(flex_flow="row wrap"))
        super().__init__(children=[controls, self._view])
        self._curve = None, None, None
        # The kernel last: a reader's own is evaluated at the width and the query.
        self.data, self.sigma, self.query, self.kernel = data, sigma, query, kernel
        # Python never sets the slider: it would send a dragging hand's older positions back to it.
        self.observe(self._widen, "sigma")
        self._widen()
        traitlets.link((self, "sigma"), (self._view, "sigma"))
        traitlets.link((self, "query"), (self._view, "query"))
        self.observe(self._choose, "kernel")
        self._chooser.observe(self._chosen, "value")
        self.observe(self._tell, "data")
        self._view.observe(self._take, "changed")
        self.observe(self._show, ["sigma", "kernel", "query", "data"])
        self._show()

    @traitlets.validate("data")
    def _valid_data(self, proposal):
        data = _checked_data(*proposal.value)
        if self.sigma is not None:
            finite_width(self.sigma, _span(data))
        self._evaluated = self._evaluate(self.sigma, self.kernel, self.query, data)
        return data

    @traitlets.validate("sigma")
    def _valid_sigma(self, proposal):
        sigma = finite_width(proposal.value, _span(self.data))
        self._evaluated = self._evaluate(sigma, self.kernel, self.query)
        return sigma

    @traitlets.validate("kernel")
    def _valid_kernel(self, proposal):
        kernel = _kernel(proposal.value)
        self._evaluated = self._evaluate(self.sigma, kernel, self.query)
        return kernel

    @traitlets.validate("query")
    def _valid_query(self, proposal):
        query = finite_number("query", proposal.value)
        self._evaluated = self._evaluate(self.sigma, self.kernel, query)
        return query

    def _widen(self, change=None):
        for end, exponent in _exponents(self.sigma, self._slider.min, self._slider.max).items():
            setattr(self._slider, end, exponent)
        self._view.ends = [10.0**self._slider.min, 10.0**self._slider.max]

    def _choose(self, change):
        if change.new not in (kernel for _, kernel in self._chooser.options):
            # New options select the first of them, which is nobody's choice.
            self._chooser.unobserve(self._chosen, "value")
            self._chooser.options = _offered(change.new)
            self._chooser.value = change.new
            self._chooser.observe(self._chosen, "value")
        self._chooser.value = change.new

    def _chosen(self, change):
        self.kernel = change.new

    def _tell(self, change):
        """Show the data that Python has set."""
        self._view.changed = self._view.changed | _plain(change.new)

    def _take(self, change):
        """Take the data that the reader has changed, pasted or dropped."""
        taken = {name: change.new[name] for name in Data._fields}
        if taken != _plain(self.data):
            self.data = tuple(taken.values())

    def _start(self, data, sigma, kernel, query):
        """Return what the module needs to know, ready for JSON, which keeps every float exactly."""
        return _plain(data) | {
            "sigma": sigma,
            "kernels": {name: kernel.numbers for name, kernel in KERNELS.items()},
            "kernel": _name(kernel),
            "query": query,
            "sigmas": self._sigmas,
            "panel": self._panel,
            "question": self._question,
            "band": self._band,
            "labels": self._labels,
            "units": [_unit(label) for label in self._labels],
            "step": STEP,
            "colors": COLORS,
            "ramp": ramp(),
        }

    def _show(self, change=None):
        self._view.evaluated = self._evaluated

    def _evaluate(self, sigma, kernel, query, data=None):
        """Pool with the reader's own kernel, which the page cannot; refuse it where it fails."""
        if not callable(kernel):
            return {}
        data = data or self.data
        keys, values, queries, _ = data
        pooled = nadaraya_watson(np.append(queries, query), keys, values, kernel, sigma)
        left_out = leave_one_out(keys, values, kernel, sigma)
        error = float(left_out.error)
        noise = _noise(data, kernel, sigma) if self._band else math.nan
        return {
            "name": _name(kernel),
            "sigma": sigma,
            "query": query,
            "weights": pooled.weights.tobytes(),
            "noise": None if math.isnan(noise) else noise,
            "leaveOneOut": [None if math.isnan(error) else error, left_out.unreached],
            "panel": self._panel_curve(sigma, kernel, query, data),
        }

    @np.errstate(all="ignore")
    def _panel_curve(self, sigma, kernel, query, data):
        """Return the third panel's curve for the reader's own kernel."""
        keys, values, queries, _ = data
        if self._panel == "kernel":
            places = _padded(np.concatenate([keys, queries]), 401)
            return np.asarray(kernel(np.abs(places - query) / sigma), dtype=float).tobytes()
        if self._panel == "leave-one-out":
            # Neither the width nor the query moves this curve, and it may take seconds.
            if self._curve[0] is not kernel or self._curve[1] is not data:
                widths = np.geomspace(*self._sigmas, 61)
                errors = leave_one_out_curve(keys, values, kernel, widths).errors
                self._curve = kernel, data, errors.tobytes()
            return self._curve[2]
        return None

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        picture = still_picture(self._draw, *STILL)
        return bundle | {"text/html": self._html(picture), "image/png": picture}

    def _html(self, picture):
        """Return the still figure, and beside it the data from which a page comes alive."""
        figure = still_image(picture, *STILL, self._alt or self._description())
        if callable(self.kernel):
            return f'<div class="nw-still-only">{figure}</div>'
        start = self._start(self.data, self.sigma, self.kernel, self.query) | self._view.changed
        names = "nw-explorer" + " nw-three" * bool(self._panel) + " nw-asks" * bool(self._question)
        if self._question:
            figure += f'<p class="nw-asked">{escape(self._question)}</p>'
        return living(names, "Explorer", figure, start)

    def _description(self):
        keys, _, queries, _ = self.data
        return (
            f"Left: {len(keys)} values over their keys and the estimate as a curve, "
            f"{_name(self.kernel)} kernel of width {self.sigma:.3g}. "
            f"Right: its attention weights as a heatmap, "
            f"{len(queries)} queries by {len(keys)} keys."
        )

    def _draw(self, fig):
        """Draw the still figure."""
        from matplotlib.colors import PowerNorm

        data = _sorted(self.data)
        estimate, weights = nadaraya_watson(
            data.queries, data.keys, data.values, self.kernel, self.sigma
        )
        left, right = fig.subplots(1, 2)
        if self._band:
            noise = _noise(data, self.kernel, self.sigma)
            reach = 2 * np.sqrt(noise * (weights**2).sum(axis=1))
            sides = estimate - reach, estimate + reach
            left.fill_between(data.queries, *sides, color=COLORS["estimate"], alpha=0.2, lw=0)
        draw_estimate(left, data, estimate)
        left.axvline(self.query, color=COLORS["query"], lw=1.5, label="query")
        labels = self._view.changed.get("labels", self._labels)
        for axis, label in zip((left.xaxis, left.yaxis), labels, strict=True):
            label_axis(axis, label)
        distinct, rows = np.unique(data.queries, return_index=True)
        # As in the page: one scale for every width, on which faint rows can be seen.
        norm = PowerNorm(1 / 3, 0, 1)
        mesh = draw_weights(right, distinct, data.keys, weights[rows], norm)
        right.axhline(self.query, color=COLORS["query"], lw=1.5)
        right.set(xlabel="key", ylabel="query")
        fig.colorbar(mesh, ax=right, label="weight", ticks=[0, 0.01, 0.1, 1], format="%g")


class _View(anywidget.AnyWidget):
    """What the module draws; `keys` would hide a method that every widget has."""

    _esm = joined("explorer.mjs")
    _css = joined("explorer.css")
    data = traitlets.Dict().tag(sync=True)
    sigma = traitlets.Float(1.0).tag(sync=True)
    # A slider moves only to its steps and within its ends, and reports where it has gone; apart
    # from the width, its thumb can do so without changing what Python has set.
    thumb = traitlets.Float(1.0).tag(sync=True)
    ends: traitlets.List[float] = traitlets.List().tag(sync=True)
    kernel_index = traitlets.Int(0).tag(sync=True)
    query = traitlets.Float(0.0).tag(sync=True)
    evaluated = traitlets.Dict().tag(sync=True)
    # Of the data, what the reader has put in the place of what was given.
    changed = traitlets.Dict().tag(sync=True)


def _line(name, given, most):
    """Return finite numbers on a line."""
    numbers = finite_numbers(name, given)
    if numbers.ndim != 1:
        raise ValueError(f"{name} must have shape (n,) in an explorer, got {numbers.shape}")
    if not 0 < len(numbers) <= most:
        raise ValueError(f"{name} must be 1 to {most:,} numbers in an explorer, got {len(numbers)}")
    return numbers


def _checked_data(keys, values, queries=None, truth=None):
    keys, values = _line("keys", keys, MOST_KEYS), _line("values", values, MOST_KEYS)
    queries = _spread(keys) if queries is None else _line("queries", queries, MOST_QUERIES)
    truth = None if truth is None else _line("truth", truth, MOST_QUERIES)
    _same_length("values", values, "keys", keys)
    if truth is not None:
        _same_length("truth", truth, "queries", queries)
    return Data(keys, values, queries, truth)


def _noise(data, kernel, sigma):
    """Return the variance of the noise, from what is missed at each key without its value."""
    keys, values = data.keys, data.values
    others = ~np.eye(len(keys), dtype=bool)
    left_out, weights = nadaraya_watson(keys, keys, values, kernel, sigma, mask=others)
    return float(np.mean((values - left_out) ** 2 / (1 + (weights**2).sum(axis=1))))


def _span(data):
    """Return the largest distance between keys and queries."""
    ends = [float(end) for line in (data.keys, data.queries) for end in (line.min(), line.max())]
    return max(ends) - min(ends)


def _plain(data):
    """Return data as lists by their names."""
    return {name: None if line is None else line.tolist() for name, line in data._asdict().items()}


def _same_length(name, numbers, other, others):
    if len(numbers) != len(others):
        raise ValueError(
            f"{name} must be as many as {other}, "
            f"got {len(numbers)} {name} for {len(others)} {other}"
        )


def _spread(keys):
    low, high = keys.min(), keys.max()
    return np.linspace(low, high, 200) if low < high else np.linspace(low - 1, high + 1, 200)


def _padded(numbers, count):
    """Return places over the numbers' range and a fiftieth beyond, as the kernel panel has them."""
    low, high = numbers.min(), numbers.max()
    pad = 0.02 * (high - low) if low < high else max(0.01 * abs(high), 0.5)
    return np.linspace(low - pad, high + pad, count)


def _kernel(kernel):
    """Return one of our kernels as its name, a reader's own as it is."""
    kernel = chosen_kernel(kernel)
    return next((name for name, ours in KERNELS.items() if ours is kernel), kernel)


def ramp():
    """Return every eighth colour of viridis, between which it is all but straight."""
    from matplotlib import colormaps, colors

    return [colors.to_hex(colour) for colour in colormaps["viridis"](np.linspace(0, 1, 33))]


def _exponents(sigma, low, high):
    """Return the slider's ends in decades, moved outwards where the width needs it."""
    exponent = math.log10(sigma)
    return {
        "min": low if low <= exponent else math.floor(exponent),
        "max": high if high >= exponent else math.ceil(exponent),
    }


def _offered(kernel):
    """Return the chooser's options: our kernels, and a reader's own after them."""
    own = [(_name(kernel), kernel)] if callable(kernel) else []
    return [(name, name) for name in KERNELS] + own


def _name(kernel):
    return getattr(kernel, "__name__", "your kernel") if callable(kernel) else kernel


def _unit(label):
    found = re.search(r"\(([^()]*)\)$", label)
    return found[1] if found else ""


def _sorted(data):
    by_key, by_query = np.argsort(data.keys, kind="stable"), np.argsort(data.queries, kind="stable")
    truth = None if data.truth is None else data.truth[by_query]
    return Data(data.keys[by_key], data.values[by_key], data.queries[by_query], truth)
