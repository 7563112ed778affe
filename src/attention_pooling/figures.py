"""Draw what pooling gives: the estimate over the data, and the weights as a heatmap."""

import numpy as np

from .kernels import KERNELS

WIDTH = 5.2
"""Of the book's figures, in inches."""

COLORS = {
    "query": "#D55E00",
    "key": "#009E73",
    "value": "#CC79A7",
    "estimate": "#0072B2",
    "truth": "#7F7F7F",
}
"""One colour for each role, from the colour-blind safe palette of Okabe and Ito."""


def draw_estimate(ax, data, estimate, label="estimate"):
    """Draw the data, the truth where it is known, and the estimate; gaps are unreached queries.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    data : Data
        With keys and queries of one coordinate, and one value for each key.
    estimate : array, shape (m,)
        Estimate at ``data.queries``.
    label : str, optional
        What the legend calls the curve.

    Returns
    -------
    matplotlib.lines.Line2D
        The curve of the estimate.
    """
    ax.plot(
        data.keys, data.values, "o", color=COLORS["value"], mec="white", mew=0.5, label="values"
    )
    if data.truth is not None:
        ax.plot(data.queries, data.truth, "--", color=COLORS["truth"], label="truth")
    (curve,) = ax.plot(data.queries, estimate, color=COLORS["estimate"], label=label)
    return curve


def draw_weights(ax, queries, keys, weights, norm=None):
    """Draw attention weights as a heatmap with both axes in the data's unit.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    queries : array, shape (m,)
        Sorted.
    keys : array, shape (n,)
        Sorted. Repeated keys, whose weights are equal, share one column.
    weights : array, shape (m, n)
        NaN rows are left blank.
    norm : matplotlib.colors.Normalize, optional
        Shared by panels that stand under one colour bar.

    Returns
    -------
    matplotlib.collections.QuadMesh
        What a colour bar takes.
    """
    distinct, first = np.unique(keys, return_index=True)
    return ax.pcolormesh(
        _edges(distinct),
        _edges(np.asarray(queries)),
        np.asarray(weights)[:, first],
        norm=norm,
        rasterized=True,
    )


def kernel_panels(height, room=0, columns=3):
    """Make small panels that share their scales, one for each kernel, with its name above it.

    Parameters
    ----------
    height : float
        Of a row of panels, in inches.
    room : int, optional
        How many places to keep free behind the panels, for a legend or a colour bar.
    columns : int, optional
        How many panels stand in a row.

    Returns
    -------
    figure : matplotlib.figure.Figure
    panels : dict of str to matplotlib.axes.Axes
        In the order of `KERNELS`.
    free : list of matplotlib.axes.Axes
        Without frames; as many as are left in the last row, which may be more than asked for.
    """
    from matplotlib import pyplot as plt

    count = len(KERNELS)
    rows = -(-(count + room) // columns)
    size = WIDTH, height * rows
    figure, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True)
    axes = axes.flatten()
    panels = dict(zip(KERNELS, axes[:count], strict=True))
    for name, ax in panels.items():
        ax.text(0.5, 1.02, name, transform=ax.transAxes, ha="center")
    for ax, above in zip(axes[count:], axes[count - columns :], strict=False):
        ax.set_axis_off()
        above.tick_params(labelbottom=True)
    return figure, panels, list(axes[count:])


def _edges(centres):
    if len(centres) == 1:
        return centres[0] + np.array([-0.5, 0.5])
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])
