"""Slides of each chapter, made from its finished page: what a teacher projects.

A section becomes a slide with its first sentence, and each further figure, formula, table and
guess in it one more, as does what a cell with the tag ``slide`` prints. What is alive on the page
is alive on its slide, for a deck loads what its page loads. Where an author marks sentences,
``[So.]{.slide}``, they replace those that lead to the next part, or stand below the one before.
"""

from copy import copy
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString

from .. import preview
from ..notebooks import is_notebook

HERE = Path(__file__).parent
FOLDER = "slides"
ALIVE = "[class^=nw-]:not(.nw-guess)"
# A cell with the tag `slide`, whose numbers are shown as it prints them.
TAGGED = "tag_slide"
# Of a page's head, what makes its figures look as they do and come alive.
LOADED = "link[rel=stylesheet], style, script:not([src], [type])"
RUNS_CODE = "live/live.mjs"
DECK = """<!doctype html>
<html lang="{language}" data-content_root="../" data-theme="auto">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · {book}</title>
<link rel="icon" href="../_static/{icon}">
{described}{loaded}
<style>
{style}</style>
<script>
{script}</script>
</head>
<body>
<main id="main-content" class="bd-article">
{slides}</main>
</body>
</html>
"""
SLIDE = """<section class="slide" id="{name}">
{body}
<footer><a href="{page}">{title}</a><span>{number} / {count}</span></footer>
</section>
"""


def setup(app):
    app.connect("build-finished", write)


def write(app, exception):
    """Write a deck for each chapter that is newer than its deck."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(exist_ok=True)
    ours = max(file.stat().st_mtime for file in HERE.glob("*.*"))
    for name in sorted(app.env.found_docs):
        page = Path(app.outdir, app.builder.get_target_uri(name))
        deck = folder / page.name
        old = deck.exists() and deck.stat().st_mtime > max(page.stat().st_mtime, ours)
        if old or not is_notebook(app.env, name):
            continue
        address = f"../{page.relative_to(app.outdir).as_posix()}"
        made = made_from(page.read_text(encoding="utf-8"), address, app)
        if made:
            deck.write_text(made, encoding="utf-8")


def made_from(text, address, app):
    """Return the deck of a page, or None where no list of aims stands under the page's title."""
    page = BeautifulSoup(text, "html.parser")
    for link in page.select("a.headerlink"):
        link.extract()
    chapter = page.select_one("article section:has(> h1)")
    if not chapter or not chapter.find("ul", recursive=False):
        return None
    slides = [
        (section["id"], slide)
        for section in (chapter, *chapter.select("section"))
        for slide in slides_of(section)
    ]
    shown = {name for name, _ in slides}
    for _, slide in slides:
        shown |= {
            one["id"] for part in slide for one in [part, *part.select("[id]")] if "id" in one.attrs
        }
    written, begun = [], set()
    for number, (section, slide) in enumerate(slides, 1):
        for part in slide:
            lead_to_page(part, shown, address)
        written.append(
            SLIDE.format(
                name=section if section not in begun else f"{section}-{number}",
                body="\n".join(part.decode() for part in slide),
                page=f"{address}#{section}",
                title=chapter.h1.decode_contents(),
                number=number,
                count=len(slides),
            )
        )
        begun.add(section)
    loaded = [part for part in page.head.select(LOADED) if RUNS_CODE not in part.decode()]
    title = f"{chapter.h1.get_text()}: slides"
    told = f"Slides of the chapter “{chapter.h1.get_text()}”: {chapter.p.get_text()}"
    return DECK.format(
        language=app.config.language,
        title=escape(title),
        book=escape(app.config.html_title),
        icon=Path(app.config.html_favicon).name,
        described=preview.head(app, f"{FOLDER}/{Path(address).stem}", title, told),
        loaded="\n".join(part.decode() for part in loaded),
        style=(HERE / "slides.css").read_text(encoding="utf-8"),
        script=(HERE / "slides.js").read_text(encoding="utf-8"),
        slides="".join(written),
    )


