"""Every explorer on every built page, in a real browser: what it draws is what NumPy computes."""

import gzip
import itertools
import re
import sys

import numpy as np
import pages
import pytest
from drawn import check, close, numbers, put, settled, state
from playwright.sync_api import Error

from attention_pooling import KERNELS, leave_one_out, nadaraya_watson

sys.path.append(str(pages.ROOT / "src"))
from book_site.explorer import FIGURES  # noqa: E402

PAGES = pages.with_explorers()
EVERY_PAGE = pages.every_page()
ROOT = ".nw-explorer[data-ready=true]"


class Opened:
    """A page in the browser, with what it asked for and what it complained about."""

    def __init__(self, window, address, path):
        self.page = window.page
        self.requests, self.complaints = window.overhear()
        self.page.goto(address + path)
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.nw-explorer')].every((one) => one.dataset.ready)"
        )
        self.roots = self.page.locator(ROOT).all()


def test_book_has_explorers(site):
    assert len(PAGES) >= 5, "the landing page and four chapters have an explorer each"


@pytest.mark.parametrize("path", PAGES)
def test_set_draws_what_numpy_computes(desktop, site, path):
    for root in Opened(desktop, site, path).roots:
        start = check(state(root))
        span = np.ptp(start["keys"])
        places = itertools.cycle([*np.quantile(start["queries"], [0, 0.37, 1]), start["query"]])
        for kernel, part in itertools.product(KERNELS, [1e-12, 1e-3, 0.01, 0.03, 0.1, 0.5, 30]):
            asked = {"kernel": kernel, "sigma": part * span, "query": next(places)}
            drawn = check(put(root, **asked))
            assert {name: drawn[name] for name in asked} == asked
        assert not np.isnan(numbers(put(root, kernel="gaussian", sigma=1e-9)["estimate"])).any()
        assert np.isnan(numbers(put(root, kernel="boxcar", sigma=1e-9)["estimate"])).any()


@pytest.mark.parametrize("path", PAGES)
def test_sliders_answer_the_mouse(desktop, site, path):
    for root in Opened(desktop, site, path).roots:
        for name in ("sigma", "query"):
            before = state(root)[name]
            seen = drag(root.page.mouse, root.locator(f"input[name={name}]"), state, root, name)
            assert seen == sorted(seen)
            assert before != seen[0] < seen[-1]
            check(settled(root))
        root.locator("select[name=kernel]").select_option("triangular")
        assert check(settled(root))["kernel"] == "triangular"


