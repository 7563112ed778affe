"""What a transformer looks for: how far two places match, a mask, and an induction head."""

import numpy as np

from ..words import MOST, match_lengths
from .judging import SPECIAL, Examination, Stage, Trial, judged, misfits_to_each, shares
from .result import Answer, Verdict, check_for
from .similarities import by_rows
from .sphere import softmax


@check_for("match_length", "How far two places match", after="delta_rule")
def check_match_length(f: Answer) -> Verdict:
    """Check how far each earlier place of a text matches one place, read backwards.

    Asked are whole numbers for texts in which blocks come again, with a difference inside some of
    them; that run back to the beginning of the text, where a key has nothing left to match; and
    whose matches are longer than 8 tokens. The place asked about lies at the end, in the middle
    and near the beginning.

    Parameters
    ----------
    f : callable
        ``f(tokens, at)`` with a list of words and a place in it, 1 at least. Returns for each
        i = 1 … at in how many words, at most 8, the text before i and the text up to and with at
        end alike, shape (at,).

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(match_lengths, _match_stages(rng), present=_as_list)(
            answer
        ),
        "Your function finds how far each place matches, back to the beginning of the text.",
    )


@check_for("causal_mask", "No look ahead", after="gaps")
def check_causal_mask(f: Answer) -> Verdict:
    """Check a softmax that lets no place look at a later one.

    Asked are the weights to a share of each, and exact zeros for all later places. Scores are
    ordinary, thousands in size, and so different from place to place that a later one, or another
    row's, would make all that may be looked at underflow.

    Parameters
    ----------
    f : callable
        ``f(scores)`` with scores (n, n), a row for each query's place and a column for each key's.
        Returns weights (n, n): the softmax of each row over the places up to its own.

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(masked, _mask_stages(rng), misfits_to_each)(answer),
        "No place looks ahead, and each row is a softmax over what it may see.",
    )


