"""The attention explorer: its arithmetic against NumPy, its traits, and its life in a page."""

import json
import re

import modules
import numpy as np
import pages
import pytest
import torch

from attention_pooling import ScoreExplorer, attention_weights, effective_keys
from attention_pooling.explorer.scores import SCORES, compared

RNG = np.random.default_rng(5)
KEYS = RNG.normal(size=(11, 2))
ROOT = "document.querySelector('.nw-scores')"


def expected(state):
    """Return what NumPy makes of a state, from formulas written out as the chapter has them."""
    keys, query = np.array(state["given"]), np.array(state["query"])
    lengths = np.linalg.norm(keys, axis=1)
    temperature = state["sigma"] ** 2
    if state["score"] == "circle":
        keys, lengths = keys / lengths[:, None], np.ones(len(keys))
    if state["score"] == "scaled":
        temperature = np.sqrt(2)
    scores = {
        "distance": -((query - keys) ** 2).sum(axis=1) / 2,
        "expanded": keys @ query - lengths**2 / 2,
    }.get(state["score"], keys @ query)
    exponentials = np.exp((scores - scores.max()) / temperature)
    (gaussian,) = attention_weights(query[None], keys, sigma=np.sqrt(temperature))
    return keys, exponentials / exponentials.sum(), gaussian


