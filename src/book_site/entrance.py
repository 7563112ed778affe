"""The book's address alone leads to its first page.

sphinx-external-toc would write a page there that has neither language, title, icon nor link.
"""

from html import escape
from pathlib import Path

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="_static/{icon}">
<meta http-equiv="refresh" content="0; url={first}">
</head>
<body><p><a href="{first}">{title}</a></p></body>
</html>
"""


def setup(app):
    app.connect("builder-inited", write)


def write(app):
    if app.builder.format != "html":
        return
    page = PAGE.format(
        language=app.config.language,
        title=escape(app.config.html_title),
        icon=Path(app.config.html_favicon).name,
        first=app.builder.get_target_uri(app.config.root_doc),
    )
    Path(app.outdir, "index.html").write_text(page, encoding="utf-8")
