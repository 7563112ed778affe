"""The still figure that stands where nothing can be dragged."""

import base64
import io
from html import escape


def still_image(draw, width, height, alt):
    """Return what `draw` puts into a figure as an HTML image, the same bytes for the same state.

    Parameters
    ----------
    draw : callable
        Called with a figure in the book's style.
    width, height : int
        In pixels.
    alt : str
        Text alternative.

    Returns
    -------
    str
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
    return (
        f'<img class="nw-still" alt="{escape(alt)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}">'
    )
