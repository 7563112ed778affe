"""Run the code of a page with other draws, and judge its sentences on the way."""

import contextlib
import io
import re
from time import perf_counter

import matplotlib
import numpy as np
import yaml

from . import CHAPTERS, claims_of, text_of

CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?:---\n(?P<header>.*?)^---\n)?(?P<options>(?::\w+:[^\n]*\n)*)"
    r"(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
FOR_A_SCRIPT = {
    "np.random.default_rng": "drawing_anew",
    "plt.show()": 'plt.close("all")',
    "%config": "# ",
}


def judged(chapter, seed):
    """Return which claims of a chapter hold, and the seconds that it took to see."""
    start = perf_counter()
    held = outcomes(text_of(chapter), claims_of(chapter), seed)
    return held, perf_counter() - start


def outcomes(page, claims, seed):
    """Run a page and tell which claims hold.

    Parameters
    ----------
    page : str
        Source of the chapter.
    claims : list of Claim
        What to judge, each where its sentence stands and all names that it needs are known.
    seed : int
        0 draws what the book draws. Any other number makes every generator of the page another.

    Returns
    -------
    list of bool
        In the order of the claims.
    """
    matplotlib.use("agg")
    names = {
        "__name__": "page",
        "drawing_anew": lambda own: np.random.default_rng([own, seed] if seed else own),
    }
    places = [page.index(claim.sentence) for claim in claims]
    held = [None] * len(claims)
    starts, codes = zip(*cells(page), strict=True)
    for end, code in zip((*starts[1:], len(page)), codes, strict=True):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, names)
        for i, claim in enumerate(claims):
            # A sentence may announce what the next cell shows.
            if held[i] is None and places[i] < end and names.keys() >= set(claim.names):
                held[i] = bool(claim.holds(**{name: names[name] for name in claim.names}))
    return held


def cells(page):
    """Yield where each code cell of a page begins, and its code, compiled."""
    for found in CELL.finditer(page):
        header = yaml.safe_load(found["header"] or "") or {}
        if "skip-execution" in f"{found['options']} {header.get('tags')}":
            continue
        code = found["code"]
        if "load" in header:
            code = (CHAPTERS / header["load"]).read_text(encoding="utf-8")
        for there, here in FOR_A_SCRIPT.items():
            code = code.replace(there, here)
        # Blank lines above keep the numbers of lines in a traceback right.
        yield (
            found.start(),
            compile("\n" * page.count("\n", 0, found.start("code")) + code, "page", "exec"),
        )
