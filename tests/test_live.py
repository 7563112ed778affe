"""Cells that run in a page: what a reader presses, types and sees, in a browser without a CDN."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from pyodide import CDN, FOLDER, answer, copied
from sphinx.errors import ExtensionError

from attention_pooling import nadaraya_watson
from book_site import pyodide
from book_site.cells import ELSEWHERE

PATIENCE = 120_000  # Milliseconds that a cold start may take on a busy machine.
OPEN = """async ([begin, text]) => {
  const cells = [...document.querySelectorAll(".live-cell")];
  const cell = cells.find((one) => one.live.source.startsWith(begin));
  if (text !== null) cell.live.source = text;
  return cell.live.run(); }"""
RUN = "(one, text) => { one.live.source = text; return one.live.run(); }"
# Without PyTorch the two losses are given arrays; the chapter solves them with tensors.
LOSS = """def {name}(sigma, keys, values):
    similarity = np.exp(-((keys[:, None] - keys) ** 2) / (2 * sigma**2)){mask}
    weights = similarity / similarity.sum(axis=1, keepdims=True)
    return ((weights @ values - values) ** 2).mean()"""
LOSSES = {"training_loss": "", "leave_one_out": " * (1 - np.eye(len(keys)))"}
# What a reader gets wrong in the solution, and what the check says about it.
SLIPS = {
    "own_kernel": ("(1 - u**2) ** 2", "1 - u**2", "kink"),
    "parzen": ("@ labels", "@ labels**2", "Both classes are added"),
    "gaps": ("np.nan", "0", "say NaN"),
    "causal_mask": ("np.tri(len(scores))", "np.tri(len(scores), k=1)", "one too far"),
    "training_loss": (".mean()", ".sum()", "take their mean"),
    "sgd": ("-lr", "lr", "uphill"),
    "leave_one_out": (LOSSES["leave_one_out"], "", "own value is left in"),
    "coordinate_widths": (" / sigma  #", " * sigma  #", "divide by them"),
    "adaptive_widths": ("-0.5", "0.5", "sign of the power"),
    "local_linear": (
        "np.sqrt(gaussian((keys - q) / sigma))",
        "gaussian((keys - q) / sigma)",
        "twice",
    ),
    "rates": ("-4", "4", "sign of the second exponent"),
    "standard_error": ("(weights**2).sum(axis=1)", "weights.sum(axis=1)", "one by one"),
    "slope": ("covariance / sigma**2", "covariance / sigma", "not squared"),
    "unit_sphere": ("sigma**2", "sigma", "not squared"),
    "off_sphere": (" - (keys**2).sum(axis=1) / 2", "", "norm is dropped"),
    "temperature": ("return np.exp(middle)", "return middle", "take exp"),
    "delta_rule": ("v - answers[-1]", "v", "not taken off the value"),
    "match_length": ("min(i, 8)", "min(i, 7)", "cut off too early"),
    "induction": ("weights @ token", "weights @ key", "what *followed* them"),
}


class Reader:
    """A browser of its own, which gets Pyodide from the copy, or as `fault` has it."""

    def __init__(self, chromium, site, **settings):
        self.site, self.fault = site, None
        self.strangers, self.asked, self.complaints = [], [], []
        self.context = chromium.new_context(
            **{"viewport": {"width": 1200, "height": 900}} | settings
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.route("**/*", self.answer)

    def answer(self, route):
        address = route.request.url
        self.asked.append(address)
        if self.fault and self.fault(route, address):
            return
        if address.startswith(self.site):
            route.continue_()
        elif not answer(route, address):
            self.strangers.append(address)
            route.abort()

    def open(self, chapter, page=None):
        if page is None:
            page = self.context.new_page()
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.site}chapters/{chapter}.html")
        page.locator("button[name=run]").first.wait_for(state="attached")
        return page


@pytest.fixture(scope="module")
def live(chromium, site):
    """A reader on the page of exercises, whose Python has been loaded."""
    copied()
    reader = Reader(chromium, site)
    reader.page = reader.open("exercises")
    run(reader.page, "def rates")
    yield reader
    assert reader.strangers == reader.complaints == []
    reader.context.close()


@pytest.fixture
def untouched(live):
    """The page of exercises as it is for a reader who has typed nothing, with Python at hand."""
    if not live.page.url.endswith("exercises.html"):
        live.open("exercises", live.page)
    live.page.evaluate(
        "() => document.querySelectorAll('.live-cell').forEach((one) => one.live.reset())"
    )
    return live.page


@pytest.fixture
def fresh(chromium, site, live):
    """Readers who have not been here before."""
    readers = []

    def make(**settings):
        readers.append(Reader(chromium, site, **settings))
        return readers[-1]

    yield make
    for reader in readers:
        reader.context.close()


def run(page, begin, text=None):
    """Run the cell that begins so, with another text if given."""
    return page.evaluate(OPEN, [begin, text])


def cell(page, begin):
    index = page.evaluate(
        "begin => [...document.querySelectorAll('.live-cell')].findIndex("
        "one => one.live.source.startsWith(begin))",
        begin,
    )
    return page.locator(".live-cell").nth(index)


def exercises(page):
    """Return (part, name of the answer, solution) of each exercise on the page."""
    sources = [
        block.replace("\xa0", " ") for block in page.locator(".cell_input pre").all_text_contents()
    ]
    checks = [re.match(r"check_(\w+)\((\w+)\)\s*$", source) for source in sources]
    solved = [re.search(r"^result = check_(\w+)\((\w+_solution)\)", s, re.M) for s in sources]
    solutions = {
        found[1]: (found[2], source.partition("\n\n\nresult =")[0])
        for source, found in zip(sources, solved, strict=True)
        if found
    }
    for part, name in (found.groups() for found in checks if found):
        old, solution = solutions[part]
        if part in LOSSES:
            solution = LOSS.format(name=old, mask=LOSSES[part])
        yield part, name, solution.replace(old, name)


def test_each_exercise_is_failed_with_its_hint_and_passed_with_the_solution(live):
    parts = list(exercises(live.page))
    assert {part for part, *_ in parts} == {*SLIPS}
    for part, name, solution in parts:
        old, new, hint = SLIPS[part]
        assert old in solution, part
        root = cell(live.page, f"def {name}(")
        slipped = root.evaluate(RUN, solution.replace(old, new))
        assert slipped["ok"], (part, slipped)
        assert "not yet" in slipped["html"], (part, slipped)
        assert hint in slipped["text"], (part, slipped)
        passed = root.evaluate(RUN, solution)
        assert ": passed" in passed["html"], (part, passed)
    solved = "() => document.querySelector('.live-progress').live.solved"
    assert live.page.evaluate(solved) == [part for part, *_ in parts]
    count = f"{len(parts)}/{len(parts)}"
    assert live.page.locator(".bd-sidebar-primary .live-count").first.text_content() == count
    # After a reload all of it is there, without Python.
    asked = len(live.asked)
    live.open("exercises", live.page)
    assert live.page.evaluate(solved) == [part for part, *_ in parts]
    assert live.page.evaluate("() => document.querySelectorAll('.live-solved').length") == len(
        parts
    )
    part, name, solution = parts[0]
    assert cell(live.page, f"def {name}(").evaluate("one => one.live.source") == solution
    assert not any("pyodide" in address for address in live.asked[asked:])
    # Another page shows them too, and takes Python from where it has been kept.
    asked = len(live.asked)
    run(live.open("kernels", live.page), "import")
    assert live.page.locator(".bd-sidebar-primary .live-count").first.text_content() == count
    fetched = [address for address in live.asked[asked:] if address.startswith(CDN)]
    assert not any(
        address.endswith((".wasm", "stdlib.zip")) or "numpy" in address for address in fetched
    )


def test_nothing_is_fetched_before_the_press_and_little_after_it(fresh, html):
    reader = fresh()
    for chapter in ("exercises", "width"):
        page = reader.open(chapter)
        page.wait_for_load_state("networkidle")
    ours = {Path(one).name.partition("?")[0] for one in reader.asked if "/live/" in one}
    # Its style is a part of the one that every page loads.
    assert ours == {"live.mjs"}
    assert reader.strangers == []
    folder = html / "_static" / "live"
    code = [path for path in folder.iterdir() if path.suffix in (".mjs", ".css")]
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in code}
    assert sizes.pop("editor.mjs") <= 155 * 1024
    assert sum(sizes.values()) <= 10 * 1024, sizes


def test_progress_counts_up_to_what_there_is(live, html):
    code = (Path(pyodide.__file__).parent / "live" / "python.mjs").read_text(encoding="utf-8")
    told = int(re.search(r"NEEDED = ([\d_]+)", code)[1])
    names = ("pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json", "numpy-*", "traitlets-*")
    ours = ("notebooks/*.whl", "_static/live/packages.zip", "_static/live/*.py")
    files = [path for name in names for path in FOLDER.glob(name)]
    files += [path for name in ours for path in html.glob(name)]
    assert sum(path.stat().st_size for path in files) == pytest.approx(told, rel=0.015)


def test_what_goes_wrong_is_told_and_the_next_run_works(untouched):
    root = cell(untouched, "def rates(")

    def alone(text):
        return root.evaluate(RUN, text)

    def told(text):
        return alone(f"def rates(d):\n    return 1, 2\n\n{text}")

    wrong = told("def f(x)\n    return x")
    assert not wrong["ok"]
    assert "SyntaxError" in wrong["error"]
    wrong = told("def g(x):\n    return 1 / x\n\ng(0)")
    assert wrong["error"].splitlines()[-1] == "ZeroDivisionError: division by zero"
    # Only the reader's own lines.
    assert re.findall("line (\\d+)", wrong["error"]) == ["7", "5"]
    assert "    return 1 / x" in wrong["error"]
    assert "input() cannot ask" in told("input('?')")["error"]
    assert "exit() ends nothing" in told("exit()")["error"]
    assert "memory" in told("[np.empty(2**28 - 1) for _ in range(3)]")["error"]
    for name, title in ELSEWHERE.items():
        assert name in alone(f"import {name}")["error"]
        assert f"{title} does not run in a browser" in root.inner_text()
    many = told("print('ä' * 10**6)\nprint('more')")
    assert many["ok"]
    assert 100_000 <= len(many["text"]) < 101_000
    assert "too much is printed" in many["text"]
    assert told("print('σ → ∞, 加権平均 🎈')")["text"].startswith("σ → ∞, 加権平均 🎈\n")
    assert told("import warnings\nwarnings.warn('mind')")["text"].count("mind")
    shown = alone(
        "class A:\n    def _repr_html_(self):\n        return '<b onclick=x()>b</b>"
        "<script>x()</script><img src=//x.org/y onerror=x()><iframe></iframe>"
        "<a href=javascript:x()>a</a>'\n\nA()",
    )
    assert shown["html"].startswith('<div class="output text_html"><b>b</b><img><a>a</a></div>')


def test_the_readers_code_reaches_neither_page_nor_storage_nor_network(live, untouched):
    names = "document localStorage indexedDB caches XMLHttpRequest WebSocket EventSource Worker"
    text = f"""import js
