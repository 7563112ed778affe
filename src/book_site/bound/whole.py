"""The chapters as they read where nothing unfolds, runs or is dragged.

They are taken from the built pages, in which formulas, outputs, figures and numbers are already as
they should be. What a page folds is opened and says what it is; replies to guesses and solutions
stand at the end of their chapter, where nobody sees them before having thought.
"""

import os
import posixpath
import subprocess
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup, Tag
from sphinx_external_toc.parsing import parse_toc_yaml

from ..repository import ROOT, repository

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
# What serves the page alone.
OF_THE_PAGE = (
    "script, style, input, svg.sd-octicon, .headerlink, .toctree-wrapper, .only-dark, .ways, "
    ".reading-time, summary .expanded, .exercise-check:not(.solution *), .sidebar-title:empty"
)
MOVING = "This figure can be dragged on the book’s page."
OLDEST = 315_532_800  # 1980, before which no archive dates a file


class Chapter(NamedTuple):
    """A page of the book, the part that it opens if it opens one, and its text."""

    name: str
    part: str | None
    body: Tag

    @property
    def title(self):
        """Return the title with its number, as text."""
        return self.body.h1.get_text().strip()

    @property
    def heading(self):
        """Return the title with its number, as HTML."""
        return self.body.h1.decode_contents().strip()

    @property
    def sections(self):
        """Return the ids of the chapter's sections, and their titles as HTML."""
        found = self.body.select("section[id] > h2")
        return [(heading.parent["id"], heading.decode_contents()) for heading in found]


class Book:
    """All of the book that is read from its first page to its last.

    Parameters
    ----------
    site : Path
        The built pages.
    """

    title, author = CONFIG["title"], CONFIG["author"]
    language = "en"
    licence = " ".join(CONFIG["html"]["extra_footer"].split())

    def __init__(self, site):
        self.site = site
        known = repository()
        self.address = known.pages if known else None
        self.chapters = [self.chapter(*place) for place in self.places.items()]
        self.keep_linked()

    @cached_property
    def places(self):
        """The docnames in reading order, each with the caption of the part that it opens."""
        contents, places = parse_toc_yaml(ROOT / "_toc.yml"), {}

        def visit(docname, caption):
            places[docname] = caption
            for part in contents[docname].subtrees:
                for place, child in enumerate(part.files()):
                    visit(child, None if place else part.caption)

        visit(contents.root.docname, None)
        return places

    @cached_property
    def made(self):
        """When the book was last changed, in seconds since 1970, whenever it is built."""
        command = ["git", "log", "-1", "--format=%ct"]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
        return int(os.environ.get("SOURCE_DATE_EPOCH") or told or OLDEST)

    @property
    def lead(self):
        """The sentence under the book's title, as HTML."""
        return self.chapters[0].body.select_one("h1 + p").decode_contents()

    def chapter(self, docname, part):
        """Read a chapter from its page."""
        text = Path(self.site, f"{docname}.html").read_text(encoding="utf-8")
        page = BeautifulSoup(text, "html.parser")
        body = page.select_one("article section").extract()
        for figure in body.select("div:has(> .nw-still):has(> script)"):
            note = page.new_tag("p", attrs={"class": "moving"}, string=MOVING)
            if self.address:
                link = page.new_tag("a", href=f"{self.address}{docname}.html")
                note.string.wrap(link)
            figure.append(note)
        for piece in body.select(OF_THE_PAGE):
            piece.decompose()
        open_all(page, body)
        self.link(docname, body)
        for image in body.select("img"):
            del image["loading"], image["decoding"]
            if not image["src"].startswith("data:"):
                image["src"] = posixpath.normpath(f"{docname}/../{image['src']}")
        return Chapter(PurePosixPath(docname).name, part, body)

    def link(self, docname, body):
        """Let links lead to ``NAME.html#ID`` in the book, or to the site, or take them away."""
        for link in body.select("a[href]"):
            address = urlsplit(link["href"])
            if address.scheme:
                continue
            target = posixpath.normpath(f"{docname}/../{address.path}") if address.path else ""
            page = target.removesuffix(".html") or docname
            mark = address.fragment and f"#{address.fragment}"
            if page in self.places and link["href"]:
                link["href"] = f"{PurePosixPath(page).name}.html{mark}"
            elif self.address:
                link["href"] = f"{self.address}{target or docname + '.html'}{mark}"
            else:
                around = link.find_parent("p")
                alone = around and around.get_text().strip() == link.get_text().strip()
                around.decompose() if alone else link.unwrap()

    def keep_linked(self):
        """Drop each id that nothing leads to: those of pages are not all unique."""
        bodies = [chapter.body for chapter in self.chapters]
        targets = {link["href"] for body in bodies for link in body.select("a[href]")}
        for chapter in self.chapters:
            targets |= {f"{chapter.name}.html#{name}" for name, _ in chapter.sections}
            for element in chapter.body.select("[id]"):
                address = f"{chapter.name}.html#{element['id']}"
                if address in targets:
                    targets.remove(address)
                else:
                    del element["id"]


def open_all(page, body):
    """Open what a reader would open, and say what it is."""
    replies, solutions = body.select(".nw-replies"), body.select("details.solution")
    for tab in body.select("label.sd-tab-label"):
        tab.name, tab.attrs = "p", {"class": ["told"]}
    for code in body.select("details.hide > summary"):
        code.string = "Code"
    for box in body.select("details"):
        box.summary.attrs = {"class": ["told"]}
        box.summary.name, box.name = "p", "div"
        box["class"] = ["box", *box["class"]]
    for place, question in enumerate(body.select(".nw-question"), 1):
        told = page.new_tag("span", attrs={"class": "told"}, string=f"Question {place}")
        question.insert(0, told)
        told.insert_after(" ")
    for place, reply in enumerate(replies, 1):
        reply.select_one(".told").string = f"Question {place}"
    for heading, boxes in (("Answers", replies), ("Solutions", solutions)):
        if boxes:
            end = page.new_tag("section", id=heading.lower(), attrs={"class": "postponed"})
            end.append(page.new_tag("h2", string=heading))
            body.append(end)
            for box in boxes:
                end.append(box.extract())
