"""Words: matches against brute force, the transformer against PyTorch, the figure against both."""

import gzip
import json
import re
from importlib.resources import files

import modules
import numpy as np
import pages
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from attention_pooling import WordExplorer
from attention_pooling.explorer.modules import joined
from attention_pooling.explorer.words import HEADS, attended
from attention_pooling.transformer import Transformer, packed, read, trained_transformer, unpacked
from attention_pooling.words import (
    house_that_jack_built,
    match_lengths,
    match_weights,
    tokens_of,
    votes,
)

RNG = np.random.default_rng(11)
RHYME = house_that_jack_built()
TEXTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=30)

# ------------------------------------------------------------------------- words


def ends_alike(key, query):
    counts = range(min(len(key), 8) + 1)
    return max(n for n in counts if key[len(key) - n :] == query[len(query) - n :])


@given(TEXTS, st.data())
def test_lengths_are_those_of_the_longest_common_endings(tokens, data):
    at = data.draw(st.integers(0, len(tokens) - 1))
    expected = [ends_alike(tokens[:i], tokens[: at + 1]) for i in range(1, at + 1)]
    assert match_lengths(tokens, at).tolist() == expected


@given(TEXTS, st.data(), st.floats(0.05, 50))
def test_weights_are_a_softmax_of_the_lengths(tokens, data, width):
    at = data.draw(st.integers(0, len(tokens) - 1))
    weights, lengths = match_weights(tokens, at, width), match_lengths(tokens, at)
    assert weights.shape == (at,)
    if at:
        assert weights.sum() == pytest.approx(1)
        gaps = np.log(weights[:, None] / weights)
        np.testing.assert_allclose(gaps * width, lengths[:, None] - lengths, atol=1e-9)


def test_a_narrow_kernel_lets_the_longest_matches_vote_and_a_wide_one_everybody():
    tokens = ["a", "b", "c", "a", "b", "d", "a", "b"]
    assert votes(tokens[1:], match_weights(tokens, 7, 1e-3)) == pytest.approx(
        {"c": 0.5, "d": 0.5, "b": 0, "a": 0}
    )
    wide = votes(tokens[1:], match_weights(tokens, 7, 1e6))
    assert wide == pytest.approx({"b": 3 / 7, "a": 2 / 7, "c": 1 / 7, "d": 1 / 7}, abs=1e-4)
    assert list(wide)[:2] == ["b", "a"]


def test_a_later_token_changes_nothing():
    assert match_lengths(RHYME[:80], 60).tolist() == match_lengths(RHYME, 60).tolist()


def test_the_rhyme_grows_by_putting_something_in_front():
    assert (len(RHYME), len(set(RHYME))) == (393, 44)
    verses = [verse.split() for verse in " ".join(RHYME).split(" . This")]
    for before, after in zip(verses[1:], verses[2:], strict=False):
        tail = " ".join(after).replace(" .", "")
        assert tail.endswith(" ".join(before).replace("is the", "the", 1).replace(" .", ""))
    assert house_that_jack_built(4) == RHYME[: len(house_that_jack_built(4))]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The cat, the rat.", ["The", "cat", ",", "the", "rat", "."]),
        ("don't stop!\n(no)", ["don't", "stop", "!", "(", "no", ")"]),
        ("naïve café ٣ 日本 🐀", ["naïve", "café", "٣", "日本", "🐀"]),
        (" \t\n", []),
    ],
)
def test_texts_are_cut_at_white_space_and_marks(text, tokens):
    assert tokens_of(text) == tokens


# ------------------------------------------------------------------- transformer


def of_torch(model, symbols):
    """Return probabilities and weights, from PyTorch's attention in float64."""
    model = Transformer(*map(torch.tensor, model))
    n = symbols.shape[-1]
    x = model.embedding[torch.tensor(symbols)] + model.positions[:n]
    weights = []
    for layer in (0, 1):
        added = 0
        for head in (0, 1):
            q, k, v = (x @ maps[layer, head] for maps in (model.W_q, model.W_k, model.W_v))
            eye = torch.eye(n, dtype=torch.float64).expand(*x.shape[:-1], n)
            weights.append(scaled_dot_product_attention(q, k, eye, is_causal=True))
            heard = scaled_dot_product_attention(q, k, v, is_causal=True)
            added = added + heard @ model.W_o[layer, head]
        x = x + added
    weights = torch.stack(weights, dim=-3).reshape(*symbols.shape[:-1], 2, 2, n, n)
    return (x @ model.unembedding).softmax(-1).numpy(), weights.numpy()


