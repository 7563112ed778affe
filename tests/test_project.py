"""What is written down twice must say the same, and what is shipped must be whole."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}


def tracked(*paths):
    listing = subprocess.run(
        ["git", "ls-files", "-z", *paths], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [path for path in listing.stdout.split("\0") if (ROOT / path).is_file()]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def bounds(requirements):
    parsed = map(Requirement, requirements)
    return {CONDA_NAMES.get(one.name, one.name): one.specifier for one in parsed}


def test_the_conda_environment_asks_for_what_the_project_asks_for(project):
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = bounds(line for line in listed if isinstance(line, str) and line != "pip")
    extras = project["optional-dependencies"]
    needed = bounds(
        [f"python{project['requires-python']}"]
        + project["dependencies"]
        + extras["torch"]
        + extras["digits"]
        + extras["progress"]
    )
    assert {name: conda.get(name) for name in needed} == needed
    known = needed | bounds(extras["book"])
    assert conda == {name: known.get(name) for name in conda}


def test_every_pin_lies_within_the_bounds(project):
    pins = bounds(
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for name, bound in bounds(line for group in groups for line in group).items():
        for pin in pins.get(name, ()):
            assert pin.operator == "=="
            assert pin.version in bound, f"{name} is pinned to {pin.version}, outside {bound}"


@pytest.fixture(scope="module")
def targets():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", makefile, re.MULTILINE)[1]
    phony = phony.replace("\\\n", " ").split()
    helped = re.findall(r"^([a-z-]+):.*?## +\S", makefile, re.MULTILINE)
    assert sorted(phony) == sorted(helped)
    return helped


def test_make_offers_few_targets_and_lists_them_all(targets):
    assert {"book", "test", "serve", "bench", "fresh", "help"} <= set(targets)
    assert len(targets) <= 16
    command = ["make", "--no-print-directory", "help"]  # which `make test` would have it print
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert [line.split()[0] for line in listing.stdout.splitlines()] == targets


@pytest.mark.xdist_group("together")
def test_tests_that_share_what_takes_long_to_make_are_kept_together(request):
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@together")


def make_commands(path):
    return set(re.findall(r"(?:^|`)(?:\$ )?make ([a-z-]+)", path.read_text(), re.MULTILINE))


def test_the_readme_names_the_two_commands():
    assert {"book", "test"} <= make_commands(ROOT / "README.md")


def test_commands_in_the_text_exist(targets):
    for path in tracked("*.md", ".ci", ".github"):
        assert make_commands(ROOT / path) <= set(targets), path


def test_no_file_names_a_registry():
    # Addresses of one machine's mirror slip in with lock files and pip's options.
    registry = re.compile(
        rb"(pypi|pythonhosted|npmjs|yarnpkg|anaconda)\.(org|com)"
        rb"|\b(extra-)?index-url[= ]+https?://(?!download\.pytorch\.org/)"
        rb"|\bregistry *= *https?:|\"resolved\" *: *\"http",
        re.IGNORECASE,
    )
    named = [path for path in tracked() if registry.search((ROOT / path).read_bytes())]
    assert named == []


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--no-build-isolation"]
        + ["--quiet", "--disable-pip-version-check", "--wheel-dir", tmp_path],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {path.removeprefix("src/") for path in tracked("src/attention_pooling")}
    assert {"attention_pooling/mcycle.csv", "attention_pooling/book.mplstyle"} <= sources
    assert shipped >= sources
    assert {name.split("/")[0] for name in shipped} == {"attention_pooling"}
