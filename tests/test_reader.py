"""What readers and browsers do to an explorer: data, addresses, themes, paper."""

import re
from urllib.parse import quote

import numpy as np
import pages
import pytest
from drawn import check, numbers, put, settled, state
from playwright.sync_api import Error

ROOT = ".nw-explorer[data-ready=true]"
PAGE = "chapters/width.html"
# All but the curve of the errors, which comes when it is computed, and makes room for itself.
SHOWN = "root => JSON.stringify({ ...root.explorer.state(), leaveOneOutCurve: 0, panels: 0 })"
BARE = "_static/embed/chapters-width-explorer-0.html"


@pytest.fixture(scope="module")
def opened(chromium, site):
    """One page, which the tests of this file share and give back as it was."""
    with chromium.new_context(viewport={"width": 1280, "height": 1000}) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(site + PAGE)
        page.wait_for_selector(ROOT)
        yield page


@pytest.fixture
def root(opened):
    root = opened.locator(ROOT)
    root.evaluate("root => root.explorer.reset()")
    put(root, sigma=2.0, kernel="gaussian", query=20.0)
    root.scroll_into_view_if_needed()
    return root


def place(root, panel, x, y):
    """Return where in the window a pair of numbers lies in a panel."""
    canvas = root.locator("canvas").nth(panel)
    canvas.scroll_into_view_if_needed()
    box, scales = canvas.bounding_box(), state(root)["panels"][panel]

    def along(value, scale):
        lo, hi = scale["lo"], scale["hi"]
        if scale.get("log"):
            lo, hi, value = map(np.log, (lo, hi, value))
        return scale["from"] + (value - lo) / (hi - lo) * (scale["to"] - scale["from"])

    return box["x"] + along(x, scales["x"]), box["y"] + along(y, scales["y"])


def lonely(drawn):
    """Return the pair that is farthest from all others as the panel shows them."""
    points = np.c_[numbers(drawn["keys"]), numbers(drawn["values"]) / 4]
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(apart, np.inf)
    return int(apart.min(axis=1).argmax())


def test_set_takes_data_of_any_size_and_reset_brings_the_books_back(root):
    book = state(root)
    rng = np.random.default_rng(4)
    for n in (1, 2, 40, 700):
        keys, values = rng.uniform(-3, 9, n), rng.normal(1e3, 1, n)
        drawn = put(root, keys=keys.tolist(), values=values.tolist(), sigma=1.5, query=1.0)
        if n > 1:
            check(drawn)
        np.testing.assert_array_equal(drawn["keys"], keys)
        np.testing.assert_array_equal(drawn["values"], values)
    values = drawn["values"][::-1]
    drawn = check(put(root, values=values))
    assert drawn["values"] == values
    assert drawn["keys"] == keys.tolist()
    root.evaluate("root => root.explorer.reset()")
    drawn = state(root)
    assert all(drawn[name] == book[name] for name in ("keys", "values", "queries"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keys": [1, 2]}, "values must be set with keys, got keys alone"),
        ({"keys": [1, 2], "values": [1]}, "values must be as many as the 2 keys, got 1"),
        ({"keys": [], "values": []}, "keys must be 1 to 2000 numbers, got 0"),
        ({"keys": [1, None], "values": [1, 2]}, "keys must be finite, got null"),
        ({"values": 3}, "values must be a list of numbers, got 3"),
        ({"keys": [0, 1e308], "values": [1, 2], "sigma": 0.1}, "sigma must not make"),
    ],
)
def test_set_refuses_data_that_cannot_be_drawn(root, change, message):
    before = root.evaluate(SHOWN)
    with pytest.raises(Error, match=message):
        put(root, **change)
    assert root.evaluate(SHOWN) == before


