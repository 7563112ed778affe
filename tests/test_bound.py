"""The whole book as a PDF and as an EPUB holds what its pages hold, and every link leads on."""

import os
import re
import subprocess
import sys
import zipfile
from html import unescape
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import numpy as np
import pages
import pikepdf
import pypdfium2
import pytest
import yaml

CHAPTERS = pages.listed()
TITLE = yaml.safe_load((pages.ROOT / "_config.yml").read_text())["title"]
XHTML, MATHML = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/1998/Math/MathML}"
OPF = "{http://www.idpf.org/2007/opf}"
EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
POINT = 72 / 25.4  # of these a millimetre has


@pytest.fixture(scope="module")
def bound(html):
    """Return a function that finds the book in one file."""

    def find(kind):
        found = [*html.glob(f"*.{kind}")]
        if not found and not pages.installed_chromium():
            pytest.skip("no chromium on this machine, so no PDF and no EPUB")
        assert len(found) == 1, f"no {kind} beside the pages: run `make site`"
        return found[0]

    return find


@pytest.fixture(scope="module")
def articles(html):
    """The text of each page, without what is not the page's own."""
    texts = {name: (html / "chapters" / f"{name}.html").read_text("utf-8") for name in CHAPTERS}
    return {
        name: re.search(r"<article.*</article>", text, re.DOTALL)[0] for name, text in texts.items()
    }


def plain(markup):
    return " ".join(unescape(re.sub(r"<[^>]*>", "", markup)).split())


def headings(article, level):
    found = re.findall(rf"<h{level}>(.*?)<a class=\"headerlink\"", article, re.DOTALL)
    return [plain(heading) for heading in found]


def numbered(article):
    """What a page counts: its formulas, its figures and tables, its exercises and theorems."""
    marks = r'class="(?:eqno|caption-number)">(.*?)<(?:a|/span)'
    return [plain(number) for number in re.findall(marks, article, re.DOTALL)]


@pytest.fixture(scope="module")
def pdf(bound):
    with pikepdf.open(bound("pdf")) as opened:
        yield opened


@pytest.fixture(scope="module")
def sheets(bound):
    """The text of each page of the PDF, and the boxes that hold it."""
    return texts_and_boxes(bound("pdf"))


def texts_and_boxes(path):
    found = []
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            text = page.get_textpage()
            boxes = [text.get_rect(place) for place in range(text.count_rects())]
            found.append((" ".join(text.get_text_range().split()), boxes))
    return found


def test_the_pdf_says_what_it_is(pdf):
    config = yaml.safe_load((pages.ROOT / "_config.yml").read_text())
    with pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == config["title"]
        assert metadata["dc:creator"] == [config["author"]]
        assert metadata["xmp:CreateDate"] == metadata["xmp:ModifyDate"]
    assert pdf.docinfo.Title == config["title"]
    assert pdf.Root.Lang == "en"
    assert pdf.Root.MarkInfo.Marked


def test_the_outline_of_the_pdf_is_the_books(pdf, articles, sheets):
    places = {page.objgen: place for place, page in enumerate(pdf.pages)}
    with pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == [
            "Contents",
            *(headings(article, 1)[0] for article in articles.values()),
        ]
        for item, article in zip(outline.root[1:], articles.values(), strict=True):
            sections = [one.title for one in item.children]
            own = headings(article, 2)
            assert sections[: len(own)] == own
            assert set(sections[len(own) :]) <= {"Answers", "Solutions"}
        every = [one for item in outline.root for one in (item, *item.children)]
    starts = []
    for item in every:
        page, _, _, top, *_ = item.destination
        place = places[page.objgen]
        starts.append(place)
        # Whatever a heading stands over begins on its page.
        assert item.title in sheets[place][0]
        assert any(box[3] < float(top) - 10 * POINT for box in sheets[place][1][:-2]), item.title
    assert starts == sorted(starts)


