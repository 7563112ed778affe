"""Claims of the chapter on attention."""

import numpy as np

from attention_pooling import DirectionExplorer

from . import says


@says(
    "The product of two vectors with $d$ independent coordinates of mean 0 and variance 1 has "
    "variance $d$ {cite}`vaswani2017`, so without the division the scores would grow like "
    "$\\sqrt d$, and the softmax would freeze onto a single key.",
)
def softmax_freezes(products, d, plain, scaled):
    grown = np.abs(products.std() / np.sqrt(d) - 1) < 0.05
    return d == 4096 and plain < 1.2 and scaled > 20 and grown


@says(
    "With every irrelevant coordinate the single width gets worse, until at ten coordinates it "
    "is about as bad as the mean of all values: in so many dimensions no key is near.",
)
def one_width_gets_worse(results):
    one, _, mean = np.transpose([errors.mean(axis=0) for errors in results.values()])
    return (np.diff(one) > 0).all() and 0.8 < one[-1] / mean[-1] < 1.1


@says(
    "The learned widths hold on much longer.",
)
def widths_hold_on(results):
    one, each, _ = np.transpose([results[d].mean(axis=0) for d in (5, 10)])
    return (each < one / 2).all()


@says(
    "The first width is smaller now, and most of the others are larger, so that differences in "
    "their coordinates count for less.",
)
def useless_widths_grow(one, each):
    return each[0] < one and (each[1:] > one).sum() >= 5


@says(
    "Descent narrows the width of the coordinate that matters (blue) and widens most of the others "
    "(grey); the error that it sees falls, and with it most of the error to the truth.",
    "Two panels over sixty steps of descent. Above, ten widths on a logarithmic scale leave their "
    "common start; the first, in blue, falls below it, and most of the nine others, in grey, "
    "climb. Below, the leave-one-out error and the error to the truth fall together for ten steps; "
    "then the first sinks on slowly, and the second rises a little.",
)
def both_errors_fall(path, on_keys, on_new):
    narrows = path[-1, 0] < path[0, 0] / 2 and (path[-1, 1:] > path[0, 1:]).sum() >= 5
    return narrows and on_keys[-1] < on_keys[0] - 0.2 and on_new[-1] < on_new[0] / 2


@says(
    "In this draw not all of them are, and the error to the truth ends above its least: three "
    "hundred noisy values do not tell every useless coordinate from a useful one.",
)
def not_all_grow(one, each, on_new):
    return (each[1:] < one).any() and on_new[-1] > 1.2 * min(on_new)


@says(
    "Descent can end in a dip that is not the deepest, so we start it from three random places "
    "and keep the result with the least loss.",
)
def the_best_of_three_is_good(table):
    return all(np.median(errors[:, 2]) < errors[:, 0].min() / 2 for errors in table.values())


@says(
    "Half of each key is what the first coordinate alone shows, 45° off, and that is little "
    "already.",
)
def first_coordinate_tells_little(seen, levels):
    explorer = DirectionExplorer(seen[:150], levels[:150], matters=45)
    return explorer.error > 0.7 * float(levels[:150].var(correction=0))


@says(
    "Keys that agree in their difference may have any sum, so each query averages over values of "
    "all sizes.",
)
def difference_tells_little(seen, levels):
    explorer = DirectionExplorer(seen[:150], levels[:150], matters=45, angle=135)
    return explorer.error > 0.8 * float(levels[:150].var(correction=0))


@says(
    "Only near 45° do the large weights gather along the diagonal.",
)
def error_is_least_near_the_sum(seen, levels):
    explorer = DirectionExplorer(seen[:150], levels[:150], matters=45)
    errors = []
    for explorer.angle in range(0, 181, 5):
        errors.append(explorer.error)
    return abs(5 * np.argmin(errors) - 45) <= 15


@says(
    "On the straight question the learned widths already do well.",
)
def widths_do_well(table):
    one, each, _ = table["straight"].T
    return (each < one / 2).all()


@says(
    "On the oblique one they are of no use, because stretching axes does not help, and the "
    "learned maps find the direction in both cases.",
)
def maps_find_the_direction(table):
    one, each, _ = table["oblique"].mean(axis=0)
    maps = [errors[:, 2].mean() / errors[:, 0].mean() for errors in table.values()]
    return each > 0.85 * one and max(maps) < 0.5


@says(
    "Sorted by the direction that matters, the attention of a single width is scattered (left); "
    "learned maps bring it closer to the diagonal (right). The blocks at the corners are keys "
    "with few neighbours, each with a large weight.",
    "Two heatmaps with keys and queries sorted by the coordinate that matters. Before learning, "
    "the large weights are specks scattered about a broad diagonal; after, they lie in a clear "
    "diagonal band.",
)
def attention_comes_closer_to_the_diagonal(before, after, along_q, along_k):
    off, on = (
        (w.numpy() * np.abs(along_q[:, None] - along_k)).sum(axis=1).mean() for w in (before, after)
    )
    return on < 0.75 * off


@says(
    "With three rows the loss is smaller and the error on new values larger than with one: the "
    "maps have learned some of the noise.",
)
def three_rows_overfit(
    learned_maps, mapped_weights, keys, values, queries, truth, loss, left_out, error
):
    maps = learned_maps(keys, values, 1, 0, steps=150)
    estimate = mapped_weights(queries, keys, maps) @ values
    with_one = float(((estimate - truth) ** 2).mean())
    return left_out < float(loss(keys, values, maps)) and error > with_one


@says(
    "Nor is it a kernel in the sense of Mercer, whose matrices over any points have no negative "
    "eigenvalue, as the Gaussian's have none.",
)
def learned_similarity_has_a_negative_eigenvalue(lowest):
    return lowest[0] < 0 < lowest[1]


@says(
    "The ratio of the similarities is 1 on average, and the median error falls as features are "
    "added, with ten thousand to less than a fifth of that with ten.",
)
def features_approach_the_exponential(by_count):
    ratios, errors = zip(*by_count.values(), strict=True)
    falls = (np.diff(errors) < 0).all() and errors[-1] < errors[0] / 5
    return falls and abs(ratios[-1] - 1) < 0.03 and abs(ratios[-2] - 1) < 0.1


@says(
    "From step to step fewer keys share the attention, because the answer moves towards a stored "
    "image, and the error grows.",
)
def asked_again_it_remembers(steps):
    shared, errors = zip(*steps, strict=True)
    return (np.diff(shared) < 0).all() and (np.diff(errors) > 0).all()