def worker(code):
    return js.Object.constructor("return " + code)()
for name in "{names}".split():
    print(name, worker(f"typeof self.{{name}}"))
for name in ("storage", "storageBuckets"):
    print(name, worker(f"typeof navigator.{{name}}"))
print("fetch", worker("typeof WorkerGlobalScope.prototype.fetch"))
worker("fetch('/typed').catch(() => 0)")"""
    shown = run(untouched, "def rates", text)
    assert shown["ok"], shown["error"]
    found = re.findall(r"^(\w+) (\w+)$", shown["text"], re.MULTILINE)
    assert {kind for _, kind in found} == {"undefined"}
    assert [name for name, _ in found] == [*names.split(), "storage", "storageBuckets", "fetch"]
    run(untouched, "import js", "1 + 1")
    assert not any(address.endswith("/typed") for address in live.asked)


def test_an_endless_loop_is_stopped_and_nothing_is_lost(untouched):
    page = untouched
    root = cell(page, "def rates(")
    text = "def rates(d):\n    return 0, 0\n\nwhile True:\n    print('again')"
    root.evaluate("(one, text) => { one.live.source = text; window.over = one.live.run(); }", text)
    page.wait_for_function("one => one.dataset.state === 'running'", arg=root.element_handle())
    root.locator("button[name=stop]").click()
    end = page.evaluate("() => over")
    assert (end["ok"], end["error"]) == (False, "Stopped.")
    assert root.get_attribute("data-state") == "stopped"
    assert root.evaluate("one => one.live.source") == text
    _, _, solution = next(one for one in exercises(page) if one[0] == "rates")
    assert ": passed" in run(page, "def rates(", solution)["html"]
    # No verdict outlives the answer that it was about.
    verdict = root.locator("+ .live-cell .exercise-check")
    assert verdict.count() == 1
    run(page, "def rates(", "def rates(d)\n    return 0, 0")
    assert verdict.count() == 0


def half(route, address):
    """Break off in the middle of the package that comes first."""
    if "numpy" not in address:
        return False
    body = next(FOLDER.glob("numpy-*.whl")).read_bytes()
    route.fulfill(body=body[: len(body) // 2], headers={"access-control-allow-origin": "*"})
    return True


def changed(route, address):
    if "traitlets" not in address:
        return False
    body = next(FOLDER.glob("traitlets-*.whl")).read_bytes()
    body = body[:5000] + bytes([body[5000] ^ 1]) + body[5001:]
    route.fulfill(body=body, headers={"access-control-allow-origin": "*"})
    return True


def no_program(route, address):
    if "pressed.mjs" not in address:
        return False
    route.abort()
    return True


def blocked(route, address):
    if not address.startswith(CDN):
        return False
    route.abort()
    return True


def missing_wheel(route, address):
    if "attention_pooling" not in address:
        return False
    route.fulfill(status=404, body="no")
    return True


def test_faults_of_the_network_are_told_and_lose_nothing(fresh):
    # Without storage, too: as in a private window that forbids it.
    reader = fresh()
    reader.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });"
    )
    page = reader.open("exercises")
    _, _, solution = next(one for one in exercises(page) if one[0] == "rates")
    for reader.fault in (no_program, blocked, half, changed, missing_wheel):
        end = run(page, "def rates(", solution)
        assert not end["ok"]
        shown = cell(page, "def rates(")
        told = r"Python could not be loaded: (its program|\S+\.(mjs|whl)) did not arrive"
        assert re.search(told, shown.inner_text()), shown.inner_text()
        assert "a notebook" in [link.inner_text() for link in shown.get_by_role("link").all()][-1]
        assert shown.evaluate("one => one.live.source") == solution
    # A slow one is followed by the megabyte, called slow when nothing comes, and waited for.
    held = []
    reader.fault = lambda route, address: address.endswith(".wasm") and not held.append(route)
    page.clock.install()
    shown.evaluate("one => { window.over = one.live.run(); }")
    status = shown.locator(".live-status")

    def tells(pattern):
        page.wait_for_function(
            "([one, pattern]) => RegExp(pattern).test(one.textContent)",
            arg=[status.element_handle(), pattern],
        )

    tells(r"^Loading Python, once for all pages: [\d.]+ of 1[56]\.\d MB")
    while not held:
        page.wait_for_timeout(50)
    page.clock.fast_forward("00:20")
    tells("network is slow.*keep reading")
    assert shown.get_attribute("data-state") == "loading"
    assert answer(held[0], held[0].request.url)
    assert ": passed" in page.evaluate("() => over")["html"]
    assert page.evaluate("() => document.querySelector('.live-progress').live.solved") == ["rates"]


def test_everything_is_done_with_the_keyboard_alone(untouched):
    page = untouched
    root = cell(page, "def widths_of_keys(")
    root.locator("button[name=run]").focus()
    page.keyboard.press("Enter")
    editor = root.locator("[contenteditable]")
    editor.wait_for()
    page.wait_for_function("() => document.activeElement.isContentEditable")
    page.keyboard.press("Control+A")
    # The book's shortcuts, such as "/" for a search, are not for who writes code.
    page.keyboard.type("def widths_of_keys(keys, sigma, pilot):\nreturn keys / 2")
    assert root.evaluate("one => one.live.source").endswith("pilot):\n    return keys / 2")
    page.keyboard.press("Shift+Enter")
    said = root.locator("[role=status]")
    page.wait_for_function("one => one.textContent.includes('not yet')", arg=said.element_handle())
    assert page.evaluate("() => document.activeElement.isContentEditable")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.isContentEditable")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.name") == "run"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("() => document.activeElement.isContentEditable")


def test_answers_are_kept_shared_by_two_tabs_saved_loaded_and_forgotten(live, untouched, tmp_path):
    page = untouched
    _, _, solution = next(one for one in exercises(page) if one[0] == "rates")
    run(page, "def rates(", solution)
    other = live.open("exercises")
    solved = "() => document.querySelector('.live-progress').live.solved"
    assert "rates" in other.evaluate(solved)
    with page.expect_download() as download:
        page.locator("button[name=save]").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    saved = nbformat.read(path, as_version=4)
    nbformat.validate(saved)
    assert solution in [one.source for one in saved.cells]
    page.locator("button[name=forget]").click()
    stub = "def rates(d):\n    return ..."
    assert cell(page, "def rates(").evaluate("one => one.live.source") == stub
    assert page.evaluate(solved) == []
    other.wait_for_function(f"() => !({solved})().length")
    page.locator("button[name=bring-back]").click()
    assert "rates" in page.evaluate(solved)
    assert cell(page, "def rates(").evaluate("one => one.live.source") == solution
    page.locator("button[name=forget]").click()
    live.open("exercises", page)
    assert page.evaluate(solved) == []
    page.locator("input[name=answers]").set_input_files(path)
    page.wait_for_function(
        "() => document.querySelector('.live-progress').innerText.includes('taken')"
    )
    assert cell(page, "def rates(").evaluate("one => one.live.source") == solution
    other.close()


def test_one_press_runs_a_page_and_figures_stand_in_their_frames(live):
    page = live.open("frameworks", live.page)
    page.locator("button[name=run-all]").click()
    cells = page.locator(".live-cell")
    page.locator(".live-cell[data-state=done]").nth(cells.count() - 1).wait_for(state="attached")
    drawn = cells.last.locator("figure:has(figcaption) > img")
    assert drawn.evaluate("one => one.src.startsWith('data:') && one.naturalWidth > 300")


EXPLORERS = """print("before")
from attention_pooling import Explorer, ScoreExplorer, WordExplorer
import numpy as np