def drawn(scale=1.0):
    """Return a transformer of other sizes than the stored one."""
    shapes = [(5, 6), (7, 6), *[(2, 2, 6, 3)] * 3, (2, 2, 3, 6), (6, 5)]
    return Transformer(*(scale * RNG.normal(size=shape) for shape in shapes))


@pytest.mark.parametrize("model", [drawn(), drawn(10.0), trained_transformer()])
@pytest.mark.parametrize("shape", [(1,), (7,), (4, 5), (2, 3, 4)])
def test_reading_agrees_with_pytorch(model, shape):
    symbols = RNG.integers(0, len(model.embedding), shape)
    reading = read(model, symbols)
    probabilities, weights = of_torch(model, symbols)
    np.testing.assert_allclose(reading.probabilities, probabilities, rtol=0, atol=1e-10)
    np.testing.assert_allclose(reading.weights, weights, rtol=0, atol=1e-10)


def test_no_place_is_moved_by_what_comes_later():
    model, symbols = trained_transformer(), RNG.integers(0, 48, 48)
    part, whole = read(model, symbols[:20]), read(model, symbols)
    np.testing.assert_allclose(part.probabilities, whole.probabilities[:20], atol=1e-12)
    np.testing.assert_allclose(part.weights, whole.weights[..., :20, :20], atol=1e-12)


def test_packing_rounds_to_a_step_of_each_matrix():
    model = drawn()
    again = unpacked(json.loads(json.dumps(packed(model))))
    for before, after in zip(model, again, strict=True):
        assert np.abs(before - after).max() <= np.abs(before).max() / 32767 * 0.5001
    assert packed(again) == packed(unpacked(packed(again)))


def heads_and_answers(model):
    lengths = RNG.integers(8, 25, 100)
    texts = np.array([np.resize(RNG.integers(0, 48, n), 49) for n in lengths])
    reading = read(model, texts[:, :-1])
    repeats = np.arange(1, 49) >= lengths[:, None]
    right = (reading.probabilities.argmax(-1) == texts[:, 1:])[repeats].mean()
    return np.diagonal(reading.weights[:, 0], -1, 2, 3).mean((0, 2)).max(), right


def test_the_stored_transformer_completes_what_repeats():
    before, right = heads_and_answers(trained_transformer())
    assert before > 0.95
    assert right > 0.97


@pytest.mark.slow
def test_the_program_that_trains_it_finds_the_same_again():
    from training.transformer import trained

    run, stored = heads_and_answers(trained()), heads_and_answers(trained_transformer())
    np.testing.assert_allclose(run, stored, atol=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: match_lengths("abc", 3), "at must be a place from 0 to 2, got 3"),
        (lambda: match_lengths("abc", -1), "at must be a place .* got -1"),
        (lambda: match_lengths("abc", 1.0), "at must be a place .* got 1.0"),
        (lambda: match_weights("abc", 1, 0), "width must be positive and finite, got 0"),
        (lambda: match_weights("abc", 1, "x"), "width must hold real numbers, got 'x'"),
        (lambda: house_that_jack_built(12), "verses must be from 1 to 11, got 12"),
        (lambda: read(drawn(), [0.5]), "symbols must be whole numbers, got float64"),
        (lambda: read(drawn(), [5]), "symbols must be from 0 to 4, got 5"),
        (lambda: read(drawn(), [-1]), "symbols must be from 0 to 4, got -1"),
        (lambda: read(drawn(), [0] * 8), r"symbols must be in 1 to 7 places, got shape \(8,\)"),
        (lambda: read(drawn(), []), "symbols must be"),
    ],
)
def test_what_cannot_be_used_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------------- explorer


