"""Chapters run side by side before Sphinx reads them, which would run one after another."""

import logging
import os
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from myst_nb.core.read import is_myst_markdown_notebook

READER = {"name": "myst_nb_md", "type": "plugin"}


def setup(app):
    app.connect("env-before-read-docs", execute)


def execute(app, env, docnames):
    """Put the outputs of changed chapters into the cache; MyST-NB reports what fails."""
    config = env.mystnb_config
    paths = [Path(env.doc2path(name)) for name in docnames]
    chapters = [path for path in paths if is_myst_markdown_notebook(path.read_text("utf-8"))]
    if config.execution_mode != "cache" or not chapters:
        return
    cache = get_cache(config.execution_cache_path)
    keys = [cache.add_nb_to_project(str(path), read_data=READER).pk for path in chapters]
    # Its processes would tell of their beginning and end as well.
    logger = logging.getLogger(__name__)
    logger.setLevel(logging.WARNING)
    executor = load_executor("local-parallel", cache, logger)
    # Side by side, libraries with threads of their own would take the processors from each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    executor.run_and_cache(filter_pks=keys, timeout=config.execution_timeout)
