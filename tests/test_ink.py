"""What the explorer's panels draw: sampled where the scales say that ink must be, and as pictures.

`ACCEPT_INK=1 pytest tests/test_ink.py` takes what is drawn now as the pictures to compare with, in
`tests/ink`; look at them before they are kept.
"""

import base64
import functools
import io
import json
import os
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageFilter

from attention_pooling import KERNELS, Explorer, leave_one_out, nadaraya_watson
from attention_pooling.explorer.modules import joined
from attention_pooling.figures import COLORS

PICTURES = Path(__file__).parent / "ink"
# The same letters on every machine.
FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf").read_bytes()
INKS = {"light": "#111111", "dark": "#eeeeee"}
PAGE = """<!doctype html><html lang="en" style="color: {ink}; background: {ground}"><style>
@font-face {{ font-family: Letters; src: url(data:font/ttf;base64,{font}) }}
body {{ font: 16px Letters; width: 800px; margin: 10px }}
{style}</style><body>{figures}<script type="module">
await document.fonts.load("12px Letters");
{module}
</script></body></html>"""
VIRIDIS = matplotlib.colormaps["viridis"]


def data():
    """Twelve keys, not where their mirror images would be, and fifty queries."""
    rng = np.random.default_rng(3)
    keys = np.sort(rng.uniform(0, 5, 12))
    queries = np.linspace(0, 5, 50)
    values = 2 * np.sin(keys) + keys + rng.standard_normal(12)
    return keys, values, queries, 2 * np.sin(queries) + queries


@functools.cache
def figures():
    keys, values, queries, truth = data()
    shown = (
        Explorer(
            keys,
            values,
            queries,
            sigma=0.25,
            query=3.0,
            kernel=kernel,
            truth=truth,
            panel=panel,
            sigmas=(0.1, 5.0),
            key_label="place (m)",
        )
        for panel, kernel in (("kernel", "epanechnikov"), ("leave-one-out", "gaussian"))
    )
    return "".join(one._repr_mimebundle_()["text/html"] for one in shown)


def page_text(theme="light", change=lambda module: module):
    module = joined("explorer.mjs").replace("export default", "globalThis.figures =")
    return PAGE.format(
        ink=INKS[theme],
        ground=INKS["dark" if theme == "light" else "light"],
        font=base64.b64encode(FONT).decode(),
        style=joined("explorer.css"),
        figures=figures(),
        module=change(module) + "\nfigures.mountAll();",
    )


class Sheet:
    """What a panel shows: its pixels, and where its scales put a value on them."""

    def __init__(self, pixels, panel, ratio):
        self.pixels, self.panel, self.ratio = pixels, panel, ratio

    def at(self, axis, value):
        scale = self.panel[axis]
        lo, hi = scale["lo"], scale["hi"]
        if scale.get("log"):
            lo, hi, value = map(np.log, (lo, hi, value))
        part = (np.asarray(value) - lo) / (hi - lo)
        return self.ratio * (scale["from"] + part * (scale["to"] - scale["from"]))

    def inside(self):
        """Return the pixels within the frame, those outside cleared."""
        pixels = np.zeros_like(self.pixels)
        left, right, bottom, top = (
            round(self.ratio * self.panel[axis][end]) for axis in "xy" for end in ("from", "to")
        )
        pixels[top:bottom, left + 1 : right] = self.pixels[top:bottom, left + 1 : right]
        return pixels

    def of(self, role, tolerance=40):
        """Return where the frame holds a role's colour."""
        colour = np.array(matplotlib.colors.to_rgb(COLORS[role])) * 255
        pixels = self.inside()
        near = np.abs(pixels[..., :3] - colour).max(axis=-1) <= tolerance
        return near & (pixels[..., 3] > 80)


def opened(chromium, text, ratio=1):
    """Return the state and the drawn panels of each explorer of a page."""
    with chromium.new_context(
        viewport={"width": 820, "height": 900}, device_scale_factor=ratio
    ) as context:
        page = context.new_page()
        page.set_content(text)
        page.wait_for_function(
            "() => [...document.querySelectorAll('.nw-explorer')].every("
            "  (root, i) => root.explorer && (!i || root.explorer.state().leaveOneOutCurve.length))"
        )
        found = json.loads(
            page.evaluate(
                """() => JSON.stringify([...document.querySelectorAll(".nw-explorer")].map(
                  (root) => ({
                    state: root.explorer.state(),
                    drawn: [...root.querySelectorAll("canvas")].map((one) => one.toDataURL()),
                  })))"""
            )
        )
    for explorer in found:
        yield (
            explorer["state"],
            [
                Sheet(pixels(picture).astype(int), panel, ratio)
                for picture, panel in zip(
                    explorer["drawn"], explorer["state"]["panels"], strict=True
                )
            ],
        )


