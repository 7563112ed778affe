"""Guesses: what an author may write, and what a reader meets with and without a script."""

import gzip
import json
import os
import subprocess
import sys

import numpy as np
import pages
import pytest
from bs4 import BeautifulSoup
from drawn import numbers

from attention_pooling import leave_one_out, nadaraya_watson

sys.path.append(str(pages.ROOT / "src"))
from book_site.guess import FIGURES, settings  # noqa: E402

MAIN = ["kernels", "data", "pooling", "width", "sure", "attention", "table", "memory", "words"]
ROOT = ".nw-guess[data-ready=true]"


def guesses(name):
    """Return the guesses of a built chapter, each with what its root knows."""
    text = (pages.HTML / "chapters" / f"{name}.html").read_text(encoding="utf-8")
    found = BeautifulSoup(text, "html.parser").select(".nw-guess")
    return [(root, json.loads(root["data-guess"])) for root in found]


# What an author may write


@pytest.mark.parametrize(
    ("text", "figure", "found"),
    [
        (
            "sigma=0.3 kernel=boxcar query=20",
            "explorer",
            {"sigma": 0.3, "kernel": "boxcar", "query": 20.0},
        ),
        ("score=product query=0.5,-2", "scores", {"score": "product", "query": [0.5, -2.0]}),
        ('head=2.1 at=69 text="a b"', "words", {"head": "2.1", "at": 69, "text": "a b"}),
    ],
)
def test_settings_are_read(text, figure, found):
    assert settings(text, figure) == found


ANSWER = ":::{{answer}} {}\n{}\nA reply.\n:::\n"


def question(*answers, options=""):
    return f"::::{{guess}} Which?\n{options}\n{''.join(answers)}::::\n"


