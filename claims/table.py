"""Claims of the chapter on a table."""

import numpy as np

from . import says


@says(
    "More than half of the distance is the door number, and most of the rest two measurements of "
    "cholesterol.",
    "Age and body mass index together make less than a twentieth.",
)
def doors_rule_the_distance(shares):
    age, _, index, _, total, bad, *_, door = shares
    rest = 1 - door
    return door > 0.5 and total + bad > rest / 2 and age + index < 0.05


@says(
    "In this draw the linear model is in front, and one width is behind by little more than a "
    "standard error: a test set of 111 patients does not settle it.",
)
def one_test_set_does_not_settle_it(difference, squared):
    line = squared["linear model"]
    more, error = difference(squared["one width"], line)
    return line.mean() == min(e.mean() for e in squared.values()) and 1 < more / error < 1.5


@says(
    "With one number there is little to learn by heart.\nThe others promise more and keep less of "
    "it.",
    "The promise of one width came true.",
)
def one_width_keeps_its_promise(patient, promised):
    ways = "one width", "a width each", "learned maps"
    one, *others = (patient[way, 0].mean() / np.mean(promised[way, 0]) for way in ways)
    return abs(one - 1) < 0.03 and min(others) > 1.04


@says(
    "From face value to standardised columns the error falls by about a thousand, more than all "
    "that came after.",
)
def units_come_first(patient):
    raw, *others = (
        patient[way, 0].mean()
        for way in ("face value", "one width", "nearest", "a width each", "learned maps")
    )
    return 800 < raw - others[0] < 1200 and raw - others[0] > 2 * (others[0] - min(others))


@says(
    "The door number did its harm at face value, too; as one standardised column among eleven it "
    "adds less than half as much, whoever estimates.",
)
def doors_are_tamed(patient, ways):
    raw, *others = (
        (patient[way, 1] - patient[way, 0]).mean()
        for way in ("face value", *ways[1:], "linear model")
    )
    return raw > 200 and max(others) < raw / 2


@says(
    "One width and nearest neighbours do about equally well, and both are worse than the linear "
    "model in most of the splits, on average by some 300, which is about two to three standard "
    "errors.",
)
def pooling_loses(patient, difference, behind):
    line = patient["linear model", 0]
    found = [difference(patient[way, 0], line) for way in ("one width", "nearest")]
    worse = [np.sum(behind(way, 0) > 0) for way in ("one width", "nearest")]
    return all(200 < more < 400 and 1.5 < more / error < 3.5 for more, error in found) and (
        min(worse) > 6 and abs(found[0][0] - found[1][0]) < 100
    )


@says(
    "Its leave-one-out error is more than 200 below that of one width, and on new patients most of "
    "this is gone.",
)
def widths_promise_too_much(patient, promised):
    told = np.mean(promised["one width", 0]) - np.mean(promised["a width each", 0])
    kept = (patient["one width", 0] - patient["a width each", 0]).mean()
    return told > 200 and kept < told / 2


@says(
    "They promised too much as well, but what is left is less than two standard errors from the "
    "linear model.",
    "Nothing here shows that it pays to bend.",
)
def maps_draw_level(patient, promised, difference):
    more, error = difference(patient["learned maps", 0], patient["linear model", 0])
    return abs(more) < 2 * error and patient["learned maps", 0].mean() > 1.04 * np.mean(
        promised["learned maps", 0]
    )


@says(
    "Nothing here beats the linear model (the line at zero); a door number costs much at face "
    "value, and little once columns are standardised. A dot is a split, a bar the mean of all "
    "patients with two standard errors to either side.",
)
def nothing_beats_the_line(patient, difference, ways):
    found = [difference(patient[w, 0], patient["linear model", 0]) for w in ways]
    return all(more > -2 * error for more, error in found)


@says(
    "For five ways of pooling, twelve dots each of the error minus that of the linear model, "
    "without and with door numbers. At face value all dots lie far to the right, and further with "
    "doors. One width, nearest neighbours and a width each scatter around 300, with a few dots at "
    "zero or left of it, learned maps closely around zero; doors change little there.",
)
def picture_of_the_splits(behind):
    raw = behind("face value", 0)
    around = [behind(way, 0) for way in ("one width", "nearest", "a width each")]
    maps = behind("learned maps", 0)
    return (
        min(raw) > 400
        and all(min(found) < 60 and 200 < np.mean(found) < 400 for found in around)
        and abs(np.mean(maps)) < 80
    )
