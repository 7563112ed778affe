"""What the book says about random numbers is quoted as it stands, and counted rightly."""

import re

import numpy as np
import pytest

from claims import CHAPTERS, Claim, chapters, claims_of, text_of
from claims.pages import outcomes

CLAIMS = [(chapter, claim) for chapter in chapters() for claim in claims_of(chapter)]


def test_every_chapter_that_draws_makes_claims():
    draws = re.compile(r"default_rng\(|pool_numpy|cost_measurements\(")
    drawing = {path.stem for path in CHAPTERS.glob("*.md") if draws.search(path.read_text())}
    assert drawing == set(chapters())


@pytest.mark.parametrize("chapter", chapters())
def test_each_claim_is_a_sentence_of_its_chapter(chapter):
    # A line may hold several sentences, or one behind the name of a caption or alt text.
    page = text_of(chapter)
    for claim in claims_of(chapter):
        whole = rf"(?:^|[.?!:] |\") *{re.escape(claim.sentence)}(?: |\"|$)"
        assert len(re.findall(whole, page, re.MULTILINE)) == 1, claim.sentence


def test_each_claim_looks_at_names_of_its_page():
    for chapter, claim in CLAIMS:
        code = "".join(re.findall(r"^```\{code-cell\}.*?^```$", text_of(chapter), re.M | re.S))
        code += (CHAPTERS.parent / "frameworks" / "pool_numpy.py").read_text()
        for name in claim.names:
            assert re.search(rf"\b{name}\b", code), (chapter, name, claim.sentence)


PAGE = """
The number is large.

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A large number.
---
import matplotlib.pyplot as plt
import numpy as np

%config InlineBackend.figure_format = "retina"
number = np.random.default_rng(7).random()
plt.show()
```

In this draw the number is large.

```{code-cell} ipython3
:tags: [skip-execution]

number = 1 / 0
```

```{code-cell} ipython3
number = 0
```

It is nothing.
"""


def large(number):
    return number > 0.5


def test_a_page_is_run_with_other_draws_and_judged_where_the_sentence_stands():
    claims = [
        Claim("It is nothing.", lambda number: number == 0),
        Claim("The number is large.", large),
        Claim("In this draw the number is large.", large),
    ]
    held = [outcomes(PAGE, claims, seed) for seed in range(40)]
    nothing, first, second = zip(*held, strict=True)
    assert all(nothing)
    assert first == second
    assert first[0] == (np.random.default_rng(7).random() > 0.5)
    assert 5 < sum(first) < 35


@pytest.mark.parametrize(
    ("sentence", "own", "share", "stands"),
    [
        ("The number is large.", True, 0.95, True),
        ("The number is large.", True, 0.9, False),
        ("The number is large.", False, 0.95, False),
        ("In this draw the number is large.", True, 0.05, True),
        ("In this draw the number is large.", False, 0.95, False),
        ("A large number.", True, 0.05, True),
    ],
)
def test_a_sentence_holds_in_19_of_20_draws_or_speaks_of_the_books_own(
    sentence, own, share, stands
):
    assert Claim(sentence, large).stands(PAGE, own, share) == stands