def test_a_value_is_dragged_and_its_weight_is_the_estimates_derivative(root):
    before = state(root)
    index = lonely(before)
    put(root, query=before["keys"][index], sigma=4.0)
    start = state(root)
    mouse = root.page.mouse
    x, y = place(root, 0, start["keys"][index], start["values"][index])
    mouse.move(x, y)
    mouse.down()
    for way in (10, 25, 40):
        mouse.move(x + 3, y + way)
    drawn = check(settled(root))
    scale = drawn["panels"][0]["y"]
    pixels = (scale["hi"] - scale["lo"]) / (scale["from"] - scale["to"])
    moved = np.subtract(drawn["values"], start["values"])
    assert np.flatnonzero(moved).tolist() == [index]
    assert moved[index] == pytest.approx(-40 * pixels, abs=pixels)
    assert drawn["query"] == start["query"]
    weight = start["queryWeights"][index]
    assert drawn["queryEstimate"] - start["queryEstimate"] == pytest.approx(weight * moved[index])
    note = root.locator(".nw-note").inner_text()
    assert f"weight {weight:.3g}: the estimate’s derivative" in note
    # Beyond the frame, which makes room when the hand lets go.
    mouse.move(x, y - 500)
    mouse.up()
    drawn = check(settled(root))
    assert drawn["panels"][0]["y"]["hi"] > drawn["values"][index] > before["panels"][0]["y"]["hi"]
    picture = "root => root.querySelector('canvas').toDataURL()"
    released = root.evaluate(picture)
    put(root)
    assert root.evaluate(picture) == released
    root.locator("button[name=undo]").click()
    assert check(settled(root))["values"] == before["values"]


def test_pairs_are_added_by_a_double_click_and_changed_by_keys_alone(root):
    start = state(root)
    root.page.mouse.dblclick(*place(root, 0, 10.0, 50.0))
    added = check(settled(root))
    assert len(added["keys"]) == len(start["keys"]) + 1
    assert added["keys"][-1] == pytest.approx(10, abs=0.3)
    assert added["values"][-1] == pytest.approx(50, abs=1.5)
    press = root.page.keyboard.press
    press("ArrowUp")
    press("ArrowUp")
    up = check(settled(root))
    assert up["values"][-1] > added["values"][-1]
    assert up["keys"] == added["keys"]
    handle = root.locator(".nw-handle")
    assert re.match(r"134 of 134: key \S+ ms, value \S+ g, weight", handle_text(handle))
    press("Delete")
    gone = check(settled(root))
    assert (gone["keys"], gone["values"]) == (start["keys"], start["values"])
    press("Control+z")
    assert state(root)["values"] == up["values"]
    # Both steps of the arrow are one change.
    press("Control+z")
    assert state(root)["values"] == added["values"]
    press("Control+z")
    assert state(root)["values"] == start["values"]
    # By keys alone: reach the handle, go to the neighbour, add one at the query.
    root.locator("select[name=kernel]").focus()
    press("Tab")
    press("Tab")
    assert handle.evaluate("one => one === document.activeElement")
    first = handle_text(handle)
    press("ArrowRight")
    settled(root)
    assert handle_text(handle) != first
    start = put(root, query=30.0)
    press("Enter")
    drawn = check(settled(root))
    assert (drawn["keys"][-1], drawn["values"][-1]) == (30, start["queryEstimate"])


def handle_text(handle):
    return handle.evaluate("one => one.ariaValueText")


def test_a_finger_taps_a_dot_and_drags_its_handle(chromium, site):
    with chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, device_scale_factor=2
    ) as context:
        page = context.new_page()
        page.goto(site + BARE)
        page.wait_for_selector(ROOT)
        root = page.locator(ROOT)
        start = state(root)
        index = lonely(start)
        x, y = place(root, 0, start["keys"][index], start["values"][index])
        page.touchscreen.tap(x, y)
        assert settled(root)["pointed"] == index
        send = context.new_cdp_session(page).send

        def touch(kind, *points):
            points = [{"x": a, "y": b} for a, b in points]
            send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        scrolled = page.evaluate("scrollY")
        # Where a finger drags and does not scroll, the browser knows when a frame has been drawn.
        root.locator(".nw-held .nw-handle").wait_for()
        settled(root)
        touch("touchStart", (x, y))
        for way in (5, 15, 30, 50):
            touch("touchMove", (x, y + way))
        touch("touchEnd")
        drawn = check(settled(root))
        assert np.flatnonzero(np.subtract(drawn["values"], start["values"])).tolist() == [index]
        assert drawn["values"][index] < start["values"][index]
        assert page.evaluate("scrollY") == scrolled


