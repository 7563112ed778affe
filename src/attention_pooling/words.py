"""Text as keys and values: a key is what stands before a token, its value is the token itself.

Pooled with one-hot values, a text that has been read so far gives each word a probability to come
next. The similarity of two places is the number of tokens in which they match, read backwards.
"""

import re

import numpy as np

from .arrays import finite_width

MOST = 8
"""Tokens after which a match is not followed any further."""

TOKEN = re.compile(r'[^\s.,;:!?"()]+|[.,;:!?"()]')

VERSES = (
    "the house that Jack built .",
    "the malt that lay in",
    "the rat that ate",
    "the cat that killed",
    "the dog that worried",
    "the cow with the crumpled horn that tossed",
    "the maiden all forlorn that milked",
    "the man all tattered and torn that kissed",
    "the priest all shaven and shorn that married",
    "the cock that crowed in the morn that waked",
    "the farmer sowing his corn that kept",
)


def house_that_jack_built(verses=11):
    """Return *The House That Jack Built* [1]_ as tokens, full stops among them.

    Parameters
    ----------
    verses : int, optional
        How many of the eleven verses, each of which repeats the one before and adds to it.

    Returns
    -------
    list of str
        393 tokens, 44 of them different.

    Raises
    ------
    ValueError
        If there are not so many verses.

    References
    ----------
    .. [1] *Nurse Truelove's New-Year's-Gift: or, the Book of Books for Children*, John Newbery,
       London 1755; spelled and cut here so that each verse is one sentence.

    Examples
    --------
    >>> " ".join(house_that_jack_built(2)[8:])
    'This is the malt that lay in the house that Jack built .'
    """
    if verses not in range(1, len(VERSES) + 1):
        raise ValueError(f"verses must be from 1 to {len(VERSES)}, got {verses!r}")
    grown = [" ".join(["This is", *VERSES[last::-1]]) for last in range(verses)]
    return " ".join(grown).split()


def tokens_of(text):
    """Cut a text at white space, with marks of punctuation as tokens of their own.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> tokens_of("The cat, the rat.")
    ['The', 'cat', ',', 'the', 'rat', '.']
    """
    return TOKEN.findall(text)


def numbered(tokens):
    """Give each different token of a text a number, in the order in which they appear.

    Parameters
    ----------
    tokens : sequence

    Returns
    -------
    numbers : array of int, shape (n,)
    different : list
        The token that each number stands for.

    Examples
    --------
    >>> numbered(["the", "cat", "the", "rat"])
    (array([0, 1, 0, 2]), ['the', 'cat', 'rat'])
    """
    different = list(dict.fromkeys(tokens))
    number = {token: i for i, token in enumerate(different)}
    return np.array([number[token] for token in tokens], dtype=int), different


def match_lengths(tokens, at):
    """Return in how many tokens each earlier place matches a place, read backwards.

    The key of token i is what stands before it; the query is the text up to and with token `at`.
    Two of them match in as many tokens as they end alike in, at most 8.

    Parameters
    ----------
    tokens : sequence, length n
        Anything that can be compared and hashed.
    at : int
        From 0 to n − 1.

    Returns
    -------
    array of int, shape (at,)
        For the tokens 1 to `at`.

    Raises
    ------
    ValueError
        If there is no such place.

    Examples
    --------
    >>> match_lengths("a b c a b".split(), 4)
    array([0, 2, 0, 0])
    """
    numbers, _ = numbered(tokens)
    at = checked_place(at, len(numbers))
    lengths, alike = np.zeros(at, dtype=int), np.ones(at, dtype=bool)
    for back in range(min(at, MOST)):
        # Counted from `back`, so that no key begins before the text.
        alike[:back] = False
        alike[back:] &= numbers[: at - back] == numbers[at - back]
        lengths += alike
    return lengths


def match_weights(tokens, at, width):
    """Return the weight of each earlier token, proportional to exp(length of match / width).

    Parameters
    ----------
    tokens : sequence, length n
    at : int
        The query's place, from 0 to n − 1.
    width : float
        In tokens: so much longer a match weighs e times as much.

    Returns
    -------
    array, shape (at,)
        For the tokens 1 to `at`; they add up to one. Empty for the first place, which has no keys.

    Raises
    ------
    ValueError
        If there is no such place, or the width is not positive.

    Examples
    --------
    >>> match_weights("a b c a b".split(), 4, width=0.5).round(2)
    array([0.02, 0.95, 0.02, 0.02])
    """
    # Longer than any match, and so no distance that the width may not make overflow.
    width = finite_width(width, MOST, "width")
    lengths = match_lengths(tokens, at)
    similarities = np.exp((lengths - lengths.max(initial=0)) / width)
    return similarities / similarities.sum()


def votes(values, weights):
    """Pool tokens, one-hot, to a probability for each.

    Parameters
    ----------
    values : sequence, length n
        A token for each weight.
    weights : array, shape (n,)

    Returns
    -------
    dict
        Token → probability, the largest first; ties in the order of their first vote.

    Examples
    --------
    >>> votes(["cat", "rat", "cat"], [0.5, 0.25, 0.25])
    {'cat': 0.75, 'rat': 0.25}
    """
    total = {}
    for token, weight in zip(values, weights, strict=True):
        total[token] = total.get(token, 0.0) + float(weight)
    return dict(sorted(total.items(), key=lambda pair: -pair[1]))


def checked_place(at, count):
    """Return a place in a sequence of so many tokens as an int."""
    if not isinstance(at, int | np.integer) or isinstance(at, bool) or not 0 <= at < count:
        raise ValueError(f"at must be a place from 0 to {count - 1}, got {at!r}")
    return int(at)
