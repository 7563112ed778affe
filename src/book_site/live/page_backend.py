"""Matplotlib's own canvas for pictures, with a `plt.show()` that shows them in the page."""

from kernel import show_figures as show  # noqa: F401
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas  # noqa: F401
