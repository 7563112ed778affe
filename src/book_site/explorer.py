"""Explorers come alive in a page without Python, and their widgets leave nothing behind."""

import json
import zlib
from importlib.resources import files
from pathlib import Path

from myst_nb.sphinx_ import NbMetadataCollector

SOURCE = files("attention_pooling") / "explorer"
STYLE = "explorer/explorer.css"
MODULE = "_static/explorer/explorer.mjs"
# A browser imports no module from file://, so a copy lies in a classic script as a string.
# It stands apart from the explorer's folder because a page that is served never loads it.
FROM_FILE = "_static/explorer_from_file.js"

START = """{{
  const parsed = new Promise((done) => addEventListener("DOMContentLoaded", done));
  const start = (explorer) => parsed.then(() => explorer.mountAll());
  if (location.protocol === "file:") {{
    const script = document.createElement("script");
    script.src = "{from_file}";
    script.onload = () => import(URL.createObjectURL(explorerModule)).then(start);
    document.head.append(script);
  }} else import("{module}").then(start);
}}"""


def setup(app):
    app.connect("builder-inited", copy_files)
    app.connect("doctree-read", drop_widget_state)
    app.connect("html-page-context", load_explorer)


def copy_files(app):
    if app.builder.format != "html":
        return
    module = (SOURCE / "explorer.mjs").read_text(encoding="utf-8")
    static = Path(app.outdir, "_static")
    (static / "explorer").mkdir(parents=True, exist_ok=True)
    (static / STYLE).write_bytes((SOURCE / "explorer.css").read_bytes())
    Path(app.outdir, MODULE).write_text(module, encoding="utf-8")
    blob = f"new Blob([{json.dumps(module)}], {{ type: 'text/javascript' }})"
    Path(app.outdir, FROM_FILE).write_text(f"const explorerModule = {blob};\n", encoding="utf-8")


def drop_widget_state(app, doctree):
    # The state names its widgets at random, so that no two builds would be alike.
    NbMetadataCollector.get_js_files(app.env, app.env.docname).pop("ipywidgets_state", None)


def load_explorer(app, pagename, templatename, context, doctree):
    if 'class="nw-explorer' not in context.get("body", ""):
        return
    app.add_css_file(STYLE)

    def address(name):
        checksum = zlib.crc32(Path(app.outdir, name).read_bytes())
        return f"{context['pathto'](name, resource=True)}?v={checksum:08x}"

    app.add_js_file(None, body=START.format(module=address(MODULE), from_file=address(FROM_FILE)))
