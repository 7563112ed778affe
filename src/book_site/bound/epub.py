"""The book as an EPUB 3: a file of XHTML for each chapter, in an archive with a list of them.

Sphinx has a builder for it, but it would run all extensions once more for pages without a script,
and knows neither KaTeX nor MyST-NB. Formulas are MathML here, which is what such readers set.
"""

import base64
import uuid
import zipfile
import zlib
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup

from . import cover

TYPES = {
    ".css": "text/css",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".xhtml": "application/xhtml+xml",
}
STYLE = Path(__file__).with_name("epub.css")
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 lang="{language}" xml:lang="{language}">
<head>
<title>{title}</title>
<link rel="stylesheet" href="epub.css"/>
</head>
<body>
{body}
</body>
</html>
"""
COVER = """<header epub:type="titlepage">
<h1>{title}</h1>
<p class="lead">{lead}</p>
<img src="cover.png" alt="{title}"/>
<p class="licence">{licence}</p>
</header>"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book"
 xml:lang="{language}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>{language}</dc:language>
<dc:rights>{licence}</dc:rights>
<dc:description>{lead}</dc:description>
<meta property="dcterms:modified">{made}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Figures have texts, and formulas are MathML.</meta>
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


def write(book, path):
    """Write the book.

    Parameters
    ----------
    book : Book
    path : Path
        Of the EPUB.
    """
    files = {"epub.css": STYLE.read_bytes(), "cover.png": cover.png(book.title)}
    told = {name: escape(getattr(book, name)) for name in ("title", "author", "licence")}
    lead = BeautifulSoup(book.lead, "html.parser").get_text()
    told |= {"language": book.language, "lead": escape(lead)}
    texts = {"cover": (book.title, COVER.format(**told)), "contents": ("Contents", contents(book))}
    for chapter in book.chapters:
        for image in chapter.body.select("img"):
            name, picture = stored(image["src"], book.site)
            image["src"] = name
            files[name] = picture
        simplify(chapter.body)
        texts[chapter.name] = chapter.title, chapter.body.decode()
    for name, (title, body) in texts.items():
        text = PAGE.format(language=book.language, title=escape(title), body=body)
        files[f"{name}.xhtml"] = text.encode()
    made = datetime.fromtimestamp(book.made, UTC)
    files["package.opf"] = PACKAGE.format(
        **told,
        identifier=uuid.uuid5(uuid.NAMESPACE_URL, book.address or book.title),
        made=made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        manifest="\n".join(item(name, files[name]) for name in sorted(files)),
        spine="\n".join(f'<itemref idref="file-{name}.xhtml"/>' for name in texts),
    ).encode()
    with zipfile.ZipFile(path, "w") as archive:

        def add(name, content, how=zipfile.ZIP_DEFLATED):
            archive.writestr(zipfile.ZipInfo(name, made.timetuple()[:6]), content, how)

        # Programs look for the type of the archive at a fixed place.
        add("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        add("META-INF/container.xml", CONTAINER)
        for name in sorted(files):
            add(f"book/{name}", files[name])


def stored(source, site):
    """Return an image's name in the archive, and its bytes."""
    if not source.startswith("data:"):
        return Path(source).name, Path(site, source).read_bytes()
    picture = base64.b64decode(source.partition(",")[2])
    return f"still-{zlib.crc32(picture):08x}.png", picture


def simplify(body):
    """Leave in a chapter what XHTML knows."""
    for link in body.select("a[href]"):
        name, html, anchor = link["href"].partition(".html")
        if html and ":" not in name:
            link["href"] = f"{name}.xhtml{anchor}"
    for formula in body.select(".katex"):
        maths = formula.math.extract()
        source = maths.annotation.extract()
        maths["alttext"] = source.get_text()
        maths.semantics.unwrap()
        formula.replace_with(maths)
    for element in body.find_all(True):
        for name in ("role", "aria-label", "title", "data-guess", "align"):
            del element[name]


def contents(book):
    """Return the table of contents, of which e-book readers make their menu."""
    lines = []
    for chapter in book.chapters:
        name = f"{chapter.name}.xhtml"
        sections = "".join(
            f'<li><a href="{name}#{anchor}">{title}</a></li>' for anchor, title in chapter.sections
        )
        sections = sections and f"<ol>{sections}</ol>"
        lines.append(f'<li><a href="{name}">{chapter.heading}</a>{sections}</li>')
    return f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'


def item(name, content):
    """Return a file's line in the list of all."""
    kinds = {"contents.xhtml": "nav", "cover.png": "cover-image"}
    kind = kinds.get(name) or ("mathml" if b"<math" in content else "")
    kind = kind and f' properties="{kind}"'
    media = TYPES[Path(name).suffix]
    return f'<item id="file-{name}" href="{name}" media-type="{media}"{kind}/>'