def capped(u):
    if np.abs(u).max() < 0.5:
        raise ValueError("nothing is that near")
    return np.where(np.abs(u) < 1, 1 - u**2, 0)


keys, values = [0.0, 1.0, 4.0], [0.0, 3.0, 1.0]
plain = Explorer(keys, values, sigma=0.5)
owned = Explorer(keys, values, kernel=capped, panel="kernel")
scores = ScoreExplorer([[1.0, 0.0], [0.0, 2.0]])
words = WordExplorer("a b a b a")
display(plain)
print("between")
display(owned, scores)
words"""
# What the page reads and sets in an explorer.
SET = """(one, change) => {
  one.explorer.set(change);
  const { kernel, sigma, keys } = one.explorer.state();
  return [kernel, sigma, keys]; }"""
DRAWN = """one => {
  const { queries, estimate, sigma } = one.explorer.state();
  return [queries, estimate, sigma]; }"""
TURN = """(one, value) => {
  one.value = value;
  one.dispatchEvent(new Event("input", { bubbles: true })); }"""


def test_explorers_that_a_cell_makes_live_in_the_page_and_in_python(live):
    page = live.open("frameworks", live.page)
    first, second = (page.locator(".live-cell").nth(i) for i in range(2))

    def run_in(cell, text):
        return cell.evaluate(
            "(one, text) => { one.live.source = text; return one.live.run(); }", text
        )

    shown = run_in(first, EXPLORERS)
    assert shown["ok"], shown["error"]
    assert re.match("before\n.*between\n", shown["text"], re.DOTALL)
    plain, owned = (first.locator(".nw-explorer[data-ready=true]").nth(i) for i in range(2))
    scores = first.locator(".nw-scores[data-ready=true]")
    # What the page computes itself is drawn at once, whatever Python is doing.
    assert plain.evaluate(SET, {"sigma": 0.7, "kernel": "triangular"}) == [
        "triangular",
        0.7,
        [0, 1, 4],
    ]

    # A reader's own kernel is Python's to compute.
    def arrived(sigma):
        page.wait_for_function(
            "([one, sigma]) => Math.abs(one.explorer.state().sigma / sigma - 1) < 0.02",
            arg=[owned.element_handle(), sigma],
        )

    owned.evaluate(SET, {"sigma": 1.5})
    arrived(1.5)
    queries, drawn, _ = owned.evaluate(DRAWN)
    expected, _ = nadaraya_watson(
        np.array(queries),
        np.array([0.0, 1.0, 4.0]),
        np.array([0.0, 3.0, 1.0]),
        lambda u: np.where(np.abs(u) < 1, 1 - u**2, 0),
        1.5,
    )
    np.testing.assert_allclose(np.array(drawn, float), expected, rtol=1e-12)
    # Where it fails, that is said under the explorer, until it works again.
    width = owned.locator("input[name=sigma]")
    width.evaluate(TURN, np.log10(20.0))
    failed = first.locator(".live-error")
    failed.wait_for(state="attached")
    assert failed.text_content().endswith("ValueError: nothing is that near")
    width.evaluate(TURN, np.log10(3.0))
    arrived(3)
    assert failed.count() == 0
    # Python reads what the page has set, and the page shows what Python sets.
    plain.locator("select[name=kernel]").evaluate(TURN, "boxcar")
    scores.evaluate(SET, {"query": [3, 4], "score": "product"})
    words = first.locator(".nw-words")
    words.evaluate("one => one.words.set({ at: 3 })")
    read = run_in(
        second,
        "scores.sigma = 0.25\nplain.sigma = 2\n"
        "words.width = 2\n"
        "plain.kernel, owned.sigma, owned.kernel is capped, scores.query, scores.score, words.at",
    )
    sigma = owned.evaluate(DRAWN)[2]
    assert read["text"] == f"('boxcar', {sigma}, True, (3.0, 4.0), 'product', 3)"
    state = words.evaluate("one => one.words.state()")
    assert (state["at"], state["width"]) == (3, 2)
    assert plain.evaluate(DRAWN)[2] == 2
    assert scores.evaluate("one => one.explorer.state().sigma") == 0.25
    thumb = float(plain.locator("input[name=sigma]").input_value())
    assert thumb == pytest.approx(np.log10(2), abs=0.01)
    first.evaluate("one => one.live.reset()")
    assert first.locator(".nw-explorer, .nw-scores").count() == 0


def test_an_explorer_of_the_pages_makes_way_and_comes_back(live):
    page = live.open("index", live.page)
    root = page.locator(".live-cell").first
    built = root.locator(".nw-explorer[data-ready=true]")
    built.evaluate("one => one.explorer.set({ sigma: 3 })")
    assert run(page, "from", "1 + 1")["text"] == "2"
    assert built.count() == 0
    root.evaluate("one => one.live.reset()")
    assert built.evaluate("one => one.explorer.state().sigma") == 3


def test_a_phone_shows_all_of_it_and_a_site_with_pyodide_asks_nobody_else(chromium, own_site):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    reader = Reader(chromium, own_site, color_scheme="light", **phone)
    page = reader.open("exercises")
    root = cell(page, "def parzen_difference(")
    root.locator("button[name=run]").tap()
    root.locator(".cm-content").wait_for()
    page.locator(".live-cell[data-state=done]").nth(1).wait_for(state="attached")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            "scheme => document.documentElement.dataset.theme === scheme", arg=scheme
        )
        widths = "() => [document.documentElement.scrollWidth, innerWidth]"
        assert page.evaluate(widths)[0] <= 390
        for part in (".live-status", "button[name=run]", ".live-keyword"):
            assert contrast(root.locator(part).first) >= 4.5, (scheme, part)
    assert reader.strangers == reader.complaints == []
    assert any(address.startswith(f"{own_site}{pyodide.PLACE}") for address in reader.asked)
    assert all(address.startswith(own_site) for address in reader.asked)
    reader.context.close()


def contrast(part):
    """The contrast of a part's text with what lies behind it."""
    colours = part.evaluate(
        """(one) => {
      const pen = new OffscreenCanvas(1, 1).getContext("2d");
      const behind = [];
      for (let at = one; at; at = at.parentElement) {
        behind.unshift(getComputedStyle(at).backgroundColor);
      }
      const paint = (colours) => {
        pen.reset();
        for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      return [paint(behind), paint([...behind, getComputedStyle(one).color])]; }"""
    )

    def luminance(colour):
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (x / 255 for x in colour)
        ]
        return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted(map(luminance, colours))
    return (light + 0.05) / (dark + 0.05)


