"""What is drawn, in which colour, and where."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attention_pooling import attention_weights, figures, mcycle, nadaraya_watson, noisy_trend
from attention_pooling.data import Data
from attention_pooling.figures import (
    COLORS,
    draw_estimate,
    draw_weights,
    kernel_panels,
)


@pytest.fixture
def ax():
    with plt.style.context("attention_pooling.book"):
        figure = Figure()
        FigureCanvasAgg(figure)
        yield figure.add_subplot()


@pytest.fixture
def data():
    return noisy_trend(np.random.default_rng(0))


def luminance(color):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("role", COLORS)
def test_colours_stand_out_from_white(role):
    assert 1.05 / (luminance(COLORS[role]) + 0.05) >= 3


def test_each_role_has_a_colour_of_its_own():
    assert list(COLORS) == ["query", "key", "value", "estimate", "truth"]
    for one, other in combinations(COLORS.values(), 2):
        assert np.linalg.norm(np.subtract(to_rgb(one), to_rgb(other))) > 0.3


def test_the_estimate_is_drawn_over_the_data_in_its_colour(ax, data):
    estimate, _ = nadaraya_watson(data.queries, data.keys, data.values)
    curve = draw_estimate(ax, data, estimate, label="gaussian")
    assert isinstance(curve, Line2D)
    assert curve.get_color() == COLORS["estimate"]
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack([data.queries, estimate]))
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == ["values", "truth", "gaussian"]
    assert lines["values"].get_color() == COLORS["value"]
    assert lines["values"].get_linestyle() == "None"
    np.testing.assert_array_equal(lines["values"].get_xdata(), data.keys)
    assert lines["truth"].get_color() == COLORS["truth"]
    assert lines["truth"].get_linestyle() == "--"


def test_no_truth_is_drawn_where_nobody_knows_it(ax):
    data = mcycle()
    draw_estimate(ax, data, nadaraya_watson(data.queries, data.keys, data.values).estimate)
    assert [line.get_label() for line in ax.get_lines()] == ["values", "estimate"]


def test_a_gap_stays_a_gap(ax):
    queries = np.linspace(0, 10, 101)
    data = Data(np.array([0.0, 2.0, 8.0, 10.0]), np.zeros(4), queries)
    estimate, _ = nadaraya_watson(queries, data.keys, data.values, "boxcar", 2.0)
    assert np.isnan(estimate).any()
    curve = draw_estimate(ax, data, estimate)
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())[..., :3] / 255
    inked = (abs(pixels - to_rgb(COLORS["estimate"])) < 0.02).all(axis=2).any(axis=0)

    def columns(start, stop):
        left, right = (round(curve.axes.transData.transform((x, 0))[0]) for x in (start, stop))
        return inked[left:right]

    assert columns(2.5, 3.5).all()
    assert columns(6.5, 7.5).all()
    assert not columns(4.3, 5.7).any()


def test_heatmap_cells_lie_around_their_query_and_key(ax, data):
    weights = attention_weights(data.queries, data.keys)
    mesh = draw_weights(ax, data.queries, data.keys, weights)
    assert isinstance(mesh, QuadMesh)
    np.testing.assert_array_equal(mesh.get_array(), weights)
    corners = mesh.get_coordinates()
    assert corners.shape == (51, 41, 2)
    across, down = corners[0, :, 0], corners[:, 0, 1]
    for edges, centres in ((across, data.keys), (down, data.queries)):
        assert ((edges[:-1] < centres) & (centres < edges[1:])).all()
        np.testing.assert_allclose(edges[1:-1], (centres[1:] + centres[:-1]) / 2)
    assert ax.get_xlim() == pytest.approx((across[0], across[-1]))
    assert ax.get_ylim() == pytest.approx((down[0], down[-1]))


def test_repeated_keys_share_a_column(ax):
    data = mcycle()
    weights = attention_weights(data.queries, data.keys, sigma=2.0)
    mesh = draw_weights(ax, data.queries, data.keys, weights)
    assert mesh.get_array().shape == (200, 94)
    edges = mesh.get_coordinates()[0, :, 0]
    assert (np.diff(edges) > 0).all()
    cell = np.searchsorted(edges, data.keys) - 1
    np.testing.assert_allclose(mesh.get_array()[:, cell], weights, rtol=1e-12)


def test_unreached_rows_are_blank(ax):
    queries = np.array([0.0, 5.0, 10.0])
    weights = attention_weights(queries, [0.0, 10.0], "boxcar")
    mesh = draw_weights(ax, queries, np.array([0.0, 10.0]), weights)
    ax.figure.canvas.draw()
    assert mesh.get_facecolors()[:, 3].reshape(3, 2).tolist() == [[1, 1], [0, 0], [1, 1]]


def test_panels_can_share_a_norm(ax, data):
    norm = Normalize(0, 0.5)
    for sigma in (0.2, 1.0):
        weights = attention_weights(data.queries, data.keys, sigma=sigma)
        assert draw_weights(ax, data.queries, data.keys, weights, norm=norm).norm is norm


def test_one_query_and_one_key_make_one_cell(ax):
    mesh = draw_weights(ax, np.array([3.0]), np.array([7.0]), np.array([[1.0]]))
    assert mesh.get_coordinates().tolist() == [[[6.5, 2.5], [7.5, 2.5]], [[6.5, 3.5], [7.5, 3.5]]]


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("room", [0, 1])
@pytest.mark.parametrize("count", [5, 6, 7, 8])
def test_however_many_kernels_there_are_each_has_a_panel(count, room, columns, monkeypatch):
    names = [f"kernel {i}" for i in range(count)]
    monkeypatch.setattr(figures, "KERNELS", dict.fromkeys(names))
    figure, panels, free = kernel_panels(height=1.7, room=room, columns=columns)
    assert list(panels) == names
    shown = [ax for ax in figure.axes if ax.axison]
    assert shown == list(panels.values())
    assert [ax.texts[0].get_text() for ax in shown] == names
    assert [ax for ax in figure.axes if not ax.axison] == free
    assert room <= len(free) < columns + room
    # In each column the lowest panel says what is along its axis.
    figure.canvas.draw()
    lowest = {round(ax.get_position().x0, 2): ax for ax in shown}
    assert len(lowest) == columns
    for ax in lowest.values():
        assert any(label.get_visible() for label in ax.get_xticklabels())
    plt.close(figure)
