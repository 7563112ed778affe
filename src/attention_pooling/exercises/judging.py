"""Compare an answer with the right formula, and with the wrong ones that readers write."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..limits import OutOfMemory, Overtime, Stopped, within_limits
from .answers import Raised, Unattempted, Wrong, called, numbers
from .result import Answer, Outcome, Verdict, not_attempted


def fresh_seed():
    """Return a seed that no answer can know."""
    return np.random.SeedSequence().entropy


def judged(answer: Answer, examine: Callable[..., None], praise: str) -> Verdict:
    """Return what ``examine(answer, rng)`` finds; it raises `Wrong` about a wrong answer.

    Parameters
    ----------
    answer : callable
        The reader's function.
    examine : callable
        Takes the answer and a `numpy.random.Generator` that is fresh on each call.
    praise : str
        What to say about a right answer.

    Returns
    -------
    Verdict
    """
    seed = fresh_seed()

    def task():
        try:
            examine(answer, np.random.default_rng(seed))
        except Wrong as wrong:
            return Verdict(Outcome.FAILED, str(wrong))
        except Unattempted:
            return not_attempted(
                "Replace the `...` by your own code; a function that prints its result must "
                "return it too."
            )
        except (Overtime, OutOfMemory):
            raise
        except MemoryError:
            raise OutOfMemory from None
        except BaseException as error:
            # Whatever an answer's result does while it is read is no reason to raise.
            return Verdict(
                Outcome.FAILED,
                f"The result of your function could not be judged ({type(error).__name__}).",
            )
        return Verdict(Outcome.PASSED, praise)

    try:
        return within_limits(task)
    except Stopped as stopped:
        return Verdict(Outcome.FAILED, str(stopped))


CONSTANT = "Your function returns the same constant whatever it is given."
SPECIAL = "On ordinary inputs your function is right, in a special case of them it is not."
UNITS = (
    "In the units tried first your function is right; with everything measured in others it is "
    "not. Nothing in it may depend on the unit, as a floor, a cap or a fixed limit would."
)
REPEATS = (
    "Where all keys are different your function is right; where keys repeat it is not: each pair "
    "counts, also beside others with the same key."
)


@dataclass(frozen=True)
class Trial:
    """One call of the answer."""

    arguments: dict
    """Name → argument, in the order of the reader's signature."""
    tried: str
    """What the message says about them."""
    tolerance: float = 1e-4
    """Largest misfit that passes."""


@dataclass(frozen=True)
class Stage:
    """Trials that are judged together; ordinary inputs come before special ones."""

    trials: list
    slips: dict = field(default_factory=dict)
    """Hint → the wrong formula that it describes, called like the reference."""
    otherwise: str = "The result is not right, and it is none of the slips known to this check."
    """What to say when no slip fits; it may rely on the stages before."""


def misfits_to_largest(results, expected):
    """Return the differences in each trial, as shares of the largest number expected there."""
    return [shares(got, right, _largest(right)) for got, right in _pairs(results, expected)]


def misfits_to_each(results, expected):
    """Return the differences in each trial, as shares of each number that is expected.

    For numbers such as weights, of which the smallest must be right, too. Those far below 1e-30
    may be anything as small.
    """
    return [shares(got, right, np.abs(right) + 1e-30) for got, right in _pairs(results, expected)]


def shares(got, expected, scale):
    """Return |got − expected| / scale; NaN and infinities agree with their like alone."""
    alike = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(all="ignore"):
        shares = np.abs(got - expected) / scale
    return np.where(alike, 0.0, np.where(np.isnan(shares), np.inf, shares))


def _largest(numbers):
    return np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0) or 1.0


