"""How long a page takes to read stands under its title, counted from its words."""

from math import ceil

from docutils import nodes
from sphinx_design.dropdown import dropdown_main

PACE = 200
"""Words in a minute, of prose that one stops to think about; code comes on top."""


def setup(app):
    app.connect("doctree-resolved", tell)


def is_folded(node):
    """Tell whether a reader has to unfold something to see it."""
    while node is not None:
        if isinstance(node, dropdown_main) or "dropdown" in node.get("classes", ()):
            return True
        node = node.parent
    return False


def minutes(document):
    """Return the minutes that the words of a page take, without code and what is folded away."""
    words = 0
    for node in document.findall(nodes.Text):
        of_prose = not isinstance(node.parent, nodes.FixedTextElement | nodes.raw)
        if of_prose and not is_folded(node.parent):
            words += len(node.split())
    return ceil(words / PACE)


def tell(app, document, name):
    """Write the time after the question with which a page begins."""
    if app.builder.format != "html":
        return
    question = next(document.findall(nodes.paragraph), None)
    if question is None or not isinstance(question[0], nodes.emphasis):
        return
    count = minutes(document)
    text = f"{count} minute{'' if count == 1 else 's'} to read"
    place = question.parent.index(question) + 1
    question.parent.insert(place, nodes.paragraph("", text, classes=["reading-time"]))
