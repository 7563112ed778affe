"""Explorers come alive in a page without Python, and their widgets leave nothing behind."""

import json
import zlib
from importlib.resources import files
from pathlib import Path

from myst_nb.sphinx_ import NbMetadataCollector

SOURCE = files("attention_pooling") / "explorer"
STYLE = "{name}/{name}.css"
MODULE = "_static/{name}/{name}.mjs"
# A browser imports no module from file://, so a copy lies in a classic script as a string.
# It stands apart from the figures' folders because a page that is served never loads it.
FROM_FILE = "_static/{name}_from_file.js"
# The files' names; each figure's root has a class of that name.
FIGURES = ("explorer", "scores", "words")
# What the figure on words reads with, which its module loads when a reader comes near.
NUMBERS = "_static/words/numbers.js"

START = """{{
  const parsed = new Promise((done) => addEventListener("DOMContentLoaded", done));
  const start = (figures) => parsed.then(() => figures.mountAll());
  if (location.protocol === "file:") {{
    const script = document.createElement("script");
    script.src = "{from_file}";
    script.onload = () => import(URL.createObjectURL({name}Module)).then(start);
    document.head.append(script);
  }} else import("{module}").then(start);
}}"""


def setup(app):
    app.connect("builder-inited", copy_files)
    app.connect("doctree-read", drop_widget_state)
    app.connect("html-page-context", load_explorers)


def copy_files(app):
    if app.builder.format != "html":
        return
    for name in FIGURES:
        folder = Path(app.outdir, "_static", name)
        folder.mkdir(parents=True, exist_ok=True)
        module = (SOURCE / f"{name}.mjs").read_text(encoding="utf-8")
        (folder / f"{name}.css").write_bytes((SOURCE / f"{name}.css").read_bytes())
        (folder / f"{name}.mjs").write_text(module, encoding="utf-8")
        blob = f"new Blob([{json.dumps(module)}], {{ type: 'text/javascript' }})"
        Path(app.outdir, FROM_FILE.format(name=name)).write_text(
            f"const {name}Module = {blob};\n", encoding="utf-8"
        )
    stored = (SOURCE.parent / "transformer.json").read_text(encoding="utf-8")
    Path(app.outdir, NUMBERS).write_text(f"var wordNumbers = {stored.strip()};\n", encoding="utf-8")


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
            from_file=address(FROM_FILE.format(name=name)),
        )
        app.add_js_file(None, body=start)
