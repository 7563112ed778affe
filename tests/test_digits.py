"""The digit explorer: its arithmetic against NumPy, its traits, and its life in a page."""

import json
import re

import modules
import numpy as np
import pytest

from attention_pooling import DigitExplorer, digits, effective_keys, nadaraya_watson

DATA = digits(np.random.default_rng(3))
IMAGES, ASKED = DATA.keys[:60], DATA.queries[:3]
ROOT = "document.querySelector('.nw-digits')"


def agree(images, state):
    """Compare a state with NumPy."""
    asked = np.array(state["painted"])[None]
    estimate, weights = nadaraya_watson(asked, images[:, :32], images[:, 32:], sigma=state["sigma"])
    np.testing.assert_allclose(state["weights"], weights[0], rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(state["completed"], estimate[0], rtol=1e-12, atol=1e-14)
    best = [term["index"] for term in state["most"]]
    assert sorted(weights[0][best]) == sorted(np.sort(weights[0])[-len(best) :])
    assert [term["weight"] for term in state["most"]] == weights[0][best].tolist()[: len(best)] or (
        np.allclose([term["weight"] for term in state["most"]], weights[0][best], rtol=1e-12)
    )
    assert state["effectiveKeys"] == pytest.approx(effective_keys(weights)[0], rel=1e-12)


@pytest.mark.parametrize("sigma", [1e-6, 0.3, 5.0])
def test_module_and_widget_complete_as_numpy_does(sigma):
    script = """
      const { complete } = await import(`${folder}/digits.mjs`);
      const answers = asked.map((painted) => complete(images, painted, sigma));
    """
    tops = ASKED[:, :32]
    found = modules.computed(script, images=IMAGES.tolist(), asked=tops.tolist(), sigma=sigma)
    explorer = DigitExplorer(IMAGES, ASKED, sigma)
    for top, answer in zip(tops, found, strict=True):
        explorer.painted = top
        estimate, weights = nadaraya_watson(top[None], IMAGES[:, :32], IMAGES[:, 32:], sigma=sigma)
        np.testing.assert_allclose(answer["weights"], weights[0], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(answer["completed"], estimate[0], rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(explorer.completed, estimate[0])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"images": np.ones((3, 32))}, r"images must have shape \(n, 64\), .* got \(3, 32\)"),
        ({"images": np.ones((501, 64))}, r"n from 1 to 500, got \(501, 64\)"),
        ({"images": np.full((1, 64), 0.3)}, "images must be in sixteenths, got 0.3"),
        ({"images": np.full((1, 64), 2.0)}, "images must lie between 0 and 1, got 2.0"),
        ({"images": np.full((1, 64), np.nan)}, "images must be finite, got nan"),
        ({"examples": np.ones((0, 64))}, r"examples must have shape .* got \(0, 64\)"),
        ({"sigma": -1.0}, "sigma must be positive and finite, got -1.0"),
        ({"sigmas": (1.0, 0.5)}, "sigmas must be"),
        ({"alt": 3}, "alt must be a text, got 3"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        DigitExplorer(**{"images": IMAGES, "examples": ASKED} | wrong)


@pytest.mark.parametrize(
    ("painted", "message"),
    [
        (np.ones(31), r"painted must have shape \(32,\), got \(31,\)"),
        (np.full(32, -0.5), "painted must lie between 0 and 1, got -0.5"),
        (["dark"] * 32, "painted must hold real numbers, got"),
    ],
)
def test_what_cannot_be_painted_is_refused_and_changes_nothing(painted, message):
    explorer = DigitExplorer(IMAGES, ASKED)
    with pytest.raises(ValueError, match=message):
        explorer.painted = painted
    assert explorer.painted == tuple(ASKED[0, :32])


def test_bundle_holds_the_images_exactly_and_is_the_same_each_time():
    once, again = (DigitExplorer(IMAGES, ASKED)._repr_mimebundle_()[0] for _ in range(2))
    assert once["text/html"] == again["text/html"]
    assert once["image/png"]
    data = json.loads(re.search(r'"application/json">(.*)</script>', once["text/html"])[1])
    held = np.array([ord(letter) - 97 for letter in data["images"]]).reshape(-1, 64) / 16
    np.testing.assert_array_equal(held, IMAGES)


@pytest.fixture
def opened(window, site):
    taken = window(has_touch=True, viewport={"width": 390, "height": 900})
    _, said = taken.overhear()
    taken.page.goto(f"{site}chapters/pooling.html")
    taken.page.wait_for_selector(".nw-digits[data-ready=true]")
    taken.page.locator(".nw-top").scroll_into_view_if_needed()
    yield taken.page
    assert said == []


def state(page):
    return page.evaluate(f"{ROOT}.explorer.state()")


def images_of(page):
    letters = page.evaluate(f"JSON.parse({ROOT}.querySelector('script').textContent).images")
    return np.array([ord(letter) - 97 for letter in letters]).reshape(-1, 64) / 16


def test_set_draws_what_numpy_computes_and_refuses_the_rest(opened):
    images = images_of(opened)
    np.testing.assert_array_equal(images, digits(np.random.default_rng(0)).keys[:300])
    rng = np.random.default_rng(1)
    for sigma in (1e-9, 0.05, 0.3, 5.0, 1e9):
        for painted in (rng.uniform(size=32).tolist(), [0] * 32):
            change = json.dumps({"sigma": sigma, "painted": painted})
            opened.evaluate(f"{ROOT}.explorer.set({change})")
            now = state(opened)
            assert (now["sigma"], now["painted"]) == (sigma, painted)
            agree(images, now)
    before = state(opened)
    for wrong in ("sigma: 0", "painted: [1]", "painted: new Array(32).fill(2)"):
        tried = f"try {{ {ROOT}.explorer.set({{ {wrong} }}) }} catch (error) {{ error.message }}"
        assert "must be" in opened.evaluate(tried)
    assert state(opened) == before


def test_mouse_finger_and_keyboard_paint_and_clear(opened):
    images = images_of(opened)
    opened.locator("[name=clear]").click()
    assert sum(state(opened)["painted"]) == 0
    box = opened.locator(".nw-top").bounding_box()
    side = box["width"] / 8

    def at(row, column):
        return box["x"] + (column + 0.5) * side, box["y"] + (row + 0.5) * side

    opened.mouse.move(*at(0, 2))
    opened.mouse.down()
    opened.mouse.move(*at(0, 4), steps=6)
    opened.mouse.up()
    opened.mouse.move(*at(3, 6))
    painted = np.reshape(state(opened)["painted"], (4, 8))
    assert painted[0].tolist() == [0, 0.25, 1, 1, 1, 0.25, 0, 0]
    assert painted[1:].sum() == 0
    agree(images, state(opened))
    opened.touchscreen.tap(*at(2, 7))
    assert state(opened)["painted"][23] == 1
    opened.touchscreen.tap(*at(2, 7))
    assert state(opened)["painted"][23] == 0
    cell = opened.locator(".nw-top button").first
    cell.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Space"):
        opened.keyboard.press(key)
    assert state(opened)["painted"][10] == 1
    focused = opened.evaluate("document.activeElement.ariaLabel")
    assert focused == "row 2, column 3: 100 %"
    opened.locator(".nw-digits input").press("ArrowRight")
    assert state(opened)["sigma"] > 0.3
    agree(images, state(opened))
    sentence = opened.locator(".nw-digits .nw-seen").inner_text()
    assert f"most of all to key {state(opened)['most'][0]['index'] + 1}," in sentence


def test_what_is_drawn_is_the_state(opened):
    opened.locator("[name=next]").click()
    now = state(opened)
    opacities = (
        "(svg) => [...svg.querySelectorAll('rect')].map((one) => +one.getAttribute('fill-opacity'))"
    )
    bottom = opened.locator(".nw-bottom").evaluate(opacities)
    expected = [level for level in now["completed"] if level > 0]
    np.testing.assert_allclose(bottom, expected, atol=6e-4)
    labels = [each.inner_text() for each in opened.locator(".nw-best figcaption").all()]
    assert [float(label) for label in labels] == [
        float(f"{term['weight']:.2g}") for term in now["most"]
    ]


def test_widget_follows_its_model_and_tells_it(opened):
    modules.widget(opened, "digits", sigma=2, painted=[0.5] * 32)
    assert opened.evaluate("widget.explorer.state().sigma") == 2
    opened.evaluate("model.set('sigma', 0.5)")
    assert opened.evaluate("widget.explorer.state().sigma") == 0.5
    opened.locator(".nw-digits").last.locator("[name=clear]").click()
    assert opened.evaluate("[model.held.painted.length, model.saved]") == [32, 1]
    opened.evaluate("end()")
    assert opened.evaluate("model.heard.size") == 0
