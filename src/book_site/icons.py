"""The theme's icons, drawn into the page.

The theme's own way is a script with two thousand icons, of which a page shows a dozen. They are
FontAwesome's, under CC BY 4.0, and are read from the very script that pages then need not load.
"""

import re
from functools import cache
from importlib.resources import files

from sphinx.errors import ExtensionError

SCRIPT = "theme/pydata_sphinx_theme/static/scripts/fontawesome.js"
# Icons that come in several styles stand in the script with the filled one last.
ICON = r'[{{,]"?{name}"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]'
MARK = re.compile(
    r'<(i|span) class="((?:[\w-]+ +)*?)(?:fas|fa-solid) +fa-([a-z-]+)[^"]*"([^>]*)>\s*</\1>'
)


def draw(page):
    """Return a page with its marks for icons replaced by drawings, which no screen reader reads."""
    return MARK.sub(lambda mark: drawn(mark[2] + mark[3], mark[3], mark[4]), page)


def drawn(classes, name, attributes=""):
    """Return an icon as inline SVG, in the colour of the text."""
    box, outline = shape(name)
    attributes = re.sub(r' +title="[^"]*"', "", attributes)
    return (
        f'<svg class="svg-inline--fa {classes}"{attributes} viewBox="{box}" aria-hidden="true">'
        f'<path fill="currentColor" d="{outline}"/></svg>'
    )


@cache
def shape(name):
    """Return the box and the outline of an icon."""
    script = files("pydata_sphinx_theme").joinpath(SCRIPT).read_text(encoding="utf-8")
    found = re.findall(ICON.format(name=name), script)
    if not found:
        raise ExtensionError(f"The theme has no icon {name}")
    width, height, outline = found[-1]
    return f"0 0 {width} {height}", outline
