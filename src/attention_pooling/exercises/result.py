"""Register checks, and remember what the reader has solved."""

import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from html import escape
from typing import Any, NamedTuple

Answer = Callable[..., Any]
"""What a check is given: the reader's function, of which it knows nothing."""

_states: dict[str, str] = {}


class Exercise(NamedTuple):
    """What the book knows of an exercise."""

    title: str
    check: Callable[[Answer], "CheckResult"]
    after: str | None
    """Name of the exercise before it."""


EXERCISES: dict[str, Exercise] = {}
"""Each registered exercise by the name of its check."""


class Outcome(Enum):
    """How far an answer is, in words."""

    PASSED = "passed"
    FAILED = "not yet"
    OPEN = "open"


class Verdict(NamedTuple):
    """What a check has to say about an answer."""

    outcome: Outcome
    message: str


def not_attempted(advice: str) -> Verdict:
    """Return the verdict on an answer that is still the stub."""
    return Verdict(Outcome.OPEN, f"Not attempted yet. {advice}")


def check_for(
    part: str, title: str, after: str | None = None
) -> Callable[[Callable[[Answer], Verdict]], Callable[[Answer], "CheckResult"]]:
    """Register an exercise with the function below, which judges an answer to it.

    Parameters
    ----------
    part : str
        Name of the exercise: its check is called ``check_PART``.
    title : str
        Its title in the chapter.
    after : str, optional
        Name of the exercise before it in the chapter. Of two that name the same one, the first
        registered comes first.

    Returns
    -------
    callable
        Decorator of a function of an answer that returns a `Verdict`, and that is called with
        functions alone. The check that it makes of it takes whatever the reader hands over, returns
        a `CheckResult`, and remembers it for `progress`.
    """

    def registered(judge):
        @wraps(judge, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def check(f: Answer) -> CheckResult:
            if f is None or f is ...:
                verdict = not_attempted("Write the function and hand it to the check.")
            elif not callable(f):
                verdict = Verdict(
                    Outcome.FAILED,
                    f"Hand over the function itself, not what it returns: "
                    f"check_{part}(your_function), without brackets after its name. It was given "
                    f"an object of type {type(f).__name__}.",
                )
            else:
                verdict = judge(f)
            return _recorded(CheckResult(part, *verdict), f)

        # The signature shown is the check's own.
        del check.__wrapped__
        EXERCISES[part] = Exercise(title, check, after)
        return check

    return registered


def in_order(after: str | None = None) -> Iterator[str]:
    """Yield the names of the exercises that come after one, by default of all."""
    for part, exercise in EXERCISES.items():
        if exercise.after == after:
            yield part
            yield from in_order(part)


_COLORS = {Outcome.PASSED: "#009E73", Outcome.FAILED: "#D55E00", Outcome.OPEN: "#7F7F7F"}


def _box(outcome, heading, lines):
    # The page's own text colour and a tint that is mostly transparent read in light and dark.
    color = _COLORS[outcome]
    paragraphs = (re.sub("`([^`]+)`", r"<code>\1</code>", escape(line)) for line in lines)
    body = "".join(f'<div style="margin-top:.3em">{line}</div>' for line in paragraphs)
    return (
        f'<div class="exercise-check" role="status" style="border-left:.35em solid {color};'
        f'background:{color}22;color:inherit;padding:.6em 1em;overflow-wrap:anywhere">'
        f"<strong>{escape(heading)}</strong>{body}</div>"
    )


@dataclass(frozen=True, repr=False)
class CheckResult:
    """What a check found: shown as a box in notebooks, as text elsewhere."""

    part: str
    """Name of the exercise, as in the name of its check."""
    outcome: Outcome
    message: str
    """What is right, or what went wrong, what was tried and what came out."""

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.outcome is Outcome.PASSED

    @property
    def heading(self):
        """The outcome in words, after the exercise's title."""
        return f"{EXERCISES[self.part].title}: {self.outcome.value}"

    def __repr__(self):
        return f"{self.heading}\n{self.message}"

    def _repr_html_(self):
        return _box(self.outcome, self.heading, self.message.split("\n"))


def _recorded(result, answer):
    """Remember the result for `progress` unless the answer is one of the book's own solutions."""
    # type() instead of isinstance(), which asks the answer about itself.
    if type(answer) is types.FunctionType and answer.__name__.endswith("_solution"):
        return result
    if result.passed:
        _states[result.part] = "solved"
    elif result.outcome is Outcome.FAILED:
        _states.setdefault(result.part, "tried")
    return result


@dataclass(frozen=True, repr=False)
class Progress:
    """Which parts have been solved: a list in notebooks, text elsewhere."""

    states: dict
    """Title of each part → "solved", "tried" or "open"."""

    @property
    def solved(self):
        """How many parts have been solved."""
        return sum(state == "solved" for state in self.states.values())

    @property
    def heading(self):
        """How many parts have been solved, in words."""
        return f"{self.solved} of {len(self.states)} parts solved"

    def __repr__(self):
        marks = {"solved": "[x]", "tried": "[~]", "open": "[ ]"}
        lines = [f"{marks[state]} {title}" for title, state in self.states.items()]
        return "\n".join([self.heading, *lines])

    def _repr_html_(self):
        marks = {"solved": "✓ solved", "tried": "… tried", "open": "open"}
        outcome = Outcome.PASSED if self.solved == len(self.states) else Outcome.OPEN
        lines = [f"{title}: {marks[state]}" for title, state in self.states.items()]
        return _box(outcome, self.heading, lines)


def progress() -> Progress:
    """List the parts of the chapter with what the reader has solved since the kernel started.

    Functions whose name ends in ``_solution`` are the book's own and do not count.

    Returns
    -------
    Progress

    Examples
    --------
    >>> progress().states["Rates"] in ("open", "tried", "solved")
    True
    """
    return Progress({EXERCISES[part].title: _states.get(part, "open") for part in in_order()})
