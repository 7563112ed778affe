"""The book in one piece: a PDF to print and to keep, and an EPUB for readers of e-books."""

from .. import launch


def main():
    from . import pdf
    from .whole import SITE, Book

    book = Book()
    pdf.write(book, "chromium", SITE / f"{book.name}.pdf")
