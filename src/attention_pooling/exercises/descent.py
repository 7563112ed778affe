"""Stochastic gradient descent on the width."""

import numpy as np

from .answers import Unattempted, Wrong, called, numbers
from .judging import judged
from .result import Answer, Verdict, check_for


@check_for("sgd", "Descend", after="training_loss")
def check_sgd(f: Answer) -> Verdict:
    """Check stochastic gradient descent on a width.

    Asked are one gradient a step, at the width that is listed; steps in proportion to the gradient
    and to the learning rate; positive widths under any noise; and arrival, from both sides, at
    minima between 0.02 and 50, which a floor or a cap that is no safeguard but a limit forbids.
    How fast a descent is there depends on whether σ or its logarithm takes the steps, so that for
    the outermost minima the learning rate of either may bring it there.

    Parameters
    ----------
    f : callable
        ``f(gradient, sigma, steps, lr)``, where ``gradient(sigma)`` is a noisy derivative of some
        loss at a width (a number), sigma the width to start from, steps their number and lr the
        learning rate. Returns the widths visited, steps + 1 of them, the start first.

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        _examine,
        "Your descent finds each minimum tried, from 0.02 to 50 and from both sides, asks for one "
        "gradient a step and never leaves the positive widths.",
    )


class _Slope:
    """A noisy derivative that takes down what it was asked and what it told."""

    def __init__(self, name, slope, noise, rng):
        self.name, self.asked, self.told = name, [], []
        self._slope, self._noise, self._rng = slope, noise, rng

    def at(self, sigma):
        """Return the noisy derivative at sigma, a number, tensor or array with one entry."""
        try:
            position = numbers(sigma).reshape(())[()]
        except (Wrong, Unattempted, ValueError):
            raise TypeError(f"gradient takes one number, got {sigma!r:.40}") from None
        with np.errstate(all="ignore"):
            told = float(self._slope(position) + self._noise * self._rng.standard_normal())
        self.asked.append(float(position))
        self.told.append(told)
        return told


def _visited(answer, slope, sigma, steps, lr):
    """Return the widths that the answer says it visited, having refused any other result."""
    tried = f"Tried: {slope.name}, start {sigma:.3g}, {steps} steps, learning rate {lr:g}."
    got = numbers(called(answer, (slope.at, sigma, steps, lr)))
    if got.ndim == 2 and 1 in got.shape:
        got = got.ravel()
    if got.ndim != 1:
        _refuse_shape(got, tried)
    _refuse_questions(slope, got, steps, tried)
    _refuse_length(got, sigma, steps, tried)
    _refuse_other_places(slope, got, tried)
    return got


def _refuse_shape(got, tried):
    if got.size == 1:
        raise Wrong(
            "Your function returns a single number, as if the last width alone were wanted: return "
            f"the list of all that were visited, the start first."
            f"\n{tried} Came out: {got.ravel()[0]:.4g}."
        )
    raise Wrong(
        f"The result has shape {got.shape}: return one list with the widths visited, a number "
        f"for each.\n{tried}"
    )


def _refuse_questions(slope, got, steps, tried):
    asked = len(slope.asked)
    if asked == 0 and len(got) and np.ptp(got) == 0:
        raise Wrong(
            "The widths are all the same: take steps, each with the gradient at the width reached."
            f"\n{tried} Came out: {len(got)} times {got[0]:.4g}."
        )
    came = f"{tried} Came out: {asked} gradients asked for; expected: {steps}."
    if asked == 0:
        raise Wrong(f"Your function never asks for a gradient: call gradient(sigma).\n{came}")
    if asked == steps + 1:
        raise Wrong(
            "One gradient too many is asked for: after the last step none is needed, and each "
            f"costs a pass over data.\n{came}"
        )
    if asked == 1 and steps > 1:
        raise Wrong(
            "The gradient is asked for once and used for all steps: ask again at each new width."
            f"\n{came}"
        )
    if asked > steps:
        raise Wrong(
            "More than one gradient a step is asked for: call gradient(sigma) once, keep the "
            f"number in a variable.\n{came}"
        )
    if asked < steps:
        raise Wrong(
            f"Fewer steps are taken than asked for: one gradient for each of the steps.\n{came}"
        )


def _refuse_length(got, sigma, steps, tried):
    came = f"{tried} Came out: {len(got)} widths from {got[0]:.4g} to {got[-1]:.4g}; expected: "
    came = came + f"{steps + 1}, from {sigma:.4g}." if len(got) else f"{tried} Came out: none."
    if len(got) and np.isclose(got[0], np.log(sigma), rtol=1e-4) and not np.isclose(sigma, got[0]):
        raise Wrong(
            "The logarithms of the widths are returned: take exp of each, so that the list holds "
            f"sigmas.\n{came}"
        )
    starts = len(got) > 0 and np.isclose(got[0], sigma, rtol=1e-4)
    if len(got) == steps and not starts:
        raise Wrong(
            "The start is missing from the list: it comes first, before any step, which makes "
            f"steps + 1 widths.\n{came}"
        )
    if len(got) == steps:
        raise Wrong(
            "The last width is missing from the list: append after the step, which makes "
            f"steps + 1 widths.\n{came}"
        )
    if len(got) != steps + 1:
        raise Wrong(
            "The list has the wrong length: it should hold the start and the width after each "
            f"step, steps + 1 in all.\n{came}"
        )
    if not starts and np.isclose(got[-1], sigma, rtol=1e-4):
        raise Wrong(f"The list is in reverse order: the start comes first.\n{came}")
    if not starts:
        raise Wrong(f"The list begins with another width than the start.\n{came}")


def _refuse_other_places(slope, got, tried):
    """Refuse gradients that were asked for elsewhere than where the descent stands."""
    asked, stood = np.array(slope.asked), got[:-1]
    if np.allclose(asked, stood, rtol=1e-3, atol=1e-6, equal_nan=True):
        return
    step = int(np.argmax(np.abs(asked - stood)))
    came = (
        f"{tried} Came out: at step {step} the width was {stood[step]:.4g}, the gradient was "
        f"asked for at {asked[step]:.4g}."
    )
    with np.errstate(all="ignore"):
        logarithms = np.log(stood)
    if np.ptp(asked) < 1e-9 and np.isclose(asked[0], got[0]):
        raise Wrong(
            "The gradient is asked for at the start in every step: ask for it at the width where "
            f"the descent stands.\n{came}"
        )
    if np.allclose(asked, logarithms, rtol=1e-3, atol=1e-6):
        raise Wrong(
            "gradient is given log sigma: it takes the width itself, so take exp of the logarithm "
            f"first.\n{came}"
        )
    if (stood <= 0).any() and (asked > 0).all():
        raise Wrong(
            "The width is made positive for the gradient alone, while the list holds others: put "
            f"it right before you note it down.\n{came}"
        )
    raise Wrong(
        "The gradient is asked for at other widths than those in the list: at each step ask at "
        f"the width where the descent stands.\n{came}"
    )


def _losses(rng):
    """Return name, derivative, minimiser, start and learning rate of three losses."""
    low, middle, high = rng.uniform(0.5, 0.7), rng.uniform(0.9, 1.2), rng.uniform(1.3, 1.7)
    return [
        ("a parabola", lambda s: s - middle, middle, middle * rng.uniform(1.9, 2.4), 0.1),
        (
            "a squared logarithm",
            lambda s: np.log(np.maximum(s, 1e-3) / high) / np.maximum(s, 1e-3),
            high,
            high * rng.uniform(0.4, 0.5),
            0.15,
        ),
        (
            "a loss with straight sides",
            lambda s: (s - low) / np.hypot(s - low, 0.4),
            low,
            low * rng.uniform(2.5, 3),
            0.1,
        ),
    ]


def _outermost(rng):
    """Return name, minimiser and start of parabolas that only the smallest or largest widths suit.

    The minimisers are not drawn, so that a floor or a cap has the same verdict each time.
    """
    return [
        ("a parabola with its minimum near 0", 0.02, rng.uniform(0.05, 0.06)),
        ("a parabola with its minimum far from 0", 50.0, rng.uniform(20, 30)),
        ("a parabola with its minimum far from 0", 50.0, rng.uniform(110, 120)),
    ]


def _examine(answer, rng):
    _refuse_wrong_start(answer, rng)
    moves = _single_moves(answer, rng)
    _refuse_no_influence(*moves)
    for name, derivative, minimiser, start, lr in _losses(rng):
        slope = _Slope(name, derivative, 0.1, rng)
        visited = _visited(answer, slope, start, 200, lr)
        _refuse_out_of_range(visited, slope)
        _refuse_no_arrival(visited, slope, minimiser, lr)
    _refuse_disproportion(*moves)
    for name, minimiser, start in _outermost(rng):
        _refuse_no_arrival_at_any_rate(answer, name, minimiser, start, rng)
    # Noise that takes an unguarded descent below zero again and again.
    slope = _Slope("a parabola with much noise", lambda s: s - 0.03, 0.5, rng)
    _refuse_out_of_range(_visited(answer, slope, 0.1, 300, 0.1), slope)


def _refuse_no_arrival_at_any_rate(answer, name, minimiser, start, rng):
    """Try the learning rates for a descent in σ, in its logarithm, and in between."""
    rates = sorted(0.2 / minimiser**power for power in (0, 1, 2))
    settled = []
    for lr in rates:
        slope = _Slope(name, lambda s: s - minimiser, 0.0, rng)
        visited = _visited(answer, slope, start, 80, lr)
        settled.append(visited[-20:].mean())
        if (visited > 0).all() and abs(settled[-1] - minimiser) <= 0.15 * minimiser:
            return
    raise Wrong(
        "The descent does not arrive at every minimum: look at the size of its steps, and at what "
        f"limits the width.\nTried: {name}, at {minimiser:.3g}, start {start:.3g}, 80 steps with "
        f"learning rate {', '.join(f'{lr:.2g}' for lr in rates)}. Came out: on average over the "
        f"last 20 steps {', '.join(f'{width:.3g}' for width in settled)}."
    )


def _refuse_wrong_start(answer, rng):
    """Judge three steps without noise, too few for a wrong descent to overflow."""
    start, lr = float(rng.uniform(1.3, 1.6)), 0.05
    slope = _Slope("a parabola with its minimum at 1", lambda s: s - 1.0, 0.0, rng)
    tried = f"Tried: {slope.name}, start {start:.3g}, 3 steps"
    _refuse_chance(answer, slope, (start, 3, lr), tried)
    slope = _Slope(slope.name, lambda s: s - 1.0, 0.0, rng)
    visited = _visited(answer, slope, start, 3, lr)
    came = f"{tried}, learning rate {lr}. Came out: {visited[-1]:.4g} at the end."
    moves = np.diff(visited)
    if np.all(moves == 0):
        raise Wrong(
            "The width never moves: subtract lr times the gradient in every step, and note the "
            f"new one down.\n{came}"
        )
    if (np.sign(moves) * np.sign(slope.told) > 0).all():
        raise Wrong(
            "The descent goes uphill: the sign of the step is wrong. Where the gradient is "
            f"positive the width must become smaller.\n{came}"
        )


def _single_moves(answer, rng):
    """Return the first move, with a learning rate twice as large, and with twice the gradient."""
    moves = []
    for lr, steepness in ((1e-3, 1), (2e-3, 1), (1e-3, 2)):
        slope = _Slope("a parabola", lambda s, by=steepness: by * (s - 1.0), 0.0, rng)
        start, end = _visited(answer, slope, 1.5, 1, lr)
        moves.append(float(end - start))
    return moves


def _refuse_no_influence(one, *doubled):
    for name, two in zip(("learning rate", "gradient"), doubled, strict=True):
        if abs(two - one) <= 0.05 * abs(one):
            raise Wrong(
                f"The size of the {name} has no influence: a step is lr times the gradient.\n"
                f"{_told_moves(name, one, two)}"
            )


def _refuse_disproportion(one, *doubled):
    for name, two in zip(("learning rate", "gradient"), doubled, strict=True):
        if abs(two - 2 * one) > 0.1 * abs(one):
            raise Wrong(
                f"Twice the {name} does not make a step twice as long: a step is lr times the "
                f"gradient, of σ or of its logarithm.\n{_told_moves(name, one, two)}"
            )


def _told_moves(name, one, two):
    return (
        "Tried: a parabola with its minimum at 1, start 1.5, one step, learning rate 0.001, and "
        f"then the same with twice the {name}. Came out: moves of {one:.4g} and {two:.4g}."
    )


def _refuse_chance(answer, slope, arguments, tried):
    first, second = (numbers(called(answer, (slope.at, *arguments))) for _ in range(2))
    if first.shape == second.shape and np.allclose(first, second, rtol=1e-4, equal_nan=True):
        return
    raise Wrong(
        "Called twice with the same arguments and a gradient without noise, your function gives "
        f"two different results: the gradient brings the noise, add none.\n{tried}."
    )


def _refuse_out_of_range(visited, slope):
    inside = visited > 0
    if inside.all() and np.isfinite(visited).all():
        return
    step = int(np.argmin(inside & np.isfinite(visited)))
    came = (
        f"Tried: {slope.name}. Came out: width {visited[step]:.4g} at step {step}, after "
        f"{visited[step - 1]:.4g}."
    )
    if not np.isfinite(visited[step]):
        raise Wrong(
            "The width becomes NaN or infinite: a step that is too large throws it out of range. "
            f"Take lr times the gradient, and no more.\n{came}"
        )
    if visited[step] == 0:
        raise Wrong(
            "The width reaches zero, which is not positive: a floor must lie above zero, or the "
            f"descent run in log sigma.\n{came}"
        )
    raise Wrong(
        "The width does not stay positive: descend in log sigma, or put a small positive floor "
        f"under it.\n{came}"
    )


def _refuse_no_arrival(visited, slope, minimiser, lr):
    settled = visited[-80:].mean()
    if abs(settled - minimiser) <= 0.15 * minimiser:
        return
    came = (
        f"Tried: {slope.name} with its minimum at {minimiser:.3g}, {len(visited) - 1} steps, "
        f"learning rate {lr:g}. Came out: {visited[0]:.3g} at the start, {settled:.3g} on average "
        "over the last 80 steps."
    )
    if abs(settled - minimiser) > 0.7 * abs(visited[0] - minimiser):
        raise Wrong(
            "The descent hardly comes closer to the minimum: look at the size of its steps, which "
            f"should be lr times the gradient.\n{came}"
        )
    raise Wrong(
        "The descent does not arrive at the minimum: look at the size of its steps, and at what "
        f"limits the width.\n{came}"
    )
