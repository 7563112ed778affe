"""The training error and the leave-one-out error of a width, with their gradients."""

import numpy as np

from .answers import Raised, Wrong, called, kind, last_line, numbers
from .judging import REPEATS, SPECIAL, UNITS, Examination, Stage, Trial, judged
from .result import Answer, Verdict, check_for
from .similarities import SLIPPED_GAUSSIANS, SLIPPED_SHARES, by_rows, gaussian


@check_for("training_loss", "Training error", after="causal_mask")
def check_training_loss(f: Answer) -> Verdict:
    """Check the mean squared training error of Gaussian Nadaraya–Watson.

    Asked are the loss and its derivative in the width. Keys repeat, with other values and with the
    same one; one key lies five widths from the next, which a similarity that is cut off or padded
    would not survive; values lie far from 0; units, signs and numbers of keys vary, down to one.

    Parameters
    ----------
    f : callable
        ``f(sigma, keys, values)`` with a positive width, keys (n,) and values (n,). Returns one
        number. Where PyTorch is installed, the three are float64 tensors, sigma requires a
        gradient, and the gradient of the result is compared too; elsewhere they are a float and
        two arrays, and a result that passes says that the gradient was not compared.

    Returns
    -------
    CheckResult
    """
    return _judged(
        f,
        "training error",
        training_loss,
        lambda rng: _stages(rng, _TRAINING_SLIPS, {}, fewest=1, level=0),
    )


@check_for("leave_one_out", "Leave one out", after="sgd")
def check_leave_one_out(f: Answer) -> Verdict:
    """Check the mean squared leave-one-out error of Gaussian Nadaraya–Watson.

    Asked is what `check_training_loss` asks, of the loss in which exactly the own pair is left out:
    not the pairs at distance 0, of which a repeated key has several, nor the pairs that are equal
    to the own one, and whatever the values are. The fewest keys are two.

    Parameters
    ----------
    f : callable
        ``f(sigma, keys, values)`` as for `check_training_loss`.

    Returns
    -------
    CheckResult
    """
    return _judged(
        f,
        "leave-one-out error",
        leave_one_out_loss,
        lambda rng: _stages(rng, _LEAVE_ONE_OUT_SLIPS, _REPEATED_SLIPS, fewest=2, level=40),
    )


def _mean_squares(residuals):
    return (residuals**2).mean()


def _training(similarity=gaussian, shares=by_rows, judge=_mean_squares):
    """Make the training error, right by default, of its three ingredients."""

    def loss(sigma, keys, values):
        weights = shares(similarity(keys[:, None] - keys, sigma))
        return judge(weights @ values - values)

    return loss


def _without_diagonal(matrix):
    return matrix * (1 - np.eye(len(matrix)))


def _leaving_out(similarity=gaussian, shares=by_rows, judge=_mean_squares):
    """Make the leave-one-out error, right by default, of its three ingredients."""

    def loss(sigma, keys, values):
        weights = shares(_without_diagonal(similarity(keys[:, None] - keys, sigma)))
        return judge(weights @ values - values)

    return loss


training_loss = _training()
leave_one_out_loss = _leaving_out()


def _slipped_judges(make):
    return {
        "The squared errors are added up: take their mean, so that the loss does not grow with "
        "the number of keys.": make(judge=lambda r: (r**2).sum()),
        "The mean squared error is halved: leave the factor ½ out.": (
            make(judge=lambda r: (r**2).mean() / 2)
        ),
        "The squared errors are added up and halved: take their mean.": (
            make(judge=lambda r: (r**2).sum() / 2)
        ),
        "This is the root of the mean squared error: return the mean of the squares itself.": (
            make(judge=lambda r: np.sqrt((r**2).mean()))
        ),
        "The errors are taken without their squares (mean absolute error): square them.": (
            make(judge=lambda r: np.abs(r).mean())
        ),
        "The errors are averaged before they are squared, so that they cancel: square first.": (
            make(judge=lambda r: r.mean() ** 2)
        ),
        "The squared errors are divided by n − 1: their mean divides by n.": (
            make(judge=lambda r: (r**2).sum() / (len(r) - 1))
        ),
        "There is one squared error for each key: return their mean, a single number.": (
            make(judge=lambda r: r**2)
        ),
        "These are the errors, one for each key: return the mean of their squares.": (
            make(judge=lambda r: r)
        ),
        "The sign of the loss is turned round: an error is to be made small, so it is positive.": (
            make(judge=lambda r: -(r**2).mean())
        ),
    }