def slides_of(section):
    """Yield the slides of a section without those inside it, each a list of elements."""
    heading = section.find(["h1", "h2", "h3", "h4"], recursive=False)
    paragraphs = section.find_all("p", recursive=False)
    if heading.name == "h1":
        aims = section.find("ul", recursive=False)
        yield [heading, paragraphs[0], aims.find_previous_sibling("p"), aims]
        return
    said, shown = [], []
    for child in section.find_all(recursive=False):
        if part := shown_in(child):
            # What leads to the first part stands for what the section says first.
            said = said or ([] if shown else marked_before(child))
            shown.append(part)
        elif child.name == "p" and not shown_in(child.find_next_sibling()):
            (shown[-1] if shown else said).extend(marked(child))
    begun = {part.get_text() for part in shown[0]} if shown else set()
    said = said or [sentences(one)[0] for one in paragraphs[:1]]
    heading = rewritten("h2", heading.contents)
    first = [one for one in said if one.get_text() not in begun]
    yield [heading, *first, *(shown[0] if shown else [])]
    for part in shown[1:]:
        yield [heading, *part]


def marked(paragraph):
    """Return the sentences that an author has marked."""
    return [line for one in paragraph.select(".slide") for line in sentences(one)]


def shown_in(child):
    """Return what a slide shows of a part of a section, with the words that lead to it."""
    if child is None:
        return []
    kinds = child.get("class", [])
    if "math" in kinds:
        return [*led_to(child), child, *led_on(child)]
    if "pst-scrollable-table-container" in kinds:
        return [*led_to(child), child]
    if "nw-guess" in kinds or "theorem" in kinds:
        return [*marked_before(child), child]
    shown = child.select_one(f".cell_output :is(figure, {ALIVE}, table)")
    if shown:
        return [*marked_before(child), shown]
    if TAGGED in kinds:
        return [*led_to(child), rewritten("pre", [child.select_one(".cell_output pre").get_text()])]
    return []


def marked_before(child):
    """Return the marked sentences of the paragraph before."""
    before = child.find_previous_sibling()
    return marked(before) if before.name == "p" else []


def led_to(child):
    """Return the marked sentences of the paragraph before, or else its last."""
    before = child.find_previous_sibling()
    return marked(before) or sentences(before)[-1:] if before.name == "p" else []


def led_on(child):
    """Return the rest of the sentence that a formula stands in."""
    after = child.find_next_sibling()
    if after is None or after.name != "p":
        return []
    rest = sentences(after)[0]
    return [rest] if rest.get_text()[:1].islower() else []


def sentences(paragraph):
    """Return the sentences of a paragraph, a paragraph each: in a chapter's source each has a line.

    What they rest on is cited on the page.
    """
    lines = [[]]
    for part in paragraph.contents:
        if isinstance(part, NavigableString):
            first, *rest = part.split("\n")
            lines[-1].append(first)
            lines += [[one] for one in rest]
        elif "bibtex-citation" not in part.get("class", []):
            lines[-1].append(part)
        elif lines[-1] and isinstance(lines[-1][-1], str):
            lines[-1][-1] = lines[-1][-1].rstrip()
    return [rewritten("p", line) for line in lines]


def rewritten(name, parts):
    """Return an element of copies of the parts."""
    element = BeautifulSoup("", "html.parser").new_tag(name)
    for part in parts:
        element.append(copy(part) if not isinstance(part, str) else NavigableString(part))
    return element


def lead_to_page(part, shown, address):
    """Let links lead to what the deck does not hold."""
    folder = address.rpartition("/")[0]
    for link in part.select("a[href]"):
        place = link["href"]
        if place.startswith("#"):
            link["href"] = place if place[1:] in shown else address + place
        elif "://" not in place and not place.startswith(".."):
            link["href"] = f"{folder}/{place}"
