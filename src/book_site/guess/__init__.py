"""The directives ``{guess}`` and ``{answer}``: what a reader decides before the page tells.

They become a question, a list of answers and a folded list of replies, which read well without a
script, on paper and in a notebook; `guess.mjs` makes buttons of them, or a pad to draw on. A page
asks for that module only if it has a guess. Sphinx's own quiz extensions were not taken: none sets
a figure, and none lets a reader draw.
"""

import json
import re
import shlex
import zlib
from html import escape, unescape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from attention_pooling import KERNELS
from attention_pooling.explorer.scores import SCORES
from attention_pooling.explorer.words import HEADS

from .. import assets, explorer

HERE = Path(__file__).parent
STYLE = explorer.STYLE.format(name="guess")
logger = logging.getLogger(__name__)
DRAWN = ("estimate", "leave-one-out")


def setup(app):
    app.add_node(guess, html=(visit_guess, depart_guess))
    app.add_node(replies, html=(visit_replies, depart_replies))
    app.add_directive("guess", Guess)
    app.add_directive("answer", Answer)
    app.connect("builder-inited", copy_files)
    app.connect("html-page-context", load)


class guess(nodes.General, nodes.Element):  # noqa: N801 (docutils names its nodes like tags)
    """A question, its answers if there are any, and what is said to them."""


class replies(nodes.General, nodes.Element):  # noqa: N801
    """What is said to the answers, folded until a reader has decided."""


class answer(nodes.Part, nodes.Element):  # noqa: N801
    """An answer and the reply to it, until the guess around it takes both."""


def number(name, text):
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, got {text}") from None


def positive(name, text):
    if not 0 < number(name, text) < float("inf"):
        raise ValueError(f"{name} must be positive and finite, got {text}")
    return number(name, text)


def whole(name, text):
    if not text.isdigit():
        raise ValueError(f"{name} must be a whole number, got {text}")
    return int(text)


def pair(name, text):
    numbers = [number(name, part) for part in text.split(",")]
    if len(numbers) != 2:
        raise ValueError(f"{name} must be two numbers with a comma between them, got {text}")
    return numbers


def one_of(choices):
    def chosen(name, text):
        if text not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}, got {text}")
        return text

    return chosen


# What each figure's `explorer.set` takes, by functions of a name and of the text behind it.
FIGURES = {
    "explorer": {"sigma": positive, "kernel": one_of(list(KERNELS)), "query": number},
    "scores": {"sigma": positive, "score": one_of(list(SCORES)), "query": pair},
    "words": {
        "head": one_of(list(HEADS)),
        "width": positive,
        "at": whole,
        "text": lambda name, text: text,
    },
    "digits": {"sigma": positive},
    "balance": {"sigma": positive, "query": number},
    "direction": {"angle": number, "sigma": positive},
}


def settings(text, figure="explorer"):
    """Return how a figure is to be set.

    Parameters
    ----------
    text : str
        Such as ``sigma=0.3 kernel=boxcar query=20``.
    figure : str, optional
        One of `FIGURES`.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a name or a value cannot be used.
    """
    found, known = {}, FIGURES[figure]
    for part in shlex.split(text or ""):
        name, equals, value = part.partition("=")
        if not equals or name not in known:
            raise ValueError(f"a setting must be {'=…, '.join(known)}=…, got {part}")
        found[name] = known[name](name, value)
    if not found:
        raise ValueError(f"a setting must be {'=…, '.join(known)}=…, got nothing")
    return found