def _paired_with_all(make):
    """Compare each estimate with every value, what shapes (n, 1) and (n,) do."""

    def loss(sigma, keys, values):
        residuals = make(judge=lambda r: r)(sigma, keys, values)
        return ((residuals + values)[:, None] - values).__pow__(2).mean()

    return loss


def _pooled_keys(make):
    return lambda sigma, keys, values: make()(sigma, keys, keys)


def _common_slips(make):
    return {
        **{hint: make(similarity=wrong) for hint, wrong in SLIPPED_GAUSSIANS.items()},
        **{hint: make(shares=wrong) for hint, wrong in SLIPPED_SHARES.items()},
        **_slipped_judges(make),
        "Each estimate is compared with every value: shapes (n, 1) and (n,) broadcast to (n, n). "
        "Bring both to shape (n,).": _paired_with_all(make),
        "The keys are pooled where the values should be.": _pooled_keys(make),
    }


_TRAINING_SLIPS = {
    "This leaves each key's own value out, which is the next part: for the training error it "
    "takes part.": leave_one_out_loss,
    "Each key's own weight is removed and the rest not renormalised: for the training error "
    "the own value takes part.": _training(shares=lambda k: _without_diagonal(by_rows(k))),
    **_common_slips(_training),
}


def _generalised_cross_validation(sigma, keys, values):
    weights = by_rows(gaussian(keys[:, None] - keys, sigma))
    share = np.trace(weights) / len(keys)
    return (((weights @ values - values) / (1 - share)) ** 2).mean()


def _stretched_once(sigma, keys, values):
    weights = by_rows(gaussian(keys[:, None] - keys, sigma))
    return ((weights @ values - values) ** 2 / (1 - np.diag(weights))).mean()


def _own_key_in_the_sum_alone(sigma, keys, values):
    similarity = gaussian(keys[:, None] - keys, sigma)
    others = _without_diagonal(similarity).sum(axis=1)
    return ((similarity @ values / others - values) ** 2).mean()


def _wrong_one_out(sigma, keys, values):
    similarity = gaussian(keys[:, None] - keys, sigma)
    kept = 1 - np.roll(np.eye(len(keys)), 1, axis=1)
    return ((by_rows(similarity * kept) @ values - values) ** 2).mean()


def _leaving_out_where(same):
    """Make the error of leaving out all pairs that are the same as the own one in some sense."""

    def loss(sigma, keys, values):
        kept = ~same(keys[:, None] == keys, values[:, None] == values)
        weights = by_rows(gaussian(keys[:, None] - keys, sigma) * kept)
        return ((weights @ values - values) ** 2).mean()

    return loss


def _distinct_keys_alone(loss):
    def of_the_first(sigma, keys, values):
        _, first = np.unique(keys, return_index=True)
        return loss(sigma, keys[np.sort(first)], values[np.sort(first)])

    return of_the_first


_REPEATED_SLIPS = {
    "All pairs at distance 0 are left out: where a key repeats, the pairs beside it stay in. Leave "
    "out by place in the list, not by distance.": _leaving_out_where(lambda key, value: key),
    "All pairs equal to the own one are left out: where key and value repeat, the other pair stays "
    "in. Leave out by place in the list.": _leaving_out_where(lambda key, value: key & value),
    "Of pairs with the same key the first alone counts: all of them do.": (
        _distinct_keys_alone(leave_one_out_loss)
    ),
}

