"""Slides that a teacher projects: one deck for each chapter, alive, turned by keys, on paper."""

import re
from pathlib import Path

import pages
import pytest
from bs4 import BeautifulSoup

TAUGHT = [name for name in pages.listed() if name not in pages.AROUND]
NOW = """() => [...document.querySelectorAll(".slide")]
  .findIndex((one) => Math.abs(one.getBoundingClientRect().top) < 2)"""


def told(element):
    """Return what an element says, however its lines break."""
    return re.sub(r"\s+(?=[.,;:])", "", " ".join(element.get_text().split()))


@pytest.fixture
def deck(desktop, site):
    desktop.page.set_viewport_size({"width": 1920, "height": 1080})

    def opened(name):
        desktop.page.goto(f"{site}slides/{name}.html")
        desktop.page.wait_for_load_state("load")
        return desktop.page

    return opened


def test_each_chapter_has_a_deck_that_the_page_for_teachers_links_to(html):
    teaching = (html / "chapters" / "teaching.html").read_text("utf-8")
    linked = re.findall(r'href="\.\./slides/(\w+)\.html"', teaching)
    assert linked == TAUGHT
    assert {page.stem for page in (html / "slides").iterdir()} == {*TAUGHT}


def test_a_deck_shows_each_figure_formula_and_guess_of_its_chapter_and_leads_to_what_is_there(html):
    known = {}

    def page(path):
        if path not in known:
            known[path] = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        return known[path]

    for name in TAUGHT:
        path = html / "slides" / f"{name}.html"
        deck, chapter = page(path), page(html / "chapters" / f"{name}.html").article
        for kind in (".nw-guess", ".nw-explorer", "section > .math", ".cell_output figure"):
            shown = {"section > .math": ".slide > .math", ".cell_output figure": ".slide figure"}
            assert len(deck.select(shown.get(kind, kind))) == len(chapter.select(kind)), (
                name,
                kind,
            )
        # What an author has marked stands on a slide: sentences once, and what cells print.
        for cited in chapter.select(".slide .bibtex-citation"):
            cited.extract()
        said = [told(one) for one in deck.select(".slide > p")]
        for one in chapter.select("p > .slide"):
            assert said.count(told(one)) == 1, (name, told(one))
        printed = [told(one) for one in chapter.select(".tag_slide .cell_output pre")]
        assert [told(one) for one in deck.select(".slide > pre")] == printed, name
        assert not deck.select(".slide .slide"), name
        named = [one["id"] for one in deck.select("[id]")]
        assert len(named) == len({*named}), name
        for link in deck.main.select("a[href]"):
            place, _, anchor = link["href"].partition("#")
            if "://" in place:
                continue
            target = (path.parent / place).resolve() if place else path
            assert target.is_file(), link
            assert not anchor or page(target).find(id=anchor), link


@pytest.mark.parametrize("screen", [(1280, 720), (1920, 1080)])
def test_everything_on_a_slide_has_room(desktop, site, screen):
    page = desktop.page
    page.set_viewport_size(dict(zip(("width", "height"), screen, strict=True)))
    for name in TAUGHT:
        page.goto(f"{site}slides/{name}.html")
        page.wait_for_load_state("load")
        over = """() => [...document.querySelectorAll(".slide")]
            .filter((one) => one.scrollHeight > innerHeight || one.scrollWidth > innerWidth)
            .map((one) => one.id)"""
        page.wait_for_function(f"() => !({over})().length")
        # A formula does not run into its number.
        assert not page.evaluate(
            """() => [...document.querySelectorAll(".slide > .math:has(.eqno)")].filter((one) =>
              [...one.querySelectorAll(".katex-html > .base")].some((part) =>
                part.getBoundingClientRect().right >
                one.querySelector(".eqno").getBoundingClientRect().left)).map((one) => one.id)"""
        ), name
        # Each figure shows a picture, also where that is a link to a larger one.
        unseen = """() => [...document.querySelectorAll(".slide > figure")].filter((figure) =>
            ![...figure.querySelectorAll("img")].some((one) => {
              const { width, height } = one.getBoundingClientRect();
              return width > innerWidth / 2 && height > innerHeight / 5;
            })).map((figure) => figure.id)"""
        assert not page.evaluate(unseen), name


