"""The directive ``{kernels}``: the table of kernels, with the columns that a page names."""

from fractions import Fraction
from math import isqrt

from sphinx.util.docutils import SphinxDirective

from attention_pooling import KERNELS, kernels


def setup(app):
    app.add_directive("kernels", KernelTable)


def reach(kernel):
    if not kernel.is_compact:
        return "everywhere"
    return rf"${'' if kernel.reach == 1 else format(kernel.reach, 'g')}\sigma$"


def equal_width(kernel):
    """Return the reciprocal of the spread, as a root where it is no whole number."""
    if not kernel.variance < float("inf"):
        return "none"
    square = 1 / Fraction(kernel.variance)
    if square.denominator > 1:
        return rf"$\sqrt{{{square}}}$"
    root = isqrt(square.numerator)
    return f"${root}$" if root**2 == square else rf"$\sqrt{{{square}}}$"


def efficiency(kernel):
    """Return with what share of the keys Epanechnikov's kernel does as well, at best widths."""
    if not kernel.variance < float("inf"):
        return "none"
    best = KERNELS["epanechnikov"]
    share = best.roughness * best.spread / (kernel.roughness * kernel.spread)
    return f"{100 * share:.1f} %"


COLUMNS = {
    "name": ("Kernel", lambda kernel: kernel.name),
    "formula": (r"Similarity $\alpha(u)$", lambda kernel: kernel.formula),
    "words": ("In words", lambda kernel: kernel.words),
    "reach": ("Reach", reach),
    "smoothness": ("Smoothness", lambda kernel: kernel.smoothness),
    "equal-width": ("σ that looks as wide as a Gaussian's 1", equal_width),
    "efficiency": ("Efficiency", efficiency),
}


def table(columns):
    """Return a row for each kernel, in Markdown."""
    titles, cells = zip(*(COLUMNS[name] for name in columns), strict=True)
    rows = [titles, ["---"] * len(titles)]
    rows += [[cell(kernel) for cell in cells] for kernel in KERNELS.values()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


class KernelTable(SphinxDirective):
    """A row for each kernel; the arguments name the columns."""

    required_arguments = 1
    optional_arguments = len(COLUMNS) - 1

    def run(self):
        """Have the table read as if it stood on the page."""
        for name in self.arguments:
            if name not in COLUMNS:
                raise self.error(f"column must be one of {', '.join(COLUMNS)}, got {name}")
        self.env.note_dependency(kernels.__file__)
        return self.parse_text_to_nodes(table(self.arguments))