@dataclass(frozen=True)
class Examination:
    """How to judge an answer that should equal a formula."""

    reference: Callable
    """The right formula; takes the arguments of a trial."""
    stages: list
    misfits: Callable = misfits_to_largest
    """``misfits(results, expected)`` of the trials of a stage, an array for each."""
    present: Callable = dict
    """Turns the arguments of a trial into what the answer is given."""
    diagnose: Callable = lambda results, expected: None
    """``diagnose(results, expected)`` names a fault that is no formula, or returns None."""
    leeway: str = ""
    """What may separate a right result from the number expected, for messages."""

    def __call__(self, answer):
        """Raise `Wrong` unless the answer agrees with the reference in every stage."""
        first = self.stages[0].trials[0]
        before = self.outcome(answer, first)
        _refuse_another_result(before, self.outcome(answer, first))
        for stage in self.stages:
            self._judge(answer, stage, [before] if stage is self.stages[0] else [])
        _refuse_another_result(before, self.outcome(answer, first))

    def outcome(self, answer, trial):
        """Return what the answer makes of fresh copies of the trial's arguments."""
        given = self.present(
            {name: np.copy(a) if _is_array(a) else a for name, a in trial.arguments.items()}
        )
        got = numbers(called(answer, given.values()))
        for name, argument in trial.arguments.items():
            if _is_array(argument) and not _same(numbers(given[name]), argument):
                raise Wrong(
                    f"Your function changes its argument `{name}`, which belongs to the caller: "
                    "make a new array instead of assigning into it or using +=, -= or sort()."
                )
        return got

    def _judge(self, answer, stage, known):
        """Judge the results for the trials of a stage, of which the first ones may be known."""
        rest = stage.trials[len(known) :]
        results = [*known, *(self._outcome_in(answer, stage, trial) for trial in rest)]
        expected = [
            np.asarray(self.reference(**trial.arguments), dtype=float) for trial in stage.trials
        ]
        if self._agree(stage, results, expected):
            return
        details = self._details(stage, results, expected)
        if not any(result.any() for result in results) and stage is self.stages[0]:
            # Slips may return 0 everywhere, too, but not every 0 is their doing.
            raise Wrong(f"{CONSTANT}\n{details}")
        for hint, formula in stage.slips.items():
            with np.errstate(all="ignore"):
                slipped = [
                    np.asarray(formula(**trial.arguments), dtype=float) for trial in stage.trials
                ]
            if self._agree(stage, results, slipped):
                raise Wrong(f"{hint}\n{details}")
        raise Wrong(f"{self._general_fault(stage, results, expected)}\n{details}")

    def _outcome_in(self, answer, stage, trial):
        try:
            return self.outcome(answer, trial)
        except Raised as raised:
            if stage is self.stages[0]:
                raise
            raise Raised(f"{stage.otherwise}\nTried: {trial.tried}. {raised}") from None
        except Unattempted:
            raise Wrong(
                "Your function returns a result for some arguments and None for others: "
                f"every path through it needs a `return`.\nTried: {trial.tried}."
            ) from None

    def _agree(self, stage, results, others):
        worst = self._worst(results, others)
        return worst is not None and all(
            misfit.max(initial=0) <= trial.tolerance
            for misfit, trial in zip(worst, stage.trials, strict=True)
        )

    def _worst(self, results, others):
        """Return the misfits, or None where a shape differs."""
        got = [fitted(*pair) for pair in _pairs(results, others)]
        return None if any(one is None for one in got) else self.misfits(got, others)

    def _general_fault(self, stage, results, expected):
        for result, right in _pairs(results, expected):
            got = fitted(result, right)
            if got is None and right.ndim == 2 and result.shape == right.shape[::-1]:
                return (
                    "The result is transposed: one row for each query and one column for each key."
                )
            if got is None:
                return (
                    f"The result has shape {result.shape}, where {right.shape} is expected: "
                    "go through the shapes of your intermediate results."
                )
        if fault := self.diagnose(results, expected):
            return fault
        if stage is not self.stages[0]:
            return stage.otherwise
        if any(
            not np.isfinite(fitted(result, right)[np.isfinite(right)]).all()
            for result, right in _pairs(results, expected)
        ):
            return "The result holds NaN or infinity where a number is expected."
        if all(np.array_equal(result, results[0]) for result in results) or (
            len({x for result in results for x in result.flat}) == 1
        ):
            return CONSTANT
        return stage.otherwise

    def _details(self, stage, results, expected):
        """Say what was tried, what came out, and what was expected there."""
        for trial, result, right in zip(stage.trials, results, expected, strict=True):
            if (got := fitted(result, right)) is None:
                return (
                    f"Tried: {trial.tried}. Came out: an array of shape {result.shape}; expected: "
                    f"shape {right.shape}."
                )
        misfits = self._worst(results, expected)
        excess = [
            misfit.max(initial=0) / trial.tolerance
            for misfit, trial in zip(misfits, stage.trials, strict=True)
        ]
        i = int(np.argmax(np.array(excess) > 1))
        got, right = fitted(results[i], expected[i]), expected[i]
        if right.ndim == 0:
            came = f"{got:.6g}; expected{self.leeway}: {right:.6g}"
        else:
            worst = np.unravel_index(np.argmax(misfits[i]), right.shape)
            where = ", ".join(str(index) for index in worst)
            came = (
                f"{got[worst]:.6g} at index [{where}]; expected there{self.leeway}: "
                f"{right[worst]:.6g}"
            )
        return f"Tried: {stage.trials[i].tried}. Came out: {came}."


def _refuse_another_result(first, second):
    if first.shape != second.shape or not np.allclose(
        first, second, rtol=1e-4, atol=1e-9 * _largest(first), equal_nan=True
    ):
        raise Wrong(
            "Called twice with the same arguments, your function gives two different results: "
            "nothing in it may be random or remembered from an earlier call."
        )


def _pairs(results, expected):
    return zip(results, expected, strict=True)


def fitted(result, right):
    """Return the result in the shape of the right one, or None; axes of length 1 do not matter."""
    if [n for n in result.shape if n != 1] == [n for n in right.shape if n != 1]:
        return result.reshape(right.shape)
    return None


def _same(one, other):
    return np.array_equal(one, other, equal_nan=True)


def _is_array(argument):
    return isinstance(argument, np.ndarray)
