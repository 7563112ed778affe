"""Live cells in other engines than Chromium: what a reader presses, types and sees."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

TYPED = f"def rates(d):{Keys.ENTER}return -1 / (d + 4), -4 / (d + 4)"
# The editor indents.
ANSWER = "def rates(d):\n    return -1 / (d + 4), -4 / (d + 4)"
# Named in the page, so that each script finds its cell.
FIND = """const cell = [...document.querySelectorAll(".live-cell")].find(
  (one) => one.live.source.startsWith(arguments[0]));
"""


class Page:
    """A page in some engine."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, address):
        self.driver.get(address)
        self.until("return document.querySelector('.live-cell button[name=run]')")

    def until(self, script, *arguments):
        wait = WebDriverWait(self.driver, 240, poll_frequency=0.2)
        return wait.until(lambda driver: driver.execute_script(script, *arguments))

    def cell(self, begin):
        cell = self.driver.execute_script(f"{FIND} return cell", begin)
        self.driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", cell)
        return cell

    def source(self, begin):
        return self.driver.execute_script(f"{FIND} return cell.live.source", begin)

    def run(self, begin, text):
        """Run the cell that begins so with another text."""
        script = "cell.live.source = arguments[1]; cell.live.run().then(arguments[2])"
        return self.driver.execute_async_script(FIND + script, begin, text)

    def solved(self):
        return self.driver.execute_script(
            "return document.querySelector('.live-progress').live.solved"
        )


@pytest.fixture(scope="module")
def page(engine, own_site):
    page = Page(engine)
    page.open(f"{own_site}chapters/exercises.html")
    return page


def test_an_answer_is_typed_run_and_kept(page, engine):
    page.cell("def rates(").find_element(By.NAME, "run").click()
    page.until("return document.activeElement.isContentEditable")
    editor = engine.switch_to.active_element
    editor.send_keys(Keys.CONTROL, "a")
    editor.send_keys(TYPED)
    assert page.source("def rates(") == ANSWER
    editor.send_keys(Keys.SHIFT, Keys.ENTER)
    page.until("return document.querySelector('.live-progress').live.solved.includes('rates')")
    page.open(engine.current_url)
    assert page.solved() == ["rates"]
    assert page.source("def rates(") == ANSWER
    # All of it, Python too, came from the book's own site.
    asked = engine.execute_script(
        "return performance.getEntriesByType('resource').map((one) => new URL(one.name).host)"
    )
    assert set(asked) == {engine.execute_script("return location.host")}


def test_a_loop_is_stopped_and_explorers_come_alive(page, engine):
    engine.execute_script(
        FIND + "cell.live.source = arguments[1]; window.over = cell.live.run()",
        "def mean_in_reach(",
        "while True:\n    print('again')",
    )
    page.until(
        "return document.querySelector('.live-cell[data-state=running] .live-error, "
        ".live-cell[data-state=running] .stream')"
    )
    stop = "return document.querySelector('.live-cell[data-state=running] button[name=stop]')"
    engine.execute_script(f"{stop.removeprefix('return ')}.click()")
    end = engine.execute_async_script("over.then(arguments[0])")
    assert (end["ok"], end["error"]) == (False, "Stopped.")
    shown = page.run("import matplotlib", EXPLORER)
    assert shown["ok"], shown["error"]
    state = page.until(
        "const root = document.querySelector('.live-cell .nw-explorer[data-ready=true]');"
        "return root && root.explorer.state().kernel"
    )
    assert state == "capped"
    engine.execute_script(
        "const root = document.querySelector('.live-cell .nw-explorer[data-ready=true]');"
        "const width = root.querySelector('input[name=sigma]');"
        "width.value = 0.3; width.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    page.until(
        "const { sigma } = document.querySelector('.live-cell .nw-explorer').explorer.state();"
        "return Math.abs(Math.log10(sigma) - 0.3) < 0.01"
    )


EXPLORER = """import numpy as np
from attention_pooling import Explorer


def capped(u):
    return np.where(np.abs(u) < 1, 1 - u**2, 0)


Explorer([0.0, 1.0, 4.0], [0.0, 3.0, 1.0], kernel=capped)"""
