"""Compare an answer with the right formula, and with the wrong ones that readers write."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .answers import Raised, Unattempted, Wrong, called, numbers
from .limits import OutOfMemory, Overtime, Stopped, within_limits
from .result import NOT_ATTEMPTED, CheckResult, recorded


def check(part, answer, examine, praise):
    """Return the result of ``examine(answer, rng)``, which raises `Wrong` about a wrong answer.

    Parameters
    ----------
    part : str
        A key of `PARTS`.
    answer : object
        What the reader handed in, hopefully a function.
    examine : callable
        Takes the answer and a `numpy.random.Generator` that is fresh on each call.
    praise : str
        Message of a result that passed.

    Returns
    -------
    CheckResult
    """
    seed = np.random.SeedSequence().entropy

    def task():
        try:
            examine(answer, np.random.default_rng(seed))
        except Wrong as wrong:
            return str(wrong)
        except Unattempted:
            return (
                f"{NOT_ATTEMPTED}. Replace the `...` by your own code; "
                "a function that prints its result must return it too."
            )
        except (Overtime, OutOfMemory):
            raise
        except MemoryError:
            raise OutOfMemory from None
        except BaseException as error:
            # Whatever an answer's result does while it is read is no reason to raise.
            return f"The result of your function could not be judged ({type(error).__name__})."
        return None

    if answer is None or answer is ...:
        fault = f"{NOT_ATTEMPTED}. Write the function and hand it to the check."
    elif not callable(answer):
        fault = (
            f"Hand over the function itself, not what it returns: check_{part}(your_function), "
            f"without brackets after its name. It was given an object of type "
            f"{type(answer).__name__}."
        )
    else:
        try:
            fault = within_limits(task)
        except Stopped as stopped:
            fault = str(stopped)
    return recorded(CheckResult(part, fault is None, fault or praise), answer)


@dataclass(frozen=True)
class Trial:
    """One call of the answer."""

    arguments: dict
    """Name → argument, in the order of the reader's signature."""
    tried: str
    """What the message says about them."""
    tolerance: float = 1e-4
    """Largest difference that passes, as a share of the largest number expected."""


@dataclass(frozen=True)
class Stage:
    """Trials that are judged together, simple ones before special ones."""

    trials: list
    slips: dict
    """Hint → the wrong formula that it describes, called like the reference."""
    otherwise: str = "The result is not right, and it is none of the slips known to this check."
    """Hint when no slip fits."""
    hints: dict = field(default_factory=dict)
    """Name of a general fault ("not finite", "raised") → a hint that suits this stage."""


def close(got, expected, tolerance):
    """Tell whether all numbers agree up to a share of the largest one; NaN agrees with NaN."""
    largest = np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    return np.allclose(got, expected, rtol=0, atol=tolerance * (largest or 1.0), equal_nan=True)


def close_up_to_a_factor(got, expected, tolerance):
    """Tell whether all numbers agree after division by one positive constant."""
    if not np.isfinite(got).all() or not np.isfinite(expected).all():
        return False
    factor = positive_factor(got, expected)
    return factor > 0 and close(got / factor, expected, tolerance)


def positive_factor(got, expected):
    """Return the factor that brings `expected` closest to `got`."""
    return float(np.vdot(expected, got) / np.vdot(expected, expected))