LATE_CLICK = """() => addEventListener("click", (click) => {
  click.stopImmediatePropagation();
  const again = () => click.target.dispatchEvent(new PointerEvent("click", click));
  requestAnimationFrame(() => setTimeout(again));
}, { capture: true, once: true })"""


def test_a_tap_holds_its_dot_also_when_a_frame_comes_before_the_click(phone, site):
    phone.page.goto(site + BARE)
    root = phone.page.locator(ROOT)
    root.wait_for()
    start = state(root)
    index = lonely(start)
    x, y = place(root, 0, start["keys"][index], start["values"][index])
    phone.page.evaluate(LATE_CLICK)
    phone.page.touchscreen.tap(x, y)
    root.locator(".nw-held .nw-handle").wait_for()
    box = root.locator(".nw-handle").bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(x, abs=1)
    assert box["y"] + box["height"] / 2 == pytest.approx(y, abs=1)


TABLES = {
    "1 2\n3 4": ([1, 3], [2, 4]),
    "key,value\r\n1.5,-2\r\n2.5,3e2\r\n": ([1.5, 2.5], [-2, 300]),
    "t;y\n1,5;2,25\n2;−3": ([1.5, 2], [2.25, -3]),
    "1,5\t2\n2,5\t3": ([1.5, 2.5], [2, 3]),
    "1,5 2,5\n3 4,5": ([1.5, 3], [2.5, 4.5]),
    "1, 2\n3, 4\n\n": ([1, 3], [2, 4]),
    '\ufeff"a","b"\n"1","2"\n# a remark\n"3","4"': ([1, 3], [2, 4]),
    ".5\t+6.\n7\t8": ([0.5, 7], [6, 8]),
}


@pytest.mark.parametrize("text", TABLES)
def test_a_pasted_table_is_drawn(root, text):
    give(root, text)
    drawn = state(root)
    assert (drawn["keys"], drawn["values"]) == TABLES[text]
    assert drawn["queries"][0] == min(drawn["keys"])
    assert drawn["queries"][-1] == pytest.approx(max(drawn["keys"]))
    check(put(root, sigma=1.0))
    assert root.locator("[role=alert]").text_content() == ""
    assert "ms" not in root.locator(".nw-controls").inner_text()


def give(root, text):
    root.locator("textarea[name=data]").fill(text)
    root.locator("textarea[name=data] + button").click()
    settled(root)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key,value\n1,2\n3,x\n", "Line 3: a finite number is needed, got “x”."),
        ("1 2\n3 nan", "Line 2: a finite number is needed, got “nan”."),
        ("1 2\n\n3 1e999", "Line 3: a finite number is needed, got “1e999”."),
        ("1;2\n3", "Line 2: two numbers are needed, got “3”."),
        ("1 2\n3 4 5", "Line 2: two numbers are needed, got “3 4 5”."),
        ("1,x\n2,3", "Line 1: a finite number is needed, got “x”."),
        ("nothing", "No line holds two numbers, a key and a value."),
        ("", "No line holds two numbers, a key and a value."),
    ],
)
def test_a_table_that_cannot_be_used_is_told_and_nothing_changes(root, text, told):
    before = root.evaluate(SHOWN)
    give(root, text)
    assert root.locator("[role=alert]").text_content() == told
    assert root.evaluate(SHOWN) == before


def test_a_long_file_is_thinned_with_a_word(root):
    file = "\n".join(f"{i};{i % 7}" for i in range(5000))
    root.evaluate(
        """(root, text) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "long.csv"));
          root.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }""",
        file,
    )
    root.get_by_text("2000 of 5000 rows are used, evenly taken.").wait_for()
    drawn = state(root)
    assert len(drawn["keys"]) == 2000
    assert np.ptp(np.diff(drawn["keys"])) <= 1
    assert (drawn["keys"][0], max(drawn["keys"])) == (0, drawn["keys"][-1])
    root.locator("button[name=undo]").click()
    assert len(settled(root)["keys"]) == 133


