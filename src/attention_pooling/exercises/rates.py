"""How the best width and its error shrink as keys are added."""

from itertools import pairwise

import numpy as np

from .judging import Examination, Stage, Trial, judged, misfits_to_each
from .result import Answer, Verdict, check_for


@check_for("rates", "Rates", after="local_linear")
def check_rates(f: Answer) -> Verdict:
    """Check the exponents of the best width and of its mean squared error.

    Asked are two rational functions of d, both to a share of themselves, at the small dimensions
    that a reader may have tabulated and at drawn ones of up to four digits.

    Parameters
    ----------
    f : callable
        ``f(d)`` with the number of coordinates. Returns the pair of exponents of n, of the width
        and of the mean squared error, for a target with two continuous derivatives, in the
        interior.

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        _examine,
        "The width shrinks as n^(−1/(d+4)) and the error as n^(−4/(d+4)): each further "
        "coordinate makes more keys worth less.",
    )


def exponents(d):
    """Return the exponents of the width and of the mean squared error, the right answer."""
    return np.array([-1 / (d + 4), -4 / (d + 4)])


def _pair(width, error):
    """Make a slip of the two exponents as functions of d."""
    return lambda d: np.array([width(d), error(d)])


SLIPS = {
    "The dimension plays no part in these exponents: they are right for d = 1 alone. With d "
    "coordinates the variance is 1/(nσ^d).": _pair(lambda d: -1 / 5, lambda d: -4 / 5),
    "The dimension plays no part in the exponent of the width: put σ⁴ = 1/(nσ^d) and solve for "
    "σ.": _pair(lambda d: -1 / 5, lambda d: -4 / (d + 4)),
    "The dimension plays no part in the exponent of the error: it is that of σ⁴, four times the "
    "exponent of the width.": _pair(lambda d: -1 / (d + 4), lambda d: -4 / 5),
    "Both signs are missing: width and error shrink as n grows, so both exponents are negative.": (
        _pair(lambda d: 1 / (d + 4), lambda d: 4 / (d + 4))
    ),
    "The sign of the first exponent is missing: the width shrinks as n grows.": (
        _pair(lambda d: 1 / (d + 4), lambda d: -4 / (d + 4))
    ),
    "The sign of the second exponent is missing: the error shrinks as n grows.": (
        _pair(lambda d: -1 / (d + 4), lambda d: 4 / (d + 4))
    ),
    "The two are swapped: the width comes first, then the error.": (
        _pair(lambda d: -4 / (d + 4), lambda d: -1 / (d + 4))
    ),
    "The second exponent is that of the root of the mean squared error: square it, which doubles "
    "the exponent.": _pair(lambda d: -1 / (d + 4), lambda d: -2 / (d + 4)),
    "The first exponent is that of the bias, which is of order σ²: the width has half of it.": (
        _pair(lambda d: -2 / (d + 4), lambda d: -4 / (d + 4))
    ),
    "Both exponents are that of the width: the squared bias is of order σ⁴, so the error falls "
    "four times as fast.": _pair(lambda d: -1 / (d + 4), lambda d: -1 / (d + 4)),
    "The bias is taken to be of order σ: that holds at the boundary, or for a target with one "
    "derivative. In the interior of a smooth target the first-order terms cancel, and it is of "
    "order σ².": _pair(lambda d: -1 / (d + 2), lambda d: -2 / (d + 2)),
    "These are slopes measured over an interval with its ends, −1/4 and −3/4 in one dimension: "
    "in the interior the bias is of order σ².": _pair(
        lambda d: -1 / (d + 3), lambda d: -3 / (d + 3)
    ),
    "The squared bias is taken to be of order σ²: the bias is of order σ², its square of order "
    "σ⁴.": _pair(lambda d: -1 / (d + 2), lambda d: -4 / (d + 2)),
    "Both exponents carry a factor d: it belongs below the line alone, where nσ^d puts it.": (
        _pair(lambda d: -d / (d + 4), lambda d: -4 * d / (d + 4))
    ),
    "The dimension multiplies where it should be added: σ⁴ σ^d = 1/n gives d + 4.": (
        _pair(lambda d: -1 / (5 * d), lambda d: -4 / (5 * d))
    ),
    "The dimension multiplies the 4: σ⁴ σ^d = 1/n gives d + 4, not 4d + 1.": (
        _pair(lambda d: -1 / (4 * d + 1), lambda d: -4 / (4 * d + 1))
    ),
    "// divides to whole numbers and rounds the exponents down: use /.": (
        _pair(lambda d: -1 // (d + 4), lambda d: -4 // (d + 4))
    ),
    "These are the rates of a model with finitely many parameters: here the number of keys in "
    "reach is nσ^d, not n.": _pair(lambda d: -1 / 2, lambda d: -1),
    "The second exponent is that of σ^d, the volume in reach: the error is of order σ⁴.": (
        _pair(lambda d: -1 / (d + 4), lambda d: -d / (d + 4))
    ),
}


def _examine(answer, rng):
    limits = [4, 12, 60, 300, 2000]
    dimensions = [1, 2, 3, *(int(rng.integers(*pair)) for pair in pairwise(limits))]
    trials = [Trial({"d": d}, f"d = {d}", tolerance=1e-3) for d in dimensions]
    Examination(
        exponents,
        [
            Stage(
                trials,
                SLIPS,
                "These are not the two exponents: balance the squared bias, of order σ⁴, with the "
                "variance, of order 1/(nσ^d), and return two numbers, width first.",
            )
        ],
        misfits_to_each,
    )(answer)
