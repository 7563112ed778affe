"""Claims of the exercises."""

import numpy as np

from . import says


@says(
    "The pooled label and the difference of densities change sign at the same query and are "
    "different functions everywhere else.",
    "Two curves over the query. The pooled label runs from minus one to one and stays there; "
    "the density difference returns to zero at both ends. They cross zero at the same query.",
)
def scores_change_sign_once(score, difference):
    changes = [np.flatnonzero(np.diff(np.sign(s))) for s in (score, difference)]
    apart = np.delete(np.abs(score - difference), changes[0])
    return len(changes[0]) == 1 and np.array_equal(*changes) and apart.min() > 0


@says(
    "On the training error the descent lets the width collapse; on the leave-one-out error it "
    "settles near a minimum inside.",
)
def width_collapses_or_settles(paths, squared_errors, grid):
    left_out = np.array([float(squared_errors(s, True).mean()) for s in grid])
    dips = (left_out[1:-1] < left_out[:-2]) & (left_out[1:-1] < left_out[2:])
    end = np.median(paths["leave-one-out"][-100:])
    nearest = np.abs(np.log(end / grid[1:-1][dips])).min()
    return paths["training"][-1] < 0.05 and nearest < np.log(1.5)


@says(
    "Left, the width against two errors. The training error becomes smaller and smaller towards "
    "narrow widths; the leave-one-out error is least at a width near 0.45. Right, two paths "
    "over 800 steps from width 1; one sinks below 0.01, the other settles near that minimum.",
)
def picture_of_collapse(paths, squared_errors, grid):
    left_out = [float(squared_errors(s, True).mean()) for s in grid]
    least = grid[np.argmin(left_out)]
    end = np.median(paths["leave-one-out"][-100:])
    return paths["training"][-1] < 0.01 and abs(least - 0.45) < 0.05 and abs(end - least) < 0.1


@says(
    "Only the rate of learning is a trouble: over $\\theta = \\ln\\sigma$ the error is so flat "
    "near its minimum that a rate which suits there leaps far too far at the width 1.",
)
def no_rate_suits_both(slopes, curve, widths):
    least = curve.argmin()
    flat = np.diff(curve[least - 1 : least + 2], 2)[0] / np.log(widths[1] / widths[0]) ** 2
    return slopes[0] / flat > 50  # in one step, to a width of e to the minus 50


@says(
    "The descent stops within a tenth of the grid's minimum, and nearer to the law that counts the "
    "edges.",
)
def descent_finds_the_minimum(width, least):
    by_law = [0.38 * (40 / 100_000) ** power for power in (1 / 4, 1 / 5)]
    edges, inside = abs(np.log(width.item() / np.array(by_law)))
    return abs(np.log(width.item() / least)) < 0.1 and edges < inside


@says(
    "Training always picks the end of the grid and repeats the noise, whose variance is 1.",
)
def training_picks_the_end(chosen, draws, grid, training_loss_solution, error_to_truth):
    widths = [chosen(draw, training_loss_solution) for draw in draws]
    errors = [error_to_truth(*pair) for pair in zip(draws, widths, strict=True)]
    return max(widths) == grid[0] and abs(np.mean(errors) - 1) < 0.1


@says(
    "Leaving one out has an error several times smaller.",
)
def leaving_out_is_better(chosen, draws, training_loss_solution, errors, error_to_truth):
    training = [error_to_truth(draw, chosen(draw, training_loss_solution)) for draw in draws]
    return np.mean(training) > 3 * np.mean(errors)


@says(
    "With a width for each key the leave-one-out error falls by about a fifth, and the error to "
    "the truth ends higher than it began.",
)
def many_widths_gain_nothing(history):
    (left_out, to_truth), (left_out_last, to_truth_last) = history[0], history[-1]
    return 0.73 < left_out_last / left_out < 0.87 and to_truth_last > to_truth


@says(
    "Two curves over 200 steps. The leave-one-out error falls by a fifth; the error to the "
    "truth does not fall but rises.",
)
def picture_of_many_widths(history):
    first, last = history[0], history[-1]
    return abs(last[0] / first[0] - 0.8) < 0.05 and last[1] > first[1]


@says(
    "The descent narrows the coordinate that matters and widens the one that does not.",
)
def descent_tells_coordinates_apart(path):
    return path[-1][0] < 1 < path[-1][1]


@says(
    "Two curves over 40 steps, both from width 1. The width of the first coordinate falls to "
    "0.3, the width of the second rises to 1.8.",
)
def picture_of_two_widths(path):
    return path[-1].round(1).tolist() == [0.3, 1.8]


@says(
    "In this draw the second width stops at six times the first; in some others it goes on "
    "growing.",
)
def second_width_stops(path):
    return abs(path[-1][1] / path[-1][0] - 6) < 0.5


@says(
    "Either way the descent has found out which coordinate to look at closely.",
)
def first_width_is_smaller(path):
    return path[-1][1] > 2 * path[-1][0]


@says(
    "Keys that fall where they please leave some queries with fewer neighbours than others, and "
    "that costs a few percent here.",
)
def drawing_keys_costs_a_little(drawn, error):
    return 1.005 < np.mean(drawn) / error < 1.05


@says(
    "In this draw the local line goes down with the truth at the left end, where the pooled "
    "mean of the same width stays up.",
    "Two estimates over scattered dots and a dashed truth. Near the left end the pooled mean "
    "stays above the truth while the local line follows it down.",
)
def line_goes_down(lines, mean, data):
    return lines[0] < mean[0] - 0.5 and abs(lines[0] - data.truth[0]) < abs(mean[0] - data.truth[0])


@says(
    "A stepped curve through scattered dots, interrupted in several places where no dot is near.",
)
def curve_is_interrupted(estimate):
    return np.count_nonzero(np.diff(np.isnan(estimate).astype(int)) == 1) >= 3


@says(
    "The line has hardly any bias left, and its band covers nearly what it should; it is longer, "
    "which is the variance that the line pays with.",
)
def line_is_covered(hits):
    (average, average_half), (line, line_half) = (
        np.mean(found, axis=0)[:, 0] for found in hits.values()
    )
    return average < 0.65 and line > 0.9 and line_half > 1.5 * average_half


@says(
    "A small rate averages the noise of many pairs away, and lags behind a law that moves; a large "
    "one follows, and writes each noise into the memory.",
    "The faster the law turns, the larger the best rate.",
)
def best_rate_grows_with_the_drift(turned):
    slow, fast = turned.values()
    return np.argmin(slow) < np.argmin(fast) < 3 and slow[3] > 2 * min(slow)
