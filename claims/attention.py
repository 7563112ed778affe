"""Claims of the chapter on attention."""

import numpy as np

from . import says


@says(
    "The product of two vectors with $d$ independent coordinates of mean 0 and variance 1 has "
    "variance $d$ {cite}`vaswani2017`, so without the division the scores would grow like "
    "$\\sqrt d$, and the softmax would freeze onto a single key."
)
def softmax_freezes(softmax, effective_keys, products, d, plain, scaled):
    return d == 4096 and plain < 1.2 and scaled > 20 and abs(products.std() / np.sqrt(d) - 1) < 0.05


def mean_errors(results):
    """Return the mean over draws of each way's error, by number of coordinates."""
    return {
        d: np.mean([results[key] for key in results if key[0] == d], axis=0) for d in (1, 2, 5, 10)
    }


@says(
    "With every irrelevant coordinate the single width gets worse, until at ten coordinates it is "
    "about as bad as the mean of all values: in so many dimensions no key is near."
)
def one_width_gets_worse(results):
    means = mean_errors(results)
    one = [means[d][0] for d in means]
    return (np.diff(one) > 0).all() and 0.7 < one[-1] / means[10][2] < 1.1


@says("The learned widths hold on much longer.")
def widths_hold_on(results):
    means = mean_errors(results)
    return all(means[d][1] < means[d][0] / 2 for d in (5, 10))


@says("On the straight question the learned widths already do well.")
def widths_do_well(table):
    one, each, _ = table["straight"].T
    return (each < one / 2).all()


@says(
    "On the oblique one they are of no use, because stretching axes does not help, and the learned "
    "maps find the direction in both cases."
)
def maps_find_the_direction(table):
    one, each, _ = table["oblique"].T
    useless = np.mean(each) > 0.8 * np.mean(one)
    return useless and all((errors[:, 2] < errors[:, 0] / 2).all() for errors in table.values())


@says(
    "In this draw, with three rows instead of one, the maps can look at more directions, and the "
    "loss on the keys falls further, but the error to the truth rises."
)
def three_rows_overfit(keys, values, queries, truth, learned_maps, loss, scores):
    pairs = []
    for rows in (1, 3):
        maps = learned_maps(keys, values, rows, 0)
        estimate = scores(queries, keys, maps).softmax(dim=1) @ values
        pairs.append((float(loss(keys, values, maps)), float(((estimate - truth) ** 2).mean())))
    (loss_1, error_1), (loss_3, error_3) = pairs
    return loss_3 < loss_1 and error_3 > error_1
