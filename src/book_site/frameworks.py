"""A notebook for each library of the chapter on libraries, and the links that lead to it."""

import json
from pathlib import Path

from docutils import nodes
from nbformat.v4 import writes
from sphinx.util.docutils import SphinxRole

from . import notebooks
from .repository import ROOT

FRAMEWORKS = ROOT / "frameworks"
LIBRARIES = {
    "numpy": "NumPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "tensorflow": "TensorFlow",
    "mxnet": "MXNet",
}


def setup(app):
    app.add_role("library-notebook", NotebookRole())
    app.add_node(NotebookLinks)
    app.connect("doctree-resolved", link)
    app.connect("build-finished", write)


class NotebookLinks(nodes.inline):
    """Stands for the links to one library's notebook until it is known where they lead."""


class NotebookRole(SphinxRole):
    """The role ``{library-notebook}`jax` ``: where the program can be opened as a notebook."""

    def run(self):
        """Check the name, and leave the links to the builder."""
        if self.text not in LIBRARIES:
            known = ", ".join(LIBRARIES)
            error = self.inliner.reporter.error(f"library must be one of {known}, got {self.text}")
            return [], [error]
        return [NotebookLinks(library=self.text)], []


def link(app, doctree, docname):
    """Link to Colab where the repository is known, and to the notebook beside the pages."""
    up = "../" * docname.count("/") + "notebooks/" if app.builder.format == "html" else ""
    repository = app.config.book_repository
    for links in list(doctree.findall(NotebookLinks)):
        file, title = notebook_name(links["library"]), LIBRARIES[links["library"]]
        download = nodes.reference("", f"Download the {title} notebook", refuri=up + file)
        ways = [download]
        if repository:
            address = f"https://colab.research.google.com/github/{repository.published(file)}"
            colab = nodes.reference("", f"Open the {title} notebook in Colab", refuri=address)
            ways = [colab, nodes.Text(" · "), download]
        links.replace_self(ways)


def write(app, exception):
    if exception is None and app.builder.name in ("html", "notebooks"):
        folder = Path(app.outdir, "notebooks" if app.builder.name == "html" else "")
        folder.mkdir(exist_ok=True)
        for library in LIBRARIES:
            (folder / notebook_name(library)).write_text(writes(notebook(library)) + "\n")


def notebook_name(library):
    return f"frameworks-{library}.ipynb"


def notebook(library):
    """Return one library's program as a notebook, in cells that begin with its headings."""
    sections = parts((FRAMEWORKS / f"pool_{library}.py").read_text())
    title = LIBRARIES[library]
    cells = [
        (
            "markdown",
            f"# Pooling by similarity in {title}\n\n"
            "Each query gets the average of all values, weighted by how similar its key is.\n"
            "Run the cells from top to bottom; the chapter *Libraries* of the book explains them.",
        ),
        ("code", old_python(library) if library == "mxnet" else first_cell(library)),
    ]
    if library == "mxnet":
        program = "\n\n".join(f"# {heading}\n{code}" for heading, code in sections)
        cells += [
            ("code", f"%%script {MXNET_PYTHON} -\n{program}\nplt.savefig('mxnet.png')"),
            ("code", "from IPython.display import Image\n\nImage('mxnet.png')"),
        ]
    else:
        for heading, code in sections:
            cells += [("markdown", f"## {heading}"), ("code", code)]
    return notebooks.notebook(cells)


def parts(program):
    """Split a program into (heading, code) at its comments that stand at the left margin."""
    found = []
    for line in program.splitlines():
        if line.startswith("# "):
            found.append((line[2:].partition(":")[0], []))
        else:
            found[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in found]


def requirements(library):
    lines = (FRAMEWORKS / f"{library}.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def first_cell(library):
    """Return a cell that installs what is missing, and says so in words."""
    return (
        f"# Install {LIBRARIES[library]} and Matplotlib, unless both are there already.\n"
        "from importlib.util import find_spec\n\n"
        f"if not all(find_spec(name) for name in {json.dumps([library, 'matplotlib'])}):\n"
        f"    %pip install --quiet {' '.join(requirements(library))}"
    )


# Colab's Python is too new for MXNet, so its program runs in an older one that lies beside it.
MXNET_PYTHON = "env MPLBACKEND=agg mxnet-env/bin/python"


def old_python(library):
    """Return a cell that makes an environment with an older Python, and says so in words."""
    return (
        "# MXNet needs Python 3.11 or older. Put one into the folder mxnet-env, with MXNet in it.\n"
        "%pip install --quiet uv\n"
        "!uv venv --quiet --clear --python 3.11 mxnet-env\n"
        f"!uv pip install --quiet --python mxnet-env {' '.join(requirements(library))}"
    )
