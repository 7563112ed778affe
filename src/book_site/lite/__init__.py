"""JupyterLite beside the book: the same notebooks, run by Python in the reader's browser.

``python -m book_site.lite`` makes it after the notebooks and the pages have been built.
"""

import ast
import json

from nbformat.v4 import new_markdown_cell

from ..cells import ELSEWHERE, names
from ..notebooks import EXTRAS, needs, parsed, transformed

NOTICE = """> **{title} does not run in a browser.**
> The code that needs it is switched off here, and everything else works.
> To run all of it, open the chapter in another place from the book's launch menu."""

REMARK = "# What is commented out here needs {title}, which a browser does not run.\n"


def in_browser(notebook):
    """Return a notebook that installs from the site itself, without what runs elsewhere alone."""
    install, *cells = notebook.cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    needed = needs(cell.source for cell in code)
    missing = [name for name in needed if name in ELSEWHERE]
    install.source = first_cell([name for name in needed if name not in ELSEWHERE])
    notices = [new_markdown_cell(NOTICE.format(title=ELSEWHERE[name]), id=name) for name in missing]
    notebook.cells = [install, *notices, *cells]
    for cell, (lacks, source) in zip(code, runnable([cell.source for cell in code]), strict=True):
        remarks = [REMARK.format(title=ELSEWHERE[name]) for name in lacks]
        cell.source = "".join(remarks) + source
    return notebook


def first_cell(needed):
    """Return a cell that installs from the site, and does nothing elsewhere but fail."""
    titles = sorted({EXTRAS[name][2] for name in needed})
    packages = ["attention-pooling", "ipywidgets", "anywidget", *titles]
    return (
        f"# Load the book's package{''.join(f' and {title}' for title in titles)} into the browser,"
        " which takes half a minute.\n"
        "import piplite\n\n"
        f"await piplite.install({json.dumps(packages)})"
    )


def runnable(sources):
    """Return cells without what a browser does not run: what each lacks, and what is left of it.

    Code that needs something in `ELSEWHERE` becomes a comment, and so does all that needs a name
    which such code binds.
    """
    lost, kept = {name: {name} for name in ELSEWHERE}, []
    for source in sources:
        statements = parsed(source).body
        imports = any(isinstance(one, ast.Import | ast.ImportFrom) for one in statements)
        # Imports stand together in a cell without belonging together; other cells do one thing.
        parts = [(one.lineno, one.end_lineno) for one in statements] if imports else []
        lines, code = source.splitlines(), transformed(source).splitlines()
        lacks = set()
        for first, last in parts or [(1, len(lines))]:
            bound, used = names("\n".join(code[first - 1 : last]))
            needed = set().union(*(lost[name] for name in used & lost.keys()))
            if needed:
                lost |= dict.fromkeys(bound, needed)
                lines[first - 1 : last] = [f"# {line}".rstrip() for line in lines[first - 1 : last]]
                lacks |= needed
            else:
                lost = {name: why for name, why in lost.items() if name not in bound}
        kept.append((sorted(lacks), "\n".join(lines)))
    return kept