def pixels(address):
    picture = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA"))


def check_estimate(state, sheet):
    """The curve passes each query at its estimate, and the dots lie at the values of their keys."""
    numbers = {name: np.array(state[name], dtype=float) for name in ("queries", "keys", "values")}
    estimate = np.array(state["estimate"], dtype=float)
    follows(sheet, sheet.of("estimate"), numbers["queries"], estimate, state["query"])
    dots = sheet.of("value", 60)
    x, y = sheet.at("x", numbers["keys"]), sheet.at("y", numbers["values"])
    # A curve may run over a dot's middle.
    reach = 3 * sheet.ratio
    around = [
        dots[round(b) - reach : round(b) + reach + 1, round(a) - reach : round(a) + reach + 1]
        for a, b in zip(x, y, strict=True)
    ]
    assert all(part.any() for part in around)
    rows, columns = np.nonzero(dots)
    nearest = np.hypot(columns[:, None] - x, rows[:, None] - y).min(axis=1)
    assert nearest.max() < 6.5 * sheet.ratio
    check_query(state, sheet)


def follows(sheet, ink, places, heights, query, room=3, other=None):
    """Check that the curve's ink is where the heights are, and else only at another curve's."""
    x, y = sheet.at("x", places), sheet.at("y", heights)
    seen = 0
    for here in range(1, len(x) - 1):
        near = y[here - 1 : here + 2]
        rows = np.flatnonzero(ink[:, round(x[here])])
        if other is not None:
            beside = sheet.at("y", other[here - 1 : here + 2])
            apart = np.abs(rows[:, None] - beside).min(axis=1) > 3 * sheet.ratio
            rows = rows[apart | (np.abs(rows - near[1]) < 3 * sheet.ratio)]
        assert not (np.isnan(near).all() and len(rows)), f"curve through a gap at {x[here]}"
        if np.isnan(near).any() or abs(x[here] - sheet.at("x", query)) < 9 * sheet.ratio:
            continue
        assert len(rows), f"no curve at {x[here]}"
        assert np.abs(rows - near[1]).min() < 2 * sheet.ratio, f"curve at {rows}, not {near[1]}"
        over, under = near.min() - rows.min(), rows.max() - near.max()
        assert max(over, under) < room * sheet.ratio, f"ink at {rows}, curve at {near}"
        seen += 1
    assert seen > 20


def check_query(state, sheet):
    """The query's line stands at the query."""
    columns = np.flatnonzero(sheet.of("query").sum(axis=0) > 60 * sheet.ratio)
    assert abs(columns.mean() - sheet.at("x", state["query"])) < 2 * sheet.ratio


def check_weights(state, sheet):
    """Each cell has its weight's colour, and the query's line lies at the query."""
    weights = np.array(state["weights"], dtype=float)
    shown = sheet.inside()
    x, y = (sheet.at(a, state[name]) for a, name in (("x", "keys"), ("y", "queries")))
    apart = np.abs(y - sheet.at("y", state["query"])) > 9 * sheet.ratio
    for j in np.flatnonzero(apart)[::4]:
        for i in range(len(x)):
            colour = shown[round(y[j] - 0.5), round(x[i] - 0.5)]
            if np.isnan(weights[j, i]):
                assert colour[3] == 0
            else:
                expected = np.array(VIRIDIS(np.cbrt(weights[j, i])))[:3] * 255
                assert np.abs(colour[:3] - expected).max() < 12, (j, i, colour, expected)
    rows = np.flatnonzero(sheet.of("query").sum(axis=1) > 60 * sheet.ratio)
    assert abs(rows.mean() + 0.5 - sheet.at("y", state["query"])) < 2 * sheet.ratio


def check_kernel(state, sheet):
    """The kernel's curve stands around the query, and each key lies on it."""
    places = np.linspace(0.1, 4.9, 97)
    query, sigma = state["query"], state["sigma"]

    def similarity(x):
        return KERNELS[state["kernel"]](np.abs(query - np.asarray(x)) / sigma)

    dots = sheet.of("key", 60)
    follows(sheet, sheet.of("estimate") | dots, places, similarity(places), query, room=5)
    x, y = sheet.at("x", state["keys"]), sheet.at("y", similarity(state["keys"]))
    assert all(dots[round(b) - 2, round(a)] for a, b in zip(x, y, strict=True))
    check_query(state, sheet)


def training_error(state, sigma):
    keys, values = state["keys"], np.array(state["values"])
    estimate = nadaraya_watson(keys, keys, values, state["kernel"], sigma).estimate
    return np.mean((estimate - values) ** 2)


