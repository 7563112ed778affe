"""The explorer's Python side, and its module's arithmetic against NumPy in Node."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import modules
import numpy as np
import pages
import pytest
import torch
from drawn import close
from PIL import Image
from rows import OTHERS

from attention_pooling import (
    KERNELS,
    Explorer,
    ScoreExplorer,
    boxcar,
    effective_keys,
    leave_one_out,
    mcycle,
    nadaraya_watson,
)

RNG = np.random.default_rng(8)
ROWS = KERNELS | OTHERS
CASES = {
    "mcycle": mcycle()[:3],
    # Steps of 0.1 put many keys at u = 1 up to rounding, where the boxcar jumps.
    "ties": (np.arange(30) / 10, RNG.standard_normal(30), np.arange(60) / 20),
    "scattered, unsorted, repeated": (
        RNG.permutation(np.repeat(RNG.uniform(-3, 3, 20), 2)),
        RNG.standard_normal(40),
        RNG.permutation(np.linspace(-9, 9, 31)),
    ),
    "one key": (np.array([2.0]), np.array([5.0]), np.array([1.0, 2.0, 4.0])),
    # The Gaussian's similarities are about 1e-321 at width 0.026, which have no digits left, and
    # 1e-285 at 0.0276, which have none left times the values.
    "barely in reach": (np.array([0.0, 1.0, 1.001]), 1e-30 * np.arange(3), np.array([0.0])),
    "far apart": (np.array([-1e8, 0.0, 1e8]), np.array([1.0, 2.0, 4.0]), np.array([-4e7, 7.0])),
}
DISTANCES = [0.0, 0.3, 0.5, 1 - 2**-53, 1.0, 1 + 2**-52, 2.0, 2.1, 38.5, 39.0, 1e200]
SIGMAS = [1e-200, 1e-9, 0.01, 0.026, 0.0276, 0.1, 0.3, 0.7, 1.0, 2.0, 40.0, 1e12]


@pytest.fixture(scope="module")
def computed():
    """What the module computes for every case, kernel and width."""
    script = """
      const { kernelsOf, attentionWeights, pool, effectiveKeys, leaveOneOut } =
        await import(`${folder}/explorer.mjs`);
      const kernels = kernelsOf(table);
      const plain = (array) => Array.from(array, (x) => (Number.isNaN(x) ? null : x));
      const answers = asked.map(({ keys, values, queries, kernel, sigma }) => {
        const weights = attentionWeights(queries, keys, kernels[kernel], sigma);
        const n = keys.length;
        const rows = queries.map((_, j) => weights.subarray(j * n, (j + 1) * n));
        const { error, unreached, noise } = leaveOneOut(keys, values, kernels[kernel], sigma);
        return {
          names: Object.keys(kernels), unreached,
          error: plain([error])[0], noise: plain([noise])[0],
          similarities: distances.map(kernels[kernel]),
          weights: rows.map(plain), estimate: plain(pool(weights, values)),
          effective: plain(rows.map(effectiveKeys)),
        };
      });
    """
    keys = [(case, kernel, sigma) for case in CASES for kernel in ROWS for sigma in SIGMAS]
    asked = [
        dict(
            zip(("keys", "values", "queries"), (a.tolist() for a in CASES[case]), strict=True),
            kernel=kernel,
            sigma=sigma,
        )
        for case, kernel, sigma in keys
    ]
    table = {name: kernel.numbers for name, kernel in ROWS.items()}
    answers = modules.computed(script, table=table, asked=asked, distances=DISTANCES)
    return dict(zip(keys, answers, strict=True))


def noise_of(keys, values, kernel, sigma):
    """The variance of the noise from what is missed at each key when its value is left out."""
    others = ~np.eye(len(keys), dtype=bool)
    left_out, weights = nadaraya_watson(keys, keys, values, kernel, sigma, mask=others)
    return np.mean((values - left_out) ** 2 / (1 + (weights**2).sum(axis=1)))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kernel", ROWS)
def test_module_computes_what_numpy_computes(computed, case, kernel):
    keys, values, queries = CASES[case]
    for sigma in SIGMAS:
        answer = computed[case, kernel, sigma]
        estimate, weights = nadaraya_watson(queries, keys, values, ROWS[kernel], sigma)
        scale = np.abs(values).max()
        close(answer["weights"], weights, atol=1e-300)
        close(answer["estimate"], estimate, atol=1e-12 * scale)
        close(answer["effective"], effective_keys(weights))
        error, unreached, _ = leave_one_out(keys, values, ROWS[kernel], sigma)
        close(answer["error"], error, atol=1e-24 * scale**2)
        assert answer["unreached"] == unreached
        close(answer["noise"], noise_of(keys, values, ROWS[kernel], sigma), atol=1e-24 * scale**2)


def test_cases_cover_gaps_ties_and_the_nearest_key(computed):
    assert None in computed["ties", "boxcar", 0.01]["estimate"]
    keys, _, queries = CASES["ties"]
    assert (np.abs(queries[:, None] - keys) / 0.3 == 1).any()
    narrow = computed["mcycle", "gaussian", 1e-9]["weights"]
    assert all(max(row) > 0.1 for row in narrow)


@pytest.mark.parametrize("kernel", ROWS)
def test_module_s_kernels_are_numpy_s(computed, kernel):
    similarities = computed["one key", kernel, 1.0]["similarities"]
    close(similarities, ROWS[kernel](DISTANCES), atol=0)


def test_module_keeps_the_order_of_the_table(computed):
    assert computed["ties", "boxcar", 0.01]["names"] == list(ROWS)


def test_module_refuses_a_row_that_it_cannot_compute():
    script = """
      const { kernelsOf } = await import(`${folder}/explorer.mjs`);
      kernelsOf({ gaussian: {}, sinc: {} });
    """
    node = modules.in_node(script)
    assert "RangeError: kernels must have coefficients, got sinc without" in node.stderr


def test_traits_can_be_read_set_and_observed():
    explorer = Explorer([0.0, 1.0], [2.0, 3.0], sigma=0.5, kernel=boxcar)
    assert (explorer.sigma, explorer.kernel, explorer.query) == (0.5, "boxcar", 0.5)
    seen = []
    explorer.observe(lambda change: seen.append((change.name, change.new)), list(TRAITS))
    for name, value in TRAITS.items():
        setattr(explorer, name, value)
    assert seen == list(TRAITS.items())
    assert explorer.children[0].children[1].value == "triangular"


TRAITS = {"sigma": 3.0, "kernel": "triangular", "query": 0.25}


def test_view_and_chooser_move_the_traits():
    explorer = Explorer([0.0, 1.0], [2.0, 3.0])
    explorer.children[1].sigma, explorer.children[1].query = 0.2, 0.75
    *_, last = KERNELS
    explorer.children[0].children[1].index = len(KERNELS) - 1
    assert (explorer.sigma, explorer.query, explorer.kernel) == (0.2, 0.75, last)


@pytest.mark.parametrize("sigma", [1e-9, 4321.0])
def test_slider_widens_to_any_sigma(sigma):
    later, start = Explorer([0.0, 1.0], [2.0, 3.0]), Explorer([0.0, 1.0], [2.0, 3.0], sigma=sigma)
    later.sigma = sigma
    for explorer in (later, start):
        slider, view = explorer.children[0].children[0], explorer.children[1]
        assert explorer.sigma == view.sigma == sigma
        assert 10**slider.min <= sigma <= 10**slider.max
        assert view.ends == [10**slider.min, 10**slider.max]


def cauchy(u):
    return 1 / (1 + u**2)


def test_python_evaluates_the_reader_s_own_kernel():
    keys, values, queries = CASES["mcycle"]
    explorer = Explorer(keys, values, queries, kernel=cauchy, panel="kernel")
    assert explorer.kernel is cauchy
    explorer.sigma, explorer.query = 2.5, 20.0
    drawn = explorer.children[1].evaluated
    weights = np.frombuffer(drawn["weights"]).reshape(-1, len(keys))
    places = np.append(queries, 20.0)
    np.testing.assert_array_equal(
        weights, nadaraya_watson(places, keys, values, cauchy, 2.5).weights
    )
    assert drawn["leaveOneOut"] == [leave_one_out(keys, values, cauchy, 2.5).error, 0]
    assert (drawn["name"], drawn["sigma"], drawn["query"]) == ("cauchy", 2.5, 20.0)
    assert np.frombuffer(drawn["panel"]).max() == pytest.approx(1, abs=0.01)
    explorer.kernel = "gaussian"
    explorer.kernel = cauchy
    assert [name for name, _ in explorer.children[0].children[1].options] == [*KERNELS, "cauchy"]


@pytest.mark.parametrize("kernel", [lambda u: u <= 1, lambda u: cauchy(u).astype(np.float32)])
def test_own_kernel_of_any_dtype_is_drawn(kernel):
    explorer = Explorer([1.0, 2.0], [3.0, 4.0], kernel=kernel, panel="kernel")
    curve = np.frombuffer(explorer.children[1].evaluated["panel"])
    places = np.linspace(0.98, 2.02, 401)
    np.testing.assert_allclose(curve, kernel(np.abs(places - 1.5)), rtol=1e-7)


def test_error_curve_of_an_own_kernel_is_computed_once_for_a_kernel():
    keys, values, queries = CASES["mcycle"]
    calls = 0

    def own(u):
        nonlocal calls
        calls += 1
        return cauchy(u)

    explorer = Explorer(keys, values, queries, panel="leave-one-out", sigmas=(0.5, 8.0))
    explorer.kernel = own
    first, calls = calls, 0
    explorer.query = 20.0
    explorer.sigma = 2.5
    assert calls < 10 < first
    drawn = explorer.children[1].evaluated["panel"]
    errors = [leave_one_out(keys, values, own, s).error for s in np.geomspace(0.5, 8.0, 61)]
    np.testing.assert_allclose(np.frombuffer(drawn), errors, rtol=1e-12)
    explorer.kernel = lambda u: cauchy(2 * u)
    assert explorer.children[1].evaluated["panel"] != drawn


def test_changing_to_an_own_kernel_tells_observers_once():
    explorer = Explorer([0.0, 1.0], [2.0, 3.0], kernel="boxcar")
    seen = []
    explorer.observe(lambda change: seen.append(change.new), "kernel")
    explorer.kernel = cauchy
    assert seen == [cauchy]


GOOD = {"keys": [0.0, 1.0, 2.0], "values": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"keys": []}, "keys must be 1 to 2,000 numbers in an explorer, got 0"),
        ({"keys": np.zeros(2001)}, "keys must be 1 to 2,000 .* got 2001"),
        ({"queries": np.zeros(1001)}, "queries must be 1 to 1,000 .* got 1001"),
        ({"values": [1.0, 2.0]}, "values must be as many as keys, got 2 values for 3 keys"),
        ({"truth": [1.0]}, "truth must be as many as queries, got 1 truth for 200 queries"),
        ({"values": [1.0, np.nan, 2.0]}, "values must be finite, got nan"),
        ({"keys": [1.0, np.inf, 2.0]}, "keys must be finite, got inf"),
        ({"queries": [np.nan]}, "queries must be finite, got nan"),
        ({"keys": np.zeros((3, 2))}, r"keys must have shape \(n,\) in an explorer, got \(3, 2\)"),
        ({"values": ["a", "b", "c"]}, "values must hold real numbers"),
        ({"keys": ["1", "2", "3"]}, "keys must hold real numbers, got .'1', '2', '3'"),
        ({"values": [1j, 2j, 3j]}, "values must hold real numbers, got .1j, 2j, 3j"),
        ({"sigma": 0}, "sigma must be positive and finite, got 0.0"),
        ({"sigma": -0.5}, "sigma must be positive and finite, got -0.5"),
        ({"sigma": [1.0]}, r"sigma must be a number, got \[1.0\]"),
        ({"sigma": 1e-320}, "sigma must not make scaled distances overflow"),
        ({"sigmas": (5.0, 1.0)}, r"sigmas must be \(least, most\), got \(5.0, 1.0\)"),
        ({"sigmas": (1.0, 1.0)}, r"sigmas must be \(least, most\), got \(1.0, 1.0\)"),
        ({"sigmas": (0.0, 1.0)}, "sigmas must be positive and finite, got 0.0"),
        ({"sigmas": (1e-320, 1.0)}, "sigmas must not make scaled distances overflow"),
        ({"sigmas": (1, 2, 3)}, r"sigmas must be \(least, most\), got \(1, 2, 3\)"),
        ({"sigmas": 3}, r"sigmas must be \(least, most\), got 3"),
        ({"kernel": "cosine"}, "kernel must be a function or one of gaussian, .* got 'cosine'"),
        ({"kernel": lambda u: -u}, "kernel must return finite similarities"),
        ({"query": np.inf}, "query must be finite, got inf"),
        ({"query": "left"}, "query must hold real numbers, got 'left'"),
        ({"query": [1.0]}, r"query must be a number, got \[1.0\]"),
        ({"panel": "loo"}, "panel must be None, 'kernel' or 'leave-one-out', got 'loo'"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Explorer(**GOOD | wrong)


@pytest.mark.parametrize("kernel", ["gaussian", cauchy])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sigma", -1),
        ("sigma", "wide"),
        ("kernel", "cosine"),
        ("kernel", lambda u: -1 - u),
        ("query", np.nan),
    ],
)
def test_bad_traits_are_refused_and_change_nothing(name, value, kernel):
    explorer = Explorer(**GOOD, kernel=kernel)
    before = getattr(explorer, name)
    with pytest.raises(ValueError, match=name):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    explorer.sigma = 2
    assert html(explorer) == html(Explorer(**GOOD, kernel=kernel, sigma=2))


def test_width_at_which_an_own_kernel_fails_changes_nothing():
    explorer = Explorer(**GOOD, kernel=lambda u: 2 - u)
    with pytest.raises(ValueError, match="kernel must return finite similarities of at least 0"):
        explorer.sigma = 0.1
    assert explorer.sigma == explorer.children[1].evaluated["sigma"] == 1


def test_tensors_are_taken_out_of_their_graph():
    keys, width = (torch.tensor(given, requires_grad=True) for given in (GOOD["keys"], 0.5))
    explorer = Explorer(keys, keys, keys, sigma=width, query=width, truth=keys)
    assert html(explorer) == html(
        Explorer(*[GOOD["keys"]] * 3, sigma=0.5, query=0.5, truth=[0.0, 1.0, 2.0])
    )


class Parts(HTMLParser):
    """The elements of a fragment with their attributes, and the data inside its script."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.script, self.open = [], "", None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_data(self, data):
        if self.open == "script":
            self.script += data

    def of(self, tag):
        return next(attrs for name, attrs in self.tags if name == tag)