def drag(mouse, slider, read, root, name):
    """Drag a slider's thumb from left to right and return what the explorer showed on the way."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    mouse.move(box["x"] + 0.2 * box["width"], middle)
    mouse.down()
    seen = []
    for part in (0.3, 0.5, 0.7, 0.9):
        mouse.move(box["x"] + part * box["width"], middle)
        seen.append(settled(root)[name])
    mouse.up()
    return seen


@pytest.mark.parametrize("path", PAGES)
def test_arrow_keys_move_width_kernel_and_query(desktop, site, path):
    for root in Opened(desktop, site, path).roots:
        # Away from the ends, where a key has no effect.
        before = put(root, query=float(np.median(state(root)["queries"])))
        for name, key, sign in (("sigma", "ArrowRight", 1), ("query", "ArrowLeft", -1)):
            slider = root.locator(f"input[name={name}]")
            slider.focus()
            for _ in range(3):
                slider.press(key)
                after = settled(root)
                assert sign * (after[name] - before[name]) > 0
                before = check(after)
        chooser = root.locator("select[name=kernel]")
        chooser.focus()
        chooser.press("e")
        assert check(settled(root))["kernel"] == "epanechnikov"


@pytest.mark.parametrize("path", PAGES)
def test_query_is_dragged_in_the_panels(desktop, site, path):
    for root in Opened(desktop, site, path).roots:
        start = state(root)
        span = np.ptp(start["queries"])
        first, heatmap = root.locator("canvas").all()[:2]
        for canvas, across in ((first, True), (heatmap, False)):
            canvas.scroll_into_view_if_needed()
            box = canvas.bounding_box()
            seen = []
            for part in (0.3, 0.5, 0.7):
                x = box["x"] + box["width"] * (part if across else 0.5)
                y = box["y"] + box["height"] * (0.5 if across else 0.9 - part)
                root.page.mouse.move(x, y)
                root.page.mouse.down()
                seen.append(settled(root)["query"])
            root.page.mouse.up()
            assert seen == sorted(seen)
            assert np.ptp(seen) > 0.3 * span
            check(state(root))
        # The hand that has dragged goes on with the arrow keys.
        root.page.keyboard.press("ArrowRight")
        assert settled(root)["query"] > seen[-1]


class Finger:
    """One finger on the glass, as the browser's own protocol emulates it."""

    def __init__(self, page):
        self.send = page.context.new_cdp_session(page).send

    def swipe(self, start, end, steps=8):
        point = [{"x": start[0], "y": start[1]}]
        self.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point})
        for step in range(1, steps + 1):
            x, y = (a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
            self.send(
                "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]}
            )
        self.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("path", PAGES)
def test_a_finger_moves_sliders_and_query_and_still_scrolls(phone, site, path):
    for root in Opened(phone, site, path).roots:
        finger = Finger(root.page)
        for name in ("sigma", "query"):
            slider = root.locator(f"input[name={name}]")
            slider.scroll_into_view_if_needed()
            box = slider.bounding_box()
            y = box["y"] + box["height"] / 2
            finger.swipe((box["x"] + 0.2 * box["width"], y), (box["x"] + 0.8 * box["width"], y))
            value = float(slider.input_value())
            low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
            assert (value - low) / (high - low) == pytest.approx(0.8, abs=0.05)
            check(settled(root))
        canvas = root.locator("canvas").first
        canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'center' })")
        box = canvas.bounding_box()
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        before = settled(root)["query"]
        finger.swipe(middle, (middle[0] - 0.3 * box["width"], middle[1]))
        after = check(settled(root))["query"]
        assert after < before
        scrolled = root.page.evaluate("scrollY")
        finger.swipe(middle, (middle[0] + 9, middle[1] - 150))
        root.page.wait_for_function("before => scrollY > before + 50", arg=scrolled)
        assert settled(root)["query"] == after
        canvas.tap(position={"x": 0.7 * box["width"], "y": 100})
        assert check(settled(root))["query"] > after


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_a_page_has_a_language_a_title_and_an_icon(html, path):
    text = (html / path).read_text(encoding="utf-8")
    assert re.search(r'<html[^>]* lang="en"', text)
    assert re.search(r"<title>\s*\S", text)
    # Without one, a browser asks for a picture that is not there.
    icon = re.search(r'<link rel="icon" href="([^"]+)"', text)[1]
    assert (html / path).parent.joinpath(icon).is_file()


@pytest.mark.parametrize("path", PAGES)
def test_pages_work_from_a_file(desktop, site, path):
    opened = Opened(desktop, pages.HTML.as_uri() + "/", path)
    for root in opened.roots:
        check(put(root, sigma=2.0, kernel="epanechnikov"))
    assert opened.complaints == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in opened.requests)


@pytest.mark.parametrize("path", PAGES)
def test_without_javascript_the_still_figure_stands(window, site, path):
    page = window(java_script_enabled=False).page
    page.goto(site + path)
    for figure in page.locator(".nw-explorer > img.nw-still").all():
        box = figure.bounding_box()
        assert box["width"] > 300
        assert box["height"] == pytest.approx(box["width"] * 310 / 720, rel=0.05)
        assert len(figure.get_attribute("alt")) > 40
    assert page.locator(".nw-explorer canvas").count() == 0


