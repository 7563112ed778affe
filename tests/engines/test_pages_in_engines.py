"""Every page in other engines: it looks as in Chromium, and what the theme offers works by key."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from test_screen import LOOKS, STAYING


def test_every_page_looks_right_in_a_frame(engine, site):
    engine.get(site + "404.html")
    script = f"({LOOKS})(arguments[0]).then(arguments[1], (error) => arguments[1]([`${{error}}`]))"
    wrong = {path: engine.execute_async_script(script, site + path) for path in STAYING}
    assert {path: found for path, found in wrong.items() if found} == {}


@pytest.fixture
def until(engine):
    """Return a function that waits until a script returns something."""
    wait = WebDriverWait(engine, 30, poll_frequency=0.1)
    return lambda script: wait.until(lambda driver: driver.execute_script(f"return {script}"))


def press(engine, *keys):
    ActionChains(engine).send_keys(*keys).perform()


def test_search_is_opened_named_told_and_left_by_key(engine, site, until):
    engine.get(site + "chapters/kernels.html")
    until("document.readyState === 'complete'")
    ActionChains(engine).key_down(Keys.CONTROL).send_keys("k").key_up(Keys.CONTROL).perform()
    assert until("document.querySelector('dialog[open]')?.ariaLabel") == "Search"
    press(engine, "epanechnikov")
    assert "page" in until(
        "[...document.querySelectorAll('dialog[open] [role=status]')]"
        ".map((one) => one.textContent).find((text) => /found \\d+ page/.test(text))"
    )
    press(engine, Keys.ESCAPE)
    until("!document.querySelector('dialog[open]')")


def test_themes_and_boxes_are_switched_by_key(engine, site, until):
    engine.get(site + "chapters/exercises.html")
    until("document.readyState === 'complete'")
    shown = "[...document.querySelectorAll('.theme-switch-button')].find((one) => one.offsetWidth)"
    themes = set()
    for _ in range(3):
        engine.execute_script(f"{shown}.focus()")
        press(engine, Keys.ENTER)
        themes.add(engine.execute_script("return document.documentElement.dataset.theme"))
    assert themes == {"dark", "light"}
    first = "document.querySelector('details.solution')"
    engine.execute_script(f"{first}.querySelector('summary').focus()")
    press(engine, Keys.ENTER)
    until(f"{first}.open")
    title = engine.execute_script(f"return {first}.querySelector('summary strong')")
    engine.execute_script("arguments[0].scrollIntoView({ block: 'center' })", title)
    title.click()
    until(f"!{first}.open")
    assert "#" not in engine.current_url


def test_what_is_folded_prints_opened(engine, site):
    engine.get(site + "chapters/kernels.html")
    closed = "return document.querySelectorAll('details:not([open])').length"
    before = engine.execute_script(closed)
    engine.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert engine.execute_script(closed) == 0
    engine.execute_script("dispatchEvent(new Event('afterprint'))")
    assert engine.execute_script(closed) == before > 0
