"""A kernel of the reader's own."""

import numpy as np

from .answers import Raised, Unattempted, Wrong, called, numbers
from .judging import fitted, judged
from .result import Answer, Verdict, check_for

STEP = 1e-3
"""Between neighbouring distances at which a kernel is looked at first."""

BENDS = 2_000
"""Places at most that are looked at more closely."""

NOT_COMPACT = "Your kernel is not compact: it must be zero from |u| = 1 on."


@check_for("own_kernel", "A kernel of your own")
def check_own_kernel(f: Answer) -> Verdict:
    """Check a kernel that is compact and has neither jump nor kink.

    The properties are asked one by one, on a grid whose place is drawn, at the edges of the reach
    themselves and at distances up to 1,000. A jump or a kink is what does not go away when one
    looks closer: wherever the slope changes from step to step, the steps are made shorter until
    the change has gone, as it does for every steep but smooth kernel, or is found to stay.

    Parameters
    ----------
    f : callable
        ``f(u)`` with scaled distances u in an array of any shape, of either sign. Returns
        similarities of the same shape: the same for u and −u, never negative, largest at 0,
        never rising with distance, positive for `|u| < ½`, zero from `|u| = 1` on, and smooth: no
        jump and no kink.

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        _examine,
        "A kernel: even, falling, zero beyond its reach, without jump or kink.",
    )


def _examine(answer, rng):
    if fitted(numbers(called(answer, [np.zeros(1)])), np.zeros(1)) is None:
        raise Wrong("A kernel returns one similarity for each u: the shape must be kept.")
    _refuse_other_shapes(answer, rng)
    near = np.arange(-2_000, 2_001) * STEP
    far = np.geomspace(2, 1e3, 2_000) * rng.uniform(1, 1.003, 2_000)
    edges = [-1 - 1e-9, -0.5 + 1e-9, 0.0, 0.5 - 1e-9, 1 + 1e-9]
    for shift in (0, *rng.uniform(0, STEP, 3)):
        _judge(answer, np.sort(np.concatenate([-far, near + shift, edges, far])))
    _refuse_jumps_and_kinks(answer)
    edge = np.array([-1.0, 1.0])
    _refuse(
        _outcome(answer, edge) > 1e-6 * _outcome(answer, np.zeros(1)),
        edge,
        _outcome(answer, edge),
        NOT_COMPACT,
    )
    _refuse_dependence_on_others(answer, rng)


def _outcome(answer, u):
    given = u.copy()
    got = fitted(numbers(called(answer, [given])), u)
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
    if got is None:
        raise Wrong(f"A kernel returns one similarity for each u: the shape must be kept.\n{tried}")
    if again is None or not np.array_equal(got, again, equal_nan=True):
        raise Wrong("Called twice with the same u, your kernel gives two different results.")
    _refuse_dependence_on_others(answer, rng)


def _refuse_dependence_on_others(answer, rng):
    u = rng.uniform(0.6, 1, (4, 5)) * rng.choice([-1, 1], (4, 5)) * [[0.3], [0.9], [2], [9]]
    whole = _outcome(answer, u)
    rows = [_outcome(answer, u[i : i + 1]) for i in range(4)]
    if whole is None or any(row is None for row in rows):
        raise Wrong("A kernel returns one similarity for each u: the shape must be kept.")
    if not np.allclose(np.concatenate(rows), whole, rtol=1e-4, atol=0, equal_nan=True):
        raise Wrong(
            "The similarity of one distance depends on the others beside it, or on earlier calls: "
            "a kernel does not normalise; the weights do.\n"
            f"Tried: an array of shape {u.shape}, and its rows one by one."
        )


def _judge(answer, u):
    try:
        similarity = _outcome(answer, u)
    except Raised as raised:
        raise Wrong(f"Your kernel fails on an array of {len(u)} distances.\n{raised}") from None
    if similarity is None:
        raise Wrong(
            "A kernel returns one similarity for each u: the shape must be kept.\n"
            f"Tried: an array of shape {u.shape}."
        )
    _refuse(~np.isfinite(similarity), u, similarity, "Your kernel returns NaN or infinity.")
    if (similarity == 0).all():
        raise Wrong("Your kernel is zero everywhere: nothing would ever be similar.")
    top = similarity[np.argmin(np.abs(u))]
    outside = np.abs(u) > 1
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
    mirrored = _outcome(answer, -u)
    if mirrored is None or not np.isfinite(mirrored).all():
        raise Wrong("Your kernel is not even: it has no result for some −u that it has for u.")
    _refuse(
        np.abs(similarity - mirrored) > 1e-5 * abs(top),
        u,
        similarity,
        "Your kernel is not even: u and −u lie equally far away; use u² or |u|.",
    )
    order = np.argsort(np.abs(u), kind="stable")
    least = np.minimum.accumulate(similarity[order])
    rises = np.zeros_like(outside)
    rises[order] = similarity[order] > least + 1e-5 * abs(top)
    if (rises & outside).any() and not (rises & ~outside).any():
        _refuse(
            rises,
            u,
            similarity,
            "Your kernel rises again beyond |u| = 1: it must be zero there, which np.where or "
            "np.clip can make of any formula.",
        )
    _refuse(rises, u, similarity, "Your kernel rises with distance: similarity must not.")
    # Rounding may leave a trifle at the edge and keep it, as cos²(π/2) does; a tail would fall.
    tail = np.ptp(similarity[outside]) > 0
    _refuse(
        outside & (similarity > (0 if tail else 1e-6 * top)),
        u,
        similarity,
        NOT_COMPACT,
    )
    _refuse(
        (np.abs(u) < 0.5) & (similarity <= 0),
        u,
        similarity,
        "Your kernel gives up before |u| = ½: a little more reach, please.",
    )


def _refuse_jumps_and_kinks(answer):
    """Follow each change of slope to ever shorter steps, and refuse one that stays."""
    top = _outcome(answer, np.zeros(1))[0]
    step, centres = STEP, np.arange(-1_100, 1_101) * STEP
    # Single precision blurs short steps.
    probe = _outcome(answer, centres)
    single = (probe == probe.astype(np.float32)).all()
    limit, shortest = (0.1, 3e-5) if single else (0.01, 3e-8)
    while True:
        # Between the two slopes lies a gap of two steps, which a kink cannot straddle.
        u = centres[:, None] + step * np.array([-2, -1, 1, 2])
        similarity = _outcome(answer, u) / top
        slopes = (similarity[:, [1, 3]] - similarity[:, [0, 2]]) / step
        change = np.abs(slopes[:, 1] - slopes[:, 0])
        worst = np.argsort(-change)[:BENDS]
        worst = worst[change[worst] > limit]
        if not worst.size:
            return
        if step < shortest:
            break
        step /= 4
        closer = centres[worst, None] / step + np.arange(-4, 5)
        centres = step * np.unique(np.round(closer))
    first = worst[0]
    place, (before, after) = centres[first], slopes[first]
    if np.ptp(similarity[first]) > 1_000 * step:
        raise Wrong(
            "Your kernel jumps: the estimate would jump with every key.\n"
            f"Tried: u around {place:.4g}. Came out: similarities from "
            f"{similarity[first].min():.3g} to {similarity[first].max():.3g}, relative to α(0)."
        )
    if abs(place) < 0.01:
        hint = "Your kernel has a kink at its peak: its slope there must be zero, as that of u² is."
    elif abs(place) > 0.99:
        hint = (
            "Your kernel has a kink where it becomes zero: its slope must vanish at the edge, too; "
            "squaring a formula that has a kink there is one way."
        )
    else:
        hint = "Your kernel has a kink: its slope must not jump."
    raise Wrong(
        f"{hint}\nTried: u around {place:.4g}. "
        f"Came out: a slope of {before:.3g} and then of {after:.3g}, relative to your α(0)."
    )


def _refuse(wrong, u, similarity, hint):
    if wrong.any():
        nearest = np.argmin(np.where(wrong, np.abs(u), np.inf))
        raise Wrong(f"{hint}\nTried: u = {u[nearest]:.4g}. Came out: {similarity[nearest]:.4g}.")
