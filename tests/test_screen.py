"""Every page as readers meet it: light, complete for everyone, and known by its link."""

import gzip
import io
import json
import re
import sys
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import pages
import pypdfium2
import pytest
from PIL import Image

sys.path.append(str(pages.ROOT / "src"))
from book_site.explorer import FIGURES  # noqa: E402

EVERY_PAGE = pages.every_page()
# The root's own page leads on at once.
STAYING = [path for path in EVERY_PAGE if path != "index.html"]
TO_READ = [path for path in pages.to_read() if path != "index.html"]
AXE = pages.ROOT / "node_modules" / "axe-core" / "axe.min.js"
# Pages that belong to no chapter, and need not be found.
APART = {"404.html", "search.html", "genindex.html", "prf-prf.html", "py-modindex.html"}
OPEN_ALL = "for (const box of document.querySelectorAll('details')) box.open = true"


class Head(HTMLParser):
    """What a page says of itself."""

    def __init__(self, text):
        super().__init__()
        self.metas, self.links, self.data, self.title, self.at = {}, {}, [], "", None
        self.feed(text.partition("</head>")[0])

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        kind = tag if given.get("type") is None else given["type"]
        self.at = kind if kind in ("title", "application/ld+json") else None
        if tag == "meta":
            name = given.get("name") or given.get("property")
            assert name is None or name.startswith("viewport") or name not in self.metas, name
            self.metas[name] = given.get("content")
        if tag == "link":
            self.links[given["rel"]] = given["href"]

    def handle_endtag(self, tag):
        self.at = None

    def handle_data(self, text):
        if self.at == "title":
            self.title += text.strip()
        elif self.at:
            self.data.append(json.loads(text))


def test_pages_tell_what_they_are_to_who_is_sent_their_link(html):
    titles, descriptions = {}, {}
    for path in EVERY_PAGE:
        page = html / path
        head = Head(page.read_text(encoding="utf-8"))
        parts = [part.strip() for part in head.title.split("·")]
        assert all(parts), path
        assert len(parts) == len(set(parts)), path
        description = head.metas["description"]
        assert 20 < len(description) <= 170, path
        assert " to read" not in description, path
        if path in APART:
            assert head.metas["robots"] == "noindex", path
            continue
        # It says how the page begins.
        text = page.read_text(encoding="utf-8").partition("<h1")[2]
        first = re.search(r"<p>(.*?)</p>", text, re.DOTALL)[1]
        begins = " ".join(unescape(re.sub(r"<[^>]+>", "", first)).split())
        assert begins[:20] in description, path
        titles.setdefault(head.title, []).append(path)
        descriptions.setdefault(head.metas["description"], []).append(path)
        assert head.metas["og:title"] in parts, path
        assert head.metas["og:description"] == head.metas["description"]
        assert head.metas["twitter:card"] == "summary_large_image"
        with Image.open((page.parent / head.metas["og:image"]).resolve()) as picture:
            assert picture.size == (1200, 630)
        told = (head.metas["og:image:width"], head.metas["og:image:height"])
        assert told == ("1200", "630")
        with Image.open((page.parent / head.links["apple-touch-icon"]).resolve()) as icon:
            assert icon.size == (180, 180)
        (data,) = head.data
        assert data["@context"] == "https://schema.org"
        assert "LearningResource" in data["@type"]
        assert ("Book" in data["@type"]) == path.endswith("index.html")
        assert (data["name"], data["inLanguage"]) == (head.metas["og:title"], "en")
        assert data["license"].startswith("https://creativecommons.org/licenses/by-sa/")
    # The address of the site and the first page are one.
    shared = [sorted(paths) for paths in [*titles.values(), *descriptions.values()]]
    assert {tuple(paths) for paths in shared if len(paths) > 1} <= {
        ("chapters/index.html", "index.html")
    }


