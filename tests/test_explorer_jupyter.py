"""The explorer as a widget in a real JupyterLab, moved by its own handles."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import numpy as np
import pytest

from attention_pooling import nadaraya_watson

CELLS = [
    """\
import json
from pathlib import Path

from attention_pooling import Explorer, mcycle

crash = mcycle()
explorer = Explorer(crash.keys, crash.values, crash.queries, sigma=0.9)

def note(change):
    seen = {name: getattr(explorer, name) for name in ("sigma", "kernel", "query")}
    Path("seen.json").write_text(json.dumps(seen, default=lambda kernel: kernel.__name__))

explorer.observe(note, ["sigma", "kernel", "query"])
explorer""",
    """\
# What Python sets, the page shows.
import asyncio

async def obey():
    while True:
        if Path("order.json").exists():
            order = json.loads(Path("order.json").read_text())
            Path("order.json").unlink()
            for name, value in order.items():
                setattr(explorer, name, cauchy if value == "cauchy" else value)
        if Path("ask.json").exists():
            Path("ask.json").unlink()
            asked = [list(line) for line in explorer.data[:3]]
            Path("data.json").write_text(json.dumps(asked))
        await asyncio.sleep(0.05)

def cauchy(u):
    return 1 / (1 + u**2)

obeying = asyncio.ensure_future(obey())""",
    """\
# Widths that Python sets in the instants in which their widgets appear.
from IPython.display import display

late = [Explorer(crash.keys, crash.values, crash.queries, sigma=1.0) for _ in range(4)]
for wait, one in enumerate(late):
    display(one)
    await asyncio.sleep(0.05 * wait)
    one.sigma = 3.0 + wait""",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a notebook in it."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "own-data.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(folder):
    """The address of a JupyterLab that serves the folder, on a port that was free."""
    home = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    # Nothing is asked of another host.
    options += [
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=folder,
            env=os.environ | home,
            stdout=log,
            stderr=log,
        )
        try:
            yield address(server, Path(home["JUPYTER_RUNTIME_DIR"]), folder / "log")
        finally:
            server.terminate()
            server.wait(20)


def address(server, runtime, log):
    def running():
        assert server.poll() is None, log.read_text()
        for info in runtime.glob("jpserver-*.json"):
            url = json.loads(info.read_text())["url"]
            with urllib.request.urlopen(url + "api/status", timeout=5) as answer:
                return url if answer.status == 200 else None
        return None

    return within(180, running)


def within(seconds, found):
    """Return the first truthy answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := found():
                return answer
        except (OSError, json.JSONDecodeError):
            pass
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s")


@pytest.fixture(scope="module")
def explorer(chromium, lab):
    """The widget's root in the notebook, all of whose cells have been run."""
    with chromium.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        page.goto(lab + "lab/tree/own-data.ipynb")
        page.set_default_timeout(180_000)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.locator(".jp-Notebook .cm-content").first.click()
        # The last one when its test comes.
        for _ in CELLS[:-1]:
            page.keyboard.press("Shift+Enter")
        root = page.locator(".nw-explorer[data-ready=true]").first
        root.wait_for()
        root.scroll_into_view_if_needed()
        yield root


def state(root):
    return json.loads(root.evaluate("root => JSON.stringify(root.explorer.state())"))


def check(root):
    """Compare what is drawn with NumPy, to 1e-12."""
    drawn = state(root)
    data = (np.array(drawn[name]) for name in ("queries", "keys", "values"))
    expected = nadaraya_watson(*data, drawn["kernel"], drawn["sigma"])
    for name in ("estimate", "weights"):
        np.testing.assert_allclose(
            np.array(drawn[name], dtype=float), getattr(expected, name), rtol=1e-12, atol=1e-10
        )
    return drawn


def seen(folder, root):
    """Wait until Python has seen what the page draws, and return it."""
    names = ("sigma", "kernel", "query")

    def same():
        drawn = state(root)
        python = json.loads((folder / "seen.json").read_text())
        return python == {name: drawn[name] for name in names} and python

    return within(20, same)


def order(folder, root, **change):
    """Let Python set traits, and wait until the page shows them."""
    (folder / "order.tmp").write_text(json.dumps(change))
    (folder / "order.tmp").rename(folder / "order.json")
    within(20, lambda: change.items() <= state(root).items())