def html(explorer):
    return explorer._repr_mimebundle_()["text/html"]


def test_page_holds_the_data_exactly_and_a_still_figure():
    keys, values, queries = CASES["scattered, unsorted, repeated"]
    explorer = Explorer(keys, values, queries, sigma=0.3, key_label="</script> time (ms)")
    parts = Parts(html(explorer))
    data = json.loads(parts.script)
    for name, given in (("keys", keys), ("values", values), ("queries", queries)):
        np.testing.assert_array_equal(data[name], given)
    assert (data["sigma"], data["kernel"]) == (0.3, "gaussian")
    assert data["units"] == ["ms", ""]
    assert parts.of("div")["class"] == "nw-explorer"
    assert "40 values" in parts.of("img")["alt"]
    picture = base64.b64decode(parts.of("img")["src"].removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(picture)).size == (720, 310)


def test_page_is_lean_and_the_same_each_time():
    data = mcycle()
    once, again = (html(Explorer(*data[:3], sigma=0.9)) for _ in range(2))
    assert once == again
    assert len(once) < 40_000


def test_page_shows_the_still_figure_alone_for_an_own_kernel():
    parts = Parts(html(Explorer(**GOOD, kernel=cauchy, alt='Three "values"')))
    assert parts.of("div")["class"] == "nw-still-only"
    assert parts.of("img")["alt"] == 'Three "values"'
    assert not parts.script