def test_numbers_have_no_digits_that_mean_nothing(html):
    for path in STAYING:
        if path == "chapters/references.html":  # The numbers of papers are long.
            continue
        article = (html / path).read_text(encoding="utf-8").partition("<article")[2]
        # A formula is there twice, and data of a figure is not shown.
        shown = re.sub(r"<(script|math|svg)\b.*?</\1>", "", article, flags=re.DOTALL)
        text = unescape(re.sub(r"<[^>]*>", "", shown))
        numbers = re.findall(r"(?<![\w.])\d+\.\d+", text)
        assert [one for one in numbers if len(one.replace(".", "").lstrip("0")) > 8] == [], path


def test_a_sentence_has_sigma_in_one_face():
    for name in pages.listed():
        text = (pages.ROOT / "chapters" / f"{name}.md").read_text(encoding="utf-8")
        prose = re.sub(r"^( *)(```+).*?^\1\2$", "", text, flags=re.DOTALL | re.MULTILINE)
        mixed = [line for line in prose.splitlines() if "σ" in line and "\\sigma" in line]
        assert mixed == [], name


def test_without_a_script_the_first_page_asks_and_shows(window, site):
    page = window(java_script_enabled=False, viewport={"width": 1280, "height": 800}).page
    page.goto(site + "chapters/index.html")
    asked = page.locator(".nw-explorer .nw-asked")
    assert "leave-one-out error" in asked.inner_text()
    parts = [page.locator("h1 + p"), page.locator(".nw-explorer > img.nw-still"), asked]
    boxes = [part.bounding_box() for part in parts]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"]
    assert boxes[-1]["y"] + boxes[-1]["height"] <= 800


@pytest.mark.parametrize("screen", [(1280, 800), (390, 844)])
def test_the_first_screen_is_the_claim_the_figure_and_the_question(desktop, site, screen):
    page = desktop.page
    page.set_viewport_size(dict(zip(("width", "height"), screen, strict=True)))
    page.goto(site + "chapters/index.html")
    root = page.locator(".nw-explorer[data-ready=true]")
    root.wait_for()
    parts = [
        page.locator("h1:visible"),
        page.locator("h1:visible + p"),
        root.locator("input[name=sigma]"),
        root.locator("canvas").first,
        root.locator(".nw-question"),
    ]
    boxes = [part.bounding_box() for part in parts]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"] + 1
    assert boxes[-1]["y"] + boxes[-1]["height"] <= screen[1]
    error = root.locator(".nw-readout div").last
    box = error.bounding_box()
    assert box["y"] + box["height"] <= screen[1]
    assert not [one for one in page.locator("summary").all() if one.bounding_box()["y"] < screen[1]]
    # It asks for something that can be done: the width it begins with is a bad one.
    start = root.evaluate("root => root.explorer.state()")
    best = root.evaluate("root => (root.explorer.set({ sigma: 1 }), root.explorer.state().best)")
    assert best["error"] < start["leaveOneOutError"] / 2
    assert re.search(r"best so far \d+ at 1 ms", error.inner_text())


FIGURE = re.compile(f'class="nw-(?:{"|".join(FIGURES)})"')
ALL_SHOWN = """() => Promise.all([...document.images]
  .filter((one) => one.checkVisibility())
  .map((one) => ((one.loading = "eager"), one.decode())))"""


def test_pages_are_light_complain_of_nothing_and_ask_no_other_host(html, desktop, site):
    page, sizes = desktop.page, {}
    requests, complaints = desktop.overhear()

    def weigh(response):
        file = html / unquote(response.url.removeprefix(site).split("?")[0])
        if file.is_file():
            sent = file.read_bytes()
            text = file.suffix in {".html", ".css", ".js", ".mjs", ".svg"}
            sizes[file.relative_to(html).as_posix()] = len(gzip.compress(sent) if text else sent)

    desktop.listen("response", weigh)
    for path in EVERY_PAGE:
        sizes.clear()
        page.goto(site + path)
        desktop.settle()
        limit = 300_000 if FIGURE.search((html / path).read_text("utf-8")) else 250_000
        assert sum(sizes.values()) <= limit, (path, sizes)
        assert not [name for name in sizes if re.search("fontawesome|fa-", name)], path
        assert ("searchindex.js" in sizes) == (path == "search.html"), path
        page.evaluate(OPEN_ALL)
        page.evaluate(ALL_SHOWN)
        figures = sum(size for name, size in sizes.items() if name.startswith("_images"))
        assert figures <= 150_000, path
        assert [url for url in requests if not url.startswith((site, "data:", "blob:"))] == [], path
        assert complaints == [], path


