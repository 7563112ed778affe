"""What stands on the cover: the first page's figure, one panel over the other."""

from io import BytesIO, StringIO
from textwrap import fill

import matplotlib.style
from matplotlib import rc_context
from matplotlib.figure import Figure

from .. import preview

WIDTH, HEIGHT = 5.6, 6.6  # inches


def svg():
    """Return the picture as SVG, to stand in a page."""
    drawn = StringIO()
    with rc_context({"svg.hashsalt": "book"}):
        figure().savefig(drawn, format="svg", dpi=200, metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def png(title):
    """Return a cover with a title on it, for shelves of e-books."""
    fig = figure(fill(title, 20))
    drawn = BytesIO()
    fig.savefig(drawn, format="png", dpi=200, metadata={"Software": None})
    return drawn.getvalue()


def figure(title=None):
    """Draw it."""
    with matplotlib.style.context("attention_pooling.book"):
        fig = Figure(figsize=(WIDTH, HEIGHT + 1.4 * bool(title)))
        if title:
            fig.get_layout_engine().set(w_pad=0.25, h_pad=0.25)
            fig.suptitle(title, size=26, weight="bold")
        preview.draw_idea(*fig.subplots(2, 1))
    return fig
