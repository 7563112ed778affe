"""A builder that writes each chapter as a notebook, with the package's wheel beside them."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
from docutils import nodes
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.builders import Builder
from sphinx.errors import ExtensionError

from . import markdown
from .repository import ROOT

# What a chapter's code names, the extra of ours that brings it, and how a reader knows it.
EXTRAS = {
    "torch": ("torch", "torch", "PyTorch"),
    "sklearn": ("digits", "sklearn", "scikit-learn"),
    "digits": ("digits", "sklearn", "scikit-learn"),
    "dask": ("cluster", "dask", "Dask"),
}


def setup(app):
    app.add_builder(NotebookBuilder)
    written = set()
    app.connect("html-page-context", lambda app, page, *_: written.add(page))
    app.connect("build-finished", lambda app, exception: exception or write_beside(app, written))


def write_beside(app, written):
    """Write the notebooks beside the pages that were written, in the same run of Sphinx.

    Sphinx takes one builder a run, and would read all chapters again for another; the exchange of
    builders can go when it takes two (sphinx-doc/sphinx#5618).
    """
    if app.builder.format == "html":
        pages, app.builder = app.builder, NotebookBuilder(app, app.env)
        app.builder.outdir = Path(app.outdir, "notebooks")
        try:
            app.builder.write(written & app.env.found_docs, ())
        finally:
            app.builder = pages


class NotebookBuilder(Builder):
    """Write every page that holds code as a notebook, all of them into one folder."""

    name = format = "notebooks"
    allow_parallel = False
    supported_image_types = ["image/svg+xml", "image/png", "image/jpeg"]

    def get_outdated_docs(self):
        return "all notebooks"

    def get_target_uri(self, docname, typ=None):
        return notebook_name(docname) if is_notebook(self.env, docname) else docname

    def get_relative_uri(self, from_, to, typ=None):
        return self.get_target_uri(to, typ)

    def prepare_writing(self, docnames):
        """Take no thought for single pages: links between them need all at once."""

    def write(self, build_docnames, updated_docnames, method="update"):
        build_wheel(self.outdir)
        every = sorted(self.env.found_docs)
        texts = [name for name in every if not is_notebook(self.env, name)]
        self.works = {
            f"{self.get_target_uri(name)}#{anchor}": work
            for name in texts
            for work in self.env.get_and_resolve_doctree(name, self).findall(nodes.citation)
            for anchor in work["ids"]
        }
        for work in self.works.values():
            del work[2:]  # when pages were written before, its label and text once more
        linked = set().union(*(targets(self.env.get_doctree(name)) for name in every))
        if build_docnames in (None, ["__all__"]) or self.lends_anew(linked):
            build_docnames = every
        for name in build_docnames:
            if name not in texts:
                page = self.env.get_and_resolve_doctree(name, self)
                cells = list(markdown.Page(name, self, linked).cells(page))
                sources = [source for kind, source, *_ in cells if kind == "code"]
                install = first_cell(needs(sources), self.config.book_repository)
                path = Path(self.outdir, notebook_name(name))
                nbformat.write(notebook([("code", install, []), *cells]), path)

    def lends_anew(self, linked):
        """Tell whether pages that stay as they are take something else from others than before."""
        works = {uri: work.astext() for uri, work in self.works.items()}
        before, now = Path(self.doctreedir, "lent.json"), json.dumps([sorted(linked), works])
        if before.is_file() and before.read_text() == now:
            return False
        before.write_text(now)
        return True

    def split(self, docname, uri):
        """Return the page and the anchor that an address leads to; None for a page not of ours."""
        target, _, anchor = uri.partition("#")
        found = [name for name in self.env.found_docs if self.get_target_uri(name) == target]
        return (docname if not target else found[0] if found else None), anchor

    def link(self, docname, uri):
        """Return where an address leads from within a notebook, or None where there is nothing."""
        target, anchor = self.split(docname, uri)
        mark = anchor and f"#{anchor}"
        if target is None:
            return uri
        if target == docname:
            return mark or notebook_name(docname)
        # Colab opens a notebook alone, so only an address on the web leads to another chapter.
        if self.config.book_repository:
            return f"{self.config.book_repository.pages}{target}.html{mark}"
        return notebook_name(target) + mark if is_notebook(self.env, target) else None


def targets(doctree):
    """Return the ids that a page's links may go to, before it is known on which page they are."""
    named = {
        node.get("reftarget", node.get("target_label"))
        for node in doctree.findall(nodes.Element)
        if node.get("reftype") != "doc"
    } - {None}
    ids = set(map(nodes.make_id, named))
    return ids | {f"equation-{name}" for name in ids}


def is_notebook(env, docname):
    """Tell whether a page holds code."""
    return "kernelspec" in env.metadata.get(docname, {})


def notebook_name(docname):
    return f"{Path(docname).name}.ipynb"


def wheel_name():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['name'].replace('-', '_')}-{project['version']}-py3-none-any.whl"


def build_wheel(folder):
    """Build the package's wheel into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    built = subprocess.run([*command, folder], cwd=ROOT, capture_output=True, text=True)
    if built.returncode:
        raise ExtensionError(f"The wheel could not be built: {built.stderr}")


def needs(sources):
    """Return the names in `EXTRAS` that some cell imports, from wherever it imports them."""
    named = set()
    for source in sources:
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.Import):
                named.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                named.update(alias.name for alias in node.names)
                named.add((node.module or "").split(".")[0])
    return sorted(named & EXTRAS.keys())


def parsed(source):
    """Parse a cell, magics included."""
    return ast.parse(transformed(source))


def transformed(source):
    """Return a cell as plain Python, line by line."""
    return TransformerManager().transform_cell(source)


def first_cell(needed, repository):
    """Return a cell that installs what is missing, and only that, and says so in words."""
    extras = sorted({"widgets"} | {EXTRAS[name][0] for name in needed})
    modules = ["attention_pooling", "anywidget", *sorted({EXTRAS[name][1] for name in needed})]
    others = "".join(f" and {title}" for title in sorted({EXTRAS[name][2] for name in needed}))
    wheel = wheel_name()
    named = f"[{','.join(extras)}]"
    if repository:
        source = f"attention-pooling{named} @ {repository.raw(wheel)}"
        place = ""
    else:
        source = f"./{wheel}{named}"
        place = f"# The package is the file {wheel}, which must lie beside this notebook.\n"
    return (
        f"# Install the book's package{others}, unless everything is there already.\n"
        f"{place}"
        "from importlib.util import find_spec\n\n"
        f"if not all(find_spec(name) for name in {json.dumps(modules)}):\n"
        f'    %pip install --quiet "{source}"'
    )


def notebook(cells):
    """Return a notebook of (kind, text) and (kind, text, tags)."""
    made = []
    for number, (kind, text, *tags) in enumerate(cells):
        make = new_code_cell if kind == "code" else new_markdown_cell
        made.append(make(text, id=f"cell-{number}", metadata=_folding(*tags)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(
        cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


def _folding(tags=()):
    if not {"hide-input", "hide-cell"} & set(tags):
        return {}
    # JupyterLab reads the first, Colab the second.
    return {"jupyter": {"source_hidden": True}, "cellView": "form"}
