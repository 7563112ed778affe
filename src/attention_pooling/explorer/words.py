"""The word explorer: what a place of a text attends to, by a kernel or by a transformer's head."""

import json
import zlib
from importlib.resources import files

import numpy as np
import traitlets

from ..arrays import finite_width
from ..figures import COLORS
from ..transformer import STORED, read, trained_transformer
from ..words import (
    MOST,
    checked_place,
    house_that_jack_built,
    match_weights,
    numbered,
    tokens_of,
    votes,
)
from .figure import Figure
from .modules import joined
from .still import checked_choice

HEADS = ("match", "1.1", "1.2", "2.1", "2.2")
MOST_TOKENS = 500
WIDTHS = 0.1, 10.0  # tokens
RHYME_AT = 69  # "… that killed the", for the second time
TEXTS = {
    "The House That Jack Built, five verses": " ".join(house_that_jack_built(5)),
    "a block that comes again": "ash oak elm fir yew box bay fig ash oak elm fir yew box bay",
    "three votes": (
        "one two cat sat three four five cat sat six seven eight cat ran nine ten "
        "eleven twelve up down left right in out cat"
    ),
}


class WordExplorer(Figure):
    """See which words a word attends to and what comes next, with or without a running kernel.

    In a notebook this is a widget whose `text`, `at`, `head` and `width` Python can read, set and
    observe. In the built book the same figure runs without Python.

    Parameters
    ----------
    text : str, optional
        At most 500 tokens, as `words.tokens_of` cuts them, of which at most 48 are different: as
        many as the transformer has symbols. By default five verses of a nursery rhyme.
    at : int, optional
        The place of the query, by default the last token, and in the rhyme that of "killed the".
    head : str, optional
        The hand-made kernel, "match", or "layer.head" of the transformer, counted from 1.
    width : float, optional
        Of the hand-made kernel, in tokens.
    alt : str, optional
        Text alternative of the still figure.

    Attributes
    ----------
    text : str
        The text.
    at : int
        The place of the query; with a text that is too short for it, the last.
    head : str
        Whose weights are shown.
    width : float
        Width of the hand-made kernel. Any positive number: only the slider's thumb stays within
        its range.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    Examples
    --------
    >>> explorer = WordExplorer("the cat saw the dog and the cat", head="2.1")
    >>> explorer.at
    7
    >>> explorer.text = "a rose is a rose is a"
    >>> explorer.at, explorer.head, explorer.width
    (6, '2.1', 0.5)
    """

    _esm = joined("words.mjs")
    _css = joined("words.css")
    _root, _label = "nw-words", "Word explorer"
    _still = 720, 330  # pixels
    text = traitlets.Any().tag(sync=True)
    at = traitlets.Any().tag(sync=True)
    head = traitlets.Any().tag(sync=True)
    width = traitlets.Any().tag(sync=True)

    def __init__(self, text=None, at=None, *, head="match", width=0.5, alt=None):
        if text is None:
            text, at = next(iter(TEXTS.values())), RHYME_AT if at is None else at
        at = len(_tokens(text)) - 1 if at is None else at
        numbers = json.loads(_stored())
        data = {"colors": COLORS, "widths": WIDTHS, "texts": TEXTS, "numbers": numbers}
        super().__init__(alt, data, text=text, at=at, head=head, width=width)

    @traitlets.validate("text")
    def _valid_text(self, proposal):
        _tokens(proposal.value)
        return proposal.value

    @traitlets.observe("text")
    def _stay_inside(self, change):
        self.at = min(self.at, len(_tokens(self.text)) - 1)

    @traitlets.validate("at")
    def _valid_at(self, proposal):
        return checked_place(proposal.value, len(_tokens(self.text)))

    @traitlets.validate("head")
    def _valid_head(self, proposal):
        return checked_choice("head", proposal.value, HEADS)

    @traitlets.validate("width")
    def _valid_width(self, proposal):
        return finite_width(proposal.value, MOST, "width")

    def _start(self):
        start = super()._start()
        # The page loads the transformer's numbers by themselves, when the figure comes near.
        del start["numbers"]
        return start | {"version": f"{zlib.crc32(_stored().encode()):08x}"}

    def _description(self):
        tokens = _tokens(self.text)
        whose = "a kernel on the length of the match" if self.head == "match" else self.head
        return (
            f"Left: a text of {len(tokens)} words, shaded by how much the word "
            f"“{tokens[self.at]}” attends to them, by {whose}. Right: bars of what comes next."
        )

    def _draw(self, fig):
        """Draw the still figure."""
        tokens = _tokens(self.text)
        weights, expected = attended(tokens, self.at, self.head, self.width)
        left, right = fig.subplots(1, 2, width_ratios=(2, 1))
        columns, rows = 8, 11
        first = max(0, columns * (self.at // columns + 1 - rows))
        for i, token in enumerate(tokens[first : first + columns * rows], first):
            row, column = divmod(i - first, columns)
            asked = i == self.at
            left.text(
                column,
                row,
                token.replace("$", r"\$"),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if asked else "black",
                bbox={
                    "boxstyle": "round,pad=0.2",
                    "lw": 0,
                    "facecolor": COLORS["query" if asked else "key"],
                    "alpha": 1.0 if asked else np.nan_to_num(0.8 * weights[i] ** 0.5),
                },
            )
        left.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6))
        left.set_axis_off()
        likely = list(expected.items())[:8]
        right.barh(range(len(likely)), [p for _, p in likely], color=COLORS["estimate"])
        right.set_yticks(range(len(likely)), [token.replace("$", r"\$") for token, _ in likely])
        right.invert_yaxis()
        right.set(xlim=(0, 1), xlabel="probability to come next")


def attended(tokens, at, head="match", width=0.5):
    """Return the weight that each token has for one of them, and what comes next.

    Parameters
    ----------
    tokens : sequence, length n
    at : int
        The query's place.
    head : str, optional
        "match", or "layer.head" of the stored transformer. It sees the last 48 tokens.
    width : float, optional
        Of the hand-made kernel.

    Returns
    -------
    weights : array, shape (n,)
        They add up to one; NaN where nothing is looked at. The first token asked with the
        hand-made kernel has no keys.
    expected : dict
        Token → probability, the largest first. The transformer's are those of the symbols that
        stand for a token of the text.
    """
    weights = np.full(len(tokens), np.nan)
    if head == "match":
        weights[1 : at + 1] = match_weights(tokens, at, width)
        return weights, votes(tokens[1 : at + 1], weights[1 : at + 1])
    model, (symbols, different) = trained_transformer(), numbered(tokens)
    first = max(0, at + 1 - len(model.positions))
    reading = read(model, symbols[first : at + 1])
    layer, number = (int(part) - 1 for part in head.split("."))
    weights[first : at + 1] = reading.weights[layer, number, -1]
    return weights, votes(different, reading.probabilities[-1, : len(different)])


def _stored():
    return (files("attention_pooling") / STORED).read_text(encoding="utf-8")


def _tokens(text):
    if not isinstance(text, str):
        raise ValueError(f"text must be a string, got {text!r:.60}")
    tokens, most = tokens_of(text), len(trained_transformer().embedding)
    if not 0 < len(tokens) <= MOST_TOKENS:
        raise ValueError(f"text must have 1 to {MOST_TOKENS} words, got {len(tokens)}")
    if (different := len(set(tokens))) > most:
        raise ValueError(
            f"text must have at most {most} different words, as many as the transformer has "
            f"symbols, got {different}"
        )
    return tokens