def test_terms_are_the_most_attended_keys_and_add_up(root):
    for query, kernel, sigma in (
        (20.0, "gaussian", 1.0),
        (33.0, "boxcar", 0.5),
        (9.4, "boxcar", 0.4),
    ):
        drawn = put(root, query=query, kernel=kernel, sigma=sigma)
        weights, values = numbers(drawn["queryWeights"]), numbers(drawn["values"])
        order = np.argsort(-weights, kind="stable")[:5]
        expected = [int(i) for i in order if weights[i] > 0]
        assert [term["index"] for term in drawn["terms"]] == expected
        for term in drawn["terms"]:
            assert term["weight"] == weights[term["index"]]
            assert term["value"] == values[term["index"]]
        text = root.locator(".nw-sum p").first.inner_text().replace("−", "-")
        products = re.findall(r"([\d.e-]+) × (-?[\d.]+)", text)
        rest = re.search(r"and (\d+) more: (-?[\d.]+)", text)
        assert len(products) == len(expected)
        assert int(rest[1]) == len(values) - len(expected)
        total = sum(float(w) * float(v) for w, v in products) + float(rest[2])
        assert total == pytest.approx(drawn["queryEstimate"], abs=0.3)
        assert f"= {drawn['queryEstimate']:.3g}" in text or kernel == "boxcar"
    assert "No key is in reach" in outside(root)


def outside(root):
    drawn = put(root, query=56.4, kernel="boxcar", sigma=0.1)
    assert drawn["terms"] == []
    return root.locator(".nw-sum p").first.inner_text()


def test_a_cell_a_dot_and_a_term_point_at_the_same_key(root):
    drawn = put(root, sigma=1.0, query=20.0)
    index = drawn["terms"][2]["index"]
    term = root.locator(".nw-term").nth(2)
    pictures = "root => [...root.querySelectorAll('canvas')].map((one) => one.toDataURL())"
    plain = root.evaluate(pictures)
    mouse = root.page.mouse
    term.hover()
    assert settled(root)["pointed"] == index
    # The ring and the cell's frame have come.
    assert all(a != b for a, b in zip(root.evaluate(pictures)[:2], plain[:2], strict=True))
    assert term.get_attribute("aria-pressed") == "true"
    mouse.move(*place(root, 1, drawn["keys"][index], 50.0))
    pointed = settled(root)["pointed"]
    assert drawn["keys"][pointed] == drawn["keys"][index]
    lone = lonely(drawn)
    mouse.move(*place(root, 0, drawn["keys"][lone], drawn["values"][lone]))
    assert settled(root)["pointed"] == lone
    mouse.move(1, 1)
    assert settled(root)["pointed"] is None
    term.focus()
    assert settled(root)["pointed"] == index
    root.locator("select").focus()
    assert settled(root)["pointed"] is None


def test_error_panel_is_dragged_and_marks_the_best_width(root):
    errors = {}
    for part in (0.9, 0.5, 0.3, 0.7):
        sigma = 0.1 * 200**part
        root.page.mouse.move(*place(root, 2, sigma, 500))
        root.page.mouse.down()
        root.page.mouse.up()
        drawn = check(settled(root))
        assert drawn["sigma"] == pytest.approx(sigma, rel=0.03)
        errors[drawn["sigma"]] = drawn["leaveOneOutError"]
    assert root.locator("input[name=sigma]").evaluate("one => one === document.activeElement")
    errors[2.0] = put(root, sigma=2.0)["leaveOneOutError"]
    best = state(root)["best"]
    assert best["error"] <= min(errors.values())
    assert f"best so far {best['error']:.3g}" in root.locator(".nw-readout").inner_text()


