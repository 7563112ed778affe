"""The page on the package, whose text stands in its docstrings."""

import re

from sphinx.addnodes import pending_xref


def setup(app):
    app.connect("doctree-read", number_references)


def number_references(app, doctree):
    """Give references to a docstring's literature the numbers that they have in the docstring.

    numpydoc makes the numbers of all docstrings different, and later undoes it for references that
    docutils has resolved by then, which those within a MyST page are not.
    """
    for reference in doctree.findall(pending_xref):
        numbered = re.fullmatch(r"\[R[0-9a-f]{12}-(\d+)\]", reference.astext())
        if numbered:
            text = next(reference.findall(lambda node: not node.children))
            text.parent.replace(text, type(text)(f"[{numbered[1]}]"))
