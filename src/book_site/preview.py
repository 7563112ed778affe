"""What others see of a page before they open it: search engines, and whoever is sent its link."""

import json
import re
from html import escape
from math import exp
from pathlib import Path

import matplotlib.style
from docutils import nodes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from attention_pooling import mcycle, nadaraya_watson
from attention_pooling.figures import COLORS, draw_estimate, draw_weights

PICTURE, TOUCH_ICON = "_static/preview.png", "_static/touch-icon.png"
SIZE = 1200, 630  # pixels, as the networks ask for
PICTURED = (
    "133 measurements with the estimate as a curve through them, and its attention weights as a "
    "heatmap."
)
LICENSE = "https://creativecommons.org/licenses/by-sa/4.0/"
LONGEST = 170  # letters of a description that a list of results shows


def setup(app):
    app.connect("config-inited", know_address)
    app.connect("builder-inited", draw)
    app.connect("html-page-context", describe)
    app.connect("build-finished", list_pages)


def know_address(app, config):
    """Let Sphinx name the one address of each page where the book's own is known."""
    if config.book_repository:
        config.html_baseurl = config.book_repository.pages


def draw(app):
    """Draw the picture and the icon, the same bytes each time."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.style.context("attention_pooling.book"):
        fig = Figure(figsize=(SIZE[0] / 150, SIZE[1] / 150), dpi=150)
        fig.get_layout_engine().set(w_pad=0.15, h_pad=0.15, wspace=0.06)
        fig.suptitle(app.config.html_title, size=20, weight="bold")
        draw_idea(*fig.subplots(1, 2))
        fig.savefig(Path(app.outdir, PICTURE), metadata={"Software": None})
        # The site's icon: a bump of similarity over a query.
        fig = Figure(figsize=(1.8, 1.8), dpi=100, layout="none")
        ax = fig.add_axes((0, 0, 1, 1), xlim=(-3.2, 3.2), ylim=(-0.25, 1.2))
        ax.axis("off")
        places = [step / 20 for step in range(-52, 53)]
        heights = [exp(-(place**2)) for place in places]
        ax.plot(places, heights, color=COLORS["estimate"], lw=10, solid_capstyle="round")
        ax.plot(0, 0, "o", color=COLORS["query"], ms=24)
        fig.savefig(Path(app.outdir, TOUCH_ICON), metadata={"Software": None})


def draw_idea(first, second):
    """Draw an estimate and its attention weights."""
    crash = mcycle()
    estimate, weights = nadaraya_watson(crash.queries, crash.keys, crash.values, sigma=1.0)
    draw_estimate(first, crash, estimate)
    first.set(xlabel="time after impact (ms)", ylabel="acceleration (g)")
    mesh = draw_weights(second, crash.queries, crash.keys, weights, PowerNorm(1 / 3, 0, 1))
    # Thousands of cells are lighter as a picture.
    mesh.set_rasterized(True)
    second.set(xlabel="key", ylabel="query")


def describe(app, pagename, templatename, context, doctree):
    """Put into a page's head what others show of it."""
    title = re.sub(r"<[^>]+>", "", context.get("title") or "")
    if doctree:
        told = head(app, pagename, title, beginning(doctree))
    else:
        # What lists or finds places is not itself to be found.
        title = title or context.get("indextitle") or pagename
        context["title"] = title
        text = escape(f"{title}: {app.config.html_title}")
        told = f'<meta name="description" content="{text}">\n<meta name="robots" content="noindex">'
    context["metatags"] = context.get("metatags", "") + told


def head(app, pagename, title, text, up=None):
    """Return the elements that describe a page; `up` leads from it to the site's root."""
    book, base = app.config.html_title, app.config.html_baseurl
    root = base or ("../" * pagename.count("/") if up is None else up)
    is_root = pagename == app.config.root_doc
    title = book if is_root else title
    properties = {
        "og:type": "book" if is_root else "article",
        "og:site_name": book,
        "og:title": title,
        "og:description": text,
        "og:image": root + PICTURE,
        "og:image:width": SIZE[0],
        "og:image:height": SIZE[1],
        "og:image:alt": PICTURED,
    }
    if base:
        properties["og:url"] = base + app.builder.get_target_uri(pagename)
    lines = [f'<meta name="description" content="{escape(text)}">']
    lines += [
        f'<meta property="{name}" content="{escape(str(value))}">'
        for name, value in properties.items()
    ]
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    # Networks that have a card of their own read the rest from above.
    lines.append(f'<link rel="apple-touch-icon" href="{root}{TOUCH_ICON}">')
    data = {
        "@context": "https://schema.org",
        "@type": ["Book" if is_root else "Chapter", "LearningResource"],
        "name": title,
        "description": text,
        "inLanguage": app.config.language,
        "license": LICENSE,
        "isAccessibleForFree": True,
        "image": root + PICTURE,
    }
    if base:
        data["url"] = properties["og:url"]
    if is_root:
        data |= {"learningResourceType": "textbook", "educationalUse": "self-study"}
        data["about"] = ["attention", "kernel regression", "transformers"]
    else:
        data["isPartOf"] = {"@type": "Book", "name": book} | ({"url": base} if base else {})
    plain = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    lines.append(f'<script type="application/ld+json">{plain}</script>')
    return "\n".join(["", *lines, ""])


def beginning(doctree):
    """Return a page's first sentences, without formulas, as long as a list of results shows."""
    text = ""
    for paragraph in doctree.findall(nodes.paragraph):
        # What stands in a table, a box or a list says little without the rest of it.
        is_text = isinstance(paragraph.parent, nodes.section) and not paragraph["classes"]
        if is_text and next(paragraph.findall(nodes.math), None) is None:
            text = f"{text} {' '.join(paragraph.astext().split())}".strip()
        if len(text) > LONGEST / 2:
            break
    if len(text) <= LONGEST:
        return text
    whole = [end.end() for end in re.finditer(r"[.?!](?= )", text[:LONGEST])]
    if whole and whole[-1] > LONGEST / 3:
        return text[: whole[-1]]
    return text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def list_pages(app, exception):
    """List the pages for search engines, which take whole addresses only."""
    base = app.config.html_baseurl
    if exception or app.builder.format != "html" or not base:
        return
    places = [base + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    entries = "".join(f"<url><loc>{escape(place)}</loc></url>\n" for place in places)
    Path(app.outdir, "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n',
        encoding="utf-8",
    )