def test_colours_of_weights_stay_while_the_width_moves(root):
    # A far key takes all attention, as the last one does at every width.
    def corner(sigma):
        put(root, sigma=sigma, query=5.0)
        return root.evaluate(
            """(root) => {
              const canvas = root.querySelectorAll("canvas")[1];
              const { x, y } = root.explorer.state().panels[1];
              const pen = canvas.getContext("2d");
              return [...pen.getImageData(x.to - 3, y.to + 3, 1, 1).data]; }"""
        )

    narrow, wide = corner(0.2), corner(20.0)
    assert narrow[:3] == [253, 231, 37]
    assert wide != narrow


def test_a_link_opens_this_very_state(root, chromium, site):
    rng = np.random.default_rng(0)
    book = state(root)
    for change in (
        {"kernel": "triangular", "sigma": 3.25, "query": 12.5},
        {"values": (np.array(book["values"]) + 1).tolist()},
        {"keys": rng.normal(size=50).tolist(), "values": rng.normal(size=50).tolist()},
    ):
        put(root, **change)
        drawn = state(root)
        address = root.evaluate("root => root.explorer.link()")
        assert address.startswith(site + PAGE + "#")
        with chromium.new_context() as context:
            page = context.new_page()
            page.goto(address)
            page.wait_for_selector(ROOT)
            there = state(page.locator(ROOT))
        for name in ("kernel", "sigma", "query", "keys", "values"):
            assert there[name] == drawn[name]
        check(there)
    root.locator("button[name=link]").click()
    root.get_by_text("is copied").wait_for()
    assert root.page.evaluate("navigator.clipboard.readText()") == address
    many = {"keys": rng.normal(size=2000).tolist(), "values": rng.normal(size=2000).tolist()}
    put(root, **many)
    with pytest.raises(Error, match=r"address of \d+ characters; at most 32000 can be sent"):
        root.evaluate("root => root.explorer.link()")


def test_a_hash_that_says_nonsense_is_told_and_the_book_stands(opened, chromium, site):
    for nonsense in ("width=-1", "keys=0A!", "kernel=cosine", "values=x00", "labels=[", "query=x"):
        with chromium.new_context() as context:
            page = context.new_page()
            page.goto(f"{site}{BARE}#explorer=0&{quote(nonsense, safe='=')}")
            page.wait_for_selector(ROOT)
            root = page.locator(ROOT)
            assert "The address cannot be used" in root.locator("[role=alert]").text_content()
            assert state(root)["sigma"] == 6


def test_a_frame_on_another_site_shows_this_very_state(root, chromium, tmp_path):
    drawn = put(root, kernel="boxcar", sigma=4.0, query=30.0)
    frame = root.evaluate("root => root.explorer.embed()")
    assert frame.startswith("<iframe ")
    assert 'sandbox="allow-scripts"' in frame
    (tmp_path / "index.html").write_text(f"<!doctype html><p>Elsewhere</p>{frame}")
    with pages.served(tmp_path) as elsewhere, chromium.new_context() as context:
        page = context.new_page()
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(elsewhere)
        there = page.frame_locator("iframe").locator(ROOT)
        there.wait_for()
        shown = check(state(there))
        assert (shown["kernel"], shown["sigma"], shown["query"]) == ("boxcar", 4, 30)
        assert shown["estimate"] == drawn["estimate"]
        page.frame_locator("iframe").locator("button[name=link]").click()
        page.frame_locator("iframe").get_by_text("#explorer=0").wait_for()
        assert complaints == []


ALIVE = [(PAGE, ROOT), ("chapters/attention.html", ".nw-scores[data-ready=true]")]


@pytest.mark.parametrize(("path", "ready"), ALIVE)
def test_a_whole_page_lives_in_a_sandboxed_frame(chromium, site, tmp_path, path, ready):
    frame = f'<iframe sandbox="allow-scripts" width=900 height=700 src="{site}{path}"></iframe>'
    (tmp_path / "index.html").write_text(frame)
    with pages.served(tmp_path) as elsewhere, chromium.new_context() as context:
        page = context.new_page()
        page.goto(elsewhere)
        page.frame_locator("iframe").locator(ready).wait_for()