def test_slider_s_own_handle_moves_the_drawing_and_python(explorer, folder):
    page = explorer.page
    before = check(explorer)["sigma"]
    handle = page.locator(".widget-slider .noUi-handle").first
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    moved = []
    for step in (10, 20, 30):
        page.mouse.move(x + step, y)
        page.wait_for_timeout(100)
        moved.append(check(explorer)["sigma"])
    page.mouse.up()
    assert before < moved[0] < moved[1] < moved[2]
    assert seen(folder, explorer)["sigma"] >= moved[2]


def test_arrow_keys_on_the_handle(explorer, folder):
    before = check(explorer)["sigma"]
    explorer.page.locator(".widget-slider .noUi-handle").first.press("ArrowLeft")
    within(10, lambda: state(explorer)["sigma"] < before)
    assert seen(folder, explorer)["sigma"] == check(explorer)["sigma"]


def test_chooser_and_query(explorer, folder):
    explorer.page.locator(".widget-dropdown select").select_option("boxcar")
    explorer.locator("input[name=query]").fill("20")
    within(10, lambda: state(explorer)["kernel"] == "boxcar")
    assert check(explorer)["query"] == 20
    python = seen(folder, explorer)
    assert (python["kernel"], python["query"]) == ("boxcar", 20.0)


def test_python_sets_what_is_drawn(explorer, folder):
    order(folder, explorer, sigma=2.5, kernel="epanechnikov", query=31.25)
    check(explorer)


@pytest.mark.parametrize("sigma", [1e-4, 900.0])
def test_any_width_from_either_side(explorer, folder, sigma):
    order(folder, explorer, sigma=sigma, kernel="gaussian")
    check(explorer)
    other = sigma * 3
    explorer.evaluate("(root, sigma) => root.explorer.set({ sigma })", other)
    assert check(explorer)["sigma"] == other
    assert seen(folder, explorer)["sigma"] == other


def test_own_kernel_is_evaluated_by_python(explorer, folder):
    order(folder, explorer, sigma=1.0, kernel="cauchy", query=20.0)
    handle = explorer.page.locator(".widget-slider .noUi-handle").first
    handle.press("ArrowRight")
    within(20, lambda: state(explorer)["sigma"] > 1)
    drawn = state(explorer)
    data = [np.array(drawn[name]) for name in ("queries", "keys", "values")]
    expected = nadaraya_watson(*data, lambda u: 1 / (1 + u**2), drawn["sigma"])
    np.testing.assert_allclose(drawn["weights"], expected.weights, rtol=1e-12)
    np.testing.assert_allclose(drawn["estimate"], expected.estimate, rtol=1e-12, atol=1e-10)


def test_data_that_a_reader_brings_are_pythons_too(explorer, folder):
    order(folder, explorer, kernel="gaussian", sigma=1.0)
    explorer.locator("textarea[name=data]").fill("t (s)\ty\n1,5\t2\n2,5\t4\n4\t3")
    explorer.locator("button[name=use]").click()
    within(10, lambda: state(explorer)["keys"] == [1.5, 2.5, 4])
    drawn = check(explorer)
    (folder / "ask.json").write_text("data")
    python = within(20, lambda: json.loads((folder / "data.json").read_text()))
    assert python == [drawn["keys"], drawn["values"], drawn["queries"]]
    order(folder, explorer, kernel="cauchy")
    explorer.locator("button[name=reset]").click()
    within(20, lambda: len(state(explorer)["keys"]) == 133)


def test_canvases_are_drawn(explorer):
    for canvas in explorer.locator("canvas").all():
        assert canvas.evaluate(
            "canvas => canvas.width === canvas.clientWidth && canvas.width > 200"
        )


def test_a_width_set_while_the_widget_appears_wins(explorer, folder):
    explorer.page.keyboard.press("Escape")
    explorer.page.get_by_text("# Widths that Python sets").click()
    explorer.page.keyboard.press("Shift+Enter")
    roots = explorer.page.locator(".nw-explorer[data-ready=true]")
    widths = "roots => roots.slice(1).map((root) => root.explorer.state().sigma)"
    within(30, lambda: len(roots.evaluate_all(widths)) == 4)
    explorer.page.wait_for_timeout(1000)
    assert roots.evaluate_all(widths) == [3, 4, 5, 6]
    # The first one still goes by what Python says.
    order(folder, explorer, sigma=7.0)
