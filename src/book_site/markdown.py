"""A resolved page as cells of code and of plain Markdown, which every notebook program shows."""

import base64
import mimetypes
import re
from html import escape
from itertools import chain, groupby
from pathlib import Path
from textwrap import indent

from docutils import nodes

CONTINUED = ", continued"


class Page:
    """One page on its way into a notebook.

    Parameters
    ----------
    docname : str
        The page.
    builder : sphinx.builders.Builder
        Knows addresses, numbers and where pictures lie.
    linked : set of str
        The ids that some link goes to, on this page or another.
    """

    def __init__(self, docname, builder, linked):
        self.docname = docname
        self.builder = builder
        self.env = builder.env
        self.linked = linked
        self.cited = {}

    def cells(self, document):
        """Yield ("markdown", text) and ("code", text, tags) in the order of the page."""
        text = []
        for kind, *content in chain(self.pieces(document), self.references()):
            # A program folds what follows a heading where the heading begins a cell.
            if text and (kind != "block"):
                yield "markdown", "\n\n".join(text)
                text = []
            if kind == "code":
                yield kind, *content
            elif content[0]:
                text.append(content[0])
        if text:
            yield "markdown", "\n\n".join(text)

    def pieces(self, node, level=0):
        """Yield the blocks, headings and code cells inside a node."""
        for child in node.children:
            if isinstance(child, nodes.section):
                # The content of an exercise is a section as well, but one without a title.
                yield from self.pieces(child, level + isinstance(child[0], nodes.title))
            elif isinstance(child, nodes.title) and isinstance(node, nodes.section):
                heading = f"{'#' * level} {self.section_number(node)}{self.inline(child)}"
                yield "heading", self.anchors(node) + heading
            elif _is_code(child):
                yield from self.code(child)
            elif next(child.findall(_is_code), None):
                yield from self.divided(child, level)
            else:
                yield "block", self.block(child)

    def code(self, cell):
        source = next(part for part in cell.children if part["nb_element"] == "cell_code_source")
        tags = cell["cell_metadata"].get("tags", [])
        yield "code", source.astext(), tags
        for figure in cell.findall(nodes.figure):
            caption = next(figure.findall(nodes.caption))
            number = self.number("figure", figure)
            yield "block", f"{self.anchors(figure)}**{number}** {self.inline(caption)}"

    def divided(self, node, level):
        """Yield an exercise or a solution that holds code, which no Markdown can enclose."""
        title, body = self.parted(node)
        folded = _is_folded(node)
        inside = list(self.pieces(body, level))
        # What folds carries the title itself, unless it begins with code.
        heading = "" if folded and inside[0][0] == "block" else f"**{_plain(title)}**"
        yield "block", self.anchors(node) + heading
        for kind, pieces in groupby(inside, key=lambda piece: piece[0]):
            if kind == "block" and folded:
                text = "\n\n".join(filter(None, (text for _, text in pieces)))
                yield kind, _details(escape(_plain(title)), text)
                title = title.removesuffix(CONTINUED) + CONTINUED
            elif kind == "code" and folded:
                yield from ((kind, source, [*tags, "hide-input"]) for _, source, tags in pieces)
            else:
                yield from pieces

    def references(self):
        if self.cited:
            # A work is its label and its text.
            works = [
                f'- <a id="{anchor}"></a>{self.inline(work[1])}'
                for anchor, work in sorted(
                    self.cited.items(), key=lambda cited: cited[1][0].astext()
                )
            ]
            yield "heading", "## References\n\n" + "\n".join(works)

    # Blocks

    def blocks(self, node):
        return "\n\n".join(filter(None, map(self.block, node.children)))

    def block(self, node):
        if node.get("design_component"):
            return self.design(node)
        return self.written("block", node)

    def block_paragraph(self, node):
        # What begins a line like a list or a heading would become one.
        text = re.sub(r"^(\d+)([.)]\s)", r"\1\\\2", self.inline(node), flags=re.M)
        return self.anchors(node) + re.sub(r"^([#+>-]+\s)", r"\\\1", text, flags=re.M)

    def block_bullet_list(self, node):
        return "\n".join(_item("- ", self.blocks(item)) for item in node.children)

    def block_enumerated_list(self, node):
        first = node.get("start", 1)
        return "\n".join(
            _item(f"{number}. ", self.blocks(item))
            for number, item in enumerate(node.children, first)
        )

    def block_block_quote(self, node):
        return _quoted(self.blocks(node))

    def block_literal_block(self, node):
        language = node.get("language", "").replace("ipython3", "python")
        return f"```{'' if language in ('default', 'none') else language}\n{node.astext()}\n```"

    def block_math_block(self, node):
        number = self.number("displaymath", node) or node.get("number")
        tag = f" \\tag{{{number}}}" if number else ""
        # Between dollars an environment that numbers itself is an error.
        formula = re.sub(r"\\(?:begin|end)\{equation\*?\}", "", node.astext())
        formula = re.sub(r"\\(begin|end)\{(align|gather)\*?\}", r"\\\1{\2ed}", formula).strip()
        return f"{self.anchors(node)}$$\n{formula}{tag}\n$$"

    def block_table(self, node):
        rows = [
            [_cell(" ".join(map(self.inline, entry.children))) for entry in row.children]
            for row in node.findall(nodes.row)
        ]
        rows.insert(1, ["---"] * len(rows[0]))
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        captions = [self.inline(title) for title in node.children if isinstance(title, nodes.title)]
        return self.anchors(node) + "\n\n".join([*(f"**{text}**" for text in captions), table])

    def block_figure(self, node):
        number = self.number("figure", node) if node.get("ids") else ""
        parts = []
        for child in node.children:
            if isinstance(child, nodes.caption):
                parts.append(f"**{number}** {self.inline(child)}")
            else:
                parts.append(self.block(child))
        return self.anchors(node) + "\n\n".join(parts)

    def block_image(self, node):
        path = Path(self.env.srcdir, node["uri"])
        data = base64.b64encode(path.read_bytes()).decode()
        kind = mimetypes.guess_type(path)[0]
        return f"![{_escaped(node.get('alt', ''))}](data:{kind};base64,{data})"

    def block_raw(self, node):
        # A script is meant for the page, where extensions put it.
        kept = "html" in node["format"].split() and "<script" not in node.astext()
        return node.astext() if kept else ""

    def block_rubric(self, node):
        return f"**{self.inline(node)}**"

    def block_target(self, node):
        return self.anchors(node).strip()

    def block_container(self, node):
        return self.blocks(node)

    block_section = block_container
    block_compound = block_container
    block_guess = block_container

    def block_replies(self, node):
        return _details("Answer", self.blocks(node))

    def block_Admonition(self, node):
        title, body = self.parted(node)
        if _is_folded(node):
            return self.anchors(node) + _details(escape(_plain(title)), self.blocks(body))
        text = "\n\n".join(filter(None, [f"**{title}**" if title else "", self.blocks(body)]))
        return self.anchors(node) + _quoted(text)

    block_sidebar = block_Admonition

    def block_proof_node(self, node):
        return f"{self.blocks(node[0])} ∎"

    def block_comment(self, node):
        return ""

    def design(self, node):
        kind = node["design_component"]
        if kind in ("dropdown", "tab-item") and isinstance(node[0], nodes.rubric):
            return _details(escape(node[0].astext()), "\n\n".join(map(self.block, node[1:])))
        return self.blocks(node)

    def parted(self, node):
        """Return the title of an admonition, numbered, and a node with what stands below it."""
        below = nodes.container()
        below.children = list(node.children)
        title = ""
        if below.children and isinstance(below[0], nodes.title):
            title = self.inline(below.children.pop(0)).replace("**", "")
        elif type(node) not in (nodes.sidebar, nodes.admonition):
            title = type(node).__name__.capitalize()
        for kind in self.env.toc_fignumbers.get(self.docname, {}):
            number = self.number(kind, node)
            if number:
                title = f"{number[0].upper()}{number[1:]} {title}"
        return " ".join(title.split()), below

    # Words

    def inline(self, node):
        return "".join(map(self.word, node.children))

    def word(self, node):
        return self.written("word", node)

    def written(self, role, node):
        for kind in type(node).__mro__:
            write = getattr(self, f"{role}_{kind.__name__}", None)
            if write:
                return write(node)
        raise NotImplementedError(f"{type(node).__name__} as a {role} in {self.docname}")

    def word_Text(self, node):
        return _escaped(node.astext())

    def word_emphasis(self, node):
        return f"*{self.inline(node)}*"

    def word_strong(self, node):
        return f"**{self.inline(node)}**"

    def word_literal(self, node):
        return f"`{node.astext()}`"

    def word_math(self, node):
        return f"${' '.join(node.astext().split())}$"

    def word_inline(self, node):
        return self.inline(node)

    word_paragraph = word_inline
    word_caption = word_inline

    def word_image(self, node):
        return self.block_image(node)

    def word_raw(self, node):
        return self.block_raw(node)

    def word_target(self, node):
        return self.anchors(node).strip() + self.inline(node)

    def word_reference(self, node):
        uri = address(node)
        work = self.builder.works.get(uri)
        if work:
            # A list of the cited works ends the notebook, so that none of them is a page away.
            self.cited[work["ids"][0]] = work
            return f"[{self.inline(node)}](#{work['ids'][0]})"
        link = self.builder.link(self.docname, uri)
        return f"[{self.inline(node)}]({link})" if link else self.inline(node)

    # Numbers and anchors

    def number(self, kind, node):
        numbers = self.env.toc_fignumbers.get(self.docname, {}).get(kind, {})
        for name in node["ids"]:
            if name in numbers:
                written = ".".join(map(str, numbers[name]))
                return self.builder.config.numfig_format.get(kind, "%s") % written
        return ""

    def section_number(self, section):
        numbers = self.env.toc_secnumbers.get(self.docname, {})
        number = numbers.get("" if section.parent.parent is None else f"#{section['ids'][0]}")
        return f"{'.'.join(map(str, number))}. " if number else ""

    def anchors(self, node):
        found = [f'<a id="{name}"></a>' for name in node.get("ids", []) if name in self.linked]
        return "".join(found) + ("\n\n" if found else "")


