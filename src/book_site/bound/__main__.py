"""Write both files beside the pages, or those of another site into another folder."""

import os
import sys
from copy import deepcopy
from pathlib import Path

from ..repository import ROOT
from . import epub, file_name, pdf
from .whole import Book

SITE = ROOT / "_build" / "html"

site, folder = map(Path, sys.argv[1:] or [SITE, SITE])
book = Book(site)
# Each changes the chapters that it is given.
pdf.write(deepcopy(book), os.environ["BOOK_PDF"], folder / file_name(book.title, "pdf"))
epub.write(book, folder / file_name(book.title, "epub"))
