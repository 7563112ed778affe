"""A kernel of the reader's own."""

import numpy as np

from .answers import Raised, Unattempted, Wrong, called, numbers
from .judging import check

STEP = 1e-3


def check_own_kernel(f):
    """Check a kernel that is compact and has neither jump nor kink.

    Parameters
    ----------
    f : callable
        ``f(u)`` with scaled distances u in an array of any shape, of either sign. Returns
        similarities of the same shape: the same for u and −u, never negative, largest at 0,
        never rising with distance, positive for |u| < ½, zero from |u| = 1 on, and smooth: no
        jump and no kink.

    Returns
    -------
    CheckResult
    """
    return check(
        "own_kernel",
        f,
        _examine,
        "A kernel: even, falling, zero beyond its reach, without jump or kink.",
    )


def _examine(answer, rng):
    if numbers(called(answer, [np.zeros(1)])).shape != (1,):
        raise Wrong("A kernel returns one similarity for each u: the shape must be kept.")
    _refuse_other_shapes(answer, rng)
    shifts = rng.uniform(0, STEP, 3)
    for shift in (0, *shifts):
        _judge(answer, shift + STEP * np.arange(-2_000, 2_001))


def _outcome(answer, u):
    given = u.copy()
    got = numbers(called(answer, [given]))
    if not np.array_equal(given, u):
        raise Wrong("Your kernel changes its argument u, which is the caller's: make a new array.")
    return got


def _refuse_other_shapes(answer, rng):
    u = rng.uniform(-2, 2, (int(rng.integers(3, 6)), int(rng.integers(6, 9))))
    tried = f"Tried: an array of shape {u.shape}."
    try:
        got, again = _outcome(answer, u), _outcome(answer, u)
    except Raised as raised:
        raise Wrong(
            "A kernel takes an array of any shape at once: use np.where, np.maximum or "
            f"np.clip in place of if, min and max.\n{tried} {raised}"
        ) from None
    except Unattempted:
        raise Wrong(f"Your kernel returns None for some u.\n{tried}") from None
    if got.shape != u.shape:
        raise Wrong(
            "A kernel returns one similarity for each u: the shape must be kept.\n"
            f"{tried} Came out: shape {got.shape}."
        )
    if not np.array_equal(got, again, equal_nan=True):
        raise Wrong("Called twice with the same u, your kernel gives two different results.")
    alone = numbers(called(answer, [u[:1, :1].copy()]))
    if alone.shape != (1, 1) or not np.allclose(alone, got[:1, :1], rtol=1e-4, equal_nan=True):
        raise Wrong(
            "The similarity of one distance depends on the others beside it: a kernel does not "
            f"normalise; the weights do.\n{tried}"
        )


def _judge(answer, u):
    try:
        similarity = _outcome(answer, u)
    except Raised as raised:
        raise Wrong(f"Your kernel fails on an array of {len(u)} distances.\n{raised}") from None
    top = similarity[np.argmin(np.abs(u))]
    _refuse(~np.isfinite(similarity), u, similarity, "Your kernel returns NaN or infinity.")
    if (similarity == 0).all():
        raise Wrong("Your kernel is zero everywhere: nothing would ever be similar.")
    outside = np.abs(u) > 1 + STEP
    if np.ptp(similarity) < 1e-6 * abs(top):
        raise Wrong("This is the constant kernel: it reaches everywhere, and distance is nothing.")
    _refuse(
        outside & (similarity < 0),
        u,
        similarity,
        "Your kernel is negative beyond |u| = 1: cut the formula off there with np.where or "
        "np.clip.",
    )
    _refuse(similarity < 0, u, similarity, "A similarity is negative: weights would be, too.")
    mirrored = numbers(called(answer, [-u]))
    _refuse(
        np.abs(similarity - mirrored) > 1e-5 * abs(top),
        u,
        similarity,
        "Your kernel is not even: u and −u lie equally far away; use u² or |u|.",
    )
    order = np.argsort(np.abs(u), kind="stable")
    rises = np.zeros_like(outside)
    rises[order[1:]] = np.diff(similarity[order]) > 1e-5 * abs(top)
    if (rises & outside).any() and not (rises & ~outside).any():
        _refuse(
            rises & outside,
            u,
            similarity,
            "Your kernel rises again beyond |u| = 1: the formula holds inside alone, so cut it "
            "off with np.where or np.clip.",
        )
    _refuse(rises, u, similarity, "Your kernel rises with distance: similarity must not.")
    _refuse(
        outside & (similarity > 1e-6 * abs(top)),
        u,
        similarity,
        "Your kernel is not compact: it must be zero beyond |u| = 1.",
    )
    _refuse(
        (np.abs(u) < 0.5) & (similarity <= 0),
        u,
        similarity,
        "Your kernel gives up before |u| = ½: a little more reach, please.",
    )
    _refuse_jumps_and_kinks(u, similarity / top)


def _refuse_jumps_and_kinks(u, similarity):
    jumps = np.abs(np.diff(similarity, prepend=similarity[0])) > 0.03
    _refuse(jumps, u, similarity, "Your kernel jumps: the estimate would jump with every key.")
    bends = np.zeros_like(jumps)
    bends[1:-1] = np.abs(np.diff(similarity, 2)) > 0.05 * STEP
    _refuse_bends(
        bends & (np.abs(u) < 0.01),
        u,
        similarity,
        "Your kernel has a kink at its peak: its slope there must be zero, as that of u² is.",
    )
    _refuse_bends(
        bends & (np.abs(u) > 0.99),
        u,
        similarity,
        "Your kernel has a kink where it becomes zero: its slope must vanish at the edge, too; "
        "squaring a formula that has a kink there is one way.",
    )
    _refuse_bends(bends, u, similarity, "Your kernel has a kink: its slope must not jump.")


def _refuse_bends(bends, u, similarity, hint):
    if bends.any():
        first = int(np.argmax(bends))
        before, after = np.diff(similarity[first - 1 : first + 2]) / STEP
        raise Wrong(
            f"{hint}\nTried: u around {u[first]:.4g}. "
            f"Came out: a slope of {before:.3g} and then of {after:.3g}, relative to your α(0)."
        )


def _refuse(wrong, u, similarity, hint):
    if wrong.any():
        first = int(np.argmax(wrong))
        raise Wrong(f"{hint}\nTried: u = {u[first]:.4g}. Came out: {similarity[first]:.4g}.")
