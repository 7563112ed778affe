"""Write both files beside the pages."""

import os

from . import SITE, epub, file_name, pdf
from .whole import Book

# Each of the two makes of the chapters what it needs.
pdf.write(Book(), os.environ["BOOK_PDF"], SITE / file_name(Book.title, "pdf"))
epub.write(Book(), SITE / file_name(Book.title, "epub"))
