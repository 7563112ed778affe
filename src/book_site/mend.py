"""Every page once more, after its template: what the theme and the extensions write is mended here.

Sphinx asks a template bridge for each page; ours hands on what the usual one returns.
"""

import re

from sphinx.jinja2glue import BuiltinTemplateLoader

from . import icons

FIGURE = re.compile(r'<img (?=[^>]*src="[^"]*_images/)')


class Pages(BuiltinTemplateLoader):
    """The usual templates, and what has to be changed in any page that they make."""

    def render(self, template, context):
        """Return a finished page."""
        page = icons.draw(super().render(template, context))
        # What is far below need not come before the reader does.
        return FIGURE.sub('<img loading="lazy" decoding="async" ', page)
