"""Time a clean build of a copy of the book, and one after an edit of prose, against targets."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT = ("_build", ".venv", ".venv-frameworks", ".git", "__pycache__")
TARGETS = {"clean": 150.0, "one edit of prose": 8.0}  # seconds


def timed_build(book):
    """Return how many seconds one build takes."""
    start = time.perf_counter()
    subprocess.run(["make", "book"], cwd=book, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    """Print both times, and fail if one misses its target."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder, "book")
        shutil.copytree(ROOT, book, ignore=shutil.ignore_patterns(*LEFT), symlinks=True)
        (book / ".venv").symlink_to(ROOT / ".venv")
        seconds = {"clean": timed_build(book)}
        with (book / "chapters" / "kernels.md").open("a", encoding="utf-8") as chapter:
            chapter.write("\nOne sentence more.\n")
        seconds["one edit of prose"] = timed_build(book)
    print(f"{'build':24} {'seconds':>8}  target")
    for name, target in TARGETS.items():
        print(f"{name:24} {seconds[name]:8.1f}  {target:.0f}")
    sys.exit(any(seconds[name] > target for name, target in TARGETS.items()))


if __name__ == "__main__":
    main()