def test_every_link_of_the_pdf_leads_on(pdf, sheets, articles):
    targets = {name for name, _ in pdf.Root.Dests.items()}
    places = {page.objgen: place for place, page in enumerate(pdf.pages)}
    inside, outside = [], []
    for place, page in enumerate(pdf.pages):
        for note in page.get("/Annots", ()):
            if "/Dest" in note:
                inside.append((place, note.Dest))
            else:
                outside.append(str(note.A.URI))
    assert {target for _, target in inside} == targets
    assert all(address.startswith(("https://", "mailto:")) for address in outside)
    written = sum(len(re.findall('class="reference internal"', one)) for one in articles.values())
    assert len(inside) > 0.8 * written
    # In the contents stand the numbers that are at the feet of the pages.
    for place, note in inside[: len(CHAPTERS)]:
        target = places[pdf.Root.Dests[note][0].objgen]
        assert sheets[place][0]
        assert str(target + 1) in sheets[target][0].split()


def test_the_pdf_holds_what_the_pages_number_and_cite(sheets, articles):
    text = " ".join(text for text, _ in sheets)
    counted = [number for article in articles.values() for number in numbered(article)]
    assert len(counted) > 80
    assert [number for number in counted if number not in text] == []
    works = re.findall(r'<div class="citation".*?</div>', articles["references"], re.DOTALL)
    assert len(works) > 40
    for work in works:
        assert plain(work)[-40:].replace(" ", "") in text.replace(" ", "")


def test_no_page_of_the_pdf_is_empty_or_overflows(pdf, sheets):
    width, height = (float(side) for side in pdf.pages[0].MediaBox[2:])
    for place, (text, boxes) in enumerate(sheets, 1):
        assert len(text) > 60, place
        assert max(right for _, _, right, _ in boxes) < width - 29 * POINT, place
        assert min(bottom for _, bottom, _, _ in boxes) > 5 * POINT, place
    used = {}
    for page in pdf.pages:
        for font in page.Resources.get("/Font", {}).values():
            (inner,) = font.DescendantFonts
            used[str(font.BaseFont).partition("+")[2]] = inner.FontDescriptor.keys()
    assert all(keys & {"/FontFile", "/FontFile2", "/FontFile3"} for keys in used.values())
    families = ("Source", "KaTeX", "DejaVu")
    assert all(name.startswith(families) for name in used), used.keys()


@pytest.fixture(scope="module")
def epub(bound):
    with zipfile.ZipFile(bound("epub")) as archive:
        yield archive


@pytest.fixture(scope="module")
def parsed(epub):
    """The texts of the EPUB by their names; a text that is no XML is an error."""
    return {
        PurePosixPath(name).stem: ElementTree.fromstring(epub.read(name))
        for name in epub.namelist()
        if name.endswith(".xhtml")
    }


def words(element):
    return " ".join("".join(element.itertext()).split())


def test_the_epub_is_packed_as_programs_expect(epub):
    first = epub.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert epub.read("mimetype") == b"application/epub+zip"
    container = ElementTree.fromstring(epub.read("META-INF/container.xml"))
    (root,) = (one.get("full-path") for one in container.iter() if one.get("full-path"))
    package = ElementTree.fromstring(epub.read(root))
    items = {one.get("id"): one for one in package.iter(f"{OPF}item")}
    files = [urljoin(root, one.get("href")) for one in items.values()]
    assert len(files) == len(set(files))
    assert {*files, root, "mimetype", "META-INF/container.xml"} == set(epub.namelist())
    read = [items[one.get("idref")].get("href") for one in package.iter(f"{OPF}itemref")]
    assert read == ["cover.xhtml", "contents.xhtml", *(f"{name}.xhtml" for name in CHAPTERS)]
    told = {one.tag.partition("}")[2]: one.text for one in package.find(f"{OPF}metadata")}
    assert (told["title"], told["language"]) == (TITLE, "en")
    assert told["creator"]
    for one in items.values():
        text = epub.read(urljoin(root, one.get("href")))
        kinds = (one.get("properties") or "").split()
        assert ("mathml" in kinds) == (b"<math" in text and one.get("href").endswith("xhtml"))
    assert [one.get("href") for one in items.values() if one.get("properties") == "nav"]