def test_traits_can_be_set_and_observed():
    explorer = WordExplorer("a b a b", head="1.2")
    seen = []
    explorer.observe(lambda change: seen.append(change.new), ["at", "head", "width"])
    explorer.at, explorer.head, explorer.width = 1, "2.2", 3
    assert seen == [1, "2.2", 3.0]
    explorer.at = 3
    explorer.text = "a rose"
    assert explorer.at == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"text": 3}, "text must be a string, got 3"),
        ({"text": " "}, "text must have 1 to 500 words, got 0"),
        ({"text": "a " * 501}, "text must have 1 to 500 words, got 501"),
        ({"text": " ".join(map(str, range(49)))}, "at most 48 different words, .* got 49"),
        ({"text": "a b", "at": 2}, "at must be a place from 0 to 1, got 2"),
        ({"text": "a b", "at": "x"}, "at must be a place from 0 to 1, got 'x'"),
        ({"head": "3.1"}, "head must be one of match, 1.1, .* got '3.1'"),
        ({"width": -0.5}, "width must be positive and finite, got -0.5"),
        ({"width": 1e-310}, "width must not make scaled distances overflow"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        WordExplorer(**wrong)
    explorer = WordExplorer("a b a b")
    name = list(wrong)[-1]
    if name != "at":
        with pytest.raises(ValueError, match=message):
            setattr(explorer, name, wrong[name])
        assert (explorer.text, explorer.at, explorer.head) == ("a b a b", 3, "match")


def test_page_holds_the_text_and_is_the_same_each_time():
    text = "</script> $1 & “more” $1"
    once, again = (WordExplorer(text)._repr_mimebundle_()[0]["text/html"] for _ in range(2))
    assert once == again
    data = json.loads(re.search(r'<script type="application/json">(.*)</script>', once)[1])
    assert data["text"] == text
    assert "numbers" not in data
    assert len(once) < 60_000


def test_what_a_page_loads_is_small():
    folder = files("attention_pooling")
    module = joined("words.mjs").encode()
    assert len(gzip.compress(module, mtime=0)) <= 10_000
    assert len((folder / "transformer.json").read_bytes()) <= 120_000


# -------------------------------------------------------------------------- page

ROOT = "document.querySelector('.nw-words')"


def agree(state):
    """Compare a page's state with Python."""
    width = 0.5 if state["width"] is None else state["width"]
    weights, expected = attended(state["tokens"], state["at"], state["head"], width)
    shown = np.array([np.nan if weight is None else weight for weight in state["weights"]])
    np.testing.assert_allclose(shown, weights, rtol=0, atol=1e-12)
    assert state["next"] == pytest.approx(expected, abs=1e-12)
    assert (state["width"] is None) == (state["head"] != "match")
    if state["at"] or state["head"] != "match":
        assert np.nansum(shown) == pytest.approx(1)


@pytest.fixture(scope="module")
def page_address(site):
    found = [
        page.relative_to(pages.HTML).as_posix()
        for page in (pages.HTML / "chapters").glob("*.html")
        if 'class="nw-words"' in page.read_text(encoding="utf-8")
    ]
    assert len(found) == 1
    return site + found[0]


def numbers_loaded(page):
    entries = "performance.getEntriesByType('resource').map((entry) => entry.name)"
    return [name for name in page.evaluate(entries) if "words/numbers.js" in name]


@pytest.fixture
def opened(window, page_address):
    """A page with the figure alive, a way to read its state, and what the console said."""
    taken = window(has_touch=True, viewport={"width": 390, "height": 900})
    page = taken.page
    _, said = taken.overhear()
    page.goto(page_address)
    assert not numbers_loaded(page)
    page.locator(".nw-words").scroll_into_view_if_needed()
    page.wait_for_selector(".nw-words[data-ready=true]")
    assert len(numbers_loaded(page)) == 1
    page.evaluate(f"window.changes = 0; {ROOT}.addEventListener('nw:change', () => changes++)")
    yield page
    assert said == []


def state(page):
    return page.evaluate(f"{ROOT}.words.state()")


def put(page, **change):
    page.evaluate(f"{ROOT}.words.set({json.dumps(change)})")


def test_set_agrees_with_python_for_every_head(opened):
    changes = 0
    long = " ".join(RHYME[:150])
    for text, places in ((long, (0, 1, 30, 47, 48, 149)), ("a <b> & a <b> a 'x' a", (0, 4, 7))):
        for at in places:
            for head in HEADS:
                change = {"text": text, "at": at, "head": head, "width": [0.3, 2.0][at % 2]}
                put(opened, **change)
                changes += 1
                now = state(opened)
                assert now["tokens"] == tokens_of(text)
                assert (now["at"], now["head"]) == (at, head)
                agree(now)
    assert opened.evaluate("changes") == changes
    put(opened, text="a rose is a rose is a")
    assert state(opened)["at"] == 6


def test_reader_moves_through_the_text(opened):
    words = opened.locator(".nw-text")
    words.focus()
    before = state(opened)["at"]
    for key, at in [("ArrowRight", before + 1), ("ArrowLeft", before), ("Home", 0), ("End", 83)]:
        words.press(key)
        assert state(opened)["at"] == at
    words.press("ArrowUp")
    above = state(opened)["at"]
    assert 70 < above < 83
    words.press("ArrowDown")
    assert above < state(opened)["at"] <= 83
    opened.locator(".nw-text span").nth(20).tap()
    now = state(opened)
    assert now["at"] == 20
    assert words.get_attribute("aria-valuetext") == f"word 21 of 84, {now['tokens'][20]}"
    agree(now)
    opened.wait_for_function(f"{ROOT}.querySelector('.nw-spoken').textContent.includes('word 21')")
    assert opened.locator(".nw-text svg path").count() > 0


def test_reader_chooses_a_head_a_width_and_a_text(opened):
    slider, area = opened.locator("input[name=width]"), opened.locator("textarea[name=text]")
    slider.press("ArrowRight")
    assert state(opened)["width"] > 0.5
    opened.select_option("select[name=head]", "2.1")
    assert slider.is_disabled()
    agree(state(opened))
    area.fill("one two one two one")
    now = state(opened)
    assert (now["tokens"], now["at"]) == (["one", "two", "one", "two", "one"], 4)
    agree(now)
    too_many = " ".join(map(str, range(49)))
    area.fill(too_many)
    assert "48 different words" in opened.locator(".nw-words [role=alert]").inner_text()
    assert (state(opened), area.input_value()) == (now, too_many)
    opened.select_option("select[name=example]", index=1)
    assert opened.locator(".nw-words [role=alert]").inner_text() == ""
    agree(state(opened))


def test_set_refuses_what_cannot_be_drawn(opened):
    before = state(opened)
    many = json.dumps(" ".join(map(str, range(49))))
    for wrong in (
        *("at: -1", "at: 84", "at: 1.5", "head: '3.1'", "width: 0", "width: '1'", "width: 1e-320"),
        *("text: ''", "text: 5", f"text: {many}"),
    ):
        call = f"{ROOT}.words.set({{ {wrong} }})"
        told = opened.evaluate(f"(() => {{ try {{ {call} }} catch (e) {{ return e.message }} }})()")
        assert f"{wrong.split(':')[0]} must" in told
        assert state(opened) == before


def test_page_without_scripts_keeps_the_still_figure(window, page_address):
    page = window(java_script_enabled=False).page
    page.goto(page_address)
    assert page.locator(".nw-words .nw-still").is_visible()


def test_shades_stay_in_forced_colours_and_paper_is_white(window, page_address):
    page = window(forced_colors="active", color_scheme="dark").page
    page.goto(page_address)
    page.locator(".nw-words").scroll_into_view_if_needed()
    page.wait_for_selector(".nw-words[data-ready=true]")
    grounds = page.evaluate(
        """() => [".nw-text .nw-at", ".nw-legend .nw-at", "dd i"].map(
          (one) => getComputedStyle(document.querySelector(`.nw-words ${one}`)).backgroundColor)"""
    )
    assert grounds == ["rgb(213, 94, 0)", "rgb(213, 94, 0)", "rgb(0, 114, 178)"]
    weights = page.locator(".nw-words .nw-text span").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(weights)) > 2
    page.emulate_media(media="print", forced_colors="none")
    ink = "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
    assert page.locator(".nw-words").evaluate(ink) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


