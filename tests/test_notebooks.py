"""The generated notebooks look right in plain Markdown, and run in an environment of their own."""

import functools
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pages
import pytest
import yaml
from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient
from sphinx.cmd.build import build_main

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "src"))
from book_site import figures, frameworks, lite, notebooks  # noqa: E402
from book_site.cells import ELSEWHERE  # noqa: E402
from book_site.repository import Repository  # noqa: E402

NOTEBOOKS = pages.HTML / "notebooks"
CHAPTERS = pages.chapters()
CONFIGURATION = """
extensions = [
    "myst_nb", "sphinx_book_theme", "sphinx_design", "sphinx_exercise", "sphinx_proof",
    "sphinxcontrib.bibtex", "book_site.repository", "book_site.notebooks", "book_site.guess",
]
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
nb_mime_priority_overrides = [["notebooks", "text/plain", 0]]
numfig = True
root_doc = "index"
# The theme adds to these, which all builds of a process would share without a value here.
html_theme_options, templates_path = {}, []
"""


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A notebook made from a page with everything that a chapter may hold."""
    folder = tmp_path_factory.mktemp("book")
    shutil.copy(ROOT / "tests" / "everything.md", folder / "index.md")
    shutil.copy(ROOT / "chapters" / "references.bib", folder)
    (folder / "other.md").write_text("---\norphan: true\n---\n# Other\n\n```{bibliography}\n```\n")
    return read(sphinx("notebooks", folder, folder.with_name("out")) / "index.ipynb")


def sphinx(builder, folder, out):
    """Build a book of pages that lie in a folder, and return where it was put."""
    (folder / "conf.py").write_text(CONFIGURATION)
    with pytest.MonkeyPatch.context() as given, warnings.catch_warnings():
        given.setenv("BOOK_REPOSITORY", "")
        warnings.simplefilter("ignore")
        assert build_main(["-q", "-W", "-b", builder, str(folder), str(out)]) == 0
    return out


@pytest.mark.slow
def test_notebooks_written_after_an_edit_are_those_of_a_new_build(tmp_path):
    book = tmp_path / "book"
    book.mkdir()
    shutil.copy(ROOT / "chapters" / "references.bib", book)
    page = "---\norphan: true\nkernelspec: {{name: python3}}\n---\n# {}\n\n{}\n"
    (book / "index.md").write_text(page.format("One", "{ref}`two` {cite:t}`nadaraya1964`"))
    works = "---\norphan: true\n---\n# Works\n\n```{bibliography}\n```\n"
    (book / "works.md").write_text(works)
    other = "(two)=\n## Two\n\n(three)=\n## Three"
    (book / "other.md").write_text(page.format("Other", other))
    before = notebooks_in(sphinx("html", book, tmp_path / "after"))
    untouched = (tmp_path / "after" / "notebooks" / "other.ipynb").stat().st_mtime_ns
    (book / "index.md").write_text(page.format("One", "See {ref}`two` {cite:t}`nadaraya1964`"))
    sphinx("html", book, tmp_path / "after")
    assert (tmp_path / "after" / "notebooks" / "other.ipynb").stat().st_mtime_ns == untouched
    (book / "index.md").write_text(page.format("One", "{ref}`three` {cite:t}`nadaraya1964`"))
    after = notebooks_in(sphinx("html", book, tmp_path / "after"))
    assert after == notebooks_in(sphinx("html", book, tmp_path / "new"))
    assert '"three"' in after["other.ipynb"].replace("\\", "")
    assert '"three"' not in before["other.ipynb"].replace("\\", "")
    bibliography = book / "references.bib"
    bibliography.write_text(bibliography.read_text().replace("{1964}", "{1965}"))
    after = notebooks_in(sphinx("html", book, tmp_path / "after"))
    assert after == notebooks_in(sphinx("html", book, tmp_path / "newer"))


def notebooks_in(site):
    return {path.name: path.read_text() for path in (site / "notebooks").glob("*.ipynb")}


@pytest.fixture(scope="module")
def prose(everything):
    return "\n\n".join(cell.source for cell in everything.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize(
    "line",
    [
        r"Prices in \$ and names\_with\_marks, 2 \* 3 \* 4, a \< b, \[brackets\] and *emphasis*, "
        "**weight** and `code`.",
        r"1964\. A year begins this line.",
        "**Fig. 1** A caption with $x | y$.",
        "$$\na = b \\tag{1}\n$$",
        "$$\n\\begin{aligned}\nc &= d \\\\\ne &= f\n\\end{aligned} \\tag{2}\n$$",
        r"| either \| or | $\lvert x \rvert \vert  y$ |",
        "> An aside.",
        "- two\n\n  with a second paragraph",
        "1. first\n2. second",
        "> **Tip**\n> \n> Useful.",
        "<details><summary>A folded hint</summary>\n\nWhat if $n = 1$?\n\n</details>",
        "> **Theorem 1 (Equal sides)**",
        # Over several lines, JupyterLab would set the marks of the quotation as well.
        r"> $$ a = \frac{b} {1} . $$",
        "<details><summary>Solution to Exercise 1 (Sum), continued</summary>\n\nIt adds",
        "Proof. Look. ∎",
        "**Exercise 1 (Sum)**\n\nAdd the numbers.",
        "<details><summary>Solution to Exercise 1 (Sum)</summary>\n\nPython has a function for it.",
        "<details><summary>PyTorch</summary>\n\nTensors.\n\n</details>",
        "**Is $1 + 1$ *even*?**\n\n1. Yes, it is $2$.\n2. No.\n3. Both.\n\n"
        "<details><summary>Answer</summary>\n\n1. **Right.** Half of it is whole.\n\n"
        "   Twice that is itself.\n2. **No.** Some numbers",
        "**Draw it.**\n\n<details><summary>Answer</summary>\n\nIt is flat.\n\n</details>",
        "*Sankhyā: The Indian Journal of Statistics, Series A*, 26(4):359–372, 1964.",
    ],
)
def test_a_page_becomes_plain_markdown(prose, line):
    assert line in prose


def test_references_lead_to_anchors_in_the_notebook(prose):
    anchors = re.findall(r'<a id="([^"]+)"></a>', prose)
    links = dict(re.findall(r"\[((?:\([^)]*\))?[^][]*)\]\(#([^)]+)\)", prose))
    expected = {"Later", "(1)", "Fig. 1", "Theorem 1", "Exercise 1", "1964"}
    assert expected <= links.keys()
    assert set(links.values()) == set(anchors)
    assert len(anchors) == len(set(anchors))


def test_solutions_and_figures_hide_their_code(everything):
    hidden = {
        cell.source.split("\n")[0]: cell.metadata.get("jupyter", {}).get("source_hidden", False)
        for cell in everything.cells[1:]
        if cell.cell_type == "code"
    }
    assert hidden == {
        "from IPython.display import Image, display": True,
        "def total(numbers):": False,
        "total = sum": True,
    }


def test_a_heading_begins_a_cell(everything):
    for cell in everything.cells:
        if cell.cell_type == "markdown":
            before = re.split(r"^#", cell.source, maxsplit=1, flags=re.MULTILINE)[0]
            assert "#" not in cell.source or not re.sub(r'<a id="[^"]+"></a>', "", before).strip()


def test_needs_are_found_wherever_they_are_imported():
    assert notebooks.needs(["import numpy as np"]) == []
    assert notebooks.needs(["%config A.b = 1\nimport torch.nn as nn"]) == ["torch"]
    assert notebooks.needs(["def f():\n    from sklearn.x import y"]) == ["sklearn"]
    assert notebooks.needs(["from attention_pooling import digits, pool"]) == ["digits"]
    assert notebooks.needs(["torch = 'digits'"]) == []


def test_the_first_cell_names_the_repository_or_the_file_beside_it():
    wheel = notebooks.wheel_name()
    cell = notebooks.first_cell(["digits", "torch"], Repository("owner", "name"))
    source = f"https://github.com/owner/name/raw/notebooks/notebooks/{wheel}"
    assert f'%pip install --quiet "attention-pooling[digits,torch,widgets] @ {source}"' in cell
    assert '["attention_pooling", "anywidget", "sklearn", "torch"]' in cell
    assert f'%pip install --quiet "./{wheel}[widgets]"' in notebooks.first_cell([], None)


def test_code_that_depends_on_what_no_browser_runs_is_switched_off():
    cells = [
        "import numpy as np\nimport torch\n\ntorch.manual_seed(0)",
        "x = np.ones(3)",
        "def double(x):\n    return torch.tensor(x) * 2",
        "y = double(x)\nx = x + 1",
        "z = x.sum()",
        "results = {}\nfor i in range(2):\n    results[i] = y",
        "print(results)",
        "from dask import delayed\n\nlater = delayed(len)",
        "print(later(y))",
        "y = np.zeros(2)",
        "[y for y in range(3)]\nprint(y)",
    ]
    lacks, kept = zip(*lite.runnable(cells), strict=True)
    torch, dask = ["torch"], ["dask"]
    both = ["dask", "torch"]
    assert [*lacks] == [torch, [], torch, torch, torch, torch, torch, dask, both, [], []]
    assert [kept[1], *kept[9:]] == [cells[1], *cells[9:]]
    assert kept[0] == "import numpy as np\n# import torch\n\n# torch.manual_seed(0)"
    assert kept[8] == "# print(later(y))"


# What only MyST understands.
MARKUP = re.compile(
    r"^ *(?:`{3,}|:{3,}|~{3,})\{|\{[\w:-]+\}`|^\(\S+\)=$|^\+\+\+|^:[\w-]+:|^% |\]\([^)]*\.md\b"
    r"|<script|%s",
    re.MULTILINE,
)


def outside_code(text):
    return re.sub(r"```.*?```|\$\$.*?\$\$|`[^`\n]*`", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    "text",
    ["{ref}`a`", "```{note}\n", ":::{tip}\n", "(label)=", "[Data](data.md)", ":class: dropdown"],
)
def test_markup_would_be_noticed(text):
    assert MARKUP.search(text)


def test_every_chapter_and_every_library_has_a_notebook(html):
    libraries = [f"frameworks-{library}" for library in frameworks.LIBRARIES]
    written = {path.stem for path in (html / "notebooks").glob("*.ipynb")}
    assert written == {*CHAPTERS, *libraries}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_markup_leaks_into_a_notebook(html, chapter):
    notebook = read(NOTEBOOKS / f"{chapter}.ipynb")
    nbformat.validate(notebook)
    executed = read(ROOT / "_build" / "jupyter_execute" / "chapters" / f"{chapter}.ipynb")
    cells = [cell.source for cell in notebook.cells[1:] if cell.cell_type == "code"]
    assert cells == [cell.source for cell in executed.cells if cell.cell_type == "code"]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            leak = MARKUP.search(cell.source) or MARKUP.search(outside_code(cell.source))
            assert not leak, f"{leak[0]!r} in {cell.source!r}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_cited_work_is_listed_once_and_in_full(html, chapter):
    cells = read(NOTEBOOKS / f"{chapter}.ipynb").cells
    entries = re.findall(r'^- <a id="([^"]+)"></a>(.*)$', cells[-1].source, re.MULTILINE)
    source = (ROOT / "chapters" / f"{chapter}.md").read_text()
    cited = re.findall(r"{cite(?::t)?}`([^`]+)`", source)
    works = {key.strip() for keys in cited for key in keys.split(",")}
    assert len(entries) == len(works)
    for _, entry in entries:
        assert len(entry) > 40
        assert entry.count(entry[:20]) == 1


@functools.cache
def needs(chapter):
    """Return what a chapter's own cells need, in the words of `notebooks.EXTRAS`."""
    path = ROOT / "chapters" / f"{chapter}.md"
    cells = read_myst_markdown_notebook(path.read_text("utf-8"), path=path).cells
    return notebooks.needs([cell.source for cell in cells if cell.cell_type == "code"])


