"""The Python that runs in a reader's browser: which release, and where pages find it.

With BOOK_PYODIDE=DIR, a folder with a release, the site holds a copy of it and asks no other host.
"""

import hashlib
import json
import os
import shutil
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
PLACE = f"pyodide/v{VERSION}/"


def given():
    """Return the folder that the build was given, or None."""
    return os.environ.get("BOOK_PYODIDE") or None


def address(site):
    """Return Pyodide's address for a page from which the site's root is at `site`."""
    return site + PLACE if given() else CDN


def copy(release, site):
    """Copy a release into the site, each package checked against the release's lock file."""
    release, folder = Path(release), Path(site, PLACE)
    lock = json.loads((release / "pyodide-lock.json").read_text(encoding="utf-8"))
    if lock["info"]["version"] != VERSION:
        found = lock["info"]["version"]
        raise ExtensionError(f"BOOK_PYODIDE must hold Pyodide {VERSION}, got {found}")
    sums = {one["file_name"]: one["sha256"] for one in lock["packages"].values()}
    missing = sorted(CORE - {path.name for path in release.iterdir()})
    if missing:
        raise ExtensionError(f"BOOK_PYODIDE must hold {', '.join(missing)}, got {release}")
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(release.iterdir()):
        if path.name in sums:
            if hashlib.sha256(path.read_bytes()).hexdigest() != sums[path.name]:
                raise ExtensionError(f"{path} differs from the one in Pyodide's lock file")
        elif path.name not in CORE:
            continue
        shutil.copyfile(path, folder / path.name)
