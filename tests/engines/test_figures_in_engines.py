"""The figures and the guesses in other engines: what they draw is what NumPy computes."""

import itertools
import json

import numpy as np
import pages
import pytest
from drawn import check
from selenium.webdriver.support.wait import WebDriverWait

from attention_pooling import (
    KERNELS,
    BalanceExplorer,
    attention_weights,
    leave_one_out,
    nadaraya_watson,
    trend,
)

PARTS = [1e-12, 1e-3, 0.01, 0.03, 0.1, 0.5, 30]  # of the span of the keys


class Page:
    """A page of the book in some engine."""

    def __init__(self, driver, site):
        self.driver, self.site = driver, site

    def open(self, path, ready):
        """Open a page and return once all that a selector names has come alive."""
        self.driver.get(self.site + path)
        script = """for (const one of document.querySelectorAll(arguments[0])) {
          if (!one.dataset.ready) { one.scrollIntoView(); return false; }
        }
        return document.querySelector(arguments[0]) !== null;"""
        wait = WebDriverWait(self.driver, 30, poll_frequency=0.1)
        wait.until(lambda driver: driver.execute_script(script, ready))

    def ask(self, script, *given):
        """Return what a script does with what it is given, by way of strings.

        Drivers are slow with many numbers, and that of Firefox loses their last digit.
        """
        script = f"return JSON.stringify(((...given) => {script})(...JSON.parse(arguments[0])))"
        return json.loads(self.driver.execute_script(script, json.dumps(given)))


@pytest.fixture(scope="module")
def page(engine, site):
    return Page(engine, site)


@pytest.mark.parametrize("path", pages.with_explorers())
def test_explorers_draw_what_numpy_computes(page, path):
    page.open(path, ".nw-explorer")
    put = """((explorer) => (explorer.set(given[1]), explorer.state()))(
      document.querySelectorAll(".nw-explorer")[given[0]].explorer)"""
    count = page.ask("document.querySelectorAll('.nw-explorer').length")
    for place in range(count):
        start = check(page.ask(put, place, {}))
        span = np.ptp(start["keys"])
        queries = itertools.cycle(np.quantile(start["queries"], [0, 0.37, 1]).tolist())
        for kernel, part in itertools.product(KERNELS, PARTS):
            asked = {"kernel": kernel, "sigma": part * span, "query": next(queries)}
            drawn = check(page.ask(put, place, asked))
            assert {name: drawn[name] for name in asked} == asked
        values = [*start["values"]]
        values[3] += span
        assert check(page.ask(put, place, {"values": values}))["values"] == values


def put(page, name, change):
    script = """((explorer) => (explorer.set(given[1]), explorer.state()))(
      document.querySelector(given[0]).explorer)"""
    return page.ask(script, f".nw-{name}", change)


def test_small_figures_draw_what_numpy_computes(page):
    page.open("chapters/pooling.html", ".nw-digits")
    given = page.ask("JSON.parse(document.querySelector('.nw-digits script').textContent)")
    images = np.array([ord(letter) - 97 for letter in given["images"]]).reshape(-1, 64) / 16
    for sigma in (0.05, 0.3, 5.0):
        told = put(page, "digits", {"sigma": sigma})
        asked = np.array(told["painted"])[None]
        pooled = nadaraya_watson(asked, images[:, :32], images[:, 32:], sigma=sigma)
        np.testing.assert_allclose(told["completed"], pooled.estimate[0], rtol=1e-12, atol=1e-14)
    page.open("chapters/width.html", ".nw-balance")
    given = page.ask("JSON.parse(document.querySelector('.nw-balance script').textContent)")
    explorer = BalanceExplorer(given["keys"], trend, given["queries"])
    for explorer.sigma, explorer.query in itertools.product((0.05, 0.35, 3.0), (0, 1.6)):
        told = put(page, "balance", {"sigma": explorer.sigma, "query": explorer.query})
        expected = explorer.bias, explorer.variance
        np.testing.assert_allclose((told["bias"], told["variance"]), expected, rtol=1e-9)
    page.open("chapters/attention.html", ".nw-direction, .nw-scores")
    for angle in (0, 45, 120.5):
        told = put(page, "direction", {"angle": angle})
        way = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        left_out = leave_one_out(np.array(told["keys"]) @ way, told["values"], sigma=told["sigma"])
        assert told["error"] == pytest.approx(left_out.error, rel=1e-9)
    told = put(page, "scores", {"score": "distance", "sigma": 0.4, "query": [1, -0.5]})
    (weights,) = attention_weights([[1, -0.5]], told["keys"], sigma=0.4)
    np.testing.assert_allclose(told["weights"], weights, rtol=1e-12)


@pytest.mark.parametrize("name", ["pooling", "width"])
def test_guesses_are_answered_drawn_and_kept(page, name):
    page.open(f"chapters/{name}.html", ".nw-guess")
    states = "[...document.querySelectorAll('.nw-guess')].map((one) => one.guess.state())"
    page.driver.execute_script(
        """for (const { guess } of document.querySelectorAll(".nw-guess")) {
          if (guess.choose) guess.choose(1);
          else guess.draw([[0, 1], [5, 4]]);
        }"""
    )
    answered = page.ask(states)
    assert all(one["answered"] for one in answered)
    assert {one["kind"] for one in answered} == {"draw", "question"}
    page.open(f"chapters/{name}.html", ".nw-guess")
    assert page.ask(states) == answered
    page.driver.execute_script("localStorage.clear()")
