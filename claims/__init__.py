"""The sentences of the book that rest on random numbers or on stored measurements.

A module of this room bears the name of a chapter and lists what the chapter says. Each sentence
stands there as it stands on the page, above a function that tells whether it holds::

    @says("The middle is right, and the spread is large.")
    def median_is_that_of_the_oracle(choices, typical): ...

The function's parameters are names of the page, with the values that they have where the sentence
stands. `python -m claims` runs each page again and again, every time with other draws, and counts.
The page's own code draws, so that nothing is varied but what is random in the book, and nothing
can drift apart.

A sentence that says "in this draw" need only hold in the book's own; so need an alt text, which
describes one picture. Any other has to hold in 19 of 20.
"""

import importlib
import inspect
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

CHAPTERS = Path(__file__).parents[1] / "chapters"
SHARE = 0.95
REGISTER = defaultdict(list)


class Claim(NamedTuple):
    """A sentence of a chapter, and how to see whether it holds."""

    sentence: str
    holds: Callable

    @property
    def names(self):
        """Names of the page that the function looks at."""
        return list(inspect.signature(self.holds).parameters)

    def is_about_one_draw(self, page):
        """Tell whether the sentence speaks of the book's own draw alone."""
        marked = re.search(r"\bin (this draw|these draws)\b", self.sentence, re.IGNORECASE)
        return bool(marked) or page[: page.index(self.sentence)].endswith(" alt: ")

    def stands(self, page, own, share):
        """Tell whether the sentence may stay: it holds in the book's draw, and in enough others."""
        return own and (share >= SHARE or self.is_about_one_draw(page))


def says(*sentences):
    """Let a function judge sentences of the chapter that its module is named after."""

    def judge(holds):
        REGISTER[holds.__module__].extend(Claim(sentence, holds) for sentence in sentences)
        return holds

    return judge


def chapters():
    """Return the names of the chapters that make claims."""
    rooms = Path(__file__).parent.glob("*.py")
    return sorted(room.stem for room in rooms if (CHAPTERS / f"{room.stem}.md").is_file())


def claims_of(chapter):
    """Return a chapter's claims, in the order of its module."""
    return REGISTER[importlib.import_module(f"{__name__}.{chapter}").__name__]


def text_of(chapter):
    """Return the source of a chapter, without the marks of sentences for its slides."""
    source = (CHAPTERS / f"{chapter}.md").read_text(encoding="utf-8")
    return re.sub(r"^\[(.*)\]\{\.slide\}$", r"\1", source, flags=re.MULTILINE)
