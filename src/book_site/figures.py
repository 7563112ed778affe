"""Figures in both themes, each loaded when it is near and shown.

One drawing cannot follow the page's switch in every browser, so there are two: the second has its
greys turned around, from paper to the ground of a dark page, and keeps every colour, for colours
mean the same everywhere.
"""

import os
import re
import shutil
from pathlib import Path

IN_KERNEL = Path(__file__).with_name("in_kernel.py")
PAPER, INK = 0x12, 0xE8  # grey levels of a dark page's ground and of its text
GREY = re.compile(r"#([0-9a-f]{2})\1\1\b")
IMAGE = re.compile(r'<img ([^>]*?)src="([^"]*_images/([^"/]+))\.(svg|png)"([^>]*?) ?/?>')


def setup(app):
    app.connect("builder-inited", prepare_kernels)
    app.connect("build-finished", darken)


def prepare_kernels(app):
    """Let IPython start with a file of ours in the kernels that run the chapters."""
    folder = Path(app.outdir).parent / "ipython"
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    shutil.copy(IN_KERNEL, startup / "00-book.py")
    os.environ["IPYTHONDIR"] = str(folder)


def darken(app, exception):
    """Write beside each drawing the one for dark pages."""
    if exception or app.builder.format != "html":
        return
    for path in sorted(Path(app.outdir, "_images").glob("*.svg")):
        if not path.stem.endswith("-dark"):
            text = path.read_text(encoding="utf-8")
            path.with_name(f"{path.stem}-dark.svg").write_text(dark(text), encoding="utf-8")


def dark(drawing):
    """Return a drawing for a dark page.

    Examples
    --------
    >>> dark('<svg width="1pt"><path style="fill: #ffffff; stroke: #0072b2"/></svg>')
    '<svg fill="#e8e8e8" width="1pt"><path style="fill: #121212; stroke: #0072b2"/></svg>'
    """
    # What is black is not said in a drawing, for it is so by itself.
    ink = f"#{INK:02x}{INK:02x}{INK:02x}"
    return GREY.sub(turned, drawing).replace("<svg ", f'<svg fill="{ink}" ', 1)


def turned(grey):
    """Return a grey between ink and paper as far from the one as it was from the other."""
    level = round(INK + (PAPER - INK) * int(grey[1], 16) / 255)
    return f"#{level:02x}{level:02x}{level:02x}"


def in_both_themes(page, read):
    """Return a page in which each figure has two drawings, of which its theme shows one.

    ``read(file)`` returns the text of a drawing that the page shows.
    """

    def both(image):
        before, start, name, kind, after = image.groups()
        given = f'{before}{after} loading="lazy" decoding="async"'
        if kind == "png":
            return f'<img src="{start}.png" {given}>'
        size = room(read(f"{name}.svg"))
        # Within an element of their own: the theme hides the caption beside a hidden figure.
        two = "".join(
            f'<img class="only-{theme}" src="{start}{ending}.svg" {size} {given}>'
            for theme, ending in (("light", ""), ("dark", "-dark"))
        )
        return f"<span>{two}</span>"

    return IMAGE.sub(both, page)


def room(drawing):
    """Return a drawing's size as attributes, so that nothing moves when it comes."""
    width, height = re.search(
        r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', drawing
    ).groups()
    # A point is a third more than a pixel.
    return f'width="{round(float(width) / 0.75)}" height="{round(float(height) / 0.75)}"'