def test_a_deck_fetches_no_figure_long_before_it_is_shown(window, site):
    taken = window(viewport={"width": 1280, "height": 720}, device_scale_factor=1)
    page, figures = taken.page, []
    taken.listen("request", lambda asked: "_images" in asked.url and figures.append(asked.url))
    # Where an answer takes long, a browser looks far ahead. It forgets that when a page is opened,
    # but not when a frame is.
    page.goto(f"{site}404.html")
    network = page.context.new_cdp_session(page)
    speed = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", {"latency": 1500, **speed})
    page.evaluate(
        """deck => {
        const style = "position: fixed; inset: 0; width: 100vw; height: 100vh; border: 0";
        document.body.innerHTML = `<iframe src="${deck}" style="${style}"></iframe>`; }""",
        f"{site}slides/attention.html",
    )
    deck = page.frames[1]
    deck.wait_for_load_state("load")
    assert deck.evaluate("navigator.connection.effectiveType") == "2g"
    page.wait_for_load_state("networkidle")
    network.detach()
    assert figures == []
    deck.locator(".slide figure").first.scroll_into_view_if_needed()
    shown = deck.locator(".slide figure img:visible").first
    shown.evaluate("img => img.complete || new Promise((loaded) => (img.onload = loaded))")
    assert shown.get_attribute("src").split("/")[-1] in {name.split("/")[-1] for name in figures}


def test_keys_turn_the_slides_unless_a_figure_takes_them(deck):
    page = deck("pooling")
    last = page.locator(".slide").count() - 1
    told = {"ArrowRight": 1, "PageDown": 2, "Space": 3, "ArrowLeft": 2, "End": last, "Home": 0}
    for key, place in told.items():
        page.keyboard.press(key)
        assert page.evaluate(NOW) == place, key
    width = page.locator(".nw-explorer[data-ready=true] input[name=sigma]")
    width.scroll_into_view_if_needed()
    width.focus()
    before, place = width.input_value(), page.evaluate(NOW)
    page.keyboard.press("ArrowRight")
    assert width.input_value() != before
    assert page.evaluate(NOW) == place
    page.keyboard.press("PageDown")
    assert page.evaluate(NOW) == place + 1


def test_a_figure_answers_a_drag_where_the_pointer_is(deck):
    page = deck("pooling")
    root = page.locator(".nw-explorer[data-ready=true]")
    canvas = root.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    assert float(root.evaluate("root => root.style.zoom")) > 1.3
    box = canvas.bounding_box()
    asked = []
    for share in (0.3, 0.8):
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2, steps=4)
        page.mouse.up()
        asked.append(root.evaluate("root => root.explorer.state().query"))
    # The axis of the keys, from 0 to 5, takes nearly the canvas's width.
    assert asked == pytest.approx([5 * 0.3, 5 * 0.8], abs=0.4)


def test_a_deck_turns_dark_with_the_system_unless_the_reader_has_chosen(window, site):
    # Its own window: another test would begin in the dark if this one failed.
    page = window(color_scheme="light", viewport={"width": 1920, "height": 1080}).page
    shown = "theme => document.documentElement.dataset.theme === theme"
    # Told of the change after the deck, which has asked before.
    told = """() => matchMedia("(prefers-color-scheme: dark)")
      .addEventListener("change", () => (window.heard = true))"""
    page.goto(f"{site}slides/kernels.html")
    for chosen, expected in (("auto", "dark"), ("light", "light")):
        page.evaluate("mode => localStorage.setItem('mode', mode)", chosen)
        page.emulate_media(color_scheme="light")
        page.reload()
        assert page.evaluate(shown, "light")
        page.evaluate(told)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("() => window.heard")
        assert page.evaluate(shown, expected)


def test_slides_print_one_to_a_page(deck):
    page = deck("pooling")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == page.locator(".slide").count()


def test_slides_work_from_a_file_on_a_phone(windows, html):
    page = windows(viewport={"width": 390, "height": 844}).page
    page.goto(Path(html, "slides", "pooling.html").resolve().as_uri())
    page.locator(".nw-explorer[data-ready=true]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_no_deck_has_to_be_made_anew_after_a_build(html):
    for deck in (html / "slides").glob("*.html"):
        assert deck.stat().st_mtime >= (html / "chapters" / deck.name).stat().st_mtime, deck.name
