"""The training error and the leave-one-out error of a width, with their gradients."""

import numpy as np

from .answers import Raised, Wrong, called, last_line, numbers
from .judging import Examination, Stage, Trial, check
from .similarities import SLIPPED_GAUSSIANS, SLIPPED_SHARES, by_rows, gaussian


def check_training_loss(f):
    """Check the mean squared training error of Gaussian Nadaraya–Watson.

    Parameters
    ----------
    f : callable
        ``f(sigma, keys, values)`` with a positive width, keys (n,) and values (n,). Returns one
        number. Where PyTorch is installed, the three are float64 tensors, sigma requires a
        gradient, and the gradient of the result is compared too; elsewhere they are a float and
        two arrays.

    Returns
    -------
    CheckResult
    """
    return _check("training_loss", f, training_loss, _TRAINING_SLIPS)


def check_leave_one_out(f):
    """Check the mean squared leave-one-out error of Gaussian Nadaraya–Watson.

    Parameters
    ----------
    f : callable
        ``f(sigma, keys, values)`` as for `check_training_loss`.

    Returns
    -------
    CheckResult
    """
    return _check("leave_one_out", f, leave_one_out_loss, _LEAVE_ONE_OUT_SLIPS)


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


def _trial(rng):
    n = int(rng.integers(13, 19))
    keys = rng.uniform(0, 4, n)
    values = 2 * np.sin(2 * keys) + keys + 0.5 * rng.standard_normal(n)
    sigma = float(rng.choice([rng.uniform(0.35, 0.6), rng.uniform(1.4, 1.8)]))
    return Trial(
        {"sigma": sigma, "keys": keys, "values": values},
        f"{n} keys between 0 and 4, width {sigma:.3f}",
    )


def _check(part, f, loss, slips):
    torch = _installed_torch()

    def examine(answer, rng):
        stages = [Stage([_trial(rng) for _ in range(3)], slips)]
        if torch is None:
            Examination(loss, stages)(answer)
        else:
            _examine_tensors(torch, answer, loss, stages)

    compared = "its values" if torch is None else "its values and its gradient in sigma"
    name = "training error" if part == "training_loss" else "leave-one-out error"
    return check(
        part, f, examine, f"Your function gives the {name}; {compared} agree with the formula."
    )


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
    for trial in stages[0].trials:
        _compare_gradient(torch, answer, loss, trial, present(trial.arguments))


def _compare_gradient(torch, answer, loss, trial, given):
    result = called(answer, given.values())
    sigma = given["sigma"]
    if not isinstance(result, torch.Tensor):
        raise Wrong(
            "The values are right, but the result is a plain number, which has no gradient: "
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
        raise Wrong(
            "The values are right, but PyTorch cannot compute the gradient: a tensor that it needs "
            "has been changed in place (K[i, i] = 0, fill_diagonal_, -=). Make a new tensor, with "
            f"torch.where or a product with 0 and 1.\n{last_line(error)}\nTried: {trial.tried}."
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
            "The values are right, but the gradient in sigma is NaN or infinite: √0 where key "
            "meets itself, or an infinity that is multiplied, has no finite derivative. Square "
            f"the distances without a root, and mask after dividing by sigma.\n{came}"
        )
    scale = abs(expected) + loss(**trial.arguments) / trial.arguments["sigma"]
    if abs(got - expected) > 1e-3 * scale:
        raise Wrong(
            "The values are right, but the gradient in sigma is not: a part of the graph is cut, "
            "for instance by .detach() or .item() in the numerator or the denominator alone.\n"
            f"{came}"
        )
