"""The still figure that stands where nothing can be dragged."""

import base64
import io
import json
from html import escape


def still_picture(draw, width, height):
    """Return what `draw` puts into a figure as a PNG image, the same bytes for the same state.

    Parameters
    ----------
    draw : callable
        Called with a figure in the book's style.
    width, height : int
        In pixels.

    Returns
    -------
    str
        In base64, as notebooks have it.
    """
    import matplotlib.style
    from matplotlib.figure import Figure
    from PIL import Image

    with matplotlib.style.context("attention_pooling.book"):
        fig = Figure(figsize=(width / 100, height / 100), dpi=100)
        draw(fig)
        drawn = io.BytesIO()
        fig.savefig(drawn, format="png", dpi=100)
    picture = io.BytesIO()
    # A palette holds a few inks, their edges and one colour map in a third of the bytes.
    Image.open(drawn).convert("RGB").quantize(256).save(picture, "png", optimize=True)
    return base64.b64encode(picture.getvalue()).decode()


def still_image(picture, width, height, alt):
    """Return a still picture as an HTML image.

    Parameters
    ----------
    picture : str
        A PNG image in base64.
    width, height : int
        In pixels.
    alt : str
        Text alternative.

    Returns
    -------
    str
    """
    return (
        f'<img class="nw-still" alt="{escape(alt)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{picture}">'
    )


def living(names, label, still, start):
    """Return a still image, and beside it the data from which a page comes alive.

    Parameters
    ----------
    names : str
        Classes of the figure's root.
    label : str
        What it is called where it is not seen.
    still : str
        The image, as HTML.
    start : dict
        Data, without NaN.

    Returns
    -------
    str
    """
    # A "</script>" in a reader's text must not end the element.
    data = json.dumps(start, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="{names}" role="group" aria-label="{label}">{still}'
        f'<script type="application/json">{data}</script></div>'
    )


def label_axis(axis, label):
    """Label an axis of the still figure with a reader's own words.

    They are no mathematics, whatever signs are in them, and they are left out where no font on this
    machine has their letters, which the page's own fonts have.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    label : str
    """
    from matplotlib import font_manager

    letters = {ord(letter) for letter in label if letter.isprintable()}
    usual = font_manager.findfont(font_manager.FontProperties())
    others = sorted({entry.fname for entry in font_manager.fontManager.ttflist})
    for path in (usual, *others):
        if letters <= font_manager.get_font(path).get_charmap().keys():
            font = font_manager.FontProperties(fname=path, size=axis.label.get_size())
            axis.set_label_text(label, parse_math=False, fontproperties=font)
            break


def checked_text(name, text):
    """Return a text that a figure is to show, refusing what is none."""
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a text, got {text!r:.60}")
    return text


def checked_choice(name, choice, choices):
    """Return what is one of the choices, refusing everything else."""
    if choice not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {choice!r}")
    return choice
