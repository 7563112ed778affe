"""Claims of the chapter on data."""

import numpy as np

from . import says


@says(
    "No query equals any of these keys, and still each query must be answered from this table "
    "alone.",
)
def queries_are_new(data):
    return not np.isin(data.queries, data.keys).any()


@says(
    "In this draw that misses the truth by about 0.9 in the square, averaged over the queries.",
)
def mean_misses(mean, data):
    return abs(np.mean((mean - data.truth) ** 2) - 0.9) < 0.05


@says(
    "In this draw the five keys nearest to the first query show its digit.",
    "A row of handwritten digits in grey, the query on the left and its five nearest keys to "
    "the right with their distances, all showing the same digit.",
)
def nearest_show_the_same_digit(images, nearest):
    return (images.values[nearest].argmax(1) == images.truth[0].argmax()).all()
