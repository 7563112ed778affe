"""How the tests run: the same examples each time, without a stopwatch, and a browser if any.

What a test asks for says what it needs, so `make check` leaves out whatever needs more than Python.
"""

import contextlib
import os

import pages
import pyodide
import pytest
from hypothesis import settings

settings.register_profile("book", deadline=None, max_examples=50, derandomize=True)
# What is drawn anew each time may find what the same examples never will.
settings.register_profile("thorough", deadline=None, max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "book"))

# The marker of a test that uses the fixture; `make check` runs the tests without any.
MARKERS = {
    "chromium": "browser",
    "html": "book",
    "environments": "network",
    "pyodide_folder": "network",
    "live": "network",
    "own_site": "network",
    "everything": "slow",
}
# What takes long to make is made in one process, which runs all tests that use it.
SHARED = {
    "known",
    "unknown",
    "everything",
    "environments",
    "pyodide_folder",
    "explorer",
    "client",
    "complaints",
    "computed",
    "programs",
    "live",
    "sheets",
}


@pytest.hookimpl(tryfirst=True)  # before tests are selected and shared out
def pytest_collection_modifyitems(items):
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for fixture in MARKERS.keys() & used:
            item.add_marker(MARKERS[fixture])
        for fixture in SHARED & used:
            item.add_marker(pytest.mark.xdist_group(fixture))
    # Whoever begins with the longest is not left alone with it at the end.
    long = ("network", "slow")
    items.sort(
        key=lambda item: (
            "environments" not in getattr(item, "fixturenames", ()),
            not any(map(item.get_closest_marker, long)),
        )
    )


def pytest_xdist_auto_num_workers(config):
    # "auto" is one more than there are processors: tests wait for browsers and for limits of time.
    return os.cpu_count() + (config.option.numprocesses == "auto")


@pytest.fixture(scope="session")
def chromium():
    if not pages.installed_chromium():
        missing = pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip
        missing("no chromium on this machine")
    with pages.browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def windows(chromium):
    """Windows of the browser by their settings, each opened once."""
    made = {}
    with contextlib.ExitStack() as stack:

        def window(**settings):
            name = repr(sorted(settings.items()))
            if name not in made:
                made[name] = pages.Window(stack.enter_context(chromium.new_context(**settings)))
            return made[name]

        yield window


@pytest.fixture
def window(windows):
    """Return a function that takes a context's settings and returns a window, as if it were new."""
    used = []

    def take(**settings):
        used.append(windows(**settings))
        return used[-1]

    yield take
    for taken in used:
        taken.tidy()


@pytest.fixture
def desktop(window):
    return window(viewport={"width": 1280, "height": 900})


@pytest.fixture
def phone(window):
    return window(viewport={"width": 390, "height": 844}, has_touch=True, device_scale_factor=2)


@pytest.fixture(scope="session")
def html():
    """The folder of the built book."""
    if not (pages.HTML / "index.html").is_file():
        pytest.fail(f"no built book in {pages.HTML}: run `make book`, or set BOOK_HTML")
    return pages.HTML


@pytest.fixture(scope="session")
def site(html):
    """The address of the built book."""
    with pages.served(html) as address:
        yield address


@pytest.fixture(scope="session")
def own_site(html, tmp_path_factory):
    """The address of the built book as it is when the build was given Pyodide."""
    with pages.served(pyodide.on_site(html, tmp_path_factory.mktemp("site"))) as address:
        yield address
