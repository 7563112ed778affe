"""The Python that runs in a reader's browser: which release, and where pages find it.

With BOOK_PYODIDE=DIR, a folder with a release, the site holds a copy of it and asks no other host.
"""

import hashlib
import json
import os
from pathlib import Path

from sphinx.errors import ExtensionError

VERSION = "0.27.7"
CDN = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
# What a browser loads besides the packages, which the release's lock file names.
CORE = {
    "pyodide.mjs",
    "pyodide.js",
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
}
# What chapters import, and what JupyterLite's kernel is made of; with them comes what they need.
PACKAGES = (
    *("numpy", "traitlets", "matplotlib", "scikit-learn"),
    *("ipython", "jedi", "micropip", "ssl", "sqlite3"),
)
PLACE = f"pyodide/v{VERSION}/"


def given():
    """Return the folder that the build was given, or None."""
    return os.environ.get("BOOK_PYODIDE") or None


def address(site):
    """Return Pyodide's address for a page from which the site's root is at `site`."""
    return site + PLACE if given() else CDN


def copy(release, site):
    """Copy what the book uses of a release, each package checked against the release's lock."""
    release, folder = Path(release), Path(site, PLACE)
    lock = json.loads((release / "pyodide-lock.json").read_text(encoding="utf-8"))
    if lock["info"]["version"] != VERSION:
        found = lock["info"]["version"]
        raise ExtensionError(f"BOOK_PYODIDE must hold Pyodide {VERSION}, got {found}")
    sums = {one["file_name"]: one["sha256"] for one in needed(lock["packages"])}
    missing = sorted(name for name in CORE | sums.keys() if not (release / name).is_file())
    if missing:
        raise ExtensionError(f"BOOK_PYODIDE must hold {', '.join(missing)}, got {release}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(CORE | sums.keys()):
        content = (release / name).read_bytes()
        if name in sums and hashlib.sha256(content).hexdigest() != sums[name]:
            raise ExtensionError(f"{release / name} differs from the one in Pyodide's lock file")
        (folder / name).write_bytes(content)


def needed(packages):
    """Return the entries of the lock file for our packages and what they depend on."""
    names, found = list(PACKAGES), {}
    while names:
        name = names.pop().lower().replace("_", "-")
        if name not in found:
            found[name] = packages[name]
            names += packages[name]["depends"]
    return found.values()