LABELS = ["cost ($) per mile ($)", "$x_1$", "时间 (秒)", r"\frac{1}{2} $", "", "a_b^c", "𝒳 ∈ ℝ"]


@pytest.mark.parametrize("label", LABELS)
def test_labels_are_plain_text_in_any_script(label):
    bundle = Explorer(**GOOD, key_label=label, value_label=label)._repr_mimebundle_()
    assert json.loads(Parts(bundle["text/html"]).script)["labels"] == [label, label]


def test_a_dollar_in_a_label_is_drawn_as_such():
    drawn = [
        Explorer(**GOOD, key_label=label)._repr_mimebundle_()["image/png"]
        for label in ("$x$", "x", r"\$x\$")
    ]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("name", ["key_label", "value_label", "alt"])
@pytest.mark.parametrize("given", [5, b"ms", ["ms"], np.float64(1.5)])
def test_labels_that_are_no_text_are_refused(name, given):
    with pytest.raises(ValueError, match=rf"{name} must be a text, got {re.escape(repr(given))}"):
        Explorer(**GOOD, **{name: given})


@pytest.mark.parametrize(
    "shown", [Explorer(**GOOD), ScoreExplorer([[1.0, 0.0], [0.0, 2.0]])], ids=["plain", "scores"]
)
def test_paper_and_converters_are_given_a_picture(shown):
    from nbconvert import LatexExporter
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    bundle = shown._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).format == "PNG"
    cell = new_code_cell("explorer", outputs=[new_output("display_data", data=bundle)])
    text, resources = LatexExporter().from_notebook_node(new_notebook(cells=[cell]))
    assert r"\includegraphics" in text
    assert "VBox" not in text
    assert [name for name in resources["outputs"] if name.endswith(".png")]


