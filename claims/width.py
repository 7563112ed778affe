"""Claims of the chapter on the width."""

import numpy as np

from attention_pooling import BalanceExplorer, nadaraya_watson

from . import says


@says(
    "A narrow kernel follows the data, noise included; a wide one is smooth and misses the "
    "curve's shape.",
)
def narrow_follows_and_wide_misses(pooled, data):
    def misfit(sigma):
        at_keys, _ = nadaraya_watson(data.keys, data.keys, data.values, sigma=sigma)
        return np.mean((at_keys - data.values) ** 2)

    rough = {s: np.abs(np.diff(pooled[s].estimate, 2)).sum() for s in pooled}
    span = np.ptp(pooled[1.0].estimate) / np.ptp(data.truth)
    return misfit(0.1) < 0.7 * misfit(1.0) and rough[1.0] < rough[0.1] / 5 and span < 0.8


@says(
    "Four panels of one data set. At width 0.1 the estimate is jagged, at 0.2 rough, at 0.5 "
    "smooth and close to the truth, at 1 too flat.",
)
def half_is_closest(pooled, data):
    error = {sigma: np.mean((one.estimate - data.truth) ** 2) for sigma, one in pooled.items()}
    rough = [np.abs(np.diff(one.estimate, 2)).sum() for one in pooled.values()]
    flat = np.ptp(pooled[1.0].estimate) < 0.8 * np.ptp(data.truth)
    return min(error, key=error.get) == 0.5 and (np.diff(rough) < 0).all() and flat


@says(
    "In {doc}`pooling` kernels of one width σ = 1 gave estimates with rather different errors.",
)
def errors_at_one_differ(error_to_truth, data, factors):
    errors = [error_to_truth(data, name, 1.0) for name in factors]
    return max(errors) > 1.3 * min(errors)


@says(
    "In this draw the largest error is three quarters above the smallest at equal σ, and less "
    "than a sixth at matched σ.",
)
def matched_errors_are_alike(error_to_truth, data, factors):
    equal, matched = np.transpose(
        [
            [error_to_truth(data, name, s) for s in (0.5, 0.5 * factor)]
            for name, factor in factors.items()
        ]
    )
    most = matched.max() / matched.min()
    return abs(equal.max() / equal.min() - 1.75) < 0.05 and most < 7 / 6


@says(
    "The predicted ratios come out to within 6 %.",
)
def ratios_are_predicted_ones(best, factors):
    ratios = [np.log(np.divide(best[name], best["gaussian"])).mean() for name in factors]
    return np.abs(ratios - np.log(list(factors.values()))).max() < 0.06


@says(
    "Kernels of different shape and equal spread see nearly the same thing, so the width "
    "matters more than the shape.",
)
def width_matters_more(draws, factors, typical, error_to_truth):
    def mean(name, sigma):
        return np.mean([error_to_truth(draw, name, sigma) for draw in draws])

    shapes = [
        np.nanmean([error_to_truth(draw, name, typical * factor) for draw in draws])
        for name, factor in factors.items()
    ]
    double = min(mean("gaussian", 2 * typical), mean("gaussian", typical / 2))
    return max(shapes) / min(shapes) - 1 < (double / shapes[0] - 1) / 2


@says(
    "The **training error** falls from each of these widths to the next, and is least at no "
    "width at all.",
)
def training_error_falls(training_error, data):
    errors = [training_error(data, sigma) for sigma in (2.0, 0.5, 0.1, 0.01, 0.0001, 1e-9)]
    return (np.diff(errors) <= 0).all()


@says(
    "(This is not a law for every pair of widths: for the keys 0.4, 1, 3.3, 4 with the values "
    "−3, −2, 1, 2 the error is larger at 0.8 than at 1.1.)",
)
def training_error_may_rise(training_error, data):
    few = data._replace(keys=np.array([0.4, 1, 3.3, 4]), values=np.array([-3.0, -2, 1, 2]))
    return training_error(few, 0.8) > training_error(few, 1.1)


@says(
    "For the trend the error falls to 0; in the crash data repeated keys force a compromise, "
    "and it stops at 176 g², the scatter within equal times.",
)
def training_error_falls_to_nothing(training_error, data, crash):
    return training_error(data, 1e-7) < 1e-9 and abs(training_error(crash, 1e-4) - 176) < 0.5


@says(
    "The middle is right, and the spread is large.",
)
def choice_is_right_on_average(choices, typical):
    low, middle, high = np.percentile(choices, [25, 50, 75])
    return abs(np.log(middle / typical)) < np.log(1.2) and high / low > 1.4


@says(
    "Leave-one-out makes 30 to 50 % more error than the oracle, depending on the 200 draws.",
)
def price_of_not_knowing(chosen_mean, oracle_mean):
    return round(chosen_mean / oracle_mean, 1) in (1.3, 1.4, 1.5)


@says(
    "Away from the edges a narrow kernel is right on average and far off in each draw; a wide "
    "kernel is nearly the same in each draw, and wrong.",
)
def bands(draws, data):
    inside = (data.queries >= 1) & (data.queries <= 4)

    def bias_and_deviation(sigma):
        curves = [nadaraya_watson(d.queries, d.keys, d.values, sigma=sigma)[0] for d in draws]
        curves = np.array(curves)[:, inside]
        return np.abs(curves.mean(0) - data.truth[inside]).mean(), curves.std(0).mean()

    (bias, deviation), (wide_bias, wide_deviation) = map(bias_and_deviation, (0.1, 1.0))
    return bias < deviation / 5 and wide_bias > wide_deviation and wide_deviation < deviation / 2


