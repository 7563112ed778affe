"""Claims of the chapter on how sure an estimate is."""

import numpy as np

from . import says


@says(
    "They agree to within 6 %.",
)
def formula_is_met(estimates, predicted):
    return np.abs(estimates.std(axis=0) / predicted - 1).max() < 0.06


@says(
    "In this draw the standard error is largest at the query 0, where all keys lie on one side and "
    "fewer share the attention.",
)
def error_is_largest_at_the_edge(predicted):
    return predicted.argmax() == 0


@says(
    "The training error is too small, and the leave-one-out error too large.",
    "The quotient is nearly right: the few percent that it has too much are squared bias, which no "
    "residual can tell from noise.",
)
def quotient_is_nearly_right(guesses):
    training, left_out, quotient = np.mean(guesses, axis=0)
    return training < 0.9 and left_out > 1.1 and 1 < quotient < 1.1


@says(
    "A narrow kernel is nearly as free as the values are many, a very wide one can choose a single "
    "number, the mean; at 0.35 it is about as free as a polynomial with six coefficients.",
)
def freedom_falls(freedom, data):
    narrow, *_, wide = freedom.values()
    return narrow > 0.8 * data.keys.size and abs(wide - 1) < 0.1 and 5 < freedom[0.35] < 7


@says(
    "No criterion comes near the oracle, and none is far ahead of the others.",
)
def criteria_are_alike(to_truth):
    *criteria, oracle = to_truth
    return min(criteria) > 1.1 * oracle and max(criteria) < 1.3 * min(criteria)


@says(
    "Two standard errors to either side make a band, which in this draw is widest at the ends.",
)
def band_is_widest_at_the_ends(error):
    inside = error[10:40].mean()
    return error[0] > inside and error[-1] > inside


@says(
    "The estimate of the noisy trend with a band that is widest at the two ends. The dashed truth "
    "runs along the lower border of the band up to 1.3, at 0 and near 1.2 a little below it, and "
    "well within after that.",
)
def truth_runs_along_the_border(estimate, error, data):
    place = (data.truth - estimate) / (2 * error)
    low = (place[:14] > -1.3).all() and (place[:14] < -0.5).all()
    return low and place[0] < -1 and place[12] < -1 and np.abs(place[16:]).max() < 0.6


@says(
    "The band covers the truth averaged with the weights as often as it should, at all three "
    "queries and at both widths.",
)
def averaged_truth_is_covered(covered):
    return all((np.abs(averaged - 0.95) < 0.03).all() for _, averaged in covered.values())


@says(
    "Inside, the bias is small against the noise, and the truth is covered nearly as often; at the "
    "edge the bias is about as large as two standard errors, and the truth is covered in about "
    "half of the draws.",
)
def truth_is_covered_inside(covered):
    truth, averaged = covered[0.35]
    return (averaged[1:] - truth[1:]).max() < 0.06 and 0.45 < truth[0] < 0.6


@says(
    "A width that is too narrow on purpose, called **undersmoothing**, makes the band wider and "
    "the bias smaller, and at half the width the edge is covered much more often.",
)
def undersmoothing_helps(covered):
    return covered[0.175][0][0] > covered[0.35][0][0] + 0.2


@says(
    "It promises something for each query by itself, and 50 queries have 50 chances to miss.",
)
def whole_band_covers_less(whole):
    return 0.4 < np.mean(whole) < 0.75


@says(
    "With noise that may change the band closes where nothing varies, and the bootstrap agrees "
    "with it where keys are dense; one noise for all times is far off at the start.",
    "Two panels over time. Above, the crash data and their estimate with a band that is a line "
    "before 13 ms, broad from 15 to 40 ms and narrower after. Below, three curves of standard "
    "errors; the dashed bootstrap follows the changing one, while the dotted constant one is far "
    "above both at the start.",
)
def bootstrap_follows(changing, bootstrap, constant, crash):
    early, dense = crash.queries < 10, (crash.queries > 14) & (crash.queries < 36)
    ratio = changing[dense] / bootstrap[dense]
    return (
        np.percentile(np.abs(np.log(ratio)), 80) < np.log(1.4)
        and changing[early].max() < 1
        and (constant > 5 * np.maximum(changing, bootstrap))[early].all()
    )


@says(
    "Between 14 and 36 ms, where measurements are dense, formula and bootstrap agree in the median "
    "to within a few percent.",
)
def bootstrap_agrees_in_the_median(changing, bootstrap, dense):
    return abs(np.median(changing[dense] / bootstrap[dense]) - 1) < 0.07


@says(
    "The promise is kept at both widths, and the bad one pays with longer intervals.",
    "Near the left edge, where the estimate is biased, fewer values are caught than promised, and "
    "elsewhere a few more.",
)
def promise_is_kept(kept):
    (fair, fair_edge, fair_reach), (bad, bad_edge, bad_reach) = (
        np.nanmean(found, axis=0) for found in kept.values()
    )
    # The share kept in 1,000 draws has a standard error of about 0.002.
    return (
        min(fair, bad) > 19 / 21 - 0.008
        and bad_reach > 1.1 * fair_reach
        and max(fair_edge, bad_edge) < 19 / 21 - 0.02
    )


@says(
    "Both catch about 90 % in all.",
    "One length catches everything before 14 ms with intervals that are far too long, and too few "
    "afterwards; lengths that follow the noise do about as well in both.",
)
def lengths_follow_the_noise(results):
    (one, one_early, one_late), (by, by_early, by_late) = results.values()
    return (
        max(abs(one - 0.9), abs(by - 0.9)) < 0.02
        and one_early > 0.99
        and one_late < 0.895
        and abs(by_early - by_late) < 0.06
    )