@pytest.fixture
def fresh(chromium, site):
    """A page of its own for what a browser does to it."""
    with chromium.new_context(viewport={"width": 900, "height": 900}) as context:
        page = context.new_page()
        page.goto(site + BARE)
        page.wait_for_selector(ROOT)
        yield page


def test_readouts_change_after_a_translator_has_wrapped_their_text(fresh):
    fresh.evaluate(
        """() => {
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const texts = [];
          while (walk.nextNode()) texts.push(walk.currentNode);
          for (const text of texts) {
            if (text.parentElement.closest("script, style, option")) continue;
            const font = document.createElement("font");
            text.replaceWith(font);
            font.append(document.createTextNode(text.textContent));
          }
        }"""
    )
    root = fresh.locator(ROOT)
    drawn = put(root, kernel="gaussian", sigma=0.5, query=20.0)
    text = root.inner_text().replace("−", "-")
    assert "width σ 0.5 ms" in re.sub(r"\s+", " ", text)
    assert f"{drawn['queryEstimate']:.4g} g" in text
    assert f"{drawn['effectiveKeys']:.3g} of 133" in text
    assert f"{drawn['leaveOneOutError']:.3g}" in text


@pytest.mark.parametrize(("path", "ready"), ALIVE)
def test_away_and_back_controls_and_drawing_are_in_step(chromium, site, path, ready):
    with chromium.new_context(viewport={"width": 900, "height": 900}) as context:
        page = context.new_page()
        page.goto(site + path)
        find = "root => [...root.querySelectorAll('[name=sigma], select')].map((one) => one.value)"
        for leave in (lambda: page.goto(site + "chapters/references.html"), None):
            root = page.locator(ready)
            root.wait_for()
            start = root.locator("select").input_value()
            other = root.locator("select option").last.get_attribute("value")
            root.locator("select").select_option(other)
            slider = root.locator("[name=sigma]")
            if slider.is_enabled():
                slider.press("ArrowRight")
            page.wait_for_timeout(300)
            if leave:
                leave()
                page.go_back()
            else:
                page.reload()
            root.wait_for()
            page.wait_for_timeout(300)
            sigma, choice = root.evaluate(find)
            drawn = root.evaluate("root => root.explorer.state()")
            assert choice == drawn.get("kernel", drawn.get("score"))
            assert float(sigma) == pytest.approx(np.log10(drawn["sigma"]), abs=0.01)
            if path == PAGE:
                assert choice == other, "what the reader has chosen is still there"
            # And choosing again does something.
            root.locator("select").select_option(start)
            settled(root)
            drawn = root.evaluate("root => root.explorer.state()")
            assert drawn.get("kernel", drawn.get("score")) == start


def test_canvases_take_the_density_of_another_screen(fresh):
    root = fresh.locator(ROOT)
    send = fresh.context.new_cdp_session(fresh).send
    size = {"width": 900, "height": 900, "mobile": False}
    sharp = """() => [...document.querySelectorAll("canvas")].every(
      (one) => one.width === Math.round(one.clientWidth * devicePixelRatio))"""
    for density in (2, 1.25, 3):
        send("Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": density})
        fresh.wait_for_function(f"devicePixelRatio === {density}")
        put(root, query=10.0 + density)
        assert fresh.evaluate(sharp)
    check(state(root))


INK = """root => {
  const canvas = root.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 30, 60, canvas.height - 30);
  const shades = [];
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) shades.push(data[i]);
  return shades.reduce((sum, x) => sum + x, 0) / shades.length;
}"""