def test_what_the_theme_offers_works_by_mouse_and_by_key(desktop, site):
    page = desktop.page
    asked, wrong = desktop.overhear()
    page.goto(site + "chapters/kernels.html")
    theme = "() => [document.documentElement.dataset.mode, document.documentElement.dataset.theme]"
    switch = page.locator(".theme-switch-button:visible")
    assert page.evaluate(theme) == ["auto", "light"]
    for expected in (["dark", "dark"], ["light", "light"], ["auto", "light"]):
        switch.click()
        assert page.evaluate(theme) == expected
        assert switch.locator("svg:visible").get_attribute("data-mode") == expected[0]
    sidebar = page.locator("#pst-primary-sidebar")
    toggle = page.locator(".primary-toggle:visible")
    for state in ("hidden", "visible"):
        toggle.click()
        sidebar.wait_for(state=state)
    menu = page.locator(".dropdown-download-buttons")
    menu.locator("button").first.focus()
    page.keyboard.press("Enter")
    menu.locator(".dropdown-item").first.wait_for()
    page.keyboard.press("Escape")
    menu.locator(".dropdown-item").first.wait_for(state="hidden")
    assert page.locator("button.copybtn").count() > 5
    fold = page.locator("details.sd-dropdown").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    tabs = fold.locator("label.sd-tab-label")
    tabs.nth(1).click()
    assert fold.locator(".sd-tab-content:visible").count() == 1
    margin = page.locator("aside.margin").first.bounding_box()
    assert margin["x"] > page.locator(".bd-article > section > p").first.bounding_box()["x"] + 600
    # Search, and what it needs, come when they are asked for.
    assert not [url for url in asked if "search" in url]
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Search")
    dialog.wait_for()
    page.keyboard.type("epanechnikov")
    found = dialog.locator("#search-results li a")
    found.first.wait_for()
    dialog.get_by_role("status").filter(has_text=re.compile(r"found \d+ page")).wait_for()
    page.keyboard.press("Tab")
    found.first.click()
    page.wait_for_url(re.compile(r"chapters/\w+\.html"))
    page.locator(".search-button__button:visible").first.click()
    page.get_by_role("dialog", name="Search").wait_for()
    page.keyboard.press("Escape")
    # On a phone the sidebar is a dialog.
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".primary-toggle:visible").click()
    page.locator("#pst-primary-sidebar-modal a").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("#pst-primary-sidebar-modal a").first.wait_for(state="hidden")
    page.goto(site + "chapters/exercises.html")
    solution = page.locator("details.solution").first
    solution.locator("summary strong").click()
    assert solution.evaluate("box => box.open")
    assert "#" not in page.url
    page.goto(site + "search.html?q=boxcar")
    page.locator("#search-results li a").first.wait_for()
    assert wrong == []


BARRIERS = """(runOnly) => axe.run(document, { runOnly, resultTypes: ["violations"] })
  .then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))
"""
# Letters of one ink are half of what some pages consist of: they count as one text.
ONE_INK = """() => {
  for (const part of document.querySelectorAll(".katex-html .base:not(:has([style*=color]))"))
    part.textContent = part.textContent;
}"""
EVERY_RULE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A page that is lost, without programs, names no theme.
SHOWN_IN = "(theme) => (document.documentElement.dataset.theme ?? theme) === theme"
# A theme changes colours alone.
RULES = {"light": EVERY_RULE, "dark": ["color-contrast", "link-in-text-block"]}


