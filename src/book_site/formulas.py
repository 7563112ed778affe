"""Formulas are rendered while the book is built, and their fonts are served with the pages.

What is set inside sphinxcontrib-katex is written for 0.9.11. The options can go when the renderer
is given them (hagenw/sphinxcontrib-katex#145); the connection, which came with pull request 69 and
of which no report is known, when it waits until the renderer listens.
"""

import socket
import subprocess
import time
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
    # Where there are sockets of files: its own way calls the renderer before it listens.
    katex.KaTeXServer.start_server_process = connected
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.NODEJS_BINARY = str(NODE)
    # A formula with an error must stop the build, not stand in the page in red.
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
    app.connect("build-finished", copy_fonts)


def connected(rundir, timeout):
    """Start the renderer, and return its process and a connection to it."""
    # Over a port, each answer in two parts would wait for 40 ms until the first is confirmed.
    place = Path(rundir, "katex.sock")
    command = katex.KaTeXServer.build_command(socket=place)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=rundir)
    connection = socket.socket(socket.AF_UNIX)
    ends = time.monotonic() + timeout
    while True:
        try:
            connection.connect(str(place))
            return process, connection
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > ends:
                raise katex.KaTeXServer.timeout_error(timeout) from None
            time.sleep(0.001)


def copy_fonts(app, exception):
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", "katex")
        target.mkdir(parents=True, exist_ok=True)
        copy_asset(str(KATEX / "katex.min.css"), str(target))
        for font in sorted((KATEX / "fonts").glob("*.woff2")):
            copy_asset(str(font), str(target / "fonts"))
