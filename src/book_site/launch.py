"""The ways out of a page into a notebook that runs: a menu on every chapter."""

import os

from .notebooks import is_notebook, notebook_name, wheel_name
from .repository import BRANCH, FOLDER


def setup(app):
    # The page links to what `make site` puts beside it, which is not there after `make book`.
    app.add_config_value("book_lite", lambda config: "BOOK_LITE" in os.environ, "html")
    # After the theme, which offers the page's source for download.
    app.connect("html-page-context", offer, priority=600)


def offer(app, pagename, templatename, context, doctree):
    if not is_notebook(app.env, pagename):
        return
    notebook, pathto = notebook_name(pagename), context["pathto"]
    download = button(
        ".ipynb",
        "Download this chapter as a notebook",
        "fas fa-download",
        pathto(f"notebooks/{notebook}", resource=True),
    )
    menus = context["header_buttons"]
    for menu in menus:
        if menu.get("label") == "download-buttons":
            # The source in MyST is for authors; what a reader can run is the notebook.
            print_alone = [way for way in menu["buttons"] if way["type"] == "javascript"]
            menu["buttons"] = [download, *package(app.config, pathto), *print_alone]
    ways = [*launches(app.config, notebook, pathto)]
    if ways:
        menus.insert(
            0,
            {
                "type": "group",
                "tooltip": "Open this chapter as a notebook",
                "icon": "fas fa-rocket",
                "buttons": ways,
                "label": "launch-buttons",
            },
        )


def launches(config, notebook, pathto):
    """Yield a button for each place where the notebook can be opened."""
    if config.book_lite:
        yield button(
            "JupyterLite",
            "Run in this browser, with nothing to install",
            "_static/images/logo_jupyterlite.svg",
            f"{pathto('lite/notebooks/index.html', resource=True)}?path={notebook}",
        )
    repository = config.book_repository
    if repository:
        yield button(
            "Colab",
            "Run on Google Colab",
            "_static/images/logo_colab.png",
            f"https://colab.research.google.com/github/{repository.published(notebook)}",
        )
        yield button(
            "Binder",
            "Run on Binder",
            "_static/images/logo_binder.svg",
            f"https://mybinder.org/v2/gh/{repository.owner}/{repository.name}/{BRANCH}"
            f"?urlpath=lab/tree/{FOLDER}/{notebook}",
        )
        yield button(
            "Studio Lab",
            "Run on SageMaker Studio Lab",
            "fas fa-flask",
            f"https://studiolab.sagemaker.aws/import/github/{repository.published(notebook)}",
        )


def package(config, pathto):
    """Yield a button for the wheel, which a notebook of no known repository needs beside it."""
    if not config.book_repository:
        yield button(
            ".whl",
            "Download the package, to lie beside the notebook",
            "fas fa-box",
            pathto(f"notebooks/{wheel_name()}", resource=True),
        )


def button(text, tooltip, icon, url):
    return {"type": "link", "text": text, "tooltip": tooltip, "icon": icon, "url": url}
