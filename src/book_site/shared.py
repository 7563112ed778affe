"""What all pages load: one style sheet, and one script that waits until the page is parsed.

The theme and the extensions bring a dozen of each. Joined, they are asked for at once; of the style
rules, most of which are for what other books show, those stay that can apply on a page of this one.
"""

import re
import zlib
from pathlib import Path

from . import assets, explorer, mend

HERE = Path(__file__).parent
STYLE, SCRIPT = "_static/site.css", "_static/site.js"
# The theme puts these around those that Sphinx knows.
FIRST_STYLES = ("_static/basic.css", "_static/styles/pydata-sphinx-theme.css")
THEME = ("_static/scripts/bootstrap.js", "_static/scripts/pydata-sphinx-theme.js")
COPYING = re.compile("clipboard|copybutton")
# What reads sizes, or adds what few readers use, waits until the page has been drawn.
LATE = "requestAnimationFrame(() => setTimeout(() => {\n%s\n}));"
# Pages elsewhere load these alone, and so do pages of the book that show a figure.
OURS = (*explorer.FIGURES, "guess")
APART = tuple(f"_static/{explorer.STYLE.format(name=name)}" for name in OURS)
# Scripts that name a class give it to what they make.
NAMING = ("live/*.mjs", *(f"{name}/*.mjs" for name in OURS))
ICON_FONT = re.compile(r"@font-face\s*{[^}]*Font Awesome[^}]*}")
ADDRESS = re.compile(r"url\(([\"']?)(?!data:|#|https?:)([^)\"']+)\1\)")


def setup(app):
    app.config.templates_path.append(str(HERE / "theme"))
    # The joined sheet is written with the pages, so that they are once more when ours changes.
    app.add_config_value("book_style", lambda config: checksum(app.srcdir), "html")
    # After all that adds or copies files.
    app.connect("html-page-context", replace, priority=900)
    app.connect("build-finished", write, priority=900)


def checksum(folder):
    """Return what tells one state of the chapters' own files from another."""
    files = sorted(Path(folder, "chapters", "_static").glob("*.css"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files))


def replace(app, pagename, templatename, context, doctree):
    """Let a page ask for the joined files in the place of those that are joined."""
    styles = {path(style): style for style in context["css_files"]}
    scripts = {path(script): script for script in context["script_files"] if path(script)}
    context["css_files"] = [style for name, style in styles.items() if name in APART]
    # Options of the theme for what this book does without, which are written before there are any.
    inline = {script.attributes.get("body"): script for script in context["script_files"]}
    context["script_files"] = [
        script
        for text, script in inline.items()
        if text and not text.startswith("DOCUMENTATION_OPTIONS")
    ]
    attributes = {}
    for script in scripts.values():
        attributes |= script.attributes
    context["joined_script_attributes"] = attributes
    copying = [name for name in scripts if COPYING.search(name)]
    app.joined = (
        [*FIRST_STYLES, *(name for name in styles if name not in APART)],
        [name for name in scripts if name not in copying]
        + sorted(map(str, HERE.glob("theme/*.js"))),
        copying,
        THEME,
    )


def path(file):
    """Return where a file that Sphinx knows lies in the site, or None for an inline script."""
    return str(file.filename) if file.filename else None


def write(app, exception):
    """Write both files, and into each page which version of them it asks for."""
    if exception or app.builder.format != "html" or not hasattr(app, "joined"):
        return
    site = Path(app.outdir)
    styles, scripts, *late = ([Path(site, name) for name in names] for names in app.joined)
    pages = [page for page in sorted(site.rglob("*.html")) if "lite" not in page.parts]
    naming = [file for pattern in NAMING for file in sorted((site / "_static").glob(pattern))]
    tasks = [LATE % joined(part) for part in late]
    assets.node(
        "join.cjs",
        {
            "styles": "\n".join(rebased(style, site / "_static") for style in styles),
            "scripts": mend.script(";\n".join([joined(scripts), *tasks])),
            "content": [*pages, *scripts, *sum(late, []), *naming],
            "style": site / STYLE,
            "script": site / SCRIPT,
        },
    )
    files = {name: Path(site, name).read_bytes() for name in (STYLE, SCRIPT)}
    versions = {name: f"{zlib.crc32(written):08x}" for name, written in files.items()}
    asked = re.compile(rf"({'|'.join(map(re.escape, versions))})\?v=\w*")
    # Each page once, and slides after chapters: they are made anew where they are older.
    for page in pages:
        text = page.read_text(encoding="utf-8")
        changed = asked.sub(lambda one: f"{one[1]}?v={versions[one[1]]}", text)
        if changed != text:
            page.write_text(changed, encoding="utf-8")


def joined(scripts):
    """Return scripts as one."""
    return ";\n".join(script.read_text(encoding="utf-8") for script in scripts)


def rebased(style, folder):
    """Return a style sheet as it reads from another folder, without the fonts of icons."""
    text = ICON_FONT.sub("", style.read_text(encoding="utf-8"))
    up = style.parent.relative_to(folder).as_posix()
    text = ADDRESS.sub(lambda one: f'url("{up}/{one[2]}")', text)
    # Text is there to be read at once, in another typeface if need be.
    return text.replace("font-display:block", "font-display:swap")