class Answer(SphinxDirective):
    """An answer of a guess, and below it the sentence that meets it."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"right": directives.flag, "show": directives.unchanged}

    def run(self):
        """Keep both until the guess around them takes them."""
        if not self.content:
            raise self.error(f"answer must have a reply below it, got none to {self.arguments[0]}")
        words = nodes.paragraph("", "", *self.parse_inline(self.arguments[0])[0])
        return [
            answer(
                self.arguments[0],
                words,
                *self.parse_content_to_nodes(),
                right="right" in self.options,
                show=self.options.get("show"),
            )
        ]


class Guess(SphinxDirective):
    """A question with answers, or with `draw` a curve for the reader to draw.

    What `show` says is set at the nearest figure of the kind that `figure` names: for an answer
    when it is chosen, for a curve when it has been drawn. A curve is drawn of an explorer's data;
    `from` is how that is set for the curve that the reader sees before.
    """

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = dict.fromkeys(("draw", "figure", "show", "from"), directives.unchanged)

    def run(self):
        """Return the question, its answers, and the replies, folded."""
        (question,) = self.arguments
        content = self.parse_content_to_nodes()
        words = nodes.strong("", "", *self.parse_inline(question)[0])
        made = guess(question, nodes.paragraph("", "", words, classes=["nw-question"]))
        try:
            figure = one_of(list(FIGURES))("figure", self.options.get("figure", "explorer"))
            parts = self.drawing if "draw" in self.options else self.answers
            data, below = parts(content, figure)
        except ValueError as error:
            raise self.error(f"{error} (in the guess “{question}”)") from error
        # What is kept of another question, or of other answers, is no answer to this one.
        told = json.dumps([question, data, *(one.astext() for one in below[:-1])])
        name = f"{zlib.crc32(told.encode()):08x}"
        made["data"] = {"name": name, "figure": figure} | data
        made += below
        self.set_source_info(made)
        return [made]

    def drawing(self, content, figure):
        draw = one_of(DRAWN)("draw", self.options["draw"])
        one_of(["explorer"])("figure", figure)
        if not content or any(isinstance(one, answer) for one in content):
            raise ValueError("draw must have a text below it and no answers")
        before = self.options.get("from")
        data = {"show": settings(self.options.get("show")), "from": before and settings(before)}
        return {"kind": "draw", "draw": draw} | data, [replies("", *content)]

    def answers(self, content, figure):
        for option in {"show", "from"} & self.options.keys():
            raise ValueError(f"{option} must come with draw, or stand at an answer")
        for one in content:
            if not isinstance(one, answer):
                raise ValueError(f"guess must hold answers alone, got {one.astext():.60}")
        if not 3 <= len(content) <= 4:
            raise ValueError(f"guess must have three or four answers, got {len(content)}")
        if len({one.rawsource for one in content}) < len(content):
            raise ValueError("answers must differ, got one twice")
        right = [place for place, one in enumerate(content) if one["right"]]
        if len(right) != 1:
            raise ValueError(f"right must stand at one answer, got it at {len(right)}")
        shows = [one["show"] and settings(one["show"], figure) for one in content]
        offered, replied = nodes.enumerated_list(classes=["nw-answers"]), nodes.enumerated_list()
        for one in content:
            words, *reply = one.children
            offered += nodes.list_item("", words)
            verdict = nodes.paragraph("", "", nodes.strong("", "Right." if one["right"] else "No."))
            # In the same line as the reply, where that begins with one.
            if isinstance(reply[0], nodes.paragraph):
                verdict += [nodes.Text(" "), *reply.pop(0).children]
            replied += nodes.list_item("", verdict, *reply)
        data = {"kind": "question", "right": right[0], "shows": shows}
        return data, [offered, replies("", replied)]


def visit_guess(self, node):
    data = escape(json.dumps(node["data"], separators=(",", ":")))
    self.body.append(f'<div class="nw-guess" role="group" data-guess="{data}">\n')


def depart_guess(self, node):
    self.body.append("</div>\n")


def visit_replies(self, node):
    self.body.append('<details class="nw-replies"><summary>Answer</summary>\n')


def depart_replies(self, node):
    self.body.append("</details>\n")


def copy_files(app):
    if app.builder.format != "html":
        return
    module = HERE / "guess.mjs"
    files = {"entryPoints": [module, HERE / "guess.css"], "outExtension": {".js": ".mjs"}}
    classic = Path(app.outdir, explorer.CLASSIC.format(name="guess"))
    assets.bundle(
        files | {"outdir": assets.folder(app, "guess")},
        {"entryPoints": [module], "outfile": classic}
        | {"format": "iife", "globalName": "guessFigures"},
    )


def load(app, pagename, templatename, context, doctree):
    if 'class="nw-guess"' in context.get("body", ""):
        root = context["pathto"]("", resource=True)
        app.add_css_file(STYLE)
        context["metatags"] += f"<script>{explorer.start(app, 'guess', root)}</script>\n"
        for figure in missing(context["body"]):
            logger.warning(
                "a guess sets a figure of the kind %s, of which the page has none",
                figure,
                location=pagename,
            )


def missing(body):
    """Return the kinds of figures that guesses of a page set and that it does not have."""
    given = [json.loads(unescape(data)) for data in re.findall(r'data-guess="([^"]*)"', body)]
    wanted = {one["figure"] for one in given if any(one.get("shows", [one.get("show")]))}
    return sorted(kind for kind in wanted if f'class="nw-{kind}' not in body)