def agree(state):
    keys, weights, gaussian = expected(state)
    np.testing.assert_allclose(state["keys"], keys, rtol=0, atol=1e-12)
    np.testing.assert_allclose(state["weights"], weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(state["gaussian"], gaussian, rtol=0, atol=1e-12)
    assert state["difference"] == pytest.approx(np.abs(weights - gaussian).max(), abs=1e-12)
    assert state["effectiveKeys"] == pytest.approx(effective_keys(weights[None])[0], rel=1e-12)


def test_module_compares_as_numpy_does():
    rng = np.random.default_rng(6)
    asked = [
        {"given": rng.normal(size=(n, 2)).tolist(), "query": rng.normal(size=2).tolist()}
        | {"sigma": sigma, "score": score}
        for n in (1, 2, 5, 24)
        for sigma in (0.1, 0.7, 5.0)
        for score in SCORES
    ]
    script = """
      const { compare } = await import(`${folder}/softmax.mjs`);
      const { effectiveKeys } = await import(`${folder}/arithmetic.mjs`);
      const answers = asked.map(({ given, ...state }) => {
        const answer = compare({ keys: given, ...state });
        return { ...answer, effectiveKeys: effectiveKeys(answer.weights) };
      });
    """
    signs = set()
    for state, answer in zip(asked, modules.computed(script, asked=asked), strict=True):
        agree(state | answer)
        if answer["difference"] > 1e-9:
            gains = np.subtract(answer["weights"], answer["gaussian"])
            assert abs(gains[answer["at"]]) == answer["difference"]
            signs.add(np.sign(gains[answer["at"]]))
    assert signs == {-1, 1}


@pytest.mark.parametrize("sigma", [0.1, 0.7, 5.0])
@pytest.mark.parametrize("score", SCORES)
def test_still_figure_shows_the_chapter_s_weights(score, sigma):
    for query in RNG.normal(size=(5, 2)):
        state = {"given": KEYS, "query": query, "sigma": sigma, "score": score}
        for ours, theirs in zip(compared(KEYS, sigma, query, score), expected(state), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_narrowest_width_chooses_one_key(score):
    _, weights, _ = compared(KEYS, 1e-200, (0.3, 0.4), score)
    assert weights.sum() == pytest.approx(1)
    assert weights.max() == pytest.approx(1) or score == "scaled"


def test_traits_can_be_set_and_observed():
    explorer = ScoreExplorer(KEYS)
    seen = []
    explorer.observe(lambda change: seen.append(change.new), ["sigma", "score", "query"])
    explorer.sigma, explorer.score, explorer.query = 2, "circle", [1, -1]
    assert seen == [2.0, "circle", (1.0, -1.0)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"keys": []}, r"keys must have shape \(n, 2\), n from 1 to 24, got \(0,\)"),
        ({"keys": [[1.0, 2.0, 3.0]]}, r"keys must have shape \(n, 2\), .* got \(1, 3\)"),
        ({"keys": np.ones((25, 2))}, r"n from 1 to 24, got \(25, 2\)"),
        ({"keys": [["1", "2"]]}, "keys must hold real numbers, got ..'1', '2'"),
        ({"keys": [[1.0, np.nan]]}, "keys must be finite, got nan"),
        ({"keys": [[1.0, 1.0], [0.0, 0.0]]}, r"keys must have a direction, got \[0.0, 0.0\]"),
        ({"sigma": -0.5}, "sigma must be positive and finite, got -0.5"),
        ({"sigma": [1.0]}, r"sigma must be a number, got \[1.0\]"),
        ({"sigma": 1e-310}, "sigma must not make scaled distances overflow, got 1e-310"),
        ({"sigma": 1e-290, "query": (1e20, 0.0)}, "sigma must not make scaled distances overflow"),
        ({"sigmas": (1, 2, 3)}, r"sigmas must be \(least, most\), got \(1, 2, 3\)"),
        ({"sigmas": 3}, r"sigmas must be \(least, most\), got 3"),
        ({"sigmas": (0.0, 1.0)}, "sigmas must be positive and finite, got 0.0"),
        ({"sigmas": (2.0, 1.0)}, r"sigmas must be \(least, most\), got \(2.0, 1.0\)"),
        ({"query": (0.0, np.inf)}, "query must be finite, got inf"),
        ({"query": 1.0}, "query must be two numbers, got 1.0"),
        ({"query": [[1.0, 2.0]] * 2}, "query must be two numbers, got .*2.0"),
        ({"query": "left"}, "query must hold real numbers, got 'left'"),
        ({"score": "cosine"}, "score must be one of distance, .* got 'cosine'"),
        ({"score": ["distance"]}, "score must be one of distance, .* got"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ScoreExplorer(**{"keys": KEYS} | wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [("sigma", 1e-310), ("sigma", [1.0]), ("query", (1e20, 0.0)), ("query", (0.0, np.nan))],
)
def test_bad_traits_are_refused_and_change_nothing(name, value):
    explorer = ScoreExplorer(KEYS, 1e-290)
    before = getattr(explorer, name)
    with pytest.raises(ValueError, match="sigma" if value == (1e20, 0.0) else name):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before


@pytest.mark.parametrize("score", SCORES)
def test_narrowest_width_that_is_accepted_can_be_shown(score):
    narrow = 3 / np.finfo(float).max
    near = [[0.6, 0.5], [0.61, 0.5]]
    assert ScoreExplorer(near, narrow, (0.6, 0.5), score=score)._repr_mimebundle_()


def test_tensors_are_taken_out_of_their_graph():
    keys, width, query = (torch.tensor(x, requires_grad=True) for x in (KEYS, 0.5, [0.25, 1.0]))
    explorer = ScoreExplorer(keys, width, query, sigmas=query)
    assert explorer.data["keys"] == KEYS.tolist()
    assert (explorer.sigma, explorer.query, explorer.data["sigmas"]) == (0.5, (0.25, 1), (0.25, 1))


def test_page_holds_the_data_exactly_and_is_the_same_each_time():
    once, again = (ScoreExplorer(KEYS)._repr_mimebundle_()[0]["text/html"] for _ in range(2))
    assert once == again
    data = json.loads(re.search(r'<script type="application/json">(.*)</script>', once)[1])
    np.testing.assert_array_equal(data["keys"], KEYS)
    assert f"{len(KEYS)} keys" in once
    assert "widget-view+json" in str(ScoreExplorer(KEYS)._repr_mimebundle_()[0].keys())


@pytest.fixture(scope="module")
def page_address(site):
    found = [
        page.relative_to(pages.HTML).as_posix()
        for page in (pages.HTML / "chapters").glob("*.html")
        if 'class="nw-scores"' in page.read_text(encoding="utf-8")
    ]
    assert len(found) == 1
    return site + found[0]


@pytest.fixture
def opened(window, page_address):
    """A page with the figure alive, a way to read its state, and what the console said."""
    taken = window(has_touch=True, viewport={"width": 390, "height": 900})
    page = taken.page
    _, said = taken.overhear()
    page.goto(page_address)
    page.wait_for_selector(".nw-scores[data-ready=true]")
    page.locator(".nw-plane").scroll_into_view_if_needed()
    page.evaluate(f"window.changes = 0; {ROOT}.addEventListener('nw:change', () => changes++)")
    yield page
    assert said == []


def state(page):
    given = f"JSON.parse({ROOT}.querySelector('script').textContent).keys"
    return page.evaluate(f"({{ ...{ROOT}.explorer.state(), given: {given} }})")


def centre(page):
    box = page.locator(".nw-query").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_set_agrees_with_numpy_for_every_score(opened):
    changes = 0
    for score in SCORES:
        for sigma in (0.1, 0.7, 1.3, 5.0):
            for query in ([0.7, 0.2], [-1.5, 2.25], [0.0, 0.0], [9.0, 1.0]):
                change = {"score": score, "sigma": sigma, "query": query}
                opened.evaluate(f"{ROOT}.explorer.set({json.dumps(change)})")
                changes += 1
                now = state(opened)
                assert {name: now[name] for name in change} == change
                agree(now)
    assert opened.evaluate("changes") == changes
    assert opened.locator("select[name=score] option").count() == len(SCORES)


def test_steps_keep_or_change_the_weights_as_the_chapter_says(opened):
    found = {}
    for score in SCORES:
        opened.select_option("select[name=score]", score)
        found[score] = state(opened)
        agree(found[score])
    assert max(found[name]["difference"] for name in ("distance", "expanded", "circle")) < 1e-12
    nearest = found["distance"]["weights"]
    alone = found["product"]["weights"]
    assert np.argmax(nearest) == 4
    assert np.argmax(np.subtract(nearest, alone)) == 4
    assert set(np.argsort(np.subtract(alone, nearest))[-2:]) == {0, 6}
    assert opened.locator(".nw-scores input[name=sigma]").is_disabled()


def test_mouse_drags_the_query(opened):
    x, y = centre(opened)
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x - 60, y - 40, steps=4)
    opened.mouse.up()
    assert np.hypot(*np.subtract(centre(opened), (x - 60, y - 40))) < 2
    now = state(opened)
    assert now["query"][0] < 0.7
    assert now["query"][1] > 0.2
    agree(now)
    opened.mouse.move(x + 60, y + 40)
    assert state(opened)["query"] == now["query"]


def test_finger_drags_the_query_and_leaves_the_page_where_it_is(opened):
    x, y = centre(opened)
    scrolled = opened.evaluate("scrollY")
    touch(opened, "touchStart", [{"x": x, "y": y}])
    for part in range(1, 6):
        touch(opened, "touchMove", [{"x": x - 10 * part, "y": y + 12 * part}])
    touch(opened, "touchEnd", [])
    now = state(opened)
    assert np.hypot(*np.subtract(centre(opened), (x - 50, y + 60))) < 2
    assert now["query"][1] < 0.2
    agree(now)
    assert opened.evaluate("scrollY") == scrolled


def test_finger_beside_the_query_scrolls_the_page(opened):
    box = opened.locator(".nw-plane").bounding_box()
    x, y = box["x"] + 40, box["y"] + 280
    before, scrolled = state(opened)["query"], opened.evaluate("scrollY")
    touch(opened, "touchStart", [{"x": x, "y": y}])
    for part in range(1, 9):
        touch(opened, "touchMove", [{"x": x, "y": y - 20 * part}])
    touch(opened, "touchEnd", [])
    opened.wait_for_function(f"scrollY > {scrolled} + 50")
    assert state(opened)["query"] == before


def test_tap_moves_the_query(opened):
    box = opened.locator(".nw-plane").bounding_box()
    opened.touchscreen.tap(box["x"] + 40, box["y"] + 280)
    assert np.hypot(*np.subtract(centre(opened), (box["x"] + 40, box["y"] + 280))) < 2
    agree(state(opened))


def touch(page, kind, points):
    """Send a finger's event to the browser itself, which then decides whether to scroll."""
    if not hasattr(page, "cdp"):
        page.cdp = page.context.new_cdp_session(page)
    page.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_arrow_keys_move_the_query_and_the_width(opened):
    handle = opened.locator(".nw-query")
    handle.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "ArrowDown"):
        handle.press(key)
    now = state(opened)
    np.testing.assert_allclose(now["query"], [0.7 + 0.05, 0.2 - 0.05], atol=1e-12)
    assert handle.get_attribute("aria-valuetext") == "0.75, 0.15"
    agree(now)
    opened.locator(".nw-scores input[name=sigma]").press("ArrowRight")
    wider = state(opened)
    assert wider["sigma"] > now["sigma"]
    assert (
        f"{wider['sigma']:.3g}, temperature"
        in opened.locator(".nw-scores .nw-dials b").inner_text()
    )
    agree(wider)


