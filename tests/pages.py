"""Serve the built book and open it in a browser, for the tests and for the measurements."""

import contextlib
import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
# The first has no windows of its own, which cost as much as many a page.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Letters as a browser with windows draws them.
    "--font-render-hinting=slight",
]


# Pages that teach nothing of their own.
AROUND = {"index", "exercises", "summary", "departures", "api", "teaching", "about", "references"}


def listed():
    """Return the names of the pages, in the order of the book."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    parts = contents["parts"]
    paths = [contents["root"], *(entry["file"] for part in parts for entry in part["chapters"])]
    return [Path(path).name for path in paths]


def chapters():
    """Return the names of the chapters that hold code, in the order of the book."""
    texts = {name: (ROOT / "chapters" / f"{name}.md").read_text("utf-8") for name in listed()}
    return [name for name, text in texts.items() if "kernelspec" in text]


def every_page():
    """Return the built pages by their addresses in the book."""
    every = (page.relative_to(HTML).as_posix() for page in sorted(HTML.rglob("*.html")))
    return [page for page in every if not page.startswith(("_static/", "lite/"))]


def to_read():
    """Return the built pages but for slides, which show what their chapters show."""
    return [page for page in every_page() if not page.startswith("slides/")]


def with_explorers():
    """Return the pages to read that contain an explorer."""
    mark = 'class="nw-explorer'
    return [page for page in to_read() if mark in (HTML / page).read_text(encoding="utf-8")]


def installed_chromium():
    """Return the path of the system's Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def browser():
    """Open Chromium without a window."""
    # Here, so that tests without a browser run where no driver of one is installed.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=installed_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


# Counted in the page: of what it asks for, a driver on a busy machine may miss the end.
SETTLED = """() => {
  const before = window.loaded;
  window.loaded = performance.getEntriesByType("resource").length;
  return document.readyState === "complete" && window.loaded === before;
}"""


class Window:
    """A page of the browser that tests take in turns, for a new one costs thrice as much."""

    def __init__(self, context):
        self.page = context.new_page()
        self._size = self.page.viewport_size
        self._listening = []

    def listen(self, event, listener):
        """Listen to the page until the test is over."""
        self.page.on(event, listener)
        self._listening.append((event, listener))

    def overhear(self):
        """Return lists that fill with what the page asks for, and with what it complains of."""
        requests, complaints = [], []
        self.listen("request", lambda request: requests.append(request.url))
        self.listen("pageerror", lambda error: complaints.append(str(error)))
        self.listen(
            "console",
            lambda message: message.type == "error" and complaints.append(message.text),
        )
        return requests, complaints

    def settle(self):
        """Wait until half a second brings nothing more."""
        self.page.wait_for_function(SETTLED, polling=500)

    def tidy(self):
        """Forget all that a test has done."""
        for event, listener in self._listening:
            self.page.remove_listener(event, listener)
        self._listening.clear()
        self.page.unroute_all()
        if self.page.url.startswith(("http:", "file:")):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.mouse.move(0, 0)
        self.page.goto("about:blank")
        self.page.emulate_media(media="null")
        self.page.set_viewport_size(self._size)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Hands out files."""

    def log_message(self, *_):
        """Say nothing: only what a test expects is worth a line."""


class _Server(http.server.ThreadingHTTPServer):
    # A caller whom a busy machine's queue of five turns away calls again after seconds.
    request_queue_size = 128

    def handle_error(self, *_):
        """Say nothing: a browser that leaves a page hangs up on what it still asked for."""


@contextlib.contextmanager
def served(folder, host=Quiet):
    """Serve a folder on a free port of this machine and yield its address."""
    handler = functools.partial(host, directory=folder)
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
