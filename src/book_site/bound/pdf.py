"""The book as a PDF: its chapters in one page, set by a style sheet for paper and printed.

Chromium breaks pages, numbers them, and writes links, an outline and tags for screen readers. On
which page a link's target stands it does not tell in the page (`target-counter` is not there yet),
so it prints twice, the second time with the numbers in the contents that the first has shown.
"""

from datetime import UTC, datetime
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import pikepdf
from matplotlib import get_data_path
from playwright.sync_api import sync_playwright
from pygments.formatters import HtmlFormatter

from ..repository import ROOT
from . import cover

MODULES = ROOT / "node_modules"
FACES = {
    "source-serif-4": ("400", "400-italic", "600", "600-italic"),
    "source-sans-3": ("400", "400-italic", "600", "600-italic"),
    "source-code-pro": ("400", "600"),
}
STYLES = [
    *(MODULES / "@fontsource" / name / f"{face}.css" for name in FACES for face in FACES[name]),
    MODULES / "katex" / "dist" / "katex.min.css",
    Path(__file__).with_name("pdf.css"),
]
# The few signs that none of these has come from a face that figures are set in.
REST = {"Rest": "DejaVuSans.ttf", "Rest Mono": "DejaVuSansMono.ttf"}
SHORT = 24  # lines of code that stay on one page
WIDTH = round(150 / 25.4 * 96)  # pixels, of 150 mm between the margins
# A formula that is too wide gets smaller: all of the book would, to let it stay.
FIT = """async () => {
  // A page that has not been laid out yet has not asked for them.
  await Promise.all([...document.fonts].map((face) => face.load()));
  for (const formula of document.querySelectorAll("div.math")) {
    const share = formula.clientWidth / formula.scrollWidth;
    if (share < 1) formula.style.fontSize = `${share}em`;
  }
}"""
NUMBER = """(numbers) => {
  for (const link of document.querySelectorAll(".contents a"))
    link.lastElementChild.textContent = numbers[decodeURIComponent(link.hash.slice(1))];
}"""
FLAGS = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
{links}
<style>{style}</style>
</head>
<body>
<header class="cover">
<p class="title">{title}</p>
<p class="lead">{lead}</p>
{picture}
<p class="licence">{licence}</p>
</header>
{contents}
{chapters}
</body>
</html>
"""


def write(book, chromium, path):
    """Print the book.

    Parameters
    ----------
    book : Book
    chromium : str
        The program.
    path : Path
        Of the PDF.
    """
    for chapter in book.chapters:
        localize(chapter, book.site)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        source, printed = Path(folder, "book.html"), Path(folder, "book.pdf")
        source.write_text(page(book), encoding="utf-8")
        view = browser.new_page(viewport={"width": WIDTH, "height": 2 * WIDTH})
        view.emulate_media(media="print")
        view.goto(source.as_uri())
        view.evaluate(FIT)
        view.pdf(path=printed, prefer_css_page_size=True)
        view.evaluate(NUMBER, page_numbers(printed))
        view.pdf(path=printed, prefer_css_page_size=True, tagged=True, outline=True)
        browser.close()
        finish(book, printed, path)


def localize(chapter, site):
    """Make a chapter's ids its own, and its links lead within one page."""
    for element in chapter.body.select("[id]"):
        element["id"] = f"{chapter.name}--{element['id']}"
    for link in chapter.body.select("a[href]"):
        name, html, anchor = link["href"].partition(".html")
        if html and ":" not in name:
            link["href"] = f"#{name}{anchor.replace('#', '--')}"
    for image in chapter.body.select("img"):
        if not image["src"].startswith("data:"):
            image["src"] = Path(site, image["src"]).as_uri()
    for code in chapter.body.select("pre"):
        if code.get_text().count("\n") <= SHORT:
            code.parent["class"] = [*code.parent.get("class", []), "short"]
    # Of a formula's two forms the one that is seen stays, under the name of its source.
    for formula in chapter.body.select(".katex"):
        formula["role"], formula["aria-label"] = "img", formula.annotation.get_text()
        formula.select_one(".katex-mathml").decompose()
        del formula.select_one(".katex-html")["aria-hidden"]


def page(book):
    """Return the book as one page, whose contents have no numbers yet."""
    colours = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight")
    rest = "".join(
        f'@font-face {{ font-family: "{name}"; src: url("{face.as_uri()}") }}\n'
        for name, file in REST.items()
        for face in [Path(get_data_path(), "fonts", "ttf", file)]
    )
    feet = "".join(
        f'@page {chapter.name} {{ @bottom-left {{ content: "{css(chapter.title)}" }} }}\n'
        f"#{chapter.name} {{ page: {chapter.name} }}\n"
        for chapter in book.chapters
    )
    return PAGE.format(
        language=book.language,
        title=escape(book.title),
        lead=book.lead,
        licence=escape(book.licence),
        picture=cover.svg(),
        links="\n".join(f'<link rel="stylesheet" href="{style.as_uri()}">' for style in STYLES),
        style=f"{colours}\n{rest}{feet}",
        contents=contents(book),
        chapters="\n".join(
            f'<section class="chapter" id="{chapter.name}">{chapter.body.decode()}</section>'
            for chapter in book.chapters
        ),
    )


def css(text):
    """Return a text as a string in a style sheet holds it."""
    return text.replace("\\", r"\\").replace('"', r"\"")


def contents(book):
    """Return the table of contents, with the same number for each line."""

    def line(kind, address, title):
        words = f"<span>{title}</span><i></i><span>0</span>"
        return f'<li class="{kind}"><a href="#{address}">{words}</a></li>'

    lines = []
    for chapter in book.chapters:
        if chapter.part:
            lines.append(f'<li class="part">{escape(chapter.part)}</li>')
        lines.append(line("of-chapter", chapter.name, chapter.heading))
        lines += [line("of-section", name, title) for name, title in chapter.sections]
    return f'<nav class="contents"><h1>Contents</h1><ul>{"".join(lines)}</ul></nav>'


def page_numbers(printed):
    """Return the page of each target, counted from 1."""
    with pikepdf.open(printed) as pdf:
        pages = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}
        targets = pdf.Root.Dests.items()
        return {name.removeprefix("/"): pages[target[0].objgen] for name, target in targets}


def finish(book, printed, path):
    """Write the PDF, with what it says of itself, in a third of the space and always the same."""
    made = datetime.fromtimestamp(book.made, UTC)
    with pikepdf.open(printed) as pdf:
        with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
            metadata["dc:title"], metadata["dc:creator"] = book.title, [book.author]
            metadata["dc:language"], metadata["dc:rights"] = {book.language}, book.licence
            metadata["xmp:CreateDate"] = metadata["xmp:ModifyDate"] = made.isoformat()
        with pdf.open_outline() as outline:
            # Chromium writes a heading twice that moves to the next page.
            for item, title in zip(entries(outline.root), headings(book), strict=True):
                item.title = title
        pdf.Root.PageMode = pikepdf.Name.UseOutlines
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        generate = pikepdf.ObjectStreamMode.generate
        pdf.save(path, object_stream_mode=generate, deterministic_id=True)


def entries(items):
    """Yield the entries of an outline in reading order."""
    for item in items:
        yield item
        yield from entries(item.children)


def headings(book):
    """Yield the text of each heading in reading order."""
    yield "Contents"
    for chapter in book.chapters:
        for heading in chapter.body.select("h1, h2, h3, h4, h5, h6"):
            yield heading.get_text().strip()
