"""Write both files beside the pages."""

import os

from ..repository import ROOT
from . import epub, file_name, pdf
from .whole import Book

SITE = ROOT / "_build" / "html"

# Each changes the chapters that it is given.
pdf.write(Book(SITE), os.environ["BOOK_PDF"], SITE / file_name(Book.title, "pdf"))
epub.write(Book(SITE), SITE / file_name(Book.title, "epub"))
