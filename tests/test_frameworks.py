"""The programs of the chapter on libraries, as far as an environment without them can tell."""

import csv
import importlib.util
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from docutils import nodes
from docutils.utils import new_document
from matplotlib import pyplot

from attention_pooling import KERNELS, leave_one_out, nadaraya_watson, noisy_trend

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "src"))
from book_site import frameworks  # noqa: E402
from book_site.repository import Repository  # noqa: E402

FRAMEWORKS = ROOT / "frameworks"
VECTORS = json.loads((FRAMEWORKS / "vectors.json").read_text())


def script(name):
    spec = importlib.util.spec_from_file_location(name, FRAMEWORKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = script("check")
with check.TABLE.open(newline="") as lines:
    TABLE = {row["library"]: row for row in csv.DictReader(lines)}
libraries = pytest.mark.parametrize("library", check.LIBRARIES)


def requirements(library):
    lines = (FRAMEWORKS / f"{library}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_vectors_are_what_fifty_digits_give():
    assert script("vectors").vectors() == VECTORS


def test_vectors_meet_what_naive_code_gets_wrong():
    u = (np.subtract.outer(VECTORS["queries"], VECTORS["keys"])) / min(
        case["sigma"] for case in VECTORS["pooling"]
    )
    assert (np.exp(-(u**2) / 2).sum(axis=1) == 0).any()
    assert any(None in case["estimates"] for case in VECTORS["pooling"])


@pytest.mark.parametrize("case", VECTORS["pooling"], ids=lambda c: f"{c['kernel']}-{c['sigma']}")
def test_package_agrees_with_the_vectors(case):
    queries, keys, values = (np.array(VECTORS[name]) for name in ("queries", "keys", "values"))
    estimate, weights = nadaraya_watson(queries, keys, values, case["kernel"], case["sigma"])
    for found, name in ((estimate, "estimates"), (weights, "weights")):
        np.testing.assert_allclose(found, np.array(case[name], dtype=float), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "case", VECTORS["leave_one_out"], ids=lambda c: f"{c['kernel']}-{c['sigma']}"
)
def test_gradient_of_the_package_agrees_with_the_vectors(case):
    keys, values = (torch.tensor(VECTORS[name], dtype=torch.float64) for name in ("keys", "values"))
    sigma = torch.tensor(case["sigma"], dtype=torch.float64, requires_grad=True)
    leave_one_out(keys, values, case["kernel"], sigma).error.backward()
    np.testing.assert_allclose(sigma.grad, case["gradient"], rtol=1e-10, atol=1e-15)


@libraries
def test_program_is_short_enough_to_read(library):
    assert len((FRAMEWORKS / f"pool_{library}.py").read_text().splitlines()) <= 60


@libraries
def test_table_is_of_this_program_these_vectors_and_these_numbers(library):
    row = TABLE[check.LIBRARIES[library]]
    assert row["fingerprint"] == check.fingerprint(row), "run `make test-frameworks`"


@libraries
def test_table_names_the_versions_that_are_pinned(library):
    row, pinned = TABLE[check.LIBRARIES[library]], requirements(library)
    name = {"tensorflow": "tensorflow-cpu"}.get(library, library)
    assert row["version"] == pinned[name]
    assert row["with"].startswith(f"NumPy {pinned['numpy']}, ")


@libraries
def test_table_keeps_to_the_tolerances(library):
    row = TABLE[check.LIBRARIES[library]]
    for (quantity, dtype), tolerance in check.TOLERANCES.items():
        if quantity != "similarities":
            assert float(row[f"{quantity}, {dtype}"]) <= tolerance


def test_fingerprint_depends_on_files_and_numbers(tmp_path, monkeypatch):
    row = TABLE["JAX"]
    assert check.fingerprint({**row, "weights, float32": "0e+00"}) != row["fingerprint"]
    for path in FRAMEWORKS.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(check, "HERE", tmp_path)
    assert check.fingerprint(row) == row["fingerprint"]
    with (tmp_path / "pool_jax.py").open("a") as program:
        program.write("\n")
    assert check.fingerprint(row) != row["fingerprint"]


def test_a_wrong_program_fails_the_check(tmp_path):
    """A kernel that ends before u = 1 must not pass, nor may its row be written."""
    for name in ("check.py", "vectors.json", "numpy.txt", "pool_numpy.py"):
        (tmp_path / name).write_bytes((FRAMEWORKS / name).read_bytes())
    program = tmp_path / "pool_numpy.py"
    program.write_text(program.read_text().replace("np.abs(u) <= 1", "np.abs(u) < 1"))
    run = subprocess.run(
        [sys.executable, tmp_path / "check.py", "numpy"], capture_output=True, text=True
    )
    assert run.returncode == 1
    assert re.search(r"similarities in float64, boxcar: off by 1\.0e\+00", run.stderr)
    assert not (tmp_path / "agreement.csv").exists()


@pytest.fixture(scope="module")
def programs():
    """Run NumPy's and PyTorch's programs, whose libraries the book has anyway."""
    pyplot.switch_backend("agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyplot, "show", lambda: None)
        made = {name: runpy.run_path(f"{FRAMEWORKS}/pool_{name}.py") for name in ("numpy", "torch")}
    pyplot.close("all")
    return made


# What PyTorch's tensors owe to NumPy 2 shows where Matplotlib reads them.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_programs_use_the_data_and_kernels_of_the_book(programs, name):
    program, data = programs[name], noisy_trend(np.random.default_rng(0))
    for found, expected in zip(
        (program["queries"], program["keys"], program["values"], program["truth"]),
        (data.queries, data.keys, data.values, data.truth),
        strict=True,
    ):
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-15)
    shown = list(program["KERNELS"])
    assert shown == list(VECTORS["similarity"])
    assert shown == [name for name in KERNELS if name in shown]


def program_lines(text):
    """Return the lines that say something: no headings, no blank lines."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith("# ")]


@libraries
def test_notebook_is_the_program(library):
    notebook = frameworks.notebook(library)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"][1:]
    if library == "mxnet":
        magic, *cell = code[0].splitlines()
        assert magic.startswith("%%script ")
        assert cell.pop() == "plt.savefig('mxnet.png')"
        code = ["\n".join(cell)]
    program = (FRAMEWORKS / f"pool_{library}.py").read_text()
    assert program_lines("\n".join(code)) == program_lines(program)


@libraries
def test_notebook_installs_what_the_program_was_tested_with(library):
    first = next(c for c in frameworks.notebook(library).cells if c.cell_type == "code").source
    assert all(f" {name}=={version}" in first for name, version in requirements(library).items())
    (needed,) = re.findall(r"^# Kernels: pip install (.*)$", program_text(library), re.M)
    pinned = requirements(library)
    for name, _, version in (part.partition("==") for part in needed.split()):
        assert name in pinned
        assert version in ("", pinned[name])


def program_text(library):
    return (FRAMEWORKS / f"pool_{library}.py").read_text()


@pytest.mark.parametrize("repository", [None, Repository("owner", "name")])
def test_colab_is_offered_where_the_repository_is_known(repository):
    document = new_document("chapters/frameworks")
    document += nodes.paragraph("", "", frameworks.NotebookLinks(library="jax"))
    config = SimpleNamespace(book_repository=repository)
    app = SimpleNamespace(config=config, builder=SimpleNamespace(format="html"))
    frameworks.link(app, document, "chapters/frameworks")
    found = [reference["refuri"] for reference in document.findall(nodes.reference)]
    path = "github/owner/name/blob/notebooks/notebooks/frameworks-jax.ipynb"
    colab = [f"https://colab.research.google.com/{path}"] if repository else []
    assert found == [*colab, "../notebooks/frameworks-jax.ipynb"]


def chosen(page):
    return page.evaluate(
        "[...document.querySelectorAll('.sd-tab-set')]"
        ".map(set => set.querySelector('input:checked').nextElementSibling.textContent.trim())"
    )


def test_one_choice_serves_all_tabs_and_pages(desktop, site):
    page = desktop.page
    page.goto(f"{site}chapters/frameworks.html")
    assert set(chosen(page)) == {"NumPy"}
    page.locator(".sd-tab-label", has_text="JAX").nth(2).click()
    assert len(chosen(page)) == 6
    assert set(chosen(page)) == {"JAX"}
    for chapter in ("kernels", "data", "pooling", "width"):
        page.goto(f"{site}chapters/{chapter}.html")
        assert chosen(page) == ["JAX"]


@libraries
def test_the_last_tabs_hold_the_whole_program_and_a_link_to_its_notebook(library, desktop, site):
    page = desktop.page
    page.goto(f"{site}chapters/frameworks.html?library={library}")
    tab = page.locator("#the-whole-programs .sd-tab-content:visible")
    assert tab.locator("pre").inner_text().strip() == program_text(library).strip()
    link = tab.get_by_role("link", name="Download").get_attribute("href")
    answer = page.request.get(f"{site}chapters/{link}")
    assert nbformat.reads(answer.text(), as_version=4) == frameworks.notebook(library)