def test_sentence_tells_the_largest_difference(opened):
    sentence = opened.locator(".nw-scores .nw-seen")
    assert "agree to rounding" in sentence.inner_text()
    opened.select_option("select[name=score]", "product")
    difference = f"Largest difference: {state(opened)['difference']:.3g}, at key 1"
    assert difference in sentence.inner_text()
    opened.wait_for_function(
        f"{ROOT}.querySelector('.nw-spoken').textContent.includes('{difference}')"
    )


@pytest.mark.parametrize(
    "wrong", ["sigma: -1", "sigma: 'x'", "score: 'cosine'", "query: [1]", "query: [0, NaN]"]
)
def test_set_refuses_what_cannot_be_drawn(opened, wrong):
    before = state(opened)
    refused = (
        f"try {{ {ROOT}.explorer.set({{ {wrong} }}) }} catch (error) {{ return error.message }}"
    )
    assert "must be" in opened.evaluate(f"(() => {{ {refused} }})()")
    assert state(opened) == before


def test_any_positive_width_can_be_set(opened):
    for sigma in (1e-200, 1e-9, 1e200):
        opened.evaluate(f"{ROOT}.explorer.set({{ sigma: {sigma} }})")
        now = state(opened)
        assert now["sigma"] == sigma
        assert sum(now["weights"]) == pytest.approx(1)


