"""Formulas are rendered while the book is built, and their fonts are served with the pages.

What is set inside sphinxcontrib-katex is written for 0.9.11. The options can go when the renderer
is given them (hagenw/sphinxcontrib-katex#145); the connection, which came with pull request 69 and
of which no report is known, when it waits until the renderer listens.
"""

import re
import socket
import subprocess
import time
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.fileutil import copy_asset
from sphinxcontrib import katex

from .assets import NODE
from .repository import ROOT

KATEX = ROOT / "node_modules" / "katex" / "dist"
render = katex.render_latex
# Of KaTeX's HTML: what it draws, what one part of a formula ends with, and the next begins with.
DRAWN = '<span class="katex-html" aria-hidden="true">'
SIGN = r'<span class="m(?:rel|bin)">[^<]*</span><span class="mspace"[^>]*></span>'
PART = '</span><span class="base">'
STRUT = r'<span class="strut"[^>]*></span>'
GAP = (
    r'<span class="mspace" style="margin-right:(\d)em;"></span>'
    r'<span class="mspace allowbreak"></span>'
    rf'(?:<span class="mspace" style="margin-right:0.1667em;"></span>)?{PART}'
)
MAY_BREAK = "\\allowbreak "


def setup(app):
    if not KATEX.is_dir():
        raise ExtensionError(f"KaTeX is missing: `npm install` puts it into {KATEX}")
    katex.html_visit_math, katex.render_latex = write_in_line, render_apart
    app.setup_extension("sphinxcontrib.katex")
    app.add_post_transform(Together)
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


class Together(SphinxPostTransform):
    """Give a formula the signs beside it: browsers would break a line between them."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_):
        for formula in self.document.findall(nodes.math):
            place, around = formula.parent.index(formula), formula.parent.children
            before = around[place - 1] if place else None
            after = around[place + 1] if place + 1 < len(around) else None
            signs = ("before", r"[(\[“‘]+$", before), ("after", r"^[^\w\s]+", after)
            for name, sign, text in signs:
                if isinstance(text, nodes.Text) and (found := re.search(sign, text)):
                    formula[name] = found[0]
                    formula.parent.replace(text, nodes.Text(re.sub(sign, "", text)))


def write_in_line(self, node):
    """Write a formula that breaks nowhere but between its parts."""
    parts = render(node.astext()).replace(PART, f"<wbr>{PART}")
    signs = [self.encode(node.get(name, "")) for name in ("before", "after")]
    self.body.append(self.starttag(node, "span", "", CLASS="math") + parts.join(signs) + "</span>")
    raise nodes.SkipNode


def render_apart(latex, options):
    """Render a formula that breaks before a sign; formulas with a gap between them break there."""
    marked = re.sub(r"\\q?quad\b", lambda gap: gap[0] + MAY_BREAK, latex)
    html = render(marked, options).replace(MAY_BREAK, "")
    html = re.sub(rf"({SIGN})({PART}{STRUT})", r"\2\1", html)
    before, drawn, parts = html.partition(DRAWN)
    # A space is nothing at the end of a line.
    space = r'</span></span><span style="word-spacing:calc(\1em - 0.25em)"> </span>'
    parts, gaps = re.subn(GAP, f'{space}<span class="apart"><span class="base">', parts)
    return f'{before}{drawn}<span class="apart">{parts}</span>' if gaps else html


def copy_fonts(app, exception):
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", "katex")
        target.mkdir(parents=True, exist_ok=True)
        copy_asset(str(KATEX / "katex.min.css"), str(target))
        for font in sorted((KATEX / "fonts").glob("*.woff2")):
            copy_asset(str(font), str(target / "fonts"))
