"""The explorer of bias and variance: its arithmetic, its traits, and its life in a page."""

import json

import modules
import numpy as np
import pytest

from attention_pooling import BalanceExplorer, attention_weights, nadaraya_watson, trend

KEYS = np.sort(np.random.default_rng(4).uniform(0, 5, 30))
ROOT = "document.querySelector('.nw-balance')"


def expected(keys, noise, query, sigma):
    (weights,) = attention_weights([query], keys, sigma=sigma)
    return weights @ trend(keys) - trend(query), noise**2 * (weights @ weights)


@pytest.mark.parametrize("sigma", [1e-3, 0.2, 1.0, 50.0])
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_widget_tells_bias_and_variance(sigma, noise):
    explorer = BalanceExplorer(KEYS, trend, [0.0, 1.5, 5.0], noise=noise, sigma=sigma)
    for asked, query in ((-3, 0.0), (1.6, 1.5), (9, 5.0)):
        explorer.query = asked
        assert explorer.query == query
        told = explorer.bias, explorer.variance
        np.testing.assert_allclose(told, expected(KEYS, noise, query, sigma), rtol=1e-12)


def test_bias_and_variance_are_those_of_many_draws():
    explorer = BalanceExplorer(KEYS, trend, sigma=0.4, query=1.6)
    values = trend(KEYS) + np.random.default_rng(5).standard_normal((20_000, KEYS.size))
    estimates = nadaraya_watson([explorer.query], KEYS, values.T, sigma=0.4).estimate[0]
    error = np.sqrt(explorer.variance / 20_000)
    assert abs(estimates.mean() - trend(explorer.query) - explorer.bias) < 4 * error
    assert np.var(estimates) == pytest.approx(explorer.variance, rel=0.04)


