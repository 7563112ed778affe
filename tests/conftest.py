"""How the tests run: the same examples each time, without a stopwatch, and a browser if any."""

import os

import pages
import pytest
from hypothesis import settings

settings.register_profile("book", deadline=None, max_examples=50, derandomize=True)
# What is drawn anew each time may find what the same examples never will.
settings.register_profile("thorough", deadline=None, max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "book"))


@pytest.fixture(scope="session")
def chromium():
    if not pages.installed_chromium():
        missing = pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip
        missing("no chromium on this machine")
    with pages.browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def site():
    """The address of the built book."""
    if not (pages.HTML / "index.html").is_file():
        pytest.fail(f"no built book in {pages.HTML}: run `make book`, or set BOOK_HTML")
    with pages.served(pages.HTML) as address:
        yield address