def least_width(data, trend, query):
    widths = np.geomspace(0.05, 3, 61)
    explorer = BalanceExplorer(data.keys, trend, data.queries, query=query)
    sums = []
    for explorer.sigma in widths:
        sums.append(explorer.bias**2 + explorer.variance)
    return widths[np.argmin(sums)]


@says(
    "In between, but not at the same: in this draw the least is at 0.15 for the query 0, and at "
    "0.48 for 1.6.",
)
def least_is_elsewhere_at_the_end(data, trend):
    return [round(least_width(data, trend, query), 2) for query in (0, 1.6)] == [0.15, 0.48]


@says(
    "Where the truth bends, or slopes towards an end, bias grows fast, and the width has to be "
    "small.",
)
def bends_and_ends_want_a_small_width(data, trend):
    return max(least_width(data, trend, query) for query in (0, 1.6)) < 0.7


@says(
    "At 3.5 the truth happens to be close to the mean of all values, and in this draw hardly any "
    "width is too wide.",
)
def wide_does_no_harm(data, trend):
    explorer = BalanceExplorer(data.keys, trend, data.queries, query=3.5, sigma=3.0)
    return least_width(data, trend, 3.5) > 1.5 and explorer.bias**2 + explorer.variance < 0.12


def at_width(sigma, larger, q, trend):
    """Return bias, its standard error and variance at q, and what the formulas predict."""
    weights = np.exp(-(((q - larger) / sigma) ** 2) / 2)
    weights /= weights.sum(axis=1, keepdims=True)
    means = (weights * trend(larger)).sum(axis=1)
    error = means.std() / np.sqrt(len(means))
    variance = 5 / (2 * np.sqrt(np.pi) * larger.shape[1] * sigma)
    bias = -(sigma**2) * np.sin(q)
    return means.mean() - trend(q), error, (weights**2).sum(axis=1).mean(), bias, variance


@says(
    "The variance is met to within 4 %, and at the two narrow widths the bias to within four "
    "standard errors.",
)
def formulas_are_met(larger, q, trend):
    cases = [at_width(sigma, larger, q, trend) for sigma in (0.1, 0.2, 0.4)]
    near = [abs(bias - predicted) < 4 * error for bias, error, _, predicted, _ in cases]
    return near[0] and near[1] and all(abs(case[2] / case[4] - 1) < 0.04 for case in cases)


@says(
    "At $\\sigma = 0.4$ the bias is a few percent smaller than predicted, and many standard "
    "errors: the truth is not quite a parabola over so wide a reach, and the next term of "
    "its expansion, $\\sigma^4 \\sin(q)/4 = 0.0064$, makes up for the difference.",
)
def next_term_makes_up(larger, q, trend):
    bias, error, _, predicted, _ = at_width(0.4, larger, q, trend)
    short = bias - predicted
    return (
        0.02 < short / -predicted < 0.06 and short > 5 * error and abs(short - 0.0064) < 4 * error
    )


@says(
    "At the query 0 all keys lie on one side, and the error is much larger there.",
)
def error_is_larger_at_the_edge(draws, data):
    curves = [nadaraya_watson(d.queries, d.keys, d.values, sigma=1.0)[0] for d in draws]
    bias = np.abs(np.mean(curves, axis=0) - data.truth)
    return bias[0] > 1.5 * bias[10:41].max()


@says(
    "At the left edge the weighted average of width 0.5 lies above the truth by more than twice "
    "its standard deviation, the local line by less than a third of its own.",
)
def line_is_less_biased(curves, data):
    average, line = (np.array(at)[:, 0] - data.truth[0] for at in curves.values())
    return average.mean() > 2 * average.std() and abs(line.mean()) < line.std() / 3


@says(
    "The line pays with more variance at the edge, and since its weights can be negative, its "
    "answers may leave the range of the values: it is no longer pooling with shares.",
)
def line_varies_more(curves):
    average, line = (np.array(estimates)[:, 0] for estimates in curves.values())
    return line.std() > 1.2 * average.std()


@says(
    "A single width has to be narrow, for the sake of the first coordinate, and so it shuts out "
    "keys that differ only in the second, although they would have been of use.",
)
def single_width_is_narrow(widths, same):
    return widths[same] < 0.6


@says(
    "The best single width (square) lies on the diagonal; the best pair (dot) is narrower in "
    "the first coordinate and wider in the second.",
)
def pair_lies_off_the_diagonal(row, column, same):
    return column < same < row


@says(
    "Leave-one-out has found out which coordinate matters.",
)
def coordinates_are_told_apart(widths, row, column, errors, same):
    return widths[row] > 2 * widths[column] and errors[row, column] < errors[same, same]


@says(
    "Of each error about 1 is the noise, which no width can remove; what lies above it shows "
    "how much it pays to know.",
)
def error_is_mostly_noise(errors):
    return abs(errors.min() - 1) < 0.3


@says(
    "On average over thirty draws the leave-one-out error falls and the error to the truth grows.",
)
def forty_widths_overfit(fitted):
    (left_out, to_truth), (left_out_by_forty, to_truth_by_forty) = np.mean(fitted, axis=0)
    return left_out_by_forty < 0.93 * left_out and to_truth_by_forty > 1.05 * to_truth


@says(
    "At its own width it does better here, for the trend is as smooth as the curves that it looks "
    "for.",
)
def ridge_does_better_at_its_width(ridge, pooled_error):
    return ridge[1.5] < 0.85 * pooled_error < ridge[0.35]