@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize(
    ("path", "figure"),
    [*((path, "explorer") for path in PAGES)]
    + [("chapters/attention.html", "scores"), ("chapters/pooling.html", "digits")]
    + [("chapters/words.html", "words"), ("chapters/width.html", "balance")]
    + [("chapters/attention.html", "direction")],
)
def test_pages_do_not_jump_when_a_figure_comes_alive(desktop, phone, screen, site, path, figure):
    page = {"desktop": desktop, "phone": phone}[screen].page
    held = []
    module = re.compile(rf"/{figure}\.mjs")
    page.route(module, lambda route: held.append(route))
    with page.expect_request(module):
        page.goto(site + path)
    root = page.locator(f".nw-{figure}").first
    assert root.locator("img.nw-still").is_visible()
    before = root.bounding_box()["height"]
    held[0].continue_()
    # Some load what they need only when a reader comes near.
    root.evaluate("root => root.scrollIntoView()")
    page.wait_for_selector(f".nw-{figure}[data-ready=true]")
    assert root.bounding_box()["height"] == pytest.approx(before, abs=2)
    assert root.locator("img.nw-still").is_hidden()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_still_figure_of_a_readers_own_kernel_keeps_its_shape(desktop, site, width):
    desktop.page.set_viewport_size({"width": width, "height": 844})
    desktop.page.goto(site + "chapters/exercises.html")
    figure = desktop.page.locator(".nw-still-only img").first
    # What is folded may not have been laid out.
    figure.evaluate("img => { img.closest('details').open = true }")
    box = figure.bounding_box()
    natural = figure.evaluate("img => img.naturalWidth / img.naturalHeight")
    assert box["width"] / box["height"] == pytest.approx(natural, rel=0.02)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_layout_fits_the_screen(desktop, site, path, width):
    desktop.page.set_viewport_size({"width": width, "height": 844})
    opened = Opened(desktop, site, path)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for root in opened.roots:
        outer = root.bounding_box()
        boxes = [canvas.bounding_box() for canvas in root.locator("canvas").all()]
        assert all(box["x"] >= outer["x"] - 1 for box in boxes)
        assert all(box["width"] >= 240 for box in boxes)
        side_by_side = boxes[0]["y"] == boxes[1]["y"]
        assert side_by_side == (width == 1280)
        for control in root.locator("input, select").all():
            box = control.bounding_box()
            assert min(box["width"], box["height"]) >= 24


WRITTEN = """
  const write = CanvasRenderingContext2D.prototype.fillText;
  window.written = [];
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...most) {
    const wide = Math.min(this.measureText(text).width, ...most);
    const left = x - wide * { left: 0, start: 0, center: 0.5, right: 1 }[this.textAlign];
    const { a, b, e } = this.getTransform();
    if (!b) written.push([text, this.font, a * left + e, a * (left + wide) + e, this.canvas.width]);
    return write.call(this, text, x, y, ...most);
  };
"""