def address(reference):
    """Return where Sphinx has made a reference lead."""
    return reference.get("refuri") or f"#{reference.get('refid', '')}"


def _is_code(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _is_folded(node):
    return any(name in node.get("classes", []) for name in ("dropdown", "toggle"))


def _details(summary, text):
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def _quoted(text):
    # JupyterLab takes formulas out before it reads Markdown, marks of the quotation included.
    text = re.sub(
        r"\$\$\n(.*?)\n\$\$",
        lambda found: f"$$ {' '.join(found[1].split())} $$",
        text,
        flags=re.DOTALL,
    )
    return indent(text, "> ", lambda line: True)


def _item(mark, text):
    return mark + indent(text, " " * len(mark)).lstrip()


def _cell(text):
    # A bar ends a cell, inside a formula as well.
    parts = re.split(r"((?<!\\)\$[^$]+\$)", text.replace("\n", " "))
    parts[::2] = [words.replace("|", r"\|") for words in parts[::2]]
    parts[1::2] = [
        formula.replace(r"\|", r"\Vert ").replace("|", r"\vert ") for formula in parts[1::2]
    ]
    return "".join(parts)


def _escaped(text):
    return re.sub(r"([\\`*_$<\[\]])", r"\\\1", text)


def _plain(markdown):
    """Return a title without its marks: no program reads Markdown inside a summary."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"\\([\\`*_$<\[\]])", r"\1", re.sub(r"(?<!\\)[*`]", "", text))
