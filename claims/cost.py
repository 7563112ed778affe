"""Claims of the chapter on cost."""

import numpy as np

from . import says


@says(
    "Plain running sums are left with one or two digits at the narrowest width; `pool` keeps "
    "nearly all at every width.",
    "One or two are left.",
)
def digits_left(plain, careful):
    return 1e-3 < plain[0] < 0.1 and max(careful) < 1e-13


@says(
    "Fewer than ten sums over the keys of one box are all that the queries of the next box need.",
)
def few_sums(singular):
    return np.sum(singular > 1e-16 * 300 * singular[0]) < 10


@says(
    "Its boxes are between half and one width wide, with sixteen polynomials each: eight or "
    "nine sums chosen for one pair of boxes would do, but these serve every pair.",
)
def eight_or_nine(singular):
    return np.sum(singular > 1e-16 * 300 * singular[0]) in (8, 9)


@says(
    "The first sixteen singular values on a logarithmic axis fall faster and faster, from one "
    "to below ten to the minus twelve within eight steps, and then stay on a floor.",
)
def picture_of_singular_values(singular):
    size = np.log10(singular[:16] / singular[0])
    return size[7] < -12 and np.ptp(size[10:]) < 1


@says(
    "Three panels over the number of keys read. The largest score rises in four steps towards "
    "zero. The sum of weights drops at two of these steps and grows otherwise. The estimate "
    "jumps while few keys have been read, and ends at the dense estimate, a dashed line.",
)
def picture_of_online_softmax(largest, total):
    rises = np.diff(largest) > 0
    drops = np.diff(total) < 0
    return rises.sum() == 4 and drops.sum() == 2 and rises[drops].all()


@says(
    "Error against width on logarithmic axes. The line of plain running sums falls from five "
    "hundredths at the narrowest width to ten to the minus twelve at width one. The line of the "
    "package lies near ten to the minus fifteen at all widths.",
)
def picture_of_cancelling(plain, careful):
    return 0.02 < plain[0] < 0.08 and plain[-1] < 1e-11 and 1e-17 < np.max(careful) < 1e-13


@says(
    "In this draw of ten thousand keys the best width is about a quarter of the 0.38 that is "
    "typical of forty keys in {doc}`width`, and the error is that of the noise, whose variance "
    "is 1.",
)
def width_of_ten_thousand(candidates, errors):
    best = candidates[errors.argmin()]
    return abs(best / 0.38 - 0.25) < 0.05 and abs(errors.min() - 1) < 0.05


def row(measured, work, contestant):
    return next(r for r in measured["works"][work] if r["contestant"] == contestant)


@says(
    "Only FINUFFT, a Fourier transform for scattered points, is about as fast.",
)
def finufft_is_about_as_fast(measured):
    rows = measured["works"]["Gaussian, 10⁴ × 10⁴"]
    near = {row["contestant"] for row in rows if 0.5 < row["ratio"] < 2}
    return near == {"pool", "FINUFFT"}


@says(
    "But the error that it promises is relative to the largest sum and not to each, so a query "
    "far from all keys gets noise, and no warning.",
)
def finufft_gives_noise(measured):
    work = "Gaussian, queries up to 10 widths outside, 10⁴ × 10⁴"
    good, bad = (row(measured, work, name)["error"] for name in ("pool", "FINUFFT"))
    return good < 1e-12 and bad > 1


@says(
    "For forty keys and fifty queries none of this pays, and `pool` makes one matrix.",
)
def nothing_pays_for_forty(measured):
    return row(measured, "Gaussian, 40 × 50", "NumPy, dense")["ratio"] < 1


def growth(measured, name, quantity):
    """Return by which power of n a cost grew over the largest two sizes."""
    curve = measured["growth"][name]
    return np.diff(np.log(curve[quantity][-2:]))[0] / np.diff(np.log(curve["n"][-2:]))[0]


@says(
    "One block of queries after another (streaming) saves memory and some time; only sums over "
    "sorted keys or boxes change how time grows. Added memory below one megabyte is drawn at "
    "one.",
)
def growth_of_time(measured):
    dense, streaming = (measured["growth"][name] for name in ("dense", "streaming"))
    quick = ("pool", "pool, boxcar")
    return (
        streaming["seconds"][-1] < dense["seconds"][-1]
        and streaming["megabytes"][-1] < dense["megabytes"][-1] / 10
        and all(
            (growth(measured, name, "seconds") < 1.3) == (name in quick)
            for name in measured["growth"]
        )
    )


@says(
    "Two panels over the number of keys and queries, on logarithmic axes. In the left one, from "
    "a thousand on, the time of dense, streaming and library methods grows with the square of "
    "the number; that of pool grows in proportion to it from ten thousand on. In the right one "
    "only the memory of the dense methods grows with the square.",
)
def picture_of_growth(measured):
    quick = ("pool", "pool, boxcar")
    square = [growth(measured, name, "seconds") for name in measured["growth"] if name not in quick]
    fill = {n for n in measured["growth"] if growth(measured, n, "megabytes") > 1.5}
    return min(square) > 1.7 and fill == {"dense", "scikit-learn"}


@says(
    "Forty keys and fifty queries make two thousand weights, which a computer has ready in less "
    "than a tenth of a millisecond.",
)
def forty_keys_take_no_time(measured):
    return row(measured, "Gaussian, 40 × 50", "NumPy, dense")["seconds"] < 1e-4