def test_ink_on_paper_is_dark_and_follows_a_theme_without_transitions(chromium, site):
    with chromium.new_context(viewport={"width": 900, "height": 900}) as context:
        page = context.new_page()
        page.goto(site + PAGE)
        page.wait_for_selector(ROOT)
        page.add_style_tag(content="* { transition: none !important }")
        root = page.locator(ROOT)
        inks = []
        for theme in ("dark", "light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            page.wait_for_timeout(100)
            inks.append(root.evaluate(INK))
        assert inks[1] < 100 < 150 < min(inks[0], inks[2])
        page.emulate_media(media="print")
        page.wait_for_timeout(100)
        assert root.evaluate(INK) < 60
        assert root.evaluate("root => getComputedStyle(root).color") == "rgb(0, 0, 0)"
        page.emulate_media(media="null")
        page.wait_for_timeout(100)
        assert root.evaluate(INK) > 150


@pytest.mark.parametrize(
    ("middle", "spread"), [(288.15, 0.3), (1e6, 2.0), (-0.004, 1e-4), (5e8, 7.0)]
)
def test_digits_of_estimates_follow_the_range(fresh, middle, spread):
    root = fresh.locator(ROOT)
    keys = np.arange(20.0)
    values = middle + spread * np.sin(keys)
    put(root, keys=keys.tolist(), values=values.tolist(), sigma=0.7)
    seen = []
    for query in (2.0, 4.0, 8.0, 11.0):
        drawn = put(root, query=query)
        text = root.locator(".nw-readout b").first.inner_text().replace("−", "-")
        seen.append(float(text.replace(" g", "")))
        assert seen[-1] == pytest.approx(drawn["queryEstimate"], abs=0.02 * spread)
    assert len(set(seen)) == 4


def test_figures_come_alive_before_the_themes_late_scripts(chromium, site):
    with chromium.new_context() as context:
        page = context.new_page()
        held = []
        page.route(re.compile(r"site\.js"), lambda route: held.append(route))
        page.goto(site + PAGE, wait_until="commit")
        page.wait_for_selector(ROOT)
        assert held
        assert page.evaluate("document.readyState") == "interactive"
        for route in held:
            route.continue_()


def test_score_explorer_says_no_noise_covers_no_label_and_keeps_its_swatches(chromium, site):
    with chromium.new_context(forced_colors="active") as context:
        page = context.new_page()
        page.goto(site + "chapters/attention.html")
        root = page.locator(".nw-scores[data-ready=true]")
        root.wait_for()
        for score in ("distance", "expanded", "circle"):
            root.evaluate("(root, score) => root.explorer.set({ score })", score)
            assert "e−" not in root.locator(".nw-seen").inner_text()
        covers = """(root) => {
          const query = root.querySelector(".nw-query").getBoundingClientRect();
          const [x, y] = [query.x + query.width / 2, query.y + query.height / 2];
          return [...root.querySelectorAll(".nw-plane text")].filter((text) => {
            const box = text.getBoundingClientRect();
            const [dx, dy] = [box.x + box.width / 2 - x, box.y + box.height / 2 - y];
            return Math.hypot(dx, dy) < 10 && text.textContent !== "0";
          }).map((text) => text.textContent); }"""
        for key in root.evaluate("root => root.explorer.state().keys"):
            for away in (0.0, 0.1, 0.25):
                query = [key[0] + away, key[1] + 0.5 * away]
                root.evaluate("(root, query) => root.explorer.set({ query })", query)
                assert root.evaluate(covers) == []
        colours = root.evaluate(
            """(root) => [".nw-dot", ".nw-box.nw-key", "circle.nw-key"].map((one) => {
              const style = getComputedStyle(root.querySelector(one));
              return one.startsWith("circle") ? style.fill : style.backgroundColor; })"""
        )
        assert colours == ["rgb(213, 94, 0)", "rgb(0, 158, 115)", "rgb(0, 158, 115)"]


def test_panels_lie_beside_their_control_on_a_phone(chromium, site):
    with chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True) as context:
        page = context.new_page()
        page.goto(site + PAGE)
        page.wait_for_selector(ROOT)
        root = page.locator(ROOT)
        slider = root.locator("input[name=sigma]")
        tops = []
        for part in (".nw-leave-one-out", ".nw-readout", ".nw-weights"):
            root.locator(part).evaluate("one => one.scrollIntoView({ block: 'end' })")
            page.wait_for_timeout(50)
            tops.append(page.evaluate("scrollY") + root.locator(part).bounding_box()["y"])
            box = slider.bounding_box()
            assert box["y"] >= 0
            at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
            assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).name", at) == "sigma"
        assert tops == sorted(tops)