_LEAVE_ONE_OUT_SLIPS = {
    "The own value is left in: this is the training error. Each key's similarity to itself must "
    "become 0 before the rows are normalised (a score of 0 on the diagonal will not do: exp(0) "
    "is 1).": training_loss,
    "The diagonal is zeroed but the rows are not renormalised: without their own key the other "
    "weights must sum to one again.": _training(shares=lambda k: _without_diagonal(by_rows(k))),
    "The own key is left out of the denominator but not of the numerator: remove it from both.": (
        _own_key_in_the_sum_alone
    ),
    "Each key leaves out its neighbour in the list instead of itself.": _wrong_one_out,
    "This is generalised cross-validation, which divides by 1 minus the mean of the own weights: "
    "divide each error by 1 minus its own.": _generalised_cross_validation,
    "The shortcut divides the error by 1 − wᵢᵢ before it is squared, not after.": _stretched_once,
    **_common_slips(_leaving_out),
}


def _slope(loss, sigma, keys, values):
    """Return the exact derivative in sigma: a complex step has no difference to round off."""
    step = 1e-30
    return float(np.imag(loss(sigma + 1j * step, keys, values)) / step)


def _installed_torch():
    try:
        import torch
    except (ImportError, OSError):
        return None
    return torch


def _trial(keys, values, sigma, tried="", tolerance=1e-4):
    return Trial(
        {"sigma": float(sigma), "keys": keys, "values": values},
        f"{len(keys)} keys between {keys.min():.4g} and {keys.max():.4g}{tried}, width {sigma:.3g}",
        tolerance,
    )


def _ordinary(rng, tried="", n=13, unit=1.0, origin=0.0, level=0.0):
    keys = rng.uniform(0, 4, n)
    values = level + 2 * np.sin(2 * keys) + keys + 0.5 * rng.standard_normal(n)
    sigma = float(rng.choice([rng.uniform(0.35, 0.6), rng.uniform(1.4, 1.8)]))
    return _trial(unit * (keys + origin), unit * values, unit * sigma, tried)


def _repeated(rng):
    """Return a trial with keys that repeat, with the same value and with another."""
    places = 0.6 * np.arange(7) + rng.uniform(0, 0.1, 7)
    level = rng.choice([-1, 1]) * np.array([3, -3, 3, -3, 3, -3, 3]) + rng.uniform(-1, 1, 7)
    counts = [2, 3, 2, 1, 1, 2, 1]
    keys, values = np.repeat(places, counts), np.repeat(level, counts)
    # Two of the repeated places hold another value, too; others hold equal pairs alone.
    values[[3, 9]] += 2
    order = rng.permutation(len(keys))
    sigma = float(rng.uniform(0.35, 0.6))
    return _trial(keys[order], values[order], sigma, ", some of them the same")


def _isolated(rng, level):
    """Return a trial in which one key lies five widths from all others."""
    sigma = float(rng.uniform(0.3, 0.5))
    keys = np.append(rng.permutation(np.linspace(0, 2, 9)), 2 + 5 * sigma)
    # Left out, it is predicted from the others alone, where adding little to a sum tells on values
    # that lie far from 0.
    values = level + np.append(rng.uniform(0, 3, 9), 10.0)
    return _trial(keys, values, sigma, ", one of them five widths from the rest")


def _stages(rng, slips, repeated_slips, fewest, level):
    n = int(rng.integers(13, 19))

    def few(n):
        return _trial(rng.uniform(0, 2, n), rng.uniform(-3, 3, n), rng.uniform(0.8, 1.2))

    return [
        Stage([_ordinary(rng, n=n) for n in (n, n, 12)], slips),
        Stage([_repeated(rng)], repeated_slips, REPEATS),
        Stage(
            [_isolated(rng, level)],
            {},
            "With keys near each other your function is right; with one that is far from the rest "
            "it is not: similarities are small there, but only their ratios matter, so that "
            "nothing may be cut off or added.",
        ),
        Stage([_ordinary(rng, unit=1e-3), _ordinary(rng, unit=1e3)], {}, UNITS),
        Stage(
            [
                _ordinary(rng, ", of either sign", origin=-2),
                _ordinary(rng, ", values far from 0", level=-50),
                *map(few, range(fewest, fewest + 2)),
            ],
            {},
            SPECIAL,
        ),
    ]