@check_for("induction", "An induction head by hand", after="match_length")
def check_induction(f: Answer) -> Verdict:
    """Check an induction head that was built by hand.

    Asked are probabilities to within 0.001. The last token has occurred before, once or several
    times, also just before itself, at the very beginning, and long ago; its followers agree or
    differ; the first token of the text, which has none before it, is the last one's double or a
    stranger.

    Parameters
    ----------
    f : callable
        ``f(tokens, size)`` with an array of whole numbers below size, the last of which occurs
        earlier as well. Returns the probability of each token to come next, shape (size,): every
        earlier occurrence of the last token votes for the token that followed it.

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(followers, _induction_stages(rng), _differences)(answer),
        "Two steps of attention, and your head completes whatever repeats.",
    )


def _as_list(arguments):
    return arguments | {"tokens": list(arguments["tokens"])}


# ------------------------------------------------------------------------- match


def _matches(key=0, query=0, most=MOST, stops=True, wraps=False):
    """Make a slip: where the key and the query end, how far it looks, and when it stops."""

    def slip(tokens, at):
        lengths = []
        for i in range(1, at + 1):
            length = 0
            for back in range(most):
                k, q = i - 1 + key - back, at + query - back
                if (k < 0 or q < 0) and not wraps:
                    break
                if tokens[k % len(tokens)] == tokens[q % len(tokens)]:
                    length += 1
                elif stops:
                    break
            lengths.append(length)
        return lengths

    return slip


def _forwards(tokens, at):
    def length(i):
        alike = 0
        while alike < MOST and at + alike < len(tokens):
            if tokens[i - 1 + alike] != tokens[at + alike]:
                break
            alike += 1
        return alike

    return [length(i) for i in range(1, at + 1)]


def _ignoring_case(tokens, at):
    return match_lengths([token.lower() for token in tokens], at)


MATCH_SLIPS = {
    "The key ends one token too late: the key of token i is what stands *before* it, so its last "
    "token is i − 1.": _matches(key=1),
    "The query ends one token too early: it is the text up to *and with* the token at `at`.": (
        _matches(query=-1)
    ),
    "Both ends are one token too early: a key ends at i − 1, the query at `at` itself.": (
        _matches(key=-1, query=-1)
    ),
    "Alike tokens are counted also beyond a difference: a match ends at the first one.": (
        _matches(stops=False)
    ),
    "Only the last token is compared: go on backwards as long as the tokens agree.": (
        _matches(most=1)
    ),
    "The texts are compared forwards: what stands before counts, so go backwards.": _forwards,
    "The lengths come in the wrong order: i = 1 first, i = at last.": (
        lambda tokens, at: match_lengths(tokens, at)[::-1]
    ),
    "The lengths are one too large: where the last tokens differ, 0 of them end alike.": (
        lambda tokens, at: match_lengths(tokens, at) + 1
    ),
    "These are weights, or lengths divided by their sum: the number of tokens is asked for.": (
        lambda tokens, at: match_lengths(tokens, at) / max(match_lengths(tokens, at).sum(), 1)
    ),
}
BEGIN = (
    "In the middle of a text your lengths are right; where a match reaches the beginning of the "
    "text they are not: a key has no tokens before the first one."
)
LONG = "Short matches are right; where more than 8 tokens agree the length is 8, and it is not."


def _vocabulary(rng, kinds):
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    return [str(word) for word in rng.choice(syllables, kinds, replace=False)]


def _drawn(rng, vocabulary, count):
    return [str(word) for word in rng.choice(vocabulary, count)]


def _repeating(rng, vocabulary, block, before):
    """Return a text with a block of words that comes again, once with one word changed."""
    again = _drawn(rng, vocabulary, block)
    changed = [*again[: block // 2], "other", *again[block // 2 + 1 :]]
    between = _drawn(rng, vocabulary, 2)
    parts = [_drawn(rng, vocabulary, before), again, between, changed, again[:2], again]
    # Nothing in front of the text, so that no match reaches its beginning by chance.
    return ["first", *(word for part in parts for word in part)]


def _match_stages(rng):
    def trial(tokens, at):
        shown = " ".join(tokens) if len(tokens) < 40 else f"{' '.join(tokens[:40])} …"
        return Trial({"tokens": tuple(tokens), "at": int(at)}, f'"{shown}", at = {at}')

    many = _vocabulary(rng, 30)
    texts = [_repeating(rng, many[:12], int(rng.integers(5, 7)), 5) for _ in range(3)]
    once = list(many[: int(rng.integers(4, 7))])
    long = list(many[: int(rng.integers(12, 15))])
    few = _drawn(rng, many[:2], 30)
    loud = [word.upper() if i % 3 else word for i, word in enumerate(_drawn(rng, many[:3], 30))]
    far = ["first", "again", *_drawn(rng, many, 160), "again", "last"]
    return [
        Stage([trial(text, len(text) - early) for early, text in enumerate(texts, 1)], MATCH_SLIPS),
        Stage(
            [
                trial(once + once, 2 * len(once) - 1),
                trial([*["da"] * 5, "di", "da", "da"], 7),
                trial(["da", "da", "da", "di", "da", "da", "da"], 2),
                trial([*once, "gap", *once], len(once) + 2),
            ],
            {
                "Before the beginning your function goes on at the end of the text, as tokens[-1] "
                "does: stop where the key has no more tokens.": _matches(wraps=True)
            },
            BEGIN,
        ),
        Stage(
            [trial(["first", *long, "gap", *long], 2 * len(long) + 1)],
            {
                "More than 8 tokens are counted: the length is at most 8.": _matches(most=1000),
                "The length is cut off too late: it is at most 8.": _matches(most=MOST + 1),
                "The length is cut off too early: a match may have 8.": _matches(most=MOST - 1),
            },
            LONG,
        ),
        Stage(
            [
                trial(few, 29),
                trial(few, int(rng.integers(8, 20))),
                trial(["da", "da", "di"], 1),
                trial(["da", "di"], 1),
                trial(loud, 29),
                trial(far, len(far) - 2),
            ],
            {"Large and small letters are different tokens here.": _ignoring_case},
            SPECIAL,
        ),
    ]


# -------------------------------------------------------------------------- mask


def _visible(n):
    return np.tri(n, dtype=bool)


def masked(scores):
    """Return the softmax of each row over the places up to its own, the right answer."""
    return softmax(np.where(_visible(len(scores)), scores, -np.inf))


def _seen(visible):
    """Make a slip that lets each place see others than it should."""
    return lambda scores: softmax(np.where(visible(len(scores)), scores, -np.inf))


def _filled(value):
    """Make a slip that gives later places a score which is not −∞."""
    return lambda scores: softmax(np.where(_visible(len(scores)), scores, value))


def _hidden_afterwards(scores):
    return np.where(_visible(len(scores)), softmax(scores), 0)


def _unshifted(scores):
    return by_rows(np.where(_visible(len(scores)), np.exp(scores), 0))


def _shifted_by(top):
    def slip(scores):
        return by_rows(np.where(_visible(len(scores)), np.exp(scores - top(scores)), 0))

    return slip


MASK_SLIPS = {
    "No place sees itself: only *later* places are masked, so keep the diagonal.": (
        _seen(lambda n: np.tri(n, k=-1, dtype=bool))
    ),
    "Each place looks one too far: its own column is the last that it may see.": (
        _seen(lambda n: np.tri(n, k=1, dtype=bool))
    ),
    "The mask is turned round: the later places are seen, the earlier ones are not.": (
        _seen(lambda n: np.tri(n, dtype=bool).T)
    ),
    "Nothing is masked: every place sees all the others.": _seen(lambda n: np.ones((n, n), bool)),
    "A place sees itself alone.": _seen(lambda n: np.eye(n, dtype=bool)),
    "The later weights are made 0 after the softmax, and the rows no longer add up to one: mask "
    "the scores, or divide once more.": _hidden_afterwards,
    "Later places get the score 0, and exp(0) is 1: a masked score is −∞.": _filled(0.0),
    "A masked score of −1 is not far enough below the others: make it −∞.": _filled(-1.0),
    "A masked score of −10 is not far enough below the others: make it −∞.": _filled(-10.0),
    "The wrong axis is normalised: each *row* adds up to one, not each column.": (
        lambda scores: np.exp(_logs(scores)) / np.exp(_logs(scores)).sum(axis=0)
    ),
    "The weights are normalised over the whole matrix: each row adds up to one.": (
        lambda scores: np.exp(_logs(scores)) / np.exp(_logs(scores)).sum()
    ),
    "The weights are not normalised: divide each row by its sum.": (
        lambda scores: np.exp(_logs(scores))
    ),
    "These are the masked scores: a softmax must turn them into weights.": (
        lambda scores: _logs(scores)
    ),
    "The scores are normalised without exp: they can be negative, weights cannot.": (
        lambda scores: by_rows(np.where(_visible(len(scores)), scores, 0))
    ),
    "The scores are divided by √n: they are scores already.": (
        lambda scores: masked(scores / np.sqrt(len(scores)))
    ),
    "Each place shares its attention equally: the scores have no influence.": (
        lambda scores: by_rows(_visible(len(scores)).astype(float))
    ),
    "All the weight goes to the largest score: a softmax shares it.": (
        lambda scores: (_logs(scores) == _logs(scores).max(axis=1, keepdims=True)).astype(float)
    ),
    "Rows and columns are exchanged: a row belongs to a query's place, a column to a key's.": (
        lambda scores: masked(scores.T)
    ),
}


def _logs(scores):
    return np.where(_visible(len(scores)), scores, -np.inf)


LARGE = (
    "With ordinary scores your weights are right, with large ones they are not: shift the largest "
    "score that a row may see to 0 before exp."
)
LARGE_SLIPS = {
    "With large scores the exponential overflows: subtract the largest visible score of each row "
    "before exp; the weights stay the same.": _unshifted,
    "The largest score of the whole matrix is subtracted, beside which other rows underflow: "
    "each row has its own.": _shifted_by(lambda scores: scores.max()),
    "The largest score of each row is subtracted before the mask, and if it belongs to a later "
    "place all that may be seen underflows: mask first.": (
        _shifted_by(lambda scores: scores.max(axis=1, keepdims=True))
    ),
    "A masked score of −100 is not far enough below large ones: make it −∞.": _filled(-100.0),
    "A masked score of −1000 is not far enough below large ones: make it −∞.": _filled(-1000.0),
    "With large scores exp overflows, and infinity times a mask of 0 is NaN: subtract the largest "
    "visible score of each row before exp.": (
        lambda scores: by_rows(np.exp(scores) * _visible(len(scores)))
    ),
    "The weights are right in size, but some rows are all zero: exp underflows, and what was done "
    "against 0/0 hides it.": lambda scores: np.nan_to_num(_unshifted(scores)),
}


def _mask_stages(rng):
    def trial(scores, tried, tolerance=1e-3):
        return Trial({"scores": scores}, f"{tried}, {scores.shape}", tolerance=tolerance)

    def plain(n):
        return trial(1.5 * rng.standard_normal((n, n)) - 0.4, "ordinary scores")

    n = int(rng.integers(5, 8))
    # Rows with levels of their own, and late places that tower above what comes before them.
    levels = np.append([-500, 3000], rng.permutation(np.linspace(-9000, 0, n - 2)))[:, None]
    rising = 300.0 * np.arange(n) * rng.choice([1, 4], n)[:, None]
    near = rng.standard_normal((n, n))
    small = np.cumsum(-rng.uniform(8, 9, (6, 6)), axis=1)
    return [
        Stage([plain(n), plain(n + 1), plain(4)], MASK_SLIPS),
        Stage(
            [trial(small, "scores that fall from place to place")],
            {},
            "Ordinary weights are right, small ones are not: nothing may be cut off, rounded or "
            "added.",
        ),
        Stage(
            [
                trial(near + levels, "rows of very different levels", 0.02),
                trial(near + levels + rising, "scores that rise to thousands", 0.02),
            ],
            LARGE_SLIPS,
            LARGE,
        ),
        Stage(
            [
                trial(np.array([[rng.normal()]]), "a single place"),
                plain(2),
                plain(40),
                trial(np.full((5, 5), 2.5), "equal scores"),
                trial(rng.integers(-3, 4, (6, 6)).astype(float), "whole numbers"),
            ],
            {},
            SPECIAL,
        ),
    ]


# --------------------------------------------------------------------- induction


def followers(tokens, size):
    """Return the share of each token among those that followed the last one, the right answer."""
    return _share(_near_occurrences(tokens, 1), size)


def _share(voted, size):
    counts = np.bincount(voted, minlength=size)
    with np.errstate(invalid="ignore"):
        return counts / counts.sum()


def _near_occurrences(tokens, step):
    """Return the tokens so many places behind each earlier occurrence of the last one."""
    places = np.flatnonzero(tokens[:-1] == tokens[-1]) + step
    return tokens[places[(places >= 0) & (places < len(tokens))]]


def _soft(sharpness):
    """Make a slip whose second step attends too softly."""

    def slip(tokens, size):
        similar = np.exp(sharpness * (tokens[:-1] == tokens[-1]))
        similar = np.append(1.0, similar)  # The first token has none before it.
        return np.bincount(tokens, similar, minlength=size) / similar.sum()

    return slip


INDUCTION_SLIPS = {
    "The head finds the earlier occurrences themselves and repeats the last token: it has to find "
    "what *followed* them, which is where the first step comes in.": (
        lambda tokens, size: np.eye(size)[tokens[-1]]
    ),
    "The head votes for what stood *before* the earlier occurrences: it is their follower that "
    "comes next.": lambda tokens, size: _share(_near_occurrences(tokens, -1), size),
    "Only the latest earlier occurrence votes: all of them do.": (
        lambda tokens, size: np.eye(size)[_near_occurrences(tokens, 1)[-1]]
    ),
    "Only the first occurrence votes: all of them do.": (
        lambda tokens, size: np.eye(size)[_near_occurrences(tokens, 1)[0]]
    ),
    "Every token that ever followed gets the same probability: one that followed twice has two "
    "votes.": lambda tokens, size: _share(np.unique(_near_occurrences(tokens, 1)), size),
    "The votes are counted, but they do not add up to one: divide by their number.": (
        lambda tokens, size: np.bincount(_near_occurrences(tokens, 1), minlength=size)
    ),
    "All the votes go to the winner: the probabilities are shares of the votes.": (
        lambda tokens, size: np.eye(size)[followers(tokens, size).argmax()]
    ),
    "All tokens vote, whatever stood before them: the second step has to compare.": (
        lambda tokens, size: _share(tokens, size)
    ),
    "To the first token your function says that the last one stands before it, as np.roll does: "
    "it has none.": lambda tokens, size: _share(tokens[np.roll(tokens, 1) == tokens[-1]], size),
    "A softmax was taken of the votes, which gives every token a share.": (
        lambda tokens, size: softmax(followers(tokens, size)[None])[0]
    ),
    "These are logarithms of the probabilities.": (
        lambda tokens, size: np.log(np.maximum(followers(tokens, size), 1e-300))
    ),
    "The head looks two tokens ahead of the earlier occurrences, one too many.": (
        lambda tokens, size: _share(_near_occurrences(tokens, 2), size)
    ),
    **{
        "The second step is not sharp enough: tokens that followed others have a vote as well. "
        f"Multiply its scores (yours look like {sharpness}).": _soft(sharpness)
        for sharpness in (1, 2, 3, 4, 5)
    },
}
FIRST = (
    "Elsewhere your probabilities are right; where the first token of the text matters they are "
    "not: it has no token before it, and it may be the earlier occurrence itself."
)


def _never_the_first(tokens, size):
    return _share(tokens[2:][tokens[1:-1] == tokens[-1]], size)


def _not_beside(tokens, size):
    return _share(tokens[1:-1][tokens[:-2] == tokens[-1]], size)


def _differences(results, expected):
    """Return the plain differences: probabilities are asked for to within 0.001."""
    return [shares(got, right, 1.0) for got, right in zip(results, expected, strict=True)]


def _induction_stages(rng):
    def trial(tokens, size):
        shown = " ".join(map(str, tokens[-24:]))
        cut = "… " if len(tokens) > 24 else ""
        return Trial(
            {"tokens": np.asarray(tokens), "size": int(size)},
            f"tokens {cut}{shown}, size {size}",
            tolerance=1e-3,
        )

    def mixed(size, votes, others):
        """Return a text whose last token was followed by the votes, in their order."""
        names = rng.permutation(size)
        asked, rest = names[0], names[4:]
        voting = np.sort(rng.choice(len(votes) + others, len(votes), replace=False))
        pieces = [[other] for other in rng.choice(rest, len(votes) + others)]
        for place, vote in zip(voting, votes, strict=True):
            pieces[place] = [asked, names[vote]]
        body = [token for piece in pieces for token in piece]
        # A stranger at the beginning and before the end leaves the edges to a later stage.
        return trial([rest[0], *body, rest[1], asked], size)

    size = int(rng.integers(12, 16))
    plain = [mixed(size, votes, 6) for votes in ((1, 1, 2), (2, 1, 1), (3, 1, 2, 1))]
    a, b, c, d = rng.permutation(size)[:4]
    block = rng.permutation(40)[: int(rng.integers(10, 20))]
    return [
        Stage(plain, INDUCTION_SLIPS),
        Stage(
            [
                trial([a, b, c, d, c, a], size),
                trial([b, c, a, d, c, a, d, b, a], size),
                trial([d, a, b, c, a, c, a], size),
            ],
            {
                "The first token of the text is left out as an occurrence: it may have a follower "
                "like any other.": _never_the_first,
            },
            FIRST,
        ),
        Stage(
            [
                trial([b, a, c, d, a, a], size),
                trial([a, a], size),
                trial([c, a, a, a, a], size),
            ],
            {
                "An occurrence just before the end is left out: its follower is the last token "
                "itself.": _not_beside
            },
            "Elsewhere your probabilities are right; where the last token follows itself they are "
            "not.",
        ),
        Stage(
            [
                trial([*block, *block[: len(block) // 2]], 40),
                trial(np.resize(block, 3 * len(block) + 4), 40),
                trial([0, 1, 0], 2),
                trial([size - 1, 0, b, size - 1], size),
                mixed(50, (1, 2, 2, 3), 50),
                mixed(9, (1,), 3),
                trial(rng.permutation(np.repeat([0, 1, 2], 30)), 3),
            ],
            {},
            SPECIAL,
        ),
    ]
