"""A progress bar for what takes long, where somebody is looking."""

import sys

DELAY = 2
"""Seconds without a bar."""


def watched(steps):
    """Return the steps, with a progress bar in a live session that has waited a while."""
    if len(steps) == 1 or not _is_live():
        return steps
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return steps
    return tqdm(steps, delay=DELAY, leave=False, desc="pooling")


def _is_live():
    """Tell a terminal or a reader's notebook from a script or the build of the book."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return sys.stderr is not None and sys.stderr.isatty()
    # A front end with a reader offers to ask for input; a program that runs notebooks does not.
    return bool(getattr(kernel, "_allow_stdin", False))
