"""A chapter opened in JupyterLite from its page runs, and asks no host but the CDN."""

import json

import pages
import pytest
from pyodide import answer as from_copy
from pyodide import copied

SCROLLER = ".jp-WindowedPanel-outer"
PATIENCE = 240_000  # Milliseconds that a cold start may take on a busy machine.
# The figure beside the notebook says "idle" before there is a kernel; this is what the kernel says.
ANSWERS = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
OUTCOME = """() => {
  const cells = [...jupyterapp.shell.currentWidget.content.model.cells];
  const code = cells.filter((cell) => cell.type === "code");
  const outputs = code.flatMap((cell) => cell.outputs.toJSON());
  const error = outputs.find((output) => output.output_type === "error");
  if (error) return `${error.ename}: ${error.evalue}`;
  return code.every((cell) => cell.executionCount) && "all cells have been run"; }"""


@pytest.fixture(scope="module")
def pyodide_folder():
    return copied()


@pytest.fixture
def lab(chromium, site, pyodide_folder):
    """A browser that gets Pyodide from a copy, and a list of what else it asked for."""
    if not (pages.HTML / "lite").is_dir():
        pytest.fail("no JupyterLite in the built book: run `make site`")
    strangers = []

    def answer(route):
        address = route.request.url
        if address.partition("?")[0] == site + "lite/jupyter-lite.json":
            # Only the cells in sight are in the document, so the tests ask the program itself.
            settings = json.loads((pages.HTML / "lite" / "jupyter-lite.json").read_text())
            settings["jupyter-config-data"]["exposeAppInBrowser"] = "true"
            route.fulfill(json=settings)
        elif address.startswith(site):
            route.continue_()
        elif not from_copy(route, address):
            strangers.append(address)
            route.abort()

    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(60_000)
    context.route("**/*", answer)
    yield context, strangers
    context.close()


def opened(lab, address):
    """Open a chapter's notebook from its page in the book, run all of it, and return the page."""
    context, _ = lab
    book = context.new_page()
    book.goto(address)
    book.locator(".dropdown-launch-buttons > button").click()
    with context.expect_page() as opening:
        book.get_by_role("link", name="JupyterLite").click()
    page = opening.value
    # Without a kernel, JupyterLab asks for one instead of running cells.
    page.wait_for_function(f"{ANSWERS} === 'idle'", timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    outcome = page.wait_for_function(OUTCOME, timeout=PATIENCE, polling=200)
    assert outcome.json_value() == "all cells have been run"
    return page


def editor(page, beginning):
    """Go to the cell that begins like this, and return its editor."""
    page.evaluate(
        """async (beginning) => {
        const notebook = jupyterapp.shell.currentWidget.content;
        const sources = [...notebook.model.cells].map((cell) => cell.sharedModel.getSource());
        const place = sources.findIndex((source) => source.startsWith(beginning));
        notebook.activeCellIndex = place;
        await notebook.scrollToItem(place); }""",
        beginning,
    )
    return page.locator(".jp-Cell.jp-mod-active .cm-content")


def test_a_chapter_runs_and_its_explorer_follows_the_slider(lab, site):
    page = opened(lab, site + "chapters/index.html")
    page.locator(SCROLLER).first.evaluate("outer => outer.scrollTop = 0")
    explorer = page.locator(".nw-explorer[data-ready=true]")
    explorer.wait_for()
    drawn = "root => root.explorer.state()"
    before = explorer.evaluate(drawn)
    handle = page.locator(".widget-slider .noUi-handle").first
    box = handle.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, middle, steps=8)
    page.mouse.up()
    follows = """([width, estimate]) => {
        const state = document.querySelector(".nw-explorer").explorer.state();
        return SIGN * (state.sigma - width) > 0 && state.estimate[50] !== estimate; }"""
    start = [before["sigma"], before["estimate"][50]]
    page.wait_for_function(follows.replace("SIGN", "-1"), arg=start)
    dragged = explorer.evaluate(drawn)["sigma"]
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(follows.replace("SIGN", "1"), arg=[dragged, None])
    assert lab[1] == []


def test_an_exercise_can_be_solved(lab, site):
    page = opened(lab, site + "chapters/exercises.html")
    editor(page, "def rates(d):").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("def rates(d):\n    return -1 / (d + 4), -4 / (d + 4)")
    # The check stands in the next cell.
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        """() => [...jupyterapp.shell.currentWidget.content.model.cells].some((cell) =>
        cell.sharedModel.getSource().startsWith("check_rates(rates)") &&
        JSON.stringify(cell.outputs.toJSON()).includes("Rates: passed"))"""
    )
    assert lab[1] == []
