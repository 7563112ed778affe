"""How the pages of the book are built: a Sphinx extension that chapters never import."""

from . import (
    bound,
    docstrings,
    entrance,
    execution,
    explorer,
    figures,
    folds,
    formulas,
    frameworks,
    guess,
    kernels,
    launch,
    live,
    notebooks,
    preview,
    reading,
    references,
    repository,
    shared,
    slides,
    thebe,
)


def setup(app):
    """Connect each part of the site to the build."""
    repository.setup(app)
    references.setup(app)
    execution.setup(app)
    docstrings.setup(app)
    preview.setup(app)
    entrance.setup(app)
    figures.setup(app)
    folds.setup(app)
    formulas.setup(app)
    thebe.setup(app)
    explorer.setup(app)
    frameworks.setup(app)
    guess.setup(app)
    kernels.setup(app)
    notebooks.setup(app)
    launch.setup(app)
    bound.setup(app)
    reading.setup(app)
    live.setup(app)
    slides.setup(app)
    shared.setup(app)
    app.add_css_file("book.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
