"""Code cells that run in the page: which of them can, and what the page needs for it.

Compared with Thebe and PyScript, a worker of our own starts in a third of the time, shows plots and
last expressions, and leaves a page that nobody presses anything on as light as it was.
"""

import ast
import importlib.metadata
import json
import shutil
import zipfile
import zlib
from pathlib import Path

from docutils import nodes

from .. import assets, cells, explorer, launch, lite, pyodide
from ..notebooks import is_notebook, notebook_name, wheel_name
from ..repository import ROOT

HERE = Path(__file__).parent
# What the worker runs besides the package.
CODE = [
    Path(cells.__file__),
    *(HERE / f"{name}.py" for name in ("widgets", "kernel", "page_backend")),
]
# One file for each moment at which a page loads it; the editor brings all that it needs.
MODULES = ("live.mjs", "live.css", "pressed.mjs", "worker.mjs", "editor.js")
# Pure Python that Pyodide does not have; the explorers' widgets are stood in for.
PACKAGES = ("array-api-compat",)

START = """{{
  // As soon as the page is parsed: `DOMContentLoaded` waits for all other scripts.
  const start = () => {{
    if (document.readyState === "loading") return;
    document.removeEventListener("readystatechange", start);
    // A browser imports no module from file://, and loads no Python from there.
    if (location.protocol !== "file:") import("{module}").then((live) => live.mountAll({book}));
  }};
  document.addEventListener("readystatechange", start);
}}"""


def setup(app):
    app.add_config_value("book_pyodide", lambda config: pyodide.given(), "html")
    app.add_css_file("live/live.css")
    app.connect("builder-inited", copy_files)
    app.connect("doctree-resolved", mark)
    app.connect("html-page-context", load)


def copy_files(app):
    if app.builder.format != "html":
        return
    folder = assets.folder(app, "live")
    for path in CODE:
        shutil.copyfile(path, folder / path.name)
    pack(folder / "packages.zip")
    entries = [HERE / name for name in MODULES]
    assets.bundle({"entryPoints": entries, "outdir": folder, "outExtension": {".js": ".mjs"}})
    if app.config.book_pyodide:
        pyodide.copy(app.config.book_pyodide, app.outdir)
    app.live_version = version(folder)


def pack(path):
    """Write the packages that our own needs, the same bytes each time."""
    with zipfile.ZipFile(path, "w") as archive:
        for package in PACKAGES:
            for file in sorted(importlib.metadata.files(package)):
                if file.suffix == ".py":
                    entry = zipfile.ZipInfo(file.as_posix())
                    archive.writestr(entry, file.read_binary(), zipfile.ZIP_DEFLATED)


def version(folder):
    """Return a checksum of all that a page fetches from the book for Python."""
    package = sorted((ROOT / "src" / "attention_pooling").rglob("*.*"))
    checksum = 0
    for path in [*sorted(folder.iterdir()), *package]:
        if path.is_file() and path.suffix != ".pyc":
            checksum = zlib.crc32(path.read_bytes(), checksum)
    return f"{checksum:08x}"


def mark(app, doctree, docname):
    """Mark the cells that can run in a page, and those that lack something, in part or in whole."""
    if app.builder.format != "html" or not is_notebook(app.env, docname):
        return
    found = [
        cell
        for cell in doctree.findall(nodes.container)
        if cell.get("nb_element") == "cell_code" and "tag_skip-execution" not in cell["classes"]
    ]
    for cell, (lacks, kept) in zip(found, lite.runnable(list(map(source, found))), strict=True):
        if ast.parse(cells.without_magics(kept)).body:
            cell["classes"].append("live-cell")
        if lacks:
            cell["classes"] += ["live-elsewhere", *(f"lacks-{name}" for name in lacks)]


def source(cell):
    """Return the text of a code cell."""
    return next(
        block.astext()
        for part in cell.findall(nodes.container)
        if part.get("nb_element") == "cell_code_source"
        for block in part.findall(nodes.literal_block)
    )


SAYS = (
    "Python can run in this page: change any code below and run it. "
    "The first run fetches about 17 MB; what you type stays in this browser."
)
SAYS_ELSEWHERE = " What needs {}, which no browser runs, is left out and says where it runs."


def load(app, pagename, templatename, context, doctree):
    if pagename not in app.env.found_docs:
        return
    pathto, checksum = context["pathto"], app.live_version

    def at(path):
        return pathto(path, resource=True)

    def ours(name):
        return f"{at(f'_static/live/{name}')}?v={checksum}"

    ways = []
    if is_notebook(app.env, pagename):
        notebook = notebook_name(pagename)
        found = [*launch.launches(app.config, notebook, pathto)]
        found.append(launch.button("a notebook", "", "", at(f"notebooks/{notebook}")))
        ways = [(way["text"], way["url"]) for way in found]
    files = {
        "root": at(""),
        "pyodide": pyodide.address(at("")),
        "wheel": f"{at(f'notebooks/{wheel_name()}')}?v={checksum}",
        "code": at("_static/live/"),
        "notebook": at(f"notebooks/{notebook_name(pagename)}"),
        "packages": ours("packages.zip"),
    }
    files |= {name: ours(f"{name}.mjs") for name in ("pressed", "worker", "editor")}
    for name in explorer.FIGURES:
        files[name] = at(explorer.MODULE.format(name=name))
        files[f"{name} style"] = at(f"_static/{explorer.STYLE.format(name=name)}")
    body = context.get("body", "")
    lacks = " and ".join(
        cells.ELSEWHERE[name] for name in cells.ELSEWHERE if f"lacks-{name}" in body
    )
    book = {
        "page": pagename,
        "says": SAYS + (SAYS_ELSEWHERE.format(lacks) if lacks else ""),
        "lacks": lacks,
        "version": checksum,
        "files": files,
        "ways": ways,
        "elsewhere": [way for way in ways if way[0] != "JupyterLite"],
    }
    app.add_js_file(None, body=START.format(module=ours("live.mjs"), book=json.dumps(book)))
