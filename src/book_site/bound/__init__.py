"""The book in one piece: a PDF to print and to keep, and an EPUB for readers of e-books.

Both are made of the built pages by ``python -m book_site.bound``, with the Chromium that BOOK_PDF
names. LaTeX and Typst would need outputs, tables and formulas written once more, for a result that
looks like another book; Chromium sets what the pages hold.
"""

import os

from ..launch import button

KINDS = {"pdf": "To print, or to read as it was set", "epub": "For readers of e-books"}


def setup(app):
    # Pages link to what `make pdf` and `make site` put beside them, which `make book` does not.
    app.add_config_value("book_pdf", lambda config: bool(os.environ.get("BOOK_PDF")), "html")
    # After the launch menu, which orders what the theme offers.
    app.connect("html-page-context", offer, priority=700)


def file_name(title, kind):
    """Return what the book is called as a file.

    Examples
    --------
    >>> file_name("A title", "pdf")
    'a-title.pdf'
    """
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return f"{'-'.join(words)}.{kind}"


def offer(app, pagename, templatename, context, doctree):
    """Link to both files, in the menu of downloads and at the foot of each page."""
    if not app.config.book_pdf:
        return
    links = {
        kind: context["pathto"](file_name(app.config.html_title, kind), resource=True)
        for kind in KINDS
    }
    for menu in context["header_buttons"]:
        if menu.get("label") == "download-buttons":
            menu["buttons"] += [
                button(f"Whole book, .{kind}", KINDS[kind], "fas fa-book", link)
                for kind, link in links.items()
            ]
    pdf, epub = (f'<a href="{link}">{kind.upper()}</a>' for kind, link in links.items())
    context["theme_extra_footer"] += f" The whole book as a {pdf} or an {epub}."