def test_a_build_takes_a_release_only_whole(tmp_path):
    release, site = tmp_path / "release", tmp_path / "site"
    release.mkdir()
    entry = {"file_name": "a.whl", "sha256": hashlib.sha256(b"a").hexdigest(), "depends": ["ssl"]}
    packages = {name: entry for name in pyodide.PACKAGES} | {"other": {"file_name": "b.whl"}}
    lock = {"info": {"version": pyodide.VERSION}, "packages": packages}
    for name in pyodide.CORE:
        (release / name).write_text(name)
    (release / "pyodide-lock.json").write_text(json.dumps(lock))
    (release / "a.whl").write_bytes(b"a")
    (release / "b.whl").write_bytes(b"x")
    pyodide.copy(release, site)
    assert {one.name for one in (site / pyodide.PLACE).iterdir()} == pyodide.CORE | {"a.whl"}
    (release / "a.whl").write_bytes(b"b")
    with pytest.raises(ExtensionError, match="a.whl differs"):
        pyodide.copy(release, site)
    (release / "pyodide.mjs").unlink()
    with pytest.raises(ExtensionError, match="must hold pyodide.mjs"):
        pyodide.copy(release, site)
    lock["info"]["version"] = "0.1"
    (release / "pyodide-lock.json").write_text(json.dumps(lock))
    with pytest.raises(ExtensionError, match="got 0.1"):
        pyodide.copy(release, site)


def test_pages_and_jupyterlite_know_one_pyodide(html):
    page = (html / "chapters" / "exercises.html").read_text(encoding="utf-8")
    (address,) = re.findall(r'"pyodide": "([^"]+)"', page)
    assert address in (CDN, f"../{pyodide.PLACE}")
    if (html / "lite").is_dir():
        settings = (html / "lite" / "jupyter-lite.json").read_text(encoding="utf-8")
        (other,) = re.findall(r'"pyodideUrl": *"([^"]+)pyodide.js"', settings)
        assert other in (CDN, f"../../{pyodide.PLACE}")
