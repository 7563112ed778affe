"""The explorer of a direction: its arithmetic against NumPy, its traits, and its life in a page."""

import json

import modules
import numpy as np
import pytest

from attention_pooling import DirectionExplorer, leave_one_out, nadaraya_watson

RNG = np.random.default_rng(6)
KEYS, VALUES = RNG.normal(size=(30, 2)), RNG.normal(size=30)
ROOT = "document.querySelector('.nw-direction')"


def along(keys, angle):
    return keys @ [np.cos(np.radians(angle)), np.sin(np.radians(angle))]


def error(keys, values, angle, sigma):
    """Return the leave-one-out error, each value estimated from all pairs but its own."""
    places = along(keys, angle)
    estimates = [
        nadaraya_watson([place], np.delete(places, i), np.delete(values, i), sigma=sigma)[0][0]
        for i, place in enumerate(places)
    ]
    return np.mean((estimates - values) ** 2)


@pytest.mark.parametrize("sigma", [1e-3, 0.4, 20.0])
@pytest.mark.parametrize("angle", [0, 33.5, 180])
def test_widget_and_module_tell_the_error(angle, sigma):
    explorer = DirectionExplorer(KEYS, VALUES, 45, angle=angle, sigma=sigma)
    expected = error(KEYS, VALUES, angle, sigma)
    assert explorer.error == pytest.approx(expected, rel=1e-10)
    script = """
      const { projected, weightsOf } = await import(`${folder}/direction.mjs`);
      const { leaveOneOut } = await import(`${folder}/arithmetic.mjs`);
      const { gaussian } = await import(`${folder}/kernels.mjs`);
      const places = projected(keys, angle);
      const { error } = leaveOneOut(places, values, gaussian, sigma);
      const answers = { error, weights: Array.from(weightsOf(places, sigma)) };
    """
    given = {"keys": KEYS.tolist(), "values": VALUES.tolist(), "angle": angle, "sigma": sigma}
    told = modules.computed(script, **given)
    assert told["error"] == pytest.approx(expected, rel=1e-9)
    weights = np.reshape(told["weights"], (30, 30))
    assert np.diagonal(weights).tolist() == [0.0] * 30
    left_out = leave_one_out(along(KEYS, angle), VALUES, sigma=sigma).estimate
    np.testing.assert_allclose(weights @ VALUES, left_out, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"keys": KEYS[:, 0]}, r"keys must have shape \(n, 2\), n from 2 to 200, got \(30,\)"),
        ({"keys": KEYS[:1], "values": [1.0]}, r"n from 2 to 200, got \(1, 2\)"),
        ({"values": [1.0]}, r"values must have shape \(30,\), got \(1,\)"),
        ({"keys": np.full((30, 2), np.nan)}, "keys must be finite, got nan"),
        ({"matters": "up"}, "matters must hold real numbers, got 'up'"),
        ({"angle": 181}, "angle must be from 0 to 180 degrees, got 181"),
        ({"sigma": 0}, "sigma must be positive and finite, got 0"),
        ({"sigmas": (2, 1)}, r"sigmas must be \(least, most\), got \(2, 1\)"),
        ({"alt": 1}, "alt must be a text, got 1"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        DirectionExplorer(**{"keys": KEYS, "values": VALUES, "matters": 45} | wrong)


def test_bundle_has_a_picture_and_is_the_same_each_time():
    made = (DirectionExplorer(KEYS, VALUES, 45)._repr_mimebundle_()[0] for _ in range(2))
    once, again = made
    assert once["text/html"] == again["text/html"]
    assert once["image/png"]


@pytest.fixture
def opened(window, site):
    taken = window(viewport={"width": 1280, "height": 900})
    _, said = taken.overhear()
    taken.page.goto(f"{site}chapters/attention.html")
    taken.page.wait_for_selector(".nw-direction[data-ready=true]")
    taken.page.locator(".nw-direction .nw-seen").scroll_into_view_if_needed()
    yield taken.page
    assert said == []


def agree(page):
    """Compare what is drawn with NumPy, and return it."""
    now = json.loads(page.evaluate(f"JSON.stringify({ROOT}.explorer.state())"))
    keys, values = np.array(now["keys"]), np.array(now["values"])
    told = leave_one_out(along(keys, now["angle"]), values, sigma=now["sigma"])
    assert now["error"] == pytest.approx(told.error, rel=1e-9)
    np.testing.assert_allclose(np.array(now["weights"]) @ values, told.estimate, rtol=1e-9)
    for angle, height in now["curve"][::10]:
        expected = leave_one_out(along(keys, angle), values, sigma=now["sigma"]).error
        assert height == pytest.approx(expected, rel=1e-9)
    return now


def test_set_agrees_with_numpy_and_refuses_the_rest(opened):
    for sigma in (0.05, 0.4, 5.0):
        for angle in (0, 45, 135.5, 180):
            change = json.dumps({"sigma": sigma, "angle": angle})
            opened.evaluate(f"{ROOT}.explorer.set({change})")
            now = agree(opened)
            assert (now["sigma"], now["angle"]) == (sigma, angle)
    for wrong in ("sigma: -1", "angle: 200", "angle: 'up'"):
        tried = f"try {{ {ROOT}.explorer.set({{ {wrong} }}) }} catch (error) {{ error.message }}"
        assert "must be" in opened.evaluate(tried)
    assert agree(opened)["angle"] == 180


def test_heatmap_is_brightest_where_the_weights_are(opened):
    # A pixel in the middle of a cell far from all others has the colour of its weight.
    shade = """([canvas, fx, fy]) => {
      const context = canvas.getContext("2d");
      return [...context.getImageData(fx * canvas.width, fy * canvas.height, 1, 1).data];
    }"""
    canvas = opened.locator(".nw-direction canvas").nth(1).element_handle()
    spots = [(0.2, 0.75), (0.9, 0.75), (0.9, 0.2), (0.2, 0.2)]

    def brightness(angle):
        opened.evaluate(f"{ROOT}.explorer.set({{ sigma: 0.4, angle: {angle} }})")
        return [sum(opened.evaluate(shade, [canvas, *spot])[:3]) for spot in spots]

    low, off_low, high, off_high = brightness(45)
    assert min(low, high) > max(off_low, off_high)
    assert max(brightness(135)[1::2]) > max(off_low, off_high)


def test_mouse_and_arrow_keys_turn_the_direction(opened):
    settle = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    canvases = opened.locator(".nw-direction canvas")
    canvases.first.scroll_into_view_if_needed()
    box = canvases.first.bounding_box()
    seen = []
    for across, down in ((0.9, 0.42), (0.8, 0.1), (0.55, 0.1)):
        opened.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        opened.mouse.down()
        opened.evaluate(settle)
        seen.append(agree(opened)["angle"])
    opened.mouse.up()
    assert 0 <= seen[0] < seen[1] < seen[2] < 120
    opened.keyboard.press("ArrowRight")
    assert agree(opened)["angle"] == seen[2] + 1
    curve = canvases.nth(2)
    curve.scroll_into_view_if_needed()
    box = curve.bounding_box()
    opened.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    opened.evaluate(settle)
    now = agree(opened)
    assert 115 < now["angle"] < 150
    sentence = opened.locator(".nw-direction .nw-seen").inner_text()
    told = f"Looking along {now['angle']}°, the leave-one-out error is {now['error']:.3g};"
    assert told in sentence


def test_widget_follows_its_model_and_tells_it(opened):
    modules.widget(opened, "direction", sigma=2, angle=10)
    assert opened.evaluate("widget.explorer.state().angle") == 10
    opened.evaluate("model.set('angle', 20)")
    assert opened.evaluate("widget.explorer.state().angle") == 20
    opened.locator(".nw-direction").last.locator("[name=angle]").press("ArrowRight")
    assert opened.evaluate("[model.held.angle, model.saved]") == [21, 1]
    opened.evaluate("end()")
    assert opened.evaluate("model.heard.size") == 0