def test_page_without_scripts_keeps_the_still_figure(window, page_address):
    page = window(java_script_enabled=False).page
    page.goto(page_address)
    assert page.locator(".nw-scores .nw-still").is_visible()


def test_page_opened_as_a_file_comes_alive(desktop, page_address):
    page = desktop.page
    page.goto((pages.HTML / page_address.split("/", 3)[3]).as_uri())
    page.wait_for_selector(".nw-scores[data-ready=true]")
    agree(state(page))


def test_widget_follows_its_model_and_tells_it(opened):
    """The view that a notebook takes."""
    modules.widget(opened, "scores", sigma=2, score="circle", query=[1, 1])
    assert opened.evaluate("widget.explorer.state().sigma") == 2
    assert opened.evaluate("widget.explorer.state().score") == "circle"
    opened.evaluate("model.set('query', [0.5, -0.5])")
    assert opened.evaluate("widget.explorer.state().query") == [0.5, -0.5]
    widget = opened.locator(".nw-scores").last
    widget.locator("select").select_option("product")
    widget.locator(".nw-query").press("ArrowUp")
    assert opened.evaluate("[model.held.score, model.held.query, model.saved]") == [
        "product",
        [0.5, -0.45],
        2,
    ]
    # A notebook listens above the figure, and would move to another cell.
    opened.evaluate("taken = 0; el.addEventListener('keydown', () => taken++)")
    before = opened.evaluate("model.held.sigma")
    widget.locator("input").press("ArrowUp")
    assert opened.evaluate("[taken, model.held.sigma > " + str(before) + "]") == [0, True]
    opened.evaluate("end()")
    assert opened.evaluate("model.heard.size") == 0
