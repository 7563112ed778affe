"""Explorers come alive in a page without Python, and their widgets leave nothing behind."""

import re
import zlib
from importlib.resources import files
from pathlib import Path

from myst_nb.sphinx_ import NbMetadataCollector

from attention_pooling import transformer

from . import assets

SOURCE = files("attention_pooling") / "explorer"
STYLE = "{name}/{name}.css"
MODULE = "_static/{name}/{name}.mjs"
# A browser imports no module into a page from file:// or in a sandbox, but runs a classic script.
# It stands apart from the figures' folders because most pages never load it.
CLASSIC = "_static/{name}_classic.js"
# All of a figure, as `_repr_mimebundle_` writes it.
FIGURE = '<div class="nw-{name}.*?</script></div>'
# The files' names; each figure's root has a class of that name.
FIGURES = ("explorer", "scores", "words", "digits", "balance", "direction")
# Those for which pages elsewhere may want a frame.
ALONE = ("explorer", "words")
# What the figure on words reads with, which its module loads when a reader comes near.
NUMBERS = "_static/words/numbers.js"

START = """{{
  // Before the theme's deferred scripts, which may take seconds to come.
  const parsed = new Promise((done) => {{
    const look = () => document.readyState === "loading" || done();
    document.addEventListener("readystatechange", look);
    look();
  }});
  // Each in a task of its own, so that a slow phone answers in between.
  const start = async (figures) => {{
    await parsed;
    setTimeout(() => figures.mountAll(document, "{bare}"));
  }};
  if (origin === "null") {{
    const script = document.createElement("script");
    script.src = "{classic}";
    script.onload = () => start({name}Figures);
    document.head.append(script);
  }} else {{
    // What is imported alone comes before what the first paint needs.
    const later = {{ rel: "modulepreload", href: "{module}", fetchPriority: "low" }};
    document.head.append(Object.assign(document.createElement("link"), later));
    import("{module}").then(start);
  }}
}}"""
# A page with one figure alone, for frames on pages elsewhere.
BARE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="../{style}">
<style>:root {{ color-scheme: light dark; font-family: system-ui, sans-serif }}
body {{ margin: 8px }} .nw-{name} {{ margin: 0 }}</style>
<script>{start}</script>
</head>
<body>
{figure}
</body>
</html>
"""


def setup(app):
    app.connect("builder-inited", copy_files)
    app.connect("doctree-read", drop_widget_state)
    app.connect("html-page-context", load_explorers)


def copy_files(app):
    """Write each figure's module, style and classic script, of one file each."""
    if app.builder.format != "html":
        return
    builds = []
    for name in FIGURES:
        module, style = SOURCE / f"{name}.mjs", SOURCE / f"{name}.css"
        place = assets.folder(app, name)
        served = {"entryPoints": [module, style], "outdir": place, "outExtension": {".js": ".mjs"}}
        classic = {"entryPoints": [module], "outfile": Path(app.outdir, CLASSIC.format(name=name))}
        builds += [served, classic | {"format": "iife", "globalName": f"{name}Figures"}]
    assets.bundle(*builds)
    stored = (SOURCE.parent / transformer.STORED).read_text(encoding="utf-8")
    Path(app.outdir, NUMBERS).write_text(f"var wordNumbers = {stored.strip()};\n", encoding="utf-8")


def drop_widget_state(app, doctree):
    # The state names its widgets at random, so that no two builds would be alike.
    NbMetadataCollector.get_js_files(app.env, app.env.docname).pop("ipywidgets_state", None)


def start(app, name, root, bare=""):
    """Return the script that has a page load a module of ours and mount what it is for."""

    def address(path):
        checksum = zlib.crc32(Path(app.outdir, path).read_bytes())
        return f"{root}{path}?v={checksum:08x}"

    module, classic = (address(path.format(name=name)) for path in (MODULE, CLASSIC))
    return START.format(name=name, module=module, classic=classic, bare=bare)


def load_explorers(app, pagename, templatename, context, doctree):
    for name in FIGURES:
        found = re.findall(FIGURE.format(name=name), context.get("body", ""), re.DOTALL)
        if not found:
            continue
        # In the place of the star stands which of the page's figures it is.
        bare = f"{pagename.replace('/', '-')}-{name}-*.html"
        folder = Path(app.outdir, "_static", "embed")
        folder.mkdir(exist_ok=True)
        for place, figure in enumerate(found if name in ALONE else ()):
            file = bare.replace("*", str(place))
            page = BARE.format(
                name=name,
                title=re.sub("<.*?>", "", context["title"]),
                style=STYLE.format(name=name),
                start=start(app, name, "../../", file),
                figure=figure,
            )
            Path(folder, file).write_text(page, encoding="utf-8")
        root = context["pathto"]("", resource=True)
        app.add_css_file(STYLE.format(name=name))
        # Before the style sheets, for which every script after them waits.
        script = start(app, name, root, f"{root}_static/embed/{bare}")
        context["metatags"] += f"<script>{script}</script>\n"