def test_every_link_of_the_epub_leads_on(parsed, epub, articles):
    ids = {}
    for name, page in parsed.items():
        named = [one.get("id") for one in page.iter() if one.get("id")]
        assert len(named) == len(set(named)), name
        ids[f"{name}.xhtml"] = {"", *named}
    count = 0
    for name, page in parsed.items():
        assert not [*page.iter(f"{XHTML}script")]
        for link in page.iter(f"{XHTML}a"):
            address = urlsplit(unquote(link.get("href")))
            if address.scheme:
                assert address.scheme in ("https", "mailto")
                continue
            count += 1
            assert address.fragment in ids[address.path or f"{name}.xhtml"], link.get("href")
        for image in page.iter(f"{XHTML}img"):
            assert image.get("alt")
            assert f"book/{image.get('src')}" in epub.namelist()
    assert count > 300
    (menu,) = parsed["contents"].iter(f"{XHTML}nav")
    assert menu.get(EPUB_TYPE) == "toc"
    chapters = [link for link in menu.iter(f"{XHTML}a") if "#" not in link.get("href")]
    assert [link.get("href") for link in chapters] == [f"{name}.xhtml" for name in CHAPTERS]
    assert [words(link) for link in chapters] == [
        headings(article, 1)[0] for article in articles.values()
    ]


def test_the_epub_holds_the_formulas_the_code_and_the_figures_of_the_pages(parsed, articles):
    for name, article in articles.items():
        text = words(parsed[name])
        assert [number for number in numbered(article) if number not in text] == [], name
        formulas = [*parsed[name].iter(f"{MATHML}math")]
        assert len(formulas) == len(re.findall('class="katex"', article)), name
        assert all(formula.get("alttext") for formula in formulas)
        codes = re.findall(r"<pre>(.*?)</pre>", article, re.DOTALL)
        kept = {"".join(one.itertext()).strip() for one in parsed[name].iter(f"{XHTML}pre")}
        assert {unescape(re.sub(r"<[^>]*>", "", code)).strip() for code in codes} == kept, name
        pictures = len(re.findall(r'<img (?!class="only-dark")', article))
        assert len([*parsed[name].iter(f"{XHTML}img")]) == pictures, name


def test_what_is_to_be_thought_about_first_stands_at_the_end(parsed, articles):
    for name, article in articles.items():
        classes = [one.get("class", "").split() for one in parsed[name].iter()]
        questions = [place for place, names in enumerate(classes) if "nw-question" in names]
        replies = [place for place, names in enumerate(classes) if "nw-replies" in names]
        assert len(questions) == len(replies) == article.count('class="nw-guess"')
        exercises = [place for place, names in enumerate(classes) if "exercise" in names]
        solutions = [place for place, names in enumerate(classes) if "solution" in names]
        assert max(questions, default=0) < min(replies, default=1)
        assert max(exercises, default=0) < min(solutions, default=1)
    assert not [one for page in parsed.values() for one in page.iter(f"{XHTML}details")]


def test_every_page_links_to_both(html, bound):
    names = {bound(kind).name for kind in ("pdf", "epub")}
    for path in pages.every_page():
        text = (html / path).read_text(encoding="utf-8")
        linked = re.findall(r'href="((?:\.\./)*[\w-]+\.(?:pdf|epub))"', text)
        assert {(html / path).parent.joinpath(one).resolve() for one in linked} <= {
            (html / name).resolve() for name in names
        }
        if path.startswith("chapters/"):
            assert {PurePosixPath(one).name for one in linked} == names, path


@pytest.mark.slow
def test_both_are_the_same_each_time(html, bound, pdf, sheets, tmp_path):
    made = pikepdf.models.metadata.decode_pdf_date(str(pdf.docinfo.CreationDate))
    given = {
        "BOOK_PDF": pages.installed_chromium(),
        "SOURCE_DATE_EPOCH": str(int(made.timestamp())),
        "PYTHONPATH": str(pages.ROOT / "src"),
    }
    # In a process of its own: one that tests in a browser has begun can drive no second one.
    subprocess.run(
        [sys.executable, "-m", "book_site.bound", html, tmp_path],
        env=os.environ | given,
        check=True,
    )
    (epub,), (printed,) = tmp_path.glob("*.epub"), tmp_path.glob("*.pdf")
    assert epub.read_bytes() == bound("epub").read_bytes()
    # Chromium counts what it writes into a PDF differently from time to time.
    with pikepdf.open(printed) as again:
        assert again.docinfo == pdf.docinfo
    texts, boxes = zip(*texts_and_boxes(printed), strict=True)
    before, places = zip(*sheets, strict=True)
    assert texts == before
    # On a busy machine Chromium rounds a line to another eighth of a point.
    for own, others in zip(boxes, places, strict=True):
        np.testing.assert_allclose(own, others, rtol=0, atol=0.25)
