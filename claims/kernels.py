"""Claims of the chapter on kernels."""

import numpy as np

from attention_pooling import attention_weights, effective_keys, nadaraya_watson

from . import says


@says(
    "The numbers agree.",
)
def counted_jumps_are_expected_ones(edges, steps):
    expected = np.count_nonzero((edges > 0) & (edges < 5))
    return np.count_nonzero(np.abs(steps) > 1e-9) == expected


@says(
    "The estimate is as smooth as its kernel, a staircase for the boxcar, corners (dots) for the "
    "triangular kernel, no corner for the Gaussian.",
    "Three curves over queries from 1 to 1.5. The boxcar's is a staircase; the triangular "
    "kernel's is made of arcs that meet in corners, each marked by a dot; the Gaussian's is "
    "smooth.",
)
def curve_is_as_smooth_as_its_kernel(near, data):
    box, triangle, bell = (
        nadaraya_watson(near, data.keys, data.values, kernel).estimate
        for kernel in ("boxcar", "triangular", "gaussian")
    )
    corner, bend = (
        np.abs(np.diff(curve, 2)).max() / np.diff(near)[0] for curve in (triangle, bell)
    )
    return np.mean(np.abs(np.diff(box)) < 1e-9) > 0.98 and corner > 20 * bend


@says(
    "The bell changes in neither case, beyond rounding.",
)
def bell_is_invariant(bell, queries, keys, shift, turn):
    before = bell(queries, keys)
    moved = bell(queries + shift, keys + shift), bell(queries @ turn.T, keys @ turn.T)
    return all(np.abs(after - before).max() < 1e-14 for after in moved)


@says(
    "The dot product survives the turn but not the shift: it is a similarity too, and the one "
    "that transformers use, but it measures from an origin.",
)
def product_is_invariant_to_turns(dot, queries, keys, shift, turn):
    before = dot(queries, keys)
    turned = dot(queries @ turn.T, keys @ turn.T)
    shifted = dot(queries + shift, keys + shift)
    return np.abs(turned - before).max() < 1e-13 and np.abs(shifted - before).max() > 1


@says(
    "It is about 17 against 12 in this draw.",
)
def boxcar_attends_to_seventeen(data):
    return [round(count) for count in attended(data)] == [17, 12]


@says(
    "In no draw is it fewer, because among all weights on the keys in reach equal ones spread "
    "the most.",
)
def boxcar_attends_to_more(data):
    box, triangle = attended(data)
    return box >= triangle


def attended(data):
    return [
        float(effective_keys(attention_weights([2.5], data.keys, kernel))[0])
        for kernel in ("boxcar", "triangular")
    ]