@pytest.mark.parametrize("place", ["chapter", "frame"])
def test_page_opened_as_a_file_comes_alive(desktop, page_address, place):
    page = desktop.page
    chapter = page_address.split("/", 3)[3]
    alone = "_static/embed/chapters-words-words-0.html"
    page.goto((pages.HTML / {"chapter": chapter, "frame": alone}[place]).as_uri())
    page.locator(".nw-words").scroll_into_view_if_needed()
    page.wait_for_selector(".nw-words[data-ready=true]")
    put(page, head="2.1")
    agree(state(page))


def test_widget_follows_its_model_and_tells_it(opened):
    """The view that a notebook takes."""
    modules.widget(opened, "words", text="a b a b a", at=4, head="match", width=1)
    agree(opened.evaluate("widget.words.state()"))
    # Python tells of a shorter text before it tells of the place.
    opened.evaluate("model.set('text', 'a b')")
    assert opened.evaluate("widget.words.state().at") == 1
    widget = opened.locator(".nw-words").last
    widget.locator("select[name=head]").select_option("1.2")
    widget.locator("textarea").fill("x y z x y")
    assert opened.evaluate("[model.held.head, model.held.text, model.held.at, model.saved]") == [
        "1.2",
        "x y z x y",
        4,
        2,
    ]
    agree(opened.evaluate("widget.words.state()"))
    opened.evaluate("taken = 0; el.addEventListener('keydown', () => taken++)")
    widget.locator(".nw-text").press("ArrowLeft")
    assert opened.evaluate("[taken, model.held.at]") == [0, 3]
    opened.evaluate("end()")
    assert opened.evaluate("model.heard.size") == 0
