"""Two addresses without a page of the book: the site's own, and any that leads nowhere.

At the first, sphinx-external-toc would write a page that has neither language, title, icon nor
link. The second is what a host shows, from whatever folder, so that it needs nothing beside it.
"""

from html import escape
from pathlib import Path

from . import preview

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{root}_static/{icon}">{head}
<style>:root {{ color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }}
body {{ background: Canvas; color: CanvasText }}
main {{ max-width: 34rem; margin: 15vh auto; padding: 0 1rem }}
@media (prefers-color-scheme: dark) {{ a {{ color: #8ab4f8 }} }}</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""


def setup(app):
    app.connect("build-finished", write)


def write(app, exception):
    """Write a page that leads on to the book's first, and one for what is not there."""
    if exception or app.builder.format != "html":
        return
    config, first = app.config, app.builder.get_target_uri(app.config.root_doc)
    book = escape(config.html_title)
    shared = {"language": config.language, "icon": Path(config.html_favicon).name}
    # On an incremental build the first page may not be written again.
    text = preview.beginning(app.env.get_doctree(config.root_doc))
    head = preview.head(app, config.root_doc, book, text, up="")
    page = PAGE.format(
        **shared,
        root="",
        title=book,
        head=f'{head}<meta http-equiv="refresh" content="0; url={first}">',
        body=f'<h1><a href="{first}">{book}</a></h1>\n<p>{escape(text)}</p>',
    )
    Path(app.outdir, "index.html").write_text(page, encoding="utf-8")
    root = config.html_baseurl
    page = PAGE.format(
        **shared,
        root=root,
        title=f"Not here · {book}",
        head='\n<meta name="robots" content="noindex">'
        f'\n<meta name="description" content="A page of {book} that is not there.">',
        body="<h1>There is no page at this address</h1>\n"
        f'<p>The link may be old, or mistyped. The book begins <a href="{root}{first}">here</a>, '
        f'and its <a href="{root}search.html">search</a> may find what was meant.</p>',
    )
    Path(app.outdir, "404.html").write_text(page, encoding="utf-8")
