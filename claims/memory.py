"""Claims of the chapter on memory."""

import numpy as np

from . import says


@says(
    "One line for all hours cannot follow the sharp tide, and the average leans to six o'clock, "
    "where most notes are.",
    "The local line leans less, so it can afford a kernel about twice as wide, and errs least.",
)
def local_line_errs_least(errors, widths, best):
    average, line, one = (found.mean() for found in errors.values())
    ratio = widths[best["local line"]] / widths[best["average"]]
    return line < 0.9 * average and average < one and 1.3 < ratio < 3


def _biases(fits, best, still):
    return [np.mean(answers[best[name]], axis=0) - still for name, answers in fits.items()]


@says(
    "Over all hours together the local line has the least squared bias; after 7, where the tide is "
    "flat, the average has less.",
)
def local_line_has_the_least_bias(fits, best, still, asked):
    squares = np.array([bias**2 for bias in _biases(fits, best, still)])
    return squares.mean(axis=1).argmin() == 1 and squares[:, asked > 7].mean(axis=1).argmin() == 0


@says(
    "Three biases over the hours from 2 to 10. That of the average begins 0.3 metres below zero "
    "and nears it at 5; that of one line swings from a third of a metre below zero to twice as "
    "much above it at 10; that of the local line stays within 0.2 metres. After 7 that of the "
    "average is the smallest.",
)
def picture_of_the_biases(fits, best, still):
    average, local, one = _biases(fits, best, still)
    return (
        average[0] < -0.15
        and abs(average[15]) < 0.12
        and one[0] < -0.25
        and one[-1] > 0.5
        and abs(local).max() < 0.2
    )


@says(
    "At any hour the sum does well; about six it does not, and no number of notes would help.",
)
def sum_errs_where_notes_crowd(by_hours):
    even, crowded = by_hours.values()
    return max(*even, crowded[1]) < 0.01 < crowded[0]


@says(
    "With small steps over all pairs, again and again, it comes close to the $W$ of "
    "{eq}`eq-least-squares`; here for the sixty notes of the first page.",
)
def descent_arrives(apart):
    return apart[1] > apart[10] > apart[100] and apart[100] < 0.03


@says(
    "Who keeps everything is overtaken by the tide; who forgets settles. (Means over 40 streams "
    "and 20 notes; bands are standard errors.)",
    "Five errors over 280 notes. That of attention to all notes falls at first and then climbs "
    "without end. The four that forget settle soon, attention, least squares and the delta rule "
    "at about the same level, linear attention higher.",
)
def who_forgets_settles(over_time):
    everything, *others = (errors.mean(axis=0) for errors in over_time.values())
    settled = [errors[2:].mean() for errors in others]
    attention, linear, squares, delta = settled
    return (
        everything[0] > everything[1]
        and everything[1] < everything[5] < everything[-1]
        and everything[-1] > 4 * max(attention, squares, delta)
        and all(np.ptp(errors[2:]) < 0.1 for errors in others)
        and max(attention, squares, delta) < 1.25 * min(attention, squares, delta)
        and linear > 1.2 * max(attention, squares, delta)
    )


def _means(sweep):
    return [np.array([errors.mean() for _, errors in found]) for found in sweep.values()]


@says(
    "Two numbers can be had from a few notes.",
    "At 0.3 minutes the attention that forgets is ahead of all others; from three minutes on "
    "least squares and the delta rule are.",
)
def the_winner_depends_on_the_drift(sweep):
    everything, attention, linear, squares, delta = _means(sweep)
    slow = attention[2] < min(everything[2], linear[2], squares[2], delta[2])
    fast = (np.maximum(squares, delta) < np.minimum(attention, linear))[4:].all()
    return slow and fast and squares[5] < delta[5]


@says(
    "While the law hardly moves, attention to all notes is as good as any: it forgets nothing, and "
    "it follows the sharp high water, which two numbers cannot.",
)
def all_notes_are_best_at_rest(sweep):
    everything, attention, linear, squares, delta = _means(sweep)
    others = min(linear[0], squares[0], delta[0])
    return everything[0] < 1.05 * attention[0] and everything[0] < 0.7 * others


@says(
    "With less than half of the numbers to store, the delta rule errs at most a sixth more than "
    "least squares.",
)
def delta_rule_stays_close(sweep):
    *_, squares, delta = _means(sweep)
    return (delta < 7 / 6 * squares).all()


@says(
    "Linear attention never leads: it leaves out $C$, and the notes that it keeps never lie evenly "
    "round the clock.",
)
def linear_attention_never_leads(sweep):
    everything, attention, linear, squares, delta = _means(sweep)
    return (linear > np.minimum.reduce([attention, squares, delta])).all()


@says(
    "And the faster the law drifts, the less is kept by those that forget.",
)
def less_is_kept(sweep):
    kept = [[keep for keep, _ in found] for name, found in sweep.items() if name[-3:] != "all"]
    # Neighbouring drifts may tie.
    return all(each[0] > each[3] > each[5] for each in kept)


@says(
    "Which memory wins depends on the drift: all notes while the law stands still, the latest "
    "notes while it drifts slowly, and least squares when it drifts fast.",
)
def each_has_its_drift(sweep):
    everything, attention, linear, squares, delta = _means(sweep)
    still = everything[0] < 1.05 * min(attention[0], linear[0], squares[0], delta[0])
    slow = attention[2] < min(everything[2], linear[2], squares[2], delta[2])
    return still and slow and squares[5] < min(everything[5], attention[5], linear[5])


@says(
    "Five errors over the drift, both axes logarithmic. On the left the two attentions lie "
    "lowest, together. From 0.1 minutes on attention to all shoots up. At 1 minute the attention "
    "that forgets is still below least squares and the delta rule; from 3 minutes on these two are "
    "lowest, and at 10 least squares alone. Linear attention lies above both throughout.",
)
def the_figure_shows_it(sweep):
    everything, attention, linear, squares, delta = _means(sweep)
    return (
        np.abs(everything[:2] / attention[:2] - 1).max() < 0.35
        and everything[3] > 3 * attention[3]
        and attention[3] < min(squares[3], delta[3])
        and max(squares[4], delta[4]) < min(attention[4], linear[4])
        and squares[5] < delta[5]
        and (linear > np.maximum(squares, delta)).all()
    )
