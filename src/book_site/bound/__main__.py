"""Write both files beside the pages."""

import os

from ..repository import ROOT
from . import epub, file_name, pdf
from .whole import Book

SITE = ROOT / "_build" / "html"

# Each of the two makes of the chapters what it needs.
pdf.write(Book(SITE), os.environ["BOOK_PDF"], SITE / file_name(Book.title, "pdf"))
epub.write(Book(SITE), SITE / file_name(Book.title, "epub"))
