"""Run by each kernel that makes a page's outputs.

Figures come as drawings, too. A drawing is sharp at every size, and its inks can be told apart, so
that the build can make a second one for dark pages. Notebooks ask for pictures, and keep them.

What a cell prints comes in one piece. Else it is sent every so often, also amid a line, and
MyST-NB ends a line wherever a piece ends.
"""

import sys
from io import StringIO


def drawing(fig):
    """Return a figure as SVG, the same text each time."""
    from matplotlib import rc_context
    from matplotlib.collections import QuadMesh

    # Thousands of cells are lighter as a picture.
    for mesh in fig.findobj(QuadMesh):
        mesh.set_rasterized(True)
    text = StringIO()
    with rc_context({"svg.hashsalt": "book"}):
        fig.savefig(text, format="svg", dpi=200, bbox_inches="tight", metadata={"Date": None})
    return {"image/svg+xml": text.getvalue()}


get_ipython().display_formatter.mimebundle_formatter.for_type_by_name(  # noqa: F821
    "matplotlib.figure", "Figure", drawing
)
for stream in (sys.stdout, sys.stderr):
    # Seconds; IPython sends what is left at the end of each cell.
    stream.flush_interval = 3600