@pytest.mark.slow
def test_nothing_keeps_anyone_out(window, site):
    still = {"color_scheme": "light", "reduced_motion": "reduce"}
    page, found = window(viewport={"width": 1280, "height": 900}, **still).page, []
    for path in STAYING:
        page.goto(site + path)
        page.add_script_tag(path=AXE)
        page.evaluate(ONE_INK)
        # Colours that change by and by would be judged on the way.
        page.add_style_tag(content="* { transition: none !important }")
        folded = page.locator("details:not([open])").count() and path in TO_READ
        for state in ("closed", "opened") if folded else ("as it is",):
            page.evaluate(OPEN_ALL if state == "opened" else "0")
            for theme, rules in RULES.items():
                page.emulate_media(color_scheme=theme)
                page.wait_for_function(SHOWN_IN, arg=theme)
                barriers = page.evaluate(BARRIERS, rules)
                found += [(path, state, theme, *barrier) for barrier in barriers]
    assert found == []


LOOKS = (pages.ROOT / "tests" / "looks.js").read_text(encoding="utf-8")


def test_every_page_looks_right_in_a_frame(desktop, site):
    desktop.page.goto(site + "404.html")
    wrong = {path: desktop.page.evaluate(LOOKS, site + path) for path in STAYING}
    assert {path: found for path, found in wrong.items() if found} == {}


REST_OF_LINES = """() => [...document.querySelectorAll(".bd-article pre")].flatMap((code) => {
  const { left } = code.getBoundingClientRect();
  const start = left + code.clientLeft + Number.parseFloat(getComputedStyle(code).paddingLeft);
  const walk = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node, above, before = "\\n"; (node = walk.nextNode()); )
    for (let i = 0; i < node.length; i++) {
      const range = document.createRange();
      range.setStart(node, i);
      range.setEnd(node, i + 1);
      const place = range.getClientRects()[0];
      const letter = node.data[i];
      if (place && letter !== "\\n") {
        const rest = place.top > above + 4 && before !== "\\n";
        if (rest) found.push((place.left - start) / place.width);
        above = place.top;
      }
      before = letter;
    }
  return found;
})"""


@pytest.mark.parametrize("name", ["data", "api"])
def test_on_a_phone_the_rest_of_a_line_of_code_is_seen_to_be_one(desktop, site, name):
    desktop.page.set_viewport_size({"width": 320, "height": 640})
    desktop.page.goto(f"{site}chapters/{name}.html")
    places = desktop.page.evaluate(REST_OF_LINES)
    assert len(places) > 10
    # Where four spaces indent, no line begins after two.
    assert places == pytest.approx([2] * len(places), abs=0.1)


# A line of a formula that ends with a sign, and a sign of the text that begins a line.
BROKEN = """() => {
  const box = (place) => place.getClientRects()[0];
  const ends = [...document.querySelectorAll(".katex-display .katex-html")].flatMap((formula) => {
    const parts = [...formula.querySelectorAll(".base")];
    return parts.filter((part, i) => {
      const sign = [...part.children].findLast((one) => !one.matches(".mspace"));
      const below = parts[i + 1] && box(parts[i + 1]).left < box(part).right - 1;
      return below && sign.matches(".mrel, .mbin");
    });
  });
  const begins = [...document.querySelectorAll("span.math")].filter((formula) => {
    const after = formula.lastChild.nodeType === 3 ? formula.lastChild : formula.nextSibling;
    if (!/^[^\\w\\s([]/.test(after?.data ?? "")) return false;
    const sign = document.createRange();
    sign.setStart(after, 0);
    sign.setEnd(after, 1);
    const parts = formula.querySelectorAll(".base");
    return box(sign) && box(sign).left < box(parts[parts.length - 1]).right - 1;
  });
  return [...ends, ...begins].map((one) => one.textContent);
}"""


@pytest.mark.parametrize("name", ["pooling", "width", "cost"])
def test_formulas_break_where_a_reader_expects_it(desktop, site, name):
    desktop.page.goto(f"{site}chapters/{name}.html")
    desktop.page.evaluate("() => document.fonts.ready.then(() => true)")
    for width in (1280, *range(320, 400, 4)):
        desktop.page.set_viewport_size({"width": width, "height": 800})
        assert desktop.page.evaluate(BROKEN) == [], width