@dataclass(frozen=True)
class Examination:
    """How to judge an answer that should equal a formula."""

    reference: Callable
    """The right formula; takes the arguments of a trial."""
    stages: list
    agree: Callable = close
    """``agree(got, expected, tolerance)``."""
    present: Callable = dict
    """Turns the arguments of a trial into what the answer is given."""

    def __call__(self, answer):
        """Raise `Wrong` unless the answer agrees with the reference in every stage."""
        self._refuse_chance(answer, self.stages[0].trials[0])
        for stage in self.stages:
            self._judge(answer, stage)

    def outcome(self, answer, trial):
        """Return what the answer makes of fresh copies of the trial's arguments."""
        given = self.present(
            {name: np.copy(a) if _is_array(a) else a for name, a in trial.arguments.items()}
        )
        got = numbers(called(answer, given.values()))
        for name, argument in trial.arguments.items():
            if _is_array(argument) and not np.array_equal(numbers(given[name]), argument):
                raise Wrong(
                    f"Your function changes its argument `{name}`, which belongs to the caller: "
                    "make a new array instead of assigning into it or using +=, -= or sort()."
                )
        return got

    def _refuse_chance(self, answer, trial):
        first, second = (self.outcome(answer, trial) for _ in range(2))
        if first.shape != second.shape or not np.allclose(
            first, second, rtol=1e-4, atol=1e-10, equal_nan=True
        ):
            raise Wrong(
                "Called twice with the same arguments, your function gives two different results: "
                "nothing in it may be random or remembered from an earlier call."
            )

    def _judge(self, answer, stage):
        try:
            results = [self.outcome(answer, trial) for trial in stage.trials]
        except Raised as raised:
            hint = stage.hints.get("raised")
            raise Wrong(f"{hint}\n{raised}" if hint else str(raised)) from None
        except Unattempted:
            raise Wrong(
                "Your function returns a result for some arguments and None for others: "
                "every path through it needs a `return`."
            ) from None
        expected = [self.reference(**trial.arguments) for trial in stage.trials]
        if self._matches(stage, results, expected):
            return
        details = self._details(stage, results, expected)
        for hint, formula in stage.slips.items():
            with np.errstate(all="ignore"):
                slipped = [np.asarray(formula(**trial.arguments)) for trial in stage.trials]
            if self._matches(stage, results, slipped):
                raise Wrong(f"{hint}\n{details}")
        raise Wrong(f"{self._general_fault(stage, results, expected)}\n{details}")

    def _matches(self, stage, results, others):
        return all(
            (got := fitted(result, np.shape(other))) is not None
            and self.agree(got, np.asarray(other, dtype=float), trial.tolerance)
            for result, other, trial in zip(results, others, stage.trials, strict=True)
        )

    def _general_fault(self, stage, results, expected):
        for result, right in zip(results, map(np.asarray, expected), strict=True):
            got = fitted(result, right.shape)
            if got is None and right.ndim == 2 and result.shape == right.shape[::-1]:
                return (
                    "The result is transposed: one row for each query and one column for each key."
                )
            if got is None:
                return (
                    f"The result has shape {result.shape}, where {right.shape} is expected: "
                    "go through the shapes of your intermediate results."
                )
            if not np.isfinite(got[np.isfinite(right)]).all():
                return stage.hints.get(
                    "not finite", "The result holds NaN or infinity where a number is expected."
                )
        if self._constant(results):
            return "Your function returns the same constant whatever it is given."
        return stage.otherwise

    @staticmethod
    def _constant(results):
        first = results[0]
        return all(np.allclose(result, first.flat[0], rtol=1e-9) for result in results) or (
            len(results) > 1
            and all(result.shape == first.shape for result in results)
            and all(np.allclose(result, first, rtol=1e-9) for result in results)
        )

    def _details(self, stage, results, expected):
        """Say what was tried, what came out, and what was expected there."""
        pairs = zip(stage.trials, results, expected, strict=True)
        trial, result, right = next(
            (one for one in pairs if not self._matches(Stage([one[0]], {}), [one[1]], [one[2]])),
            (stage.trials[0], results[0], expected[0]),
        )
        right = np.asarray(right, dtype=float)
        got = fitted(result, right.shape)
        if got is None:
            came = f"an array of shape {result.shape}; expected: shape {right.shape}"
        elif right.ndim == 0:
            came = f"{got:.4g}; expected: {right:.4g}"
        else:
            with np.errstate(invalid="ignore"):
                gap = np.nan_to_num(np.abs(got - right), nan=np.inf)
            gap[np.isnan(got) & np.isnan(right)] = 0
            worst = np.unravel_index(np.argmax(gap), right.shape)
            where = ", ".join(str(i) for i in worst)
            came = f"{got[worst]:.4g} at index [{where}]; expected there: {right[worst]:.4g}"
        return f"Tried: {trial.tried}. Came out: {came}."


def fitted(result, shape):
    """Return the result in the shape expected, or None; a column and extra axes of 1 are fine."""
    if result.shape == shape:
        return result
    if shape == () and result.size == 1 or len(shape) == 1 and result.shape == (*shape, 1):
        return result.reshape(shape)
    return None


def _is_array(argument):
    return isinstance(argument, np.ndarray)