def test_module_draws_normal_deviates_the_same_each_time():
    script = """
      const { normalDeviates } = await import(`${folder}/balance.mjs`);
      const answers = [1, 1].map((seed) => Array.from({ length: 20000 }, normalDeviates(seed)));
    """
    once, again = modules.computed(script)
    assert once == again
    shares = np.searchsorted(np.sort(once), [-2, -1, 0, 1, 2]) / len(once)
    np.testing.assert_allclose(shares, [0.02275, 0.15866, 0.5, 0.84134, 0.97725], atol=0.012)
    assert abs(np.corrcoef(once[:-1], once[1:])[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"keys": []}, r"keys must have shape \(n,\), n from 1 to 400, got \(0,\)"),
        ({"keys": [[1.0]]}, r"keys must have shape \(n,\), .* got \(1, 1\)"),
        ({"queries": [np.nan]}, "queries must be finite, got nan"),
        ({"truth": 3}, "truth must be a function, got 3"),
        ({"truth": lambda x: x[:1]}, r"truth must return shape \(101,\), got \(1,\)"),
        ({"truth": lambda x: np.full_like(x, np.inf)}, "truth must be finite, got inf"),
        ({"noise": 0}, "noise must be positive and finite, got 0"),
        ({"sigma": -1}, "sigma must be positive and finite, got -1"),
        ({"query": "left"}, "query must hold real numbers, got 'left'"),
        ({"sigmas": (2, 1)}, r"sigmas must be \(least, most\), got \(2, 1\)"),
        ({"key_label": 1}, "key_label must be a text, got 1"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        BalanceExplorer(**{"keys": KEYS, "truth": trend} | wrong)


def test_bundle_has_a_picture_and_is_the_same_each_time():
    once, again = (BalanceExplorer(KEYS, trend)._repr_mimebundle_()[0] for _ in range(2))
    assert once["text/html"] == again["text/html"]
    assert once["image/png"]


@pytest.fixture
def opened(window, site):
    taken = window(viewport={"width": 1280, "height": 900})
    _, said = taken.overhear()
    taken.page.goto(f"{site}chapters/width.html")
    taken.page.wait_for_selector(".nw-balance[data-ready=true]")
    taken.page.locator(".nw-balance .nw-panels").scroll_into_view_if_needed()
    yield taken.page
    assert said == []


def state(page):
    return page.evaluate(f"{ROOT}.explorer.state()")


def given(page):
    return json.loads(page.locator(".nw-balance script").text_content())


def agree(page):
    """Compare what is drawn with NumPy, and return it."""
    now, data = state(page), given(page)
    keys, noise = np.array(data["keys"]), data["noise"]
    bias, variance = expected(keys, noise, now["query"], now["sigma"])
    told = now["bias"], now["variance"], now["sum"]
    np.testing.assert_allclose(told, (bias, variance, bias**2 + variance), rtol=1e-10, atol=1e-13)
    curve = [expected(keys, noise, now["query"], width) for width, *_ in now["curve"]]
    np.testing.assert_allclose(np.array(now["curve"])[:, 1:], curve, rtol=1e-9, atol=1e-12)
    if now["draws"]:
        last = nadaraya_watson([now["query"]], keys, now["values"], sigma=now["sigma"]).estimate
        assert now["estimates"][-1] == pytest.approx(last[0], rel=1e-12)
    if now["draws"] > 1:
        estimates = np.array(now["estimates"])
        assert now["drawn"]["bias"] == pytest.approx(estimates.mean() - trend(now["query"]))
        assert now["drawn"]["variance"] == pytest.approx(estimates.var(ddof=1))
    return now


def test_set_agrees_with_numpy_and_draws_gather_there(opened):
    for sigma in (0.05, 0.35, 3.0, 70.0):
        for query in (0, 1.6, 4.9):
            change = json.dumps({"sigma": sigma, "query": query})
            opened.evaluate(f"{ROOT}.explorer.set({change})")
            assert agree(opened)["sigma"] == sigma
    opened.evaluate(f"{ROOT}.explorer.set({{ sigma: 0.35, query: 1.6 }})")
    opened.locator(".nw-balance [name=once]").click()
    assert agree(opened)["draws"] == 1
    for _ in range(10):
        opened.locator(".nw-balance [name=often]").click()
    now = agree(opened)
    assert now["draws"] == 1000
    assert now["drawn"]["variance"] == pytest.approx(now["variance"], rel=0.2)
    error = np.sqrt(now["variance"] / now["draws"])
    assert abs(now["drawn"]["bias"] - now["bias"]) < 4 * error
    # The same draws at another width and query.
    opened.evaluate(f"{ROOT}.explorer.set({{ sigma: 1, query: 4 }})")
    assert agree(opened)["values"] == now["values"]
    opened.locator(".nw-balance [name=again]").click()
    assert agree(opened)["draws"] == 0
    before = state(opened)
    for wrong in ("sigma: 0", "query: NaN"):
        tried = f"try {{ {ROOT}.explorer.set({{ {wrong} }}) }} catch (error) {{ error.message }}"
        assert "must be" in opened.evaluate(tried)
    assert state(opened) == before


def test_mouse_and_arrow_keys_move_query_and_width(opened):
    settle = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    for place, name in enumerate(("query", "sigma")):
        box = opened.locator(".nw-balance canvas").nth(place).bounding_box()
        seen = []
        for part in (0.4, 0.6, 0.8):
            opened.mouse.move(box["x"] + part * box["width"], box["y"] + 0.5 * box["height"])
            opened.mouse.down()
            opened.evaluate(settle)
            seen.append(agree(opened)[name])
        opened.mouse.up()
        assert seen == sorted(set(seen))
        # The hand that has dragged goes on with the arrow keys.
        opened.keyboard.press("ArrowRight")
        assert agree(opened)[name] > seen[-1]
    sentence = opened.locator(".nw-balance .nw-seen").inner_text()
    now = state(opened)
    assert f"At the query {now['query']:g} and the width {now['sigma']:.3g}: bias² " in sentence
    best = min(now["curve"], key=lambda row: row[1] ** 2 + row[2])[0]
    assert f"The sum is least at the width {best:.3g}," in sentence


def test_widget_follows_its_model_and_tells_it(opened):
    modules.widget(opened, "balance", sigma=2, query=1.0)
    assert opened.evaluate("widget.explorer.state().sigma") == 2
    opened.evaluate("model.set('query', 3)")
    assert opened.evaluate("widget.explorer.state().query") == 3
    opened.locator(".nw-balance").last.locator("[name=sigma]").press("ArrowRight")
    assert opened.evaluate("[model.held.sigma > 2, model.saved]") == [True, 1]
    opened.evaluate("end()")
    assert opened.evaluate("model.heard.size") == 0
