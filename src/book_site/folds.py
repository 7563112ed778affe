"""What a reader opens is one kind of box, `<details>`: by mouse, by key and without script.

Solutions came as boxes that a script folds, with a title that was a link to another place.
"""

from docutils import nodes
from sphinx_exercise.nodes import solution_node


def setup(app):
    app.add_node(solution_node, override=True, html=(begin, end))


def begin(translator, node):
    """Write a solution's title as what opens it."""
    title = next(node.findall(nodes.title))
    node.remove(title)
    node["classes"] = [name for name in node["classes"] if name != "dropdown"]
    for link in list(title.findall(nodes.reference)):
        link.replace_self(link.children)
    translator.body.append(translator.starttag(node, "details", CLASS="admonition"))
    translator.body.append('<summary class="admonition-title">')
    for part in title.children:
        part.walkabout(translator)
    translator.body.append("</summary>\n")


def end(translator, node):
    """Close it."""
    translator.body.append("</details>\n")
