"""A transformer of two layers of attention and nothing else, run with NumPy alone.

PyTorch is needed to train one, which the chapter on words does; reading with one takes a dozen
lines. So figures and pages work where there is no PyTorch.
"""

import base64
import json
from importlib.resources import files
from typing import NamedTuple

import numpy as np

STORED = "transformer.json"


class Transformer(NamedTuple):
    """The numbers of a transformer; each layer has the same number of heads."""

    embedding: np.ndarray
    """A vector for each symbol, shape (symbols, size)."""
    positions: np.ndarray
    """A vector for each place in a text, shape (places, size)."""
    W_q: np.ndarray
    """Maps from vectors to queries, shape (layers, heads, size, d)."""
    W_k: np.ndarray
    """Maps from vectors to keys, of the same shape."""
    W_v: np.ndarray
    """Maps from vectors to values, of the same shape."""
    W_o: np.ndarray
    """Maps from averages of values back to vectors, shape (layers, heads, d, size)."""
    unembedding: np.ndarray
    """Map from vectors to a score for each symbol, shape (size, symbols)."""


class Reading(NamedTuple):
    """What a transformer makes of symbols."""

    probabilities: np.ndarray
    """Of each symbol to come next, after each place, shape (..., n, symbols)."""
    weights: np.ndarray
    """Of each place for each later one, in each head, shape (..., layers, heads, n, n)."""


def read(model, symbols):
    """Read symbols and say after each what comes next.

    A vector of each place, for its symbol and its position, goes through the layers. In each, every
    head asks all places up to its own and adds what it has been told [1]_.

    Parameters
    ----------
    model : Transformer
    symbols : array of int, shape (..., n)
        Numbers of symbols, in at most as many places as the model has positions for.

    Returns
    -------
    Reading

    Raises
    ------
    ValueError
        If there are more places than positions, or a symbol that the model does not have.

    References
    ----------
    .. [1] Elhage, N., and others. A Mathematical Framework for Transformer Circuits. Transformer
       Circuits Thread, 2021.

    Examples
    --------
    >>> reading = read(trained_transformer(), [7, 3, 5, 7, 3])
    >>> reading.probabilities[-1].argmax(), reading.weights.shape
    (np.int64(5), (2, 2, 5, 5))
    """
    symbols = _checked(model, symbols)
    count = symbols.shape[-1]
    x = model.embedding[symbols] + model.positions[:count]  # (..., places, size)
    weights = []
    for W_q, W_k, W_v, W_o in zip(model.W_q, model.W_k, model.W_v, model.W_o, strict=True):
        each = x[..., None, :, :]
        queries, keys = each @ W_q, each @ W_k  # (..., heads, places, d)
        scores = queries @ keys.swapaxes(-1, -2) / np.sqrt(queries.shape[-1])
        weights.append(softmax(scores + later(count)))
        x = x + (weights[-1] @ (each @ W_v) @ W_o).sum(axis=-3)
    return Reading(softmax(x @ model.unembedding), np.stack(weights, axis=-4))


def softmax(scores):
    """Return the softmax over the last axis, with the largest score shifted out."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def later(count):
    """Return the mask that keeps each place from looking ahead, −∞ where a key is later."""
    return np.triu(np.full((count, count), -np.inf), 1)


def trained_transformer():
    """Load the transformer that the chapter on words trains, rounded to 16 bits.

    It has 48 symbols, 48 positions, and vectors of 48 numbers; it has two heads in each of its two
    layers. Nothing but random blocks of symbols, each repeated, has ever been shown to it.

    Returns
    -------
    Transformer
        Of float64.
    """
    stored = json.loads((files("attention_pooling") / STORED).read_text(encoding="utf-8"))
    return unpacked(stored)


def packed(model):
    """Return a transformer as JSON holds it: steps of a scale for each matrix, in 16 bits."""
    matrices, rounded = {}, []
    for name, matrix in zip(model._fields, model, strict=True):
        scale = float(np.abs(matrix).max()) / 32767
        matrices[name] = {"shape": list(np.shape(matrix)), "scale": scale}
        rounded.append(np.round(np.ravel(matrix) / scale).astype("<i2"))
    numbers = base64.b64encode(np.concatenate(rounded).tobytes()).decode()
    return {"matrices": matrices, "numbers": numbers}


def unpacked(stored):
    """Return the transformer that `packed` has stored."""
    numbers = np.frombuffer(base64.b64decode(stored["numbers"]), "<i2")
    matrices, start = {}, 0
    for name, matrix in stored["matrices"].items():
        end = start + int(np.prod(matrix["shape"]))
        matrices[name] = matrix["scale"] * numbers[start:end].reshape(matrix["shape"])
        start = end
    return Transformer(**matrices)


def _checked(model, symbols):
    symbols = np.asarray(symbols)
    known, places = len(model.embedding), len(model.positions)
    if symbols.dtype.kind not in "iu":
        raise ValueError(f"symbols must be whole numbers, got {symbols.dtype}")
    if symbols.ndim == 0 or not 0 < symbols.shape[-1] <= places:
        raise ValueError(f"symbols must be in 1 to {places} places, got shape {symbols.shape}")
    if symbols.min() < 0 or symbols.max() >= known:
        wrong = symbols[(symbols < 0) | (symbols >= known)][0]
        raise ValueError(f"symbols must be from 0 to {known - 1}, got {wrong}")
    return symbols