GOOD = [ANSWER.format("One", ":right:"), ANSWER.format("Two", ""), ANSWER.format("Three", "")]
WRONG = {
    question(*GOOD[:2]): "guess must have three or four answers, got 2",
    question(*GOOD, *GOOD[:2]): "guess must have three or four answers, got 5",
    question(*GOOD[1:], ANSWER.format("Four", "")): "right must stand at one answer, got it at 0",
    question(
        *GOOD, ANSWER.format("Four", ":right:")
    ): "right must stand at one answer, got it at 2",
    question(*GOOD, GOOD[2]): "answers must differ, got one twice",
    question(*GOOD, "Aside.\n"): "guess must hold answers alone, got Aside.",
    question(
        *GOOD, ":::{answer} Four\n:::\n"
    ): "answer must have a reply below it, got none to Four",
    question(*GOOD, options=":show: sigma=1\n"): "show must come with draw, or stand at an answer",
    question(
        *GOOD, options=":figure: pie\n"
    ): f"figure must be one of {', '.join(FIGURES)}, got pie",
    **{
        question(*GOOD, ANSWER.format("Four", f":show: {show}")): message
        for show, message in {
            "sigma=-1": "sigma must be positive and finite, got -1",
            "sigma=wide": "sigma must be a number, got wide",
            "kernel=box": "kernel must be one of gaussian, boxcar, constant, triangular, "
            "epanechnikov, got box",
            "query=": "query must be a number, got",
            "width=1": "a setting must be sigma=…, kernel=…, query=…, got width=1",
            "sigma": "a setting must be sigma=…, kernel=…, query=…, got sigma",
        }.items()
    },
    "```{guess} Draw.\n:draw: weights\n:show: sigma=1\n\nSo.\n```\n": "draw must be one of "
    "estimate, leave-one-out, got weights",
    "```{guess} Draw.\n:draw: estimate\n\nSo.\n```\n": "a setting must be sigma=…",
    "```{guess} Draw.\n:draw: estimate\n:show: sigma=1\n```\n": "draw must have a text below it",
    question(*GOOD, ANSWER.format("Four", ":show: sigma=1")): "a guess sets a figure of the kind "
    "explorer, of which the page has none",
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """What one build says about pages of which each has one fault, by the page."""
    folder = tmp_path_factory.mktemp("book")
    (folder / "conf.py").write_text(
        'extensions = ["myst_parser", "book_site.guess"]\n'
        'myst_enable_extensions = ["colon_fence"]\n'
    )
    for place, text in enumerate(WRONG):
        (folder / f"page-{place:02}.md").write_text(f"---\norphan: true\n---\n# Page\n\n{text}")
    (folder / "index.md").write_text(f"# Good\n\n{question(*GOOD)}")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-b", "html", folder, folder / "out"],
        env=os.environ | {"PYTHONPATH": str(pages.ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return built.stderr.replace("\n", " ").split(str(folder))


@pytest.mark.parametrize("text", WRONG, ids=WRONG.values())
def test_what_cannot_be_a_guess_is_refused_by_name_and_value(complaints, text):
    page = f"page-{list(WRONG).index(text):02}"
    said = " ".join(part for part in complaints if page in part)
    assert WRONG[text] in said


def test_a_good_guess_is_not_complained_of(complaints):
    assert not [part for part in complaints if "index" in part]


# What the book asks


def test_each_main_chapter_has_two_guesses(html):
    assert {name: len(guesses(name)) for name in MAIN if len(guesses(name)) < 2} == {}
    kinds = {name: [data["kind"] for _, data in guesses(name)] for name in ("pooling", "width")}
    assert all("draw" in each for each in kinds.values())


@pytest.mark.parametrize("name", pages.chapters())
def test_each_question_has_answers_and_each_answer_a_reply(html, name):
    for root, data in guesses(name):
        assert root.select_one(".nw-question").get_text().strip()
        replies = root.select("details.nw-replies > ol > li")
        if data["kind"] == "draw":
            assert root.select_one("details.nw-replies > p").get_text().strip()
            continue
        offered = root.select(".nw-answers > li")
        assert 3 <= len(offered) <= 4
        assert len(replies) == len(offered) == len(data["shows"])
        verdicts = [reply.select_one("strong").get_text() for reply in replies]
        assert [place for place, verdict in enumerate(verdicts) if verdict == "Right."] == [
            data["right"]
        ]
        for reply in replies:
            assert len(reply.get_text().split()) > 5
            # A button holds words, and no link or other control.
        assert not [link for one in offered for link in one.select("a, code.xref")]


def test_only_pages_with_a_guess_load_it(html):
    for page in pages.every_page():
        text = (html / page).read_text(encoding="utf-8")
        asks = 'class="nw-guess"' in text
        assert ("/guess.mjs" in text) == ("guess/guess.css" in text) == asks, page


def test_module_and_style_are_light(html):
    sent = [gzip.compress(file.read_bytes(), 9) for file in (html / "_static/guess").iterdir()]
    assert sum(map(len, sent)) <= 8 * 1024


# What a reader meets


@pytest.fixture
def opened(desktop, site):
    """A function that opens a chapter and returns its guesses, alive."""
    _, said = desktop.overhear()

    def visit(name):
        desktop.page.goto(f"{site}chapters/{name}.html")
        ready = "() => [...document.querySelectorAll('.nw-guess')].every((one) => one.guess)"
        desktop.page.wait_for_function(ready)
        return desktop.page.locator(ROOT).all()

    yield visit
    assert said == []


def state(root):
    return root.evaluate("root => root.guess.state()")


@pytest.mark.parametrize("name", MAIN)
def test_an_answer_is_met_by_its_reply_and_by_the_figure(opened, name):
    written = guesses(name)
    roots = opened(name)
    assert len(roots) == len(written)
    for root, (source, data) in zip(roots, written, strict=True):
        unanswered = {"kind": data["kind"], "answered": False, "chosen": None, "right": None}
        assert unanswered.items() <= state(root).items()
        if data["kind"] == "draw":
            continue
        figure = root.page.locator(f".nw-{data['figure']}").first
        if any(data["shows"]):
            figure.scroll_into_view_if_needed()
            figure.page.wait_for_selector(f".nw-{data['figure']}[data-ready]")
        replies = source.select(".nw-replies > ol > li")
        for place, show in enumerate(data["shows"]):
            root.evaluate("(root, place) => root.guess.choose(place)", place)
            right = place == data["right"]
            assert state(root) == {
                "kind": "question",
                "answered": True,
                "chosen": place,
                "right": right,
            }
            told = root.locator("[role=status]").inner_text()
            assert told.startswith("Right." if right else "No.")
            # Without formulas, whose letters stand in the page more than once.
            first = replies[place].p.find_all(string=True)[1].split()
            assert " ".join(first) in " ".join(told.split())
            pressed = [
                each.get_attribute("aria-pressed") for each in root.locator("li button").all()
            ]
            assert pressed == ["true" if i == place else "false" for i in range(len(pressed))]
            if show:
                read = "([name, figure]) => (figure.words ?? figure.explorer).state()[name]"
                handle = figure.element_handle()
                shown = {one: figure.page.evaluate(read, [one, handle]) for one in show}
                assert shown == show


def truth_of(source, data, xs):
    """Return what NumPy makes of a figure's data where a curve is drawn."""
    keys, values = (np.array(source[name]) for name in ("keys", "values"))
    kernel = data["show"].get("kernel", source["kernel"])
    if data["draw"] == "estimate":
        return nadaraya_watson(xs, keys, values, kernel, data["show"]["sigma"]).estimate
    return np.array([leave_one_out(keys, values, kernel, sigma).error for sigma in xs])


@pytest.mark.parametrize("name", ["pooling", "width"])
def test_the_true_curve_and_the_gap_are_numpys(opened, name):
    for root, (_, data) in zip(opened(name), guesses(name), strict=True):
        if data["kind"] != "draw":
            continue
        figure = root.page.locator(".nw-explorer").first
        source = json.loads(figure.locator("script").text_content())
        lo, hi = (
            source["sigmas"]
            if data["draw"] == "leave-one-out"
            else (min(source["queries"]), max(source["queries"]))
        )
        level = np.median(source["values"]) if data["draw"] == "estimate" else 700.0
        root.evaluate("(root, pairs) => root.guess.draw(pairs)", [[lo, level], [hi, level]])
        told = state(root)
        xs, truth = numbers(told["truth"]).T
        assert (xs[0], xs[-1]) == pytest.approx((lo, hi), rel=1e-12)
        expected = truth_of(source, data, xs)
        np.testing.assert_allclose(truth, expected, rtol=1e-12, atol=1e-12)
        drawn = numbers(told["chosen"])[:, 1]
        assert drawn == pytest.approx(np.full(len(xs), level))
        gaps = np.abs(drawn - expected)
        assert told["answered"]
        assert told["gap"]["mean"] == pytest.approx(np.nanmean(gaps), rel=1e-12)
        assert told["gap"]["most"] == pytest.approx(np.nanmax(gaps), rel=1e-12)
        assert told["gap"]["at"] == pytest.approx(xs[np.nanargmax(gaps)])
        sentence = root.locator("[role=status]").inner_text()
        unit = f" {source['units'][1]}²" if data["draw"] == "leave-one-out" else ""
        assert f"On average your curve is {written(np.nanmean(gaps))}{unit} away" in sentence
        if data["draw"] == "leave-one-out":
            assert f"the true one at {written(xs[np.nanargmin(expected)])} ms" in sentence
        shown = figure.evaluate("figure => figure.explorer.state()")
        assert data["show"].items() <= shown.items()


def written(number):
    return f"{number:.0f}" if number >= 1000 else f"{float(f'{number:.3g}'):g}"


def pad_of(opened):
    for root in opened("pooling"):
        if root.locator("canvas").count():
            root.scroll_into_view_if_needed()
            return root
    return None


def test_a_mouse_draws_what_it_passes(opened):
    root = pad_of(opened)
    box = root.locator("canvas").bounding_box()
    mouse = root.page.mouse
    places = [(0.3, 0.7), (0.5, 0.3), (0.8, 0.5)]
    for i, (across, down) in enumerate(places):
        mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        if not i:
            mouse.down()
    mouse.up()
    assert not state(root)["answered"]
    root.locator("[name=compare]").click()
    chosen = numbers(state(root)["chosen"])
    _, heights = chosen.T
    top = np.argmax(heights)
    # Up to the middle, down from there, and level where nothing was drawn.
    assert np.all(np.diff(heights[: top + 1]) >= 0)
    assert np.all(np.diff(heights[top:]) <= 0)
    assert heights[0] == heights[5] < heights[-1] == heights[-5] < heights[top]
    # What has been compared stays as it was drawn.
    mouse.move(box["x"] + 50, box["y"] + 50)
    mouse.down()
    mouse.up()
    assert numbers(state(root)["chosen"]).tolist() == chosen.tolist()


def test_the_keyboard_alone_answers_and_draws_and_it_is_kept(opened):
    asked = opened("data")[0]
    page = asked.page
    asked.locator("button").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert state(asked)["chosen"] == 1
    before = asked.locator("[role=status]").inner_text()
    assert before.startswith("Right.")
    page.reload()
    page.wait_for_selector(ROOT)
    assert state(asked) == {"kind": "question", "answered": True, "chosen": 1, "right": True}
    assert asked.locator("[role=status]").inner_text() == before
    pad = pad_of(opened)
    canvas = pad.locator("canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "PageUp", "ArrowRight", "PageDown"):
        page.keyboard.press(key)
    assert canvas.get_attribute("role") == "slider"
    assert canvas.get_attribute("aria-valuenow") == "3"
    assert canvas.get_attribute("aria-valuetext").startswith("at 1.63: ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    drawn = state(pad)
    heights = numbers(drawn["chosen"])[:, 1]
    assert (heights.argmax(), heights.argmin()) == (10, 20)
    assert heights[0] == heights[-1]
    page.reload()
    page.wait_for_selector(ROOT)
    assert state(pad) == drawn
    pad.locator("[name=again]").click()
    page.reload()
    page.wait_for_selector(ROOT)
    assert not state(pad)["answered"]


def test_a_reader_may_skip_and_has_not_answered_then(opened):
    asked = opened("data")[0]
    asked.locator(".nw-skip").click()
    assert asked.locator("[role=status]").inner_text().startswith("Right.")
    assert not state(asked)["answered"]
    pad = pad_of(opened)
    pad.locator("[name=skip]").click()
    assert state(pad)["truth"]
    assert not state(pad)["answered"]


@pytest.mark.parametrize("where", ["file", "without storage"])
def test_guesses_work_from_a_file_and_without_storage(chromium, site, html, where):
    page = chromium.new_page()
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    forbid = (
        "Object.defineProperty(window, 'localStorage', { get() { throw Error('forbidden'); } })"
    )
    if where == "without storage":
        page.add_init_script(forbid)
    page.goto(f"{html.as_uri() + '/' if where == 'file' else site}chapters/data.html")
    page.wait_for_selector(ROOT)
    root = page.locator(ROOT).first
    root.evaluate("root => root.guess.choose(1)")
    assert state(root)["right"]
    assert [each for each in said if "guess" in each] == []
    page.close()


def test_choose_refuses_what_is_no_answer(opened):
    root = opened("data")[0]
    refused = "root => { try { root.guess.choose(9) } catch (error) { return error.message } }"
    assert root.evaluate(refused) == "answer must be from 0 to 3, got 9"
    assert not state(root)["answered"]


def test_a_finger_draws_sideways_and_scrolls_otherwise(phone, site):
    page = phone.page
    page.goto(f"{site}chapters/pooling.html")
    page.wait_for_selector(ROOT)
    canvas = page.locator(f"{ROOT} canvas").first
    # What stands above, and loads when it comes near, may move the canvas until it is there.
    canvas.evaluate(
        """async (canvas) => {
        for (let still = 0, top; still < 20; top = canvas.getBoundingClientRect().top) {
          canvas.scrollIntoView({ block: "center" });
          await new Promise(requestAnimationFrame);
          still = canvas.getBoundingClientRect().top === top ? still + 1 : 0;
        } }"""
    )
    box = canvas.bounding_box()
    send = page.context.new_cdp_session(page).send

    def swipe(start, end):
        point = {"x": box["x"] + start[0], "y": box["y"] + start[1]}
        send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        for part in range(1, 9):
            moved = [
                box[axis] + a + (b - a) * part / 8
                for axis, a, b in zip("xy", start, end, strict=True)
            ]
            points = [dict(zip("xy", moved, strict=True))]
            send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
        send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    scrolled = page.evaluate("scrollY")
    swipe((60, 150), (300, 100))
    assert page.evaluate("scrollY") == scrolled
    compare = page.locator(f"{ROOT} [name=compare]").first
    assert compare.is_enabled()
    page.locator(f"{ROOT} [name=again]").first.click()
    page.wait_for_timeout(100)
    box = canvas.bounding_box()
    scrolled = page.evaluate("scrollY")
    swipe((150, 200), (155, 20))
    page.wait_for_function("before => scrollY > before + 50", arg=scrolled)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", MAIN)
def test_guesses_fit_the_screen(desktop, site, name, width):
    page = desktop.page
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site}chapters/{name}.html")
    page.wait_for_selector(ROOT)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in page.locator(f"{ROOT} button:visible").all():
        assert button.bounding_box()["height"] >= 24


def test_without_a_script_and_on_paper_all_can_be_read(window, opened, site):
    page = window(java_script_enabled=False).page
    page.goto(f"{site}chapters/data.html")
    root = page.locator(".nw-guess").first
    assert root.locator(".nw-answers > li").count() == 4
    assert "equally similar" not in root.inner_text()
    root.locator("summary").click()
    assert "equally similar" in root.inner_text()
    alive = opened("data")[0]
    assert "equally similar" not in alive.inner_text()
    alive.page.emulate_media(media="print")
    assert "Their mean." in alive.inner_text()
    assert alive.get_by_text("equally similar").bounding_box()["height"] > 10
    alive.page.emulate_media(media="null")