def _judged(f, name, loss, stages_of):
    torch = _installed_torch()

    def examine(answer, rng):
        stages = stages_of(rng)
        if torch is None:
            Examination(loss, stages)(answer)
        else:
            _examine_tensors(torch, answer, loss, stages)

    if torch is None:
        found = (
            "its values agree with the formula.\nIts gradient in sigma was not compared: that "
            "takes PyTorch, which is not installed here; a browser cannot have it."
        )
    else:
        found = "its values and its gradient in sigma agree with the formula."
    return judged(f, examine, f"Your function gives the {name}; {found}")


def _examine_tensors(torch, answer, loss, stages):
    def present(arguments):
        tensors = {name: torch.tensor(a, dtype=torch.float64) for name, a in arguments.items()}
        tensors["sigma"].requires_grad_()
        return tensors

    try:
        Examination(loss, stages, present=present)(answer)
    except Raised as raised:
        # What NumPy makes of tensors hides other slips, so look for those with arrays first.
        try:
            Examination(loss, stages)(answer)
        except Raised:
            raise raised from None
        raise Wrong(
            "Given NumPy arrays the values are right, but the function cannot work on PyTorch "
            "tensors, so that there is no gradient in sigma: use torch.exp and its like in place "
            f"of NumPy.\nGiven tensors: {raised}"
        ) from None
    for stage in stages:
        for trial in stage.trials:
            _compare_gradient(torch, answer, loss, trial, present(trial.arguments))


def _compare_gradient(torch, answer, loss, trial, given):
    result = called(answer, given.values())
    sigma = given["sigma"]
    if not isinstance(result, torch.Tensor):
        what = "a plain number" if isinstance(result, float | np.number) else kind(result)
        raise Wrong(
            f"The values are right, but the result is {what}, which has no gradient: "
            ".item(), float(), math.exp and NumPy leave the graph. Return a tensor, computed "
            f"with the tensor sigma from beginning to end.\nTried: {trial.tried}."
        )
    if not result.requires_grad:
        raise Wrong(
            "The values are right, but the result is a tensor without gradient: .detach(), "
            ".data, torch.tensor(…), torch.no_grad() and numbers taken out with .item() cut the "
            f"graph. Compute with the tensor sigma itself.\nTried: {trial.tried}."
        )
    try:
        (slope,) = torch.autograd.grad(result.sum(), sigma, allow_unused=True)
    except RuntimeError as error:
        cause = "."
        if "inplace" in str(error):
            cause = (
                ": a tensor that it needs has been changed in place (K[i, i] = 0, fill_diagonal_, "
                "-=). Make a new tensor, with torch.where or a product with 0 and 1."
            )
        raise Wrong(
            f"The values are right, but PyTorch cannot compute the gradient{cause}\n"
            f"{last_line(error)}\nTried: {trial.tried}."
        ) from None
    if slope is None:
        raise Wrong(
            "The values are right, but the gradient of the result does not lead back to sigma: "
            "a new tensor with requires_grad=True is no part of sigma's graph.\n"
            f"Tried: {trial.tried}."
        )
    got = float(numbers(slope))
    expected = _slope(loss, **trial.arguments)
    came = f"Tried: {trial.tried}. Came out: gradient {got:.4g}; expected: {expected:.4g}."
    if not np.isfinite(got):
        raise Wrong(
            "The values are right, but the gradient in sigma is NaN or infinite. The usual causes "
            "are √0 where key meets itself, or an infinity that is multiplied, which have no "
            "finite derivative: square the distances without a root, and mask after dividing by "
            f"sigma.\n{came}"
        )
    # A loss of 0, as of a single key, leaves a trifle of rounding.
    rounding = 1e-9 * np.mean(trial.arguments["values"] ** 2)
    scale = abs(expected) + (loss(**trial.arguments) + rounding) / trial.arguments["sigma"]
    if abs(got - expected) > 1e-3 * scale:
        raise Wrong(
            "The values are right, but the gradient in sigma is not. The usual cause: a part of "
            "the graph is cut, for instance by .detach() or .item() in the numerator or the "
            f"denominator alone.\n{came}"
        )