def test_python_sees_the_data_that_a_reader_brings():
    explorer = Explorer([0.0, 1.0], [2.0, 3.0], truth=None, kernel=cauchy)
    seen = []
    explorer.observe(lambda change: seen.append(change.new), "data")
    view = explorer.children[1]
    start = {"keys": [5.0, 7.0, 6.0], "values": [1.0, 2.0, 4.0], "queries": [5.5, 6.5]}
    view.changed = start | {"truth": None, "labels": ["t (s)", "y"], "units": ["s", ""]}
    (taken,) = seen
    assert taken is explorer.data
    for name, numbers in start.items():
        np.testing.assert_array_equal(getattr(taken, name), numbers)
    # A kernel of the reader's own is evaluated on them.
    weights = np.frombuffer(view.evaluated["weights"]).reshape(3, 3)
    places = [5.5, 6.5, explorer.query]
    expected = nadaraya_watson(places, start["keys"], start["values"], cauchy)
    np.testing.assert_array_equal(weights, expected.weights)
    explorer.kernel = "gaussian"
    data = json.loads(Parts(html(explorer)).script)
    assert {name: data[name] for name in start} == start
    assert data["labels"] == ["t (s)", "y"]


def test_python_sets_the_data_that_a_reader_sees():
    explorer = Explorer(**GOOD)
    explorer.data = [4.0, 6.0], [1.0, -1.0]
    changed = explorer.children[1].changed
    assert (changed["keys"], changed["values"]) == ([4, 6], [1, -1])
    assert len(changed["queries"]) == 200
    before = explorer.data
    for wrong in (([1.0], [1.0, 2.0]), ([], []), ([np.nan], [1.0])):
        with pytest.raises(ValueError, match="keys|values"):
            explorer.data = wrong
        assert explorer.data is before


