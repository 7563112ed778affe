"""A host as most are: what is text is sent in gzip."""

import contextlib
import gzip
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import pages

TEXTS = {".html", ".css", ".js", ".mjs", ".svg"}


class Host(pages.Quiet):
    """Say of what is text that it is in gzip."""

    def end_headers(self):
        """Add what the browser has to undo."""
        if Path(self.path.split("?")[0]).suffix in TEXTS:
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()


@contextlib.contextmanager
def hosted():
    """Serve the book and yield its address, with the folder of the files as they are sent."""
    with tempfile.TemporaryDirectory() as folder:
        for file in pages.HTML.rglob("*"):
            if file.is_file() and "lite" not in file.parts:
                copy = Path(folder, file.relative_to(pages.HTML))
                copy.parent.mkdir(parents=True, exist_ok=True)
                whole = file.read_bytes()
                copy.write_bytes(gzip.compress(whole) if file.suffix in TEXTS else whole)
        with pages.served(folder, Host) as address:
            yield address, Path(folder)