def extras(needed):
    """Return the extras of ours that bring what is needed."""
    return sorted({notebooks.EXTRAS[name][0] for name in needed})


def in_page(chapter):
    """Return what a chapter needs in a browser."""
    return [name for name in needs(chapter) if name not in ELSEWHERE]


LACKING = [chapter for chapter in CHAPTERS if in_page(chapter) != needs(chapter)]
# Those that need more begin with what those that need less have installed.
BY_NEEDS = sorted(CHAPTERS, key=lambda chapter: len(needs(chapter)))


@pytest.fixture(scope="module")
def environments(html, tmp_path_factory):
    """For each set of extras, the kernels of an environment where no other is installed."""
    bare = tmp_path_factory.mktemp("environments") / "bare"
    subprocess.run([sys.executable, "-m", "venv", bare], check=True)
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--system-certs"]
    uv += ["--python", bare / "bin" / "python", "-c", ROOT / "constraints.txt", "ipykernel"]
    subprocess.run(uv, check=True)
    made = {}

    def kernels(needed=()):
        installs = frozenset(extras(needed))
        if installs not in made:
            smaller = [known for known in made if known < installs]
            # Nothing takes longer to install than PyTorch.
            nearest = max(smaller, key=lambda known: ("torch" in known, len(known)), default=None)
            folder = bare.with_name("-".join(["with", *sorted(installs)]))
            # What pip installs later are files of other names, or new ones in the place of old.
            shutil.copytree(made.get(nearest, bare), folder, symlinks=True, copy_function=os.link)
            python = folder / "bin" / "python"
            spec = [python, "-m", "ipykernel", "install", "--prefix", folder, "--name", "clean"]
            subprocess.run(spec, check=True, capture_output=True)
            made[installs] = folder
        return made[installs] / "share" / "jupyter"

    return kernels


