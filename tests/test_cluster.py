"""The sums of the parts of a table, by the cost chapter's code, on processes that share none."""

import distributed
import numpy as np
import pytest
from scipy.special import softmax

from attention_pooling import KERNELS, pool
from claims import pages, text_of

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
# Sorted, so that parts lie far from most queries, and one of them is a single key.
KEYS, VALUES = np.sort(RNG.uniform(0, 5, 301)), RNG.normal(size=301)
CUTS = [100, 101, 200]


@pytest.fixture(scope="module")
def chapter():
    """The functions of the chapter's section on parts."""
    names = {"__name__": "page", "np": np}
    for _, code in pages.cells(text_of("cost")):
        if {"sums_of", "estimate_from"} & {*code.co_names}:
            exec(code, names)
        if "estimate_from" in names:
            return names
    raise AssertionError("the chapter defines estimate_from no more")


@pytest.fixture(scope="module")
def client():
    here = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **here) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def estimate(client, chapter, scores):
    """Let the processes sum up parts, and join what they tell."""
    parts = zip(np.split(scores, CUTS, axis=1), np.split(VALUES, CUTS), strict=True)
    told = client.gather([client.submit(chapter["sums_of"], *part) for part in parts])
    assert all(np.shape(sums) == (3, len(scores)) for sums in told)
    return chapter["estimate_from"](told)


@pytest.mark.parametrize("kernel", ["gaussian", "boxcar", "epanechnikov"])
def test_parts_give_what_the_whole_table_gives(client, chapter, kernel):
    # The last two are out of a short reach, and the Gaussian's scores there are about -1,000.
    queries = np.array([0.0, 0.3, 2.5, 5.0, 9.5, -4.5])
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.log(KERNELS[kernel]((queries[:, None] - KEYS) / 0.1))
        if kernel == "gaussian":
            scores = -(((queries[:, None] - KEYS) / 0.1) ** 2) / 2
        together = estimate(client, chapter, scores)
    assert np.isneginf(scores[0, 101:]).all() == (kernel != "gaussian")
    np.testing.assert_allclose(together, pool(queries, KEYS, VALUES, kernel, 0.1), rtol=1e-10)


def test_scores_of_a_thousand_neither_overflow_nor_vanish(client, chapter):
    scores = RNG.normal(size=(4, 301)) + np.array([[1e3], [-1e3], [0], [700]])
    scores[2, :100] += 1e3
    together = estimate(client, chapter, scores)
    np.testing.assert_allclose(together, softmax(scores, axis=1) @ VALUES, rtol=1e-10)
