"""A chapter opened in JupyterLite from its page runs, and asks no host but the CDN."""

import nbformat
import pages
import pyodide
import pytest

TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
SCROLLER = ".jp-WindowedPanel-outer"
IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
PATIENCE = 240_000  # Milliseconds that a cold start may take on a busy machine.


@pytest.fixture
def lab(chromium, site):
    """A browser that gets Pyodide from a copy, and a list of what else it asked for."""
    if not (pages.HTML / "lite").is_dir():
        pytest.fail("no JupyterLite in the built book: run `make site`")
    copy, strangers = pyodide.copied(), []

    def answer(route):
        address = route.request.url
        path = copy / address.removeprefix(pyodide.CDN).partition("?")[0]
        if address.startswith(site):
            route.continue_()
        elif address.startswith(pyodide.CDN) and path.is_file():
            kind = TYPES.get(path.suffix, "application/octet-stream")
            headers = {"access-control-allow-origin": "*", "content-type": kind}
            route.fulfill(path=path, headers=headers)
        else:
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
    page.locator(".jp-Notebook .jp-MarkdownOutput h1").first.wait_for()
    # Without a kernel, JupyterLab asks for one instead of running cells.
    page.locator(IDLE).first.wait_for(timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return page


def finished(page, chapter):
    """Wait until the last code cell has been run, which is never if one before it fails."""
    notebook = nbformat.read(pages.HTML / "lite" / "files" / f"{chapter}.ipynb", as_version=4)
    count = sum(cell.cell_type == "code" for cell in notebook.cells)
    # Only the cells in sight are in the page, and its height changes with each output.
    page.wait_for_function(
        """([outer, last]) => {
        const scroller = document.querySelector(outer);
        scroller.scrollTop = scroller.scrollHeight;
        const prompts = [...document.querySelectorAll(".jp-OutputPrompt")];
        return prompts.some(prompt => prompt.textContent === last); }""",
        arg=[SCROLLER, f"[{count}]:"],
        polling=500,
        timeout=PATIENCE,
    )


def show(page, text):
    """Scroll until a text of the notebook, which keeps only the cells in sight, is shown."""
    found = page.locator(".jp-Notebook").get_by_text(text, exact=True).first
    page.locator(SCROLLER).first.evaluate("outer => outer.scrollTop = 0")
    for _ in range(200):
        if found.is_visible():
            found.scroll_into_view_if_needed()
            return found
        page.mouse.move(600, 500)
        page.mouse.wheel(0, 500)
        page.wait_for_timeout(50)
    pytest.fail(f"{text!r} is not in the notebook")


def test_a_chapter_runs_and_its_explorer_follows_the_slider(lab, site):
    page = opened(lab, site + "chapters/index.html")
    finished(page, "index")
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
    page.mouse.move(box["x"] + 80, middle, steps=8)
    page.mouse.up()
    follows = """([width, estimate]) => {
        const state = document.querySelector(".nw-explorer").explorer.state();
        return state.sigma > width && state.estimate[50] !== estimate; }"""
    page.wait_for_function(follows, arg=[before["sigma"], before["estimate"][50]])
    dragged = explorer.evaluate(drawn)["sigma"]
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(follows, arg=[dragged, None])
    assert lab[1] == []


def test_an_exercise_can_be_solved(lab, site):
    page = opened(lab, site + "chapters/exercises.html")
    finished(page, "exercises")
    show(page, "def rates(d):").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("def rates(d):\n    return -1 / (d + 4), -4 / (d + 4)")
    # The check stands in the next cell.
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    page.get_by_text("Rates: passed", exact=True).wait_for()
    assert lab[1] == []
