"""Write JupyterLite beside the pages."""

import json
import shutil
import subprocess
import sys

import nbformat

from .. import pyodide
from ..notebooks import wheel_name
from ..repository import ROOT
from . import in_browser

KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


def main():
    site, folder = ROOT / "_build" / "html", ROOT / "_build" / "lite"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "lite", folder)
    (folder / "files").mkdir()
    for path in sorted((site / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        # A notebook without a page belongs to one library and installs what it says.
        if (site / "chapters" / path.with_suffix(".html").name).is_file():
            notebook = in_browser(notebook)
        nbformat.write(notebook, folder / "files" / path.name)
    settings = json.loads((folder / "jupyter-lite.json").read_text(encoding="utf-8"))
    plugins = settings["jupyter-config-data"]["litePluginSettings"]
    # Its pages lie two folders below the site's root.
    plugins[KERNEL]["pyodideUrl"] = f"{pyodide.address('../../')}pyodide.js"
    (folder / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    download(folder / "requirements.txt", folder / "pypi")
    shutil.copy(site / "notebooks" / wheel_name(), folder / "pypi")
    command = [sys.executable, "-m", "jupyterlite_core.app", "build"]
    places = ["--lite-dir", str(folder), "--output-dir", str(site / "lite")]
    subprocess.run([*command, *places], check=True, cwd=folder)


def download(requirements, folder):
    """Download wheels that run anywhere, for a Python that is not the one at hand."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        + ["--no-deps", "--only-binary=:all:", "--platform=any", "--python-version=3.12"]
        + ["--requirement", str(requirements), "--dest", str(folder)],
        check=True,
    )


main()
