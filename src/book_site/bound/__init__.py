"""The book in one piece: a PDF to print and to keep, and an EPUB for readers of e-books.

Both are made of the built pages by ``python -m book_site.bound``, with the Chromium that BOOK_PDF
names. LaTeX and Typst would need outputs, tables and formulas written once more, for a result that
looks like another book; Chromium sets what the pages hold.
"""

import os


def setup(app):
    # Pages link to what `make pdf` and `make site` put beside them, which `make book` does not.
    app.add_config_value("book_pdf", lambda config: bool(os.environ.get("BOOK_PDF")), "html")
    app.connect("html-page-context", offer)


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
    """Link to both files at the foot of each page."""
    if app.config.book_pdf:
        pdf, epub = (
            f'<a href="{context["pathto"](file_name(app.config.html_title, kind), resource=True)}">'
            f"{kind.upper()}</a>"
            for kind in ("pdf", "epub")
        )
        context["theme_extra_footer"] += f" The whole book as a {pdf} or an {epub}."
