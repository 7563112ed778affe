"""Every page once more, after its template: what the theme and the extensions write is mended here.

Sphinx asks a template bridge for each page; ours hands on what the usual one returns. We know of
no issue for any of these faults, so each rule names the version and the file in which the fault
was last seen: a test asks for another look when that pin is raised.
"""

import re
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.jinja2glue import BuiltinTemplateLoader

from . import figures, icons

MENDED = [
    # A name that says less than the words inside hides them from who gives orders by voice.
    # Seen in pydata-sphinx-theme 0.17.1, components/search-button-field.html.
    (re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"'), r"\1"),
    # Seen in myst-nb 1.4.0, sphinx_.py.
    (re.compile(r'<summary aria-label="[^"]*">'), "<summary>"),
    # The book's title in the sidebar belongs to no landmark.
    # Seen in pydata-sphinx-theme 0.17.1, layout.html.
    (
        re.compile(r'<div id="pst-primary-sidebar"'),
        '<div id="pst-primary-sidebar" role="complementary" aria-label="The book"',
    ),
    # An index without groups to fold asks for them to be folded, before there is a script to ask.
    # Seen in Sphinx 7.4.7, themes/basic/domainindex.html.
    (re.compile(r"<script[^>]*>\s*DOCUMENTATION_OPTIONS\.COLLAPSE_INDEX = true;\s*</script>"), ""),
    # Dialogs have names.
    # Seen in pydata-sphinx-theme 0.17.1, layout.html.
    (re.compile(r'<dialog id="pst-search-dialog"'), r'\g<0> aria-label="Search"'),
    (re.compile(r'<dialog id="pst-primary-sidebar-modal"'), r'\g<0> aria-label="The book"'),
    (re.compile(r'<dialog id="pst-secondary-sidebar-modal"'), r'\g<0> aria-label="This page"'),
    # An entry has a role that no longer is one, in a list that must have items.
    # Seen in docutils 0.21.2, writers/_html_base.py.
    (re.compile(r' role="doc-biblioentry"'), ' role="listitem"'),
    # What heads no column is no heading.
    # Seen in docutils 0.21.2, writers/_html_base.py.
    (re.compile(r"<th class=\"head[^\"]*\">(?:\s|</?p>)*</th>"), "<td></td>"),
]

# Names and brackets have the colour of text, but two thirds of the elements of code are for them.
PRE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')

# For each box that may scroll, closed ones too, the theme lays the page out anew: where there are
# many, for a second on a slow phone. `page.js` does the same when a box is shown.
# Seen in pydata-sphinx-theme 0.17.1, static/scripts/pydata-sphinx-theme.js.
SCROLLING = re.compile(r'document\.querySelectorAll\(\["pre",".nboutput[^\]]*\]\.join\(", "\)\)')


def script(text):
    """Return the theme's own script without what the book's does in its place."""
    mended, count = SCROLLING.subn("[]", text)
    if count != 1:
        raise ExtensionError("The theme's script looks for what scrolls in another way.")
    return mended


class Pages(BuiltinTemplateLoader):
    """The usual templates, and what has to be changed in any page that they make."""

    def init(self, builder, *arguments, **options):
        """Keep the builder, which knows where the pictures of a page come from."""
        super().init(builder, *arguments, **options)
        self.builder = builder

    def render(self, template, context):
        """Return a finished page."""
        page = icons.draw(super().render(template, context))
        for fault, mended in MENDED:
            page = fault.sub(mended, page)
        page = PRE.sub(lambda code: PLAIN.sub(r"\1", code[0]), page)
        sources = {file: source for source, file in self.builder.images.items()}
        return figures.in_both_themes(
            page, lambda file: Path(self.builder.srcdir, sources[file]).read_text(encoding="utf-8")
        )