def check_errors(state, sheet):
    """The curves are the errors, and the dot lies on the leave-one-out error at the width."""
    widths, errors = np.array(state["leaveOneOutCurve"], dtype=float).T
    expected = [leave_one_out(state["keys"], state["values"], state["kernel"], s) for s in widths]
    np.testing.assert_allclose(errors, [one.error for one in expected], rtol=1e-12)
    ink = sheet.of("estimate")
    training = np.array([training_error(state, sigma) for sigma in widths])
    follows(sheet, ink, widths, errors, state["sigma"], other=training)
    # It is dashed.
    dashes = [
        ink[round(b) - 1 : round(b) + 2, round(a)].any()
        for a, b in zip(sheet.at("x", widths), sheet.at("y", training), strict=True)
    ]
    assert np.mean(dashes) > 0.4
    x, y = sheet.at("x", state["sigma"]), sheet.at("y", state["leaveOneOutError"])
    assert ink[round(y) - 3 : round(y) + 3, round(x) - 3].all()


CHECKS = {
    "estimate": (0, 0, check_estimate),
    "weights": (0, 1, check_weights),
    "kernel": (0, 2, check_kernel),
    "smooth estimate": (1, 0, check_estimate),
    "smooth weights": (1, 1, check_weights),
    "errors": (1, 2, check_errors),
}


def check_frame(sheet, theme):
    """The axes and their labels are drawn in the ink of the page."""
    shown, ratio = sheet.pixels, sheet.ratio
    ink = int(INKS[theme][1:3], 16)
    left, bottom = round(ratio * sheet.panel["x"]["from"]), round(ratio * sheet.panel["y"]["from"])
    for strip in (shown[:, : left - 2], shown[bottom + 2 :]):
        inked = strip[strip[..., 3] > 200]
        # The query's dot reaches over the edge.
        assert (np.abs(inked[:, :3] - ink).max(axis=1) < 40).sum() > 100 * ratio
    assert shown[bottom - 30, left - 2 : left + 1, 3].max() > 60


def check_all(found, theme):
    found = list(found)
    for place, panel, check in CHECKS.values():
        state, sheets = found[place]
        check(state, sheets[panel])
        check_frame(sheets[panel], theme)
    return found


@pytest.mark.parametrize("theme", INKS)
@pytest.mark.parametrize("ratio", [1, 2])
def test_ink_is_where_the_scales_say(chromium, theme, ratio):
    check_all(opened(chromium, page_text(theme), ratio), theme)


def alike(name, sheet):
    """Compare a panel with its picture: letters may be smoothed otherwise, but not be others."""
    drawn = Image.fromarray(sheet.pixels.astype("uint8"), "RGBA")
    white = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")
    path = PICTURES / f"{name}.png"
    if os.environ.get("ACCEPT_INK"):
        white.save(path, optimize=True)
        return
    blur = ImageFilter.BoxBlur(1)
    kept = Image.open(path).convert("RGB")
    assert kept.size == white.size
    ours, theirs = (np.asarray(one.filter(blur), dtype=int) for one in (white, kept))
    difference = np.abs(ours - theirs).max(axis=-1)
    assert difference.max() < 64, (
        f"{name} differs from its picture at {np.argwhere(difference >= 64)[0]}"
    )


def check_pictures(found):
    for name, (place, panel, _) in CHECKS.items():
        alike(name.replace(" ", "-"), found[place][1][panel])


def test_panels_look_as_in_their_pictures(chromium):
    check_pictures(list(opened(chromium, page_text())))


MUTANTS = {
    "heatmap upside down": ("(upwards.length - 1 - line) * width", "line * width"),
    "ramp reversed": ("= shadesOf(ramp)", "= shadesOf(ramp).reverse()"),
    "curve missing": ("if (there) pen.lineTo", "if (0) pen.lineTo"),
    "curve through gaps": ("down = there;", "down = true;"),
    "dots at one height": ("panel.y(values[i])];", "panel.y(values[0])];"),
    "label of the colour bar x 7": ("pen.fillText(mark,", "pen.fillText(mark * 7,"),
    "query's dot at 0": ("this.dot(at, this.bottom, 6", "this.dot(this.x(0), this.bottom, 6"),
    "query's line at 0 in the heatmap": ("panel.y(query);", "panel.y(0);"),
    "label of the axis missing": ("pen.fillText(scaleX.label", "pen.fillText(''"),
    "keys off the kernel": ("panel.y(alpha(key))", "panel.y(0.5)"),
    "training error missing": ("slice(0, ours.length), training", "slice(0, 0), training"),
    "error's dot at 0": ("panel.y(leaveOneOutError)", "panel.y(0)"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_ink_in_a_wrong_place_is_noticed(chromium, mutant):
    right, wrong = MUTANTS[mutant]

    def change(module):
        assert right in module
        return module.replace(right, wrong)

    with pytest.raises(AssertionError):
        check_pictures(check_all(opened(chromium, page_text(change=change)), "light"))