@pytest.mark.parametrize("path", PAGES)
def test_what_panels_say_is_whole_on_the_smallest_phone(window, site, path):
    small = window(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    small.page.add_init_script(WRITTEN)
    opened = Opened(small, site, path)
    for canvas in opened.page.locator("canvas").all():
        canvas.scroll_into_view_if_needed()
    small.settle()
    family = opened.page.evaluate("getComputedStyle(document.body).fontFamily.split(',')[0]")
    for text, font, left, right, width in opened.page.evaluate("written"):
        assert 0 <= left < right <= width, text
        assert family in font, text


def test_canvases_follow_the_width_of_the_page(desktop, site):
    opened = Opened(desktop, site, PAGES[0])
    canvas = opened.roots[0].locator("canvas").first
    sizes = "canvas => [canvas.width, canvas.clientWidth]"
    opened.page.set_viewport_size({"width": 390, "height": 844})
    opened.page.wait_for_function("() => document.querySelector('canvas').clientWidth > 300")
    settled(opened.roots[0])
    drawn, shown = canvas.evaluate(sizes)
    assert drawn == shown


INK = """root => {
  const canvas = root.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 30, 60, canvas.height - 30);
  let sum = 0, count = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) { sum += data[i]; count++; }
  return sum / count;
}"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_ink_follows_the_theme(window, site, motion):
    opened = Opened(window(reduced_motion=motion), site, PAGES[0])
    root = opened.roots[0]
    set_theme = "theme => { document.documentElement.dataset.theme = theme }"
    inks = []
    for theme in ("light", "dark", "light"):
        opened.page.evaluate(set_theme, theme)
        opened.page.wait_for_timeout(200)
        inks.append(root.evaluate(INK))
    assert inks[0] == inks[2]
    assert inks[0] < 120 < 150 < inks[1]
    ground = root.evaluate("root => getComputedStyle(root.parentElement).backgroundColor")
    assert ground == "rgba(0, 0, 0, 0)"


def test_set_refuses_what_cannot_be_drawn_and_stays_as_it_was(desktop, site):
    root = Opened(desktop, site, PAGES[0]).roots[0]
    before = state(root)
    for change, message in [
        ({"sigma": 0}, "sigma must be positive and finite, got 0"),
        ({"sigma": -1}, "sigma must be positive and finite, got -1"),
        ({"sigma": 1e-320}, "sigma must not make scaled distances overflow"),
        ({"kernel": "toString"}, "kernel must be one of gaussian, .*, got toString"),
        ({"query": None}, "query must be finite, got null"),
    ]:
        with pytest.raises(Error, match=message):
            put(root, **change)
    assert state(root) == before


def test_every_redraw_is_told_and_input_is_gathered_by_frame(desktop, site):
    root = Opened(desktop, site, PAGES[0]).roots[0]
    told = root.evaluate(
        """async (root) => {
          let count = 0;
          root.addEventListener('nw:change', () => count++);
          root.explorer.set({ sigma: 2 });
          const set = count;
          const slider = root.querySelector('[name=sigma]');
          for (let i = 0; i < 20; i++) {
            slider.stepUp();
            slider.dispatchEvent(new Event('input', { bubbles: true }));
          }
          const waiting = count;
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          return [set, waiting, count];
        }"""
    )
    assert told == [1, 1, 2]


def test_words_say_what_is_drawn(desktop, site):
    root = Opened(desktop, site, "chapters/index.html").roots[0]
    put(root, kernel="boxcar", sigma=0.3, query=20.0)
    drawn = check(state(root))
    text = root.locator(".nw-readout").inner_text()
    assert f"{drawn['unreached']} of {len(drawn['queries'])}" in text
    assert re.search(r"undefined: \d+ keys are reached by no other", text)
    assert root.locator("[name=sigma]").get_attribute("aria-valuetext") == "0.3 ms"
    assert root.locator("[name=query]").get_attribute("aria-valuetext") == "20 ms"
    spoken = root.locator("[aria-live=polite]")
    spoken.filter(has_text="Kernel boxcar, width 0.3 ms, query 20 ms.").wait_for(state="attached")
    error = put(root, kernel="gaussian", sigma=0.91)["leaveOneOutError"]
    assert f"leave-one-out error {error:.0f}" in root.locator(".nw-readout").text_content()


def test_leave_one_out_panel_draws_the_leave_one_out_curve(desktop, site):
    compared = 0
    for path in PAGES:
        for root in Opened(desktop, site, path).roots:
            if not root.locator("canvas[aria-label^='Leave-one-out']").count():
                continue
            whole = "root => root.explorer.state().leaveOneOutCurve.length"
            root.page.wait_for_function(whole, arg=root.element_handle())
            for kernel in KERNELS:
                drawn = put(root, kernel=kernel)
                widths, errors = zip(*drawn["leaveOneOutCurve"], strict=True)
                keys, values = drawn["keys"], drawn["values"]
                close(errors, [leave_one_out(keys, values, kernel, w).error for w in widths])
                compared += 1
    assert compared, "the width chapter shows the leave-one-out curve"


@pytest.mark.parametrize("figure", FIGURES)
def test_only_pages_with_a_figure_load_it(html, figure):
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        shows = f'class="nw-{figure}' in text
        assert bool(re.search(rf'import\("[^"]*/{figure}\.mjs', text)) == shows, page
        assert bool(re.search(rf"<link[^>]*/{figure}\.css", text)) == shows, page


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_pages_hold_no_trace_of_the_widgets(html, path):
    text = (html / path).read_text(encoding="utf-8")
    assert "jupyter.widget" not in text
    assert "model_id" not in text


def test_modules_and_style_are_light(html):
    sent = [gzip.compress(file.read_bytes(), 9) for file in (html / "_static/explorer").iterdir()]
    assert sum(map(len, sent)) <= 18 * 1024


@pytest.mark.parametrize("figure", [name for name in FIGURES if name != "explorer"])
def test_each_other_figure_is_lighter(html, figure):
    files = [html / "_static" / figure / f"{figure}.{kind}" for kind in ("mjs", "css")]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) <= 8 * 1024


def test_band_holds_two_standard_errors_to_either_side(desktop, site):
    root = Opened(desktop, site, "chapters/sure.html").page.locator(ROOT)
    for kernel, sigma in (("gaussian", 0.35), ("boxcar", 0.8), ("boxcar", 0.05)):
        shown = put(root, kernel=kernel, sigma=sigma)
        keys, values, queries = (numbers(shown[name]) for name in ("keys", "values", "queries"))
        estimate, weights = nadaraya_watson(queries, keys, values, kernel, sigma)
        others = ~np.eye(len(keys), dtype=bool)
        left_out, shares = nadaraya_watson(keys, keys, values, kernel, sigma, mask=others)
        noise = np.mean((values - left_out) ** 2 / (1 + (shares**2).sum(axis=1)))
        reach = 2 * np.sqrt(noise * (weights**2).sum(axis=1))
        close(shown["band"], [estimate - reach, estimate + reach])
        answered = root.locator(".nw-readout").text_content()
        assert ("±" in answered) == np.isfinite(noise)