def test_notebook_prefers_the_live_widget():
    bundle = Explorer(**GOOD)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize("name", ["cauchy", "gaussian"])
def test_set_in_a_notebook_keeps_an_own_kernel_until_another_is_named(chromium, name):
    def own(u):
        return cauchy(u)

    own.__name__ = name
    view = Explorer(**GOOD, kernel=own).children[1]
    names = ("data", "sigma", "thumb", "ends", "kernel_index", "query", "evaluated")
    held = {name: getattr(view, name) for name in names}
    weights = np.frombuffer(view.evaluated["weights"]).tolist()
    held["evaluated"] = view.evaluated | {"weights": weights}
    held["module"] = view._esm
    with pages.served(modules.FOLDER) as address, chromium.new_context() as context:
        page = context.new_page()
        page.goto(address + "explorer.css")
        indices = page.evaluate(
            """async (held) => {
              const file = new Blob([held.module], { type: "text/javascript" });
              const { default: view } = await import(URL.createObjectURL(file));
              const { evaluated } = held;
              evaluated.weights = new DataView(Float64Array.from(evaluated.weights).buffer);
              const set = (name, value) => (held[name] = value);
              const model = { get: (name) => held[name], set, on() {}, save_changes() {} };
              view.render({ model, el: document.body });
              const { explorer } = document.querySelector(".nw-explorer");
              const { kernel, sigma, query } = explorer.state();
              return [{ kernel }, { kernel, sigma, query }, { kernel: "boxcar" }].map((change) => {
                explorer.set(change);
                return held.kernel_index;
              });
            }""",
            held,
        )
    assert indices == [len(KERNELS), len(KERNELS), 1]


def test_still_figure_of_queries_out_of_reach():
    assert html(Explorer(**GOOD, queries=[0.5, 1.5], kernel="boxcar", sigma=0.1))
