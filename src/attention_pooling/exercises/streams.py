"""Exercises on memories that are corrected pair by pair."""

import numpy as np

from .judging import REPEATS, SPECIAL, UNITS, Examination, Stage, Trial, judged
from .result import Answer, Verdict, check_for


@check_for("delta_rule", "Ask before you are told", after="temperature")
def check_delta_rule(f: Answer) -> Verdict:
    """Check what a memory with the delta rule answers to each key before it is told the value.

    Asked is W k for each pair in turn, where W begins at 0 and becomes W + η (v − W k) kᵀ after
    each. Rates are 1 or less; keys have one coordinate or several, and lengths about 1; keys
    repeat; the length of the stream and the units of keys and values vary.

    Parameters
    ----------
    f : callable
        ``f(keys, values, rate)`` with keys (n, d), values (n,) and a positive rate. Returns the
        answers, shape (n,), of which the first is 0.

    Returns
    -------
    CheckResult
    """
    return judged(
        f,
        lambda answer, rng: Examination(answers, _stages(rng))(answer),
        "Your memory answers before it is told, and corrects by the rate what it missed.",
    )


def _memory(
    correct=lambda W, k, v, rate: W + rate * (v - W @ k) * k,
    read=lambda before, after, k, v: before @ k,
):
    """Make a memory, right by default, of how it corrects itself and of what it gives away."""

    def answer(keys, values, rate):
        W, found = np.zeros(keys.shape[1]), []
        for k, v in zip(keys, values, strict=True):
            before, W = W, correct(W, k, v, rate)
            found.append(read(before, W, k, v))
        return np.array(found)

    return answer


answers = _memory()


def _last_memory(keys, values, rate):
    W = np.zeros(keys.shape[1])
    for k, v in zip(keys, values, strict=True):
        W = W + rate * (v - W @ k) * k
    return keys @ W


SLIPS = {
    "The memory is told before it is asked: the answer to a key comes from the pairs before it.": (
        _memory(read=lambda before, after, k, v: after @ k)
    ),
    "All answers come from the last memory, which has seen every pair: ask on the way.": (
        _last_memory
    ),
    "The sign of the correction is wrong: what was missed is v − W k, and it is added.": (
        _memory(lambda W, k, v, rate: W - rate * (v - W @ k) * k)
    ),
    "The memory's own answer is not taken off the value: this is linear attention, which adds "
    "v kᵀ; the delta rule adds (v − W k) kᵀ.": _memory(lambda W, k, v, rate: W + rate * v * k),
    "The old memory shrinks as a whole: the delta rule corrects it along the new key alone, by "
    "(v − W k) kᵀ.": _memory(lambda W, k, v, rate: (1 - rate) * W + rate * v * k),
    "The rate has no influence: multiply the correction by it.": (
        _memory(lambda W, k, v, rate: W + (v - W @ k) * k)
    ),
    "The step is twice as long: the gradient of half the square is −(v − W k) kᵀ, without a 2.": (
        _memory(lambda W, k, v, rate: W + 2 * rate * (v - W @ k) * k)
    ),
    "The rate is taken for the share that is kept: the step is the rate itself, not 1 minus it.": (
        _memory(lambda W, k, v, rate: W + (1 - rate) * (v - W @ k) * k)
    ),
    "The correction is divided by the square of the key's length: here the rate alone is the "
    "length of the step.": _memory(lambda W, k, v, rate: W + rate * (v - W @ k) * k / (k @ k)),
    "The correction is the same for all coordinates: multiply it by the key.": (
        _memory(lambda W, k, v, rate: W + rate * (v - W @ k))
    ),
    "Each pair overwrites the memory: the correction is added to what was there.": (
        _memory(lambda W, k, v, rate: rate * (v - W @ k) * k)
    ),
    "These are the values less the answers, what the memory missed: return the answers.": (
        _memory(read=lambda before, after, k, v: v - before @ k)
    ),
}


def _pairs(rng, n, d):
    keys = rng.standard_normal((n, d))
    # Lengths about 1, so that no rate up to 1 lets the memory grow without bound.
    keys *= rng.uniform(0.7, 1.2, (n, 1)) / np.linalg.norm(keys, axis=1, keepdims=True)
    return keys, keys @ rng.uniform(1, 2, d) + 3 + 0.3 * rng.standard_normal(n)


def _trial(keys, values, rate, tried=""):
    n, d = keys.shape
    return Trial(
        {"keys": keys, "values": values, "rate": float(rate)},
        f"{n} pairs, keys with {d} coordinate{'' if d == 1 else 's'}{tried}, rate {rate:.3g}",
        1e-3,
    )


def _drawn(rng, n, d, rate):
    return _trial(*_pairs(rng, n, d), rate)


def _stages(rng):
    n = int(rng.integers(9, 13))
    keys, values = _pairs(rng, 10, 3)
    places = rng.permutation(np.repeat(np.arange(4), [1, 2, 3, 4]))
    return [
        Stage(
            [
                _drawn(rng, n, 3, rng.uniform(0.3, 0.45)),
                _drawn(rng, n + 2, 2, rng.uniform(0.1, 0.2)),
                _drawn(rng, n + 1, 4, rng.uniform(0.5, 0.65)),
            ],
            SLIPS,
        ),
        Stage([_trial(keys[places], values, 0.4, " that repeat")], {}, REPEATS),
        Stage(
            [
                _trial(unit * keys, scale * values, 0.4 / unit**2)
                for unit, scale in ((1, 1e-6), (1, 1e6), (1e-3, 1), (1e3, 1))
            ],
            {},
            UNITS,
        ),
        Stage(
            [
                _drawn(rng, 1, 3, 0.4),
                _drawn(rng, 8, 1, 0.4),
                _drawn(rng, 5, 5, 0.9),
                _drawn(rng, 2, 7, 0.4),
                _drawn(rng, 300, 2, 0.05),
                _trial(np.repeat(np.eye(3), 2, axis=0), values[:6], 1.0, " at right angles"),
            ],
            {},
            SPECIAL,
        ),
    ]