def test_a_formula_is_told_as_its_author_wrote_it(html):
    for path in TO_READ:
        assert "allowbreak" not in (html / path).read_text(encoding="utf-8"), path


def test_formulas_keep_their_letters_in_forced_colours(window, site):
    ink = []
    for forced in ("none", "active"):
        page = window(forced_colors=forced, viewport={"width": 1280, "height": 800}).page
        page.goto(site + "chapters/exercises.html")
        page.evaluate("() => document.fonts.ready.then(() => true)")
        hat = page.locator(".katex-display .accent").first
        with Image.open(io.BytesIO(hat.screenshot())) as picture:
            ink.append(sum(picture.convert("L").histogram()[:128]))
    assert ink[1] > 0.8 * ink[0] > 20


def test_every_figure_is_drawn_for_both_themes(html, desktop, site):
    page, seen = desktop.page, 0
    for path in TO_READ:
        figures = re.findall(r"<img [^>]*_images/[^>]*>", (html / path).read_text("utf-8"))
        assert all('loading="lazy"' in one and " alt=" in one for one in figures), path
        if not figures:
            continue
        page.goto(site + path)
        for theme, dark in (("light", False), ("dark", True)):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            page.evaluate(OPEN_ALL)
            shown = page.locator("img[src*=_images]:visible").all()
            assert len(shown) == len(figures) / 2, path
            for figure in shown:
                assert figure.get_attribute("src").endswith("-dark.svg") == dark
                caption = figure.locator("xpath=ancestor::figure//figcaption")
                assert not caption.count() or caption.is_visible()
            seen += len(shown)
        drawing = (html / path).parent.joinpath(shown[0].get_attribute("src")).read_text("utf-8")
        assert int(re.search(r'<svg fill="#(\w\w)', drawing)[1], 16) > 0xC0, path
        # The ground of a drawing is the ground of the page.
        ground = re.search(r'<path d="[^"]*"\s+style="fill: (#\w+)', drawing)[1]
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert [int(ground[i : i + 2], 16) for i in (1, 3, 5)] == [
            int(one) for one in re.findall(r"\d+", colour)[:3]
        ]
    assert seen > 60


def test_a_window_keeps_no_medium_of_the_test_before(windows):
    shared = windows(viewport={"width": 1280, "height": 900})
    shared.page.emulate_media(media="print")
    shared.tidy()
    assert shared.page.evaluate("() => matchMedia('screen').matches")


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_summary_prints_on_one_sheet(desktop, site, paper):
    desktop.page.goto(site + "chapters/summary.html")
    desktop.settle()
    # In another typeface formulas are wider.
    desktop.page.evaluate("() => document.fonts.ready.then(() => true)")
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "10mm")
    printed = desktop.page.pdf(format=paper, margin=margin)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_on_paper_each_program_stands_under_its_name(desktop, site):
    page = desktop.page
    page.goto(site + "chapters/kernels.html")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    labels = page.locator(".sd-tab-label")
    programs = page.locator(".sd-tab-content pre")
    starts = [program.splitlines()[0] for program in programs.all_inner_texts()]
    names = [label.strip() for label in labels.all_inner_texts()]
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    with pypdfium2.PdfDocument(page.pdf(format="A4", margin=margin)) as document:
        sheets = [" ".join(sheet.get_textpage().get_text_range().split()) for sheet in document]
    assert len(starts) == 5
    for name, start in zip(names, starts, strict=True):
        (sheet,) = (text for text in sheets if start in text)
        assert name in sheet.replace(start, ""), name
    assert not [sheet for sheet in sheets if "Hide the code" in sheet or "Show the code" in sheet]


def test_what_is_folded_prints_opened(desktop, site):
    page = desktop.page
    page.goto(site + "chapters/exercises.html")
    closed = "() => document.querySelectorAll('details:not([open])').length"
    before = page.evaluate(closed)
    assert before > 50
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(closed) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(closed) == before
