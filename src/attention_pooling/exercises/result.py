"""What a check returns, and the list of parts that the reader has solved."""

import re
import types
from dataclasses import dataclass
from html import escape

NOT_ATTEMPTED = "Not attempted yet"

PARTS = {
    "own_kernel": "A kernel of your own",
    "parzen": "Parzen windows",
    "gaps": "Say that you do not know",
    "causal_mask": "No look ahead",
    "training_loss": "Training error",
    "sgd": "Descend",
    "leave_one_out": "Leave one out",
    "coordinate_widths": "A width for each coordinate",
    "adaptive_widths": "A width for each key",
    "local_linear": "Local lines",
    "rates": "Rates",
    "standard_error": "Plus or minus",
    "slope": "If the question is off",
    "unit_sphere": "Unit sphere",
    "off_sphere": "Off the sphere",
    "temperature": "Temperature",
    "match_length": "How far two places match",
    "induction": "An induction head by hand",
}
"""Title of each exercise by the name of its check, in the order of the chapter."""

_COLORS = {"passed": "#009E73", "failed": "#D55E00", "open": "#7F7F7F"}
_states: dict[str, str] = {}


def _box(kind, heading, lines):
    # The page's own text colour and a tint that is mostly transparent read in light and dark.
    color = _COLORS[kind]
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
    """Name of the part, a key of `PARTS`."""
    passed: bool
    """Whether the answer is right."""
    message: str
    """What is right, or what went wrong, what was tried and what came out."""

    @property
    def heading(self):
        """The outcome in two words, after the part's title."""
        if self.passed:
            return f"{PARTS[self.part]}: passed"
        if self.message.startswith(NOT_ATTEMPTED):
            return f"{PARTS[self.part]}: open"
        return f"{PARTS[self.part]}: not yet"

    def __repr__(self):
        return f"{self.heading}\n{self.message}"

    def _repr_html_(self):
        kind = self.heading.rpartition(": ")[2]
        kind = {"passed": "passed", "open": "open", "not yet": "failed"}[kind]
        return _box(kind, self.heading, self.message.split("\n"))


def recorded(result, answer):
    """Remember the result for `progress` unless the answer is one of the book's own solutions."""
    # type() instead of isinstance(), which asks the answer about itself.
    if type(answer) is types.FunctionType and answer.__name__.endswith("_solution"):
        return result
    if result.passed:
        _states[result.part] = "solved"
    elif not result.message.startswith(NOT_ATTEMPTED):
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
        kind = "passed" if self.solved == len(self.states) else "open"
        lines = [f"{title}: {marks[state]}" for title, state in self.states.items()]
        return _box(kind, self.heading, lines)


def progress() -> Progress:
    """List the parts of the chapter with what the reader has solved since the kernel started.

    Functions whose name ends in ``_solution`` are the book's own and do not count.

    Returns
    -------
    Progress

    Examples
    --------
    >>> len(progress().states) == len(PARTS)
    True
    """
    return Progress({title: _states.get(part, "open") for part, title in PARTS.items()})