def run(notebook, folder, kernels):
    """Run a notebook from top to bottom, and return it with what it printed and drew."""
    path = folder / "chapter.ipynb"
    nbformat.write(notebook, path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environment |= {
        "JUPYTER_PATH": str(kernels),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        # Of an option that switches something off, pip reads whether that is to be on.
        "PIP_NO_COMPILE": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", "from nbclient.cli import main; main()", str(path)]
        + ["--inplace", "--kernel_name=clean", "--timeout=300"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return read(path)


def assert_quiet(notebook):
    for cell in notebook.cells[1:]:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


@pytest.mark.parametrize("chapter", BY_NEEDS)
def test_a_notebook_runs_where_only_its_first_cell_installs(chapter, environments, tmp_path):
    kernels = environments(needs(chapter))
    (wheel,) = NOTEBOOKS.glob("*.whl")
    shutil.copy(wheel, tmp_path)
    notebook = read(NOTEBOOKS / f"{chapter}.ipynb")
    named = ",".join(sorted([*extras(needs(chapter)), "widgets"]))
    assert f"[{named}]" in notebook.cells[0].source
    # The wheel is not published yet where it will be downloaded from.
    beside = (tmp_path / wheel.name).as_uri()
    notebook.cells[0].source = re.sub(r"https://\S+\.whl", beside, notebook.cells[0].source)
    ran = run(notebook, tmp_path, kernels)
    assert_quiet(ran)
    assert any(cell.get("outputs") for cell in ran.cells)


@pytest.mark.parametrize("chapter", LACKING)
def test_a_notebook_for_the_browser_runs_without_what_runs_elsewhere(
    chapter, environments, tmp_path
):
    (wheel,) = NOTEBOOKS.glob("*.whl")
    shutil.copy(wheel, tmp_path)
    notebook = lite.in_browser(read(NOTEBOOKS / f"{chapter}.ipynb"))
    (lacking,) = {*needs(chapter)} - {*in_page(chapter)}
    assert f"{ELSEWHERE[lacking]} does not run in a browser" in notebook.cells[1].source
    notebook.cells[0].source = notebooks.first_cell(in_page(chapter), None)
    assert_quiet(run(notebook, tmp_path, environments(in_page(chapter))))


def test_pip_takes_its_part_of_the_conda_environment(environments, tmp_path):
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (lines,) = (part["pip"] for part in listed if isinstance(part, dict))
    # Conda lets pip read them beside the file; the index of CPU builds is on another host.
    lines = [line.replace("constraints.txt", str(ROOT / "constraints.txt")) for line in lines]
    here = [line for line in lines if not line.startswith("--extra-index-url")]
    (tmp_path / "requirements.txt").write_text("\n".join(here))
    python = environments().parents[1] / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--dry-run", "--quiet", "--disable-pip-version-check"]
        + ["--requirement", tmp_path / "requirements.txt"],
        cwd=ROOT,
        check=True,
    )


def test_what_a_cell_prints_slowly_comes_in_one_piece(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", "")
    figures.prepare_kernels(SimpleNamespace(outdir=tmp_path / "html"))
    slow = 'import time\nprint("one", end="")\ntime.sleep(0.5)\nprint(" line")'
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(slow)])
    NotebookClient(notebook).execute()
    assert [output["text"] for output in notebook.cells[0].outputs] == ["one line\n"]
