"""Every page once more, after its template: what the theme and the extensions write is mended here.

Sphinx asks a template bridge for each page; ours hands on what the usual one returns.
"""

import re
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.jinja2glue import BuiltinTemplateLoader

from . import figures, icons

MENDED = [
    # A name that says less than the words inside hides them from who gives orders by voice.
    # github.com/pydata/pydata-sphinx-theme, search-button-field.html; myst-nb, hide-input.
    (re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"'), r"\1"),
    (re.compile(r'<summary aria-label="[^"]*">'), "<summary>"),
    # The book's title in the sidebar belongs to no landmark.
    (
        re.compile(r'<div id="pst-primary-sidebar"'),
        '<div id="pst-primary-sidebar" role="complementary" aria-label="The book"',
    ),
    # An index without groups to fold asks for them to be folded, before there is a script to ask.
    (re.compile(r"<script[^>]*>\s*DOCUMENTATION_OPTIONS\.COLLAPSE_INDEX = true;\s*</script>"), ""),
    # Dialogs have names.
    (re.compile(r'<dialog id="pst-search-dialog"'), r'\g<0> aria-label="Search"'),
    (re.compile(r'<dialog id="pst-primary-sidebar-modal"'), r'\g<0> aria-label="The book"'),
    (re.compile(r'<dialog id="pst-secondary-sidebar-modal"'), r'\g<0> aria-label="This page"'),
    # Docutils gives an entry a role that no longer is one, in a list that must have items.
    (re.compile(r' role="doc-biblioentry"'), ' role="listitem"'),
    # What heads no column is no heading.
    (re.compile(r"<th class=\"head[^\"]*\">(?:\s|</?p>)*</th>"), "<td></td>"),
]

# Names and brackets have the colour of text, but two thirds of the elements of code are for them.
PRE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')

# For each box that may scroll, closed ones too, the theme lays the page out anew: where there are
# many, for a second on a slow phone. `page.js` does the same when a box is shown.
# pydata-sphinx-theme.js, addTabStopsToScrollableElements.
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
