"""Train the transformer of the chapter on words and store it: ``python -m training.transformer``.

The chapter's own cells do it, so that what is stored, what a reader sees and what a reader can run
again are one program. Training repeats to the last digit on one machine, and other machines round
otherwise: there the run differs in its digits, and not in what it finds.
"""

import json
from pathlib import Path

import numpy as np

from attention_pooling import transformer
from claims import text_of
from claims.pages import cells

STORED = Path(transformer.__file__).parent / transformer.STORED


def trained():
    """Return the transformer that the cells of the chapter train, as NumPy arrays."""
    names = {"__name__": "page", "drawing_anew": np.random.default_rng}
    for _, code in cells(text_of("words")):
        exec(code, names)
        if "run" in names:
            break
    return transformer.Transformer(*(matrix.detach().double().numpy() for matrix in names["run"]))


def main():
    """Train, store, and print how far rounding moves the weights of a text."""
    run = trained()
    STORED.write_text(json.dumps(transformer.packed(run)) + "\n", encoding="utf-8")
    symbols = np.random.default_rng(0).integers(0, len(run.embedding), (100, len(run.positions)))
    before, after = (
        transformer.read(model, symbols) for model in (run, transformer.trained_transformer())
    )
    for name, old, new in zip(before._fields, before, after, strict=True):
        print(f"{name}: rounding moves them by {np.abs(old - new).max():.1e} at most")
    print(f"{STORED.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
