"""Formulas are rendered while the book is built, and their fonts are served with the pages.

What is set inside sphinxcontrib-katex is written for 0.9.11. The options can go when the renderer
is given them (hagenw/sphinxcontrib-katex#145); the connection, which came with pull request 69 and
of which no report is known, when it waits for the renderer and sends a formula in one part.
"""

import socket
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util.fileutil import copy_asset
from sphinxcontrib import katex

from .assets import NODE
from .repository import ROOT

KATEX = ROOT / "node_modules" / "katex" / "dist"


def setup(app):
    if not KATEX.is_dir():
        raise ExtensionError(f"KaTeX is missing: `npm install` puts it into {KATEX}")
    app.setup_extension("sphinxcontrib.katex")
    app.config.katex_prerender = True
    app.config.katex_js_path = str(KATEX / "katex.min.js")
    app.config.katex_css_path = "katex/katex.min.css"
    # Over its own socket the renderer is called before it listens, on a machine that is busy.
    katex.KaTeXServer.start_server_process = connected
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.NODEJS_BINARY = str(NODE)
    # A formula with an error must stop the build, not stand in the page in red.
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
    app.connect("build-finished", copy_fonts)


def connected(rundir, timeout):
    """Start the renderer, and return its process and a connection to it."""
    process, connection = katex.KaTeXServer.start_network_socket(rundir, timeout)
    # A formula is sent in two parts; the second would wait for 40 ms until the first is confirmed.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return process, connection


def copy_fonts(app, exception):
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", "katex")
        target.mkdir(parents=True, exist_ok=True)
        copy_asset(str(KATEX / "katex.min.css"), str(target))
        for font in sorted((KATEX / "fonts").glob("*.woff2")):
            copy_asset(str(font), str(target / "fonts"))
