"""Run by each kernel that makes a page's outputs: figures come as drawings, too.

A drawing is sharp at every size, and its inks can be told apart, so that the build can make a
second one for dark pages. Notebooks ask for pictures, and keep them.
"""

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
