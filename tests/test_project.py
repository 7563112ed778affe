"""What is written down twice must say the same, and what is shipped must be whole."""

import ast
import importlib.metadata
import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import attention_pooling
from attention_pooling import exercises

ROOT = Path(__file__).parent.parent


def tracked(*paths):
    listing = subprocess.run(
        ["git", "ls-files", "-z", *paths], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [path for path in listing.stdout.split("\0") if (ROOT / path).is_file()]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_binder_installs_what_the_book_is_built_with(project):
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (lines,) = (part["pip"] for part in listed if isinstance(part, dict))
    # Conda brings Python alone, the one that the pins are made for; pip heeds the pins.
    python = project["requires-python"].removeprefix(">=")
    assert [line for line in listed if isinstance(line, str)] == [f"python={python}", "pip"]
    assert "--constraint constraints.txt" in lines
    (local,) = (line for line in lines if line.startswith("--editable"))
    extras = set(re.search(r"\[(.*)\]", local)[1].split(","))
    assert (
        {"torch", "digits", "progress", "cluster"}
        <= extras
        <= project["optional-dependencies"].keys()
    )


def pinned():
    """The pins that hold here, by the name of the package."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    here = [one for one in found if one.marker is None or one.marker.evaluate()]
    assert len({canonicalize_name(one.name) for one in here}) == len(here)
    return {canonicalize_name(one.name): one.specifier for one in here}


def test_everything_that_the_project_brings_along_is_pinned(project):
    wanted, seen, loose = [Requirement("attention-pooling[test]")], set(), set()
    pins = pinned()
    while wanted:
        one = wanted.pop()
        name = canonicalize_name(one.name)
        if (name, *sorted(one.extras)) in seen:
            continue
        seen.add((name, *sorted(one.extras)))
        if name == "attention-pooling":
            extras = [project["optional-dependencies"][extra] for extra in one.extras]
            lines = sum(extras, project["dependencies"])
        else:
            distribution = importlib.metadata.distribution(name)
            # A build for the CPU alone says so behind the number.
            version = distribution.version.partition("+")[0]
            if str(pins.get(name)) != f"=={version}":
                loose.add(f"{name} {version}")
            lines = distribution.requires or []
        for each in map(Requirement, lines):
            markers = each.marker is None or any(
                each.marker.evaluate({"extra": extra}) for extra in one.extras | {""}
            )
            if markers:
                wanted.append(each)
    assert loose == set()
    assert len(seen) > 100


@pytest.mark.parametrize("path", tracked(".github/workflows"))
def test_workflows_trust_no_one_more_than_they_must(path):
    workflow = yaml.safe_load((ROOT / path).read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        steps = job.get("steps", [])
        used = [step["uses"] for step in steps if "uses" in step]
        assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in used)
        commands = "\n".join(step["run"] for step in steps if "run" in step)
        if set(job.get("permissions", {}).values()) & {"write"}:
            # Nothing that was installed or built runs where something may be written.
            programs = {line.split()[0] for line in re.sub(r"\\\n", " ", commands).splitlines()}
            assert programs <= {"git"}
        else:
            checkouts = [step for step in steps if "checkout" in step.get("uses", "")]
            assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_push_starts_one_run():
    pushed = []
    for path in tracked(".github/workflows"):
        started = yaml.safe_load((ROOT / path).read_text())[True]  # which YAML makes of "on"
        pushed += [path] if "push" in started else []
    assert pushed == [".github/workflows/publish.yml"]


def test_every_pin_lies_within_the_bounds(project):
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    pins = pinned()
    for one in {Requirement(line) for group in groups for line in group}:
        name, bound = canonicalize_name(one.name), one.specifier
        for pin in pins.get(name, ()):
            assert pin.operator == "=="
            assert pin.version in bound, f"{name} is pinned to {pin.version}, outside {bound}"


@pytest.mark.parametrize(("name", "least"), [("mend", 6), ("references", 2)])
def test_each_mend_was_looked_at_with_the_versions_that_are_pinned(name, least):
    text = (ROOT / "src" / "book_site" / f"{name}.py").read_text(encoding="utf-8")
    seen = re.findall(r"^ *# Seen in (\S+) (\S+), \S+\.$", text, re.MULTILINE)
    assert len(seen) >= least
    for name, version in seen:
        assert pinned()[canonicalize_name(name)] == SpecifierSet(f"=={version}"), name


def test_cells_run_again_for_other_versions_and_not_for_more_tools(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    stamps = [".venv/python", ".venv/book", "node_modules/katex", "_build/sources"]
    given = ["pyproject.toml", "constraints.txt", "package.json", "src/package.py"]
    for age, name in enumerate([*given, *stamps]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (1e9 + age, 1e9 + age))

    def forgets(name):
        (tmp_path / name).touch()
        plan = ["env", "--unset=MAKEFLAGS", "make", "--dry-run", "book"]
        planned = subprocess.run(
            plan, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout
        return ".jupyter_cache" in planned

    # `make test` installs more beside the book's own.
    assert not forgets(".venv/book")
    assert forgets("constraints.txt")


def test_the_version_is_one_everywhere(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert attention_pooling.__version__ == project["version"] == citation["version"]
    first, *_ = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first == "Not yet released" or first.split()[0] == project["version"]


def test_the_citation_names_what_a_citation_needs(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert project["license"] in citation["license"]
    assert citation["title"] == yaml.safe_load((ROOT / "_config.yml").read_text())["title"]


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
    assert len(targets) <= 17
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


def test_each_explorer_is_named_wherever_they_are_listed():
    named = set(attention_pooling._WIDGETS)
    assert named == {name for name in attention_pooling.__all__ if name.endswith("Explorer")}
    in_pages = (ROOT / "src" / "book_site" / "live" / "kernel.py").read_text(encoding="utf-8")
    kinds = ast.literal_eval(re.search(r"for what in (\(.*\))\]", in_pages)[1])
    assert named == {f"{kind}Explorer" for kind in kinds}
    build = (ROOT / "src" / "book_site" / "explorer.py").read_text(encoding="utf-8")
    figures = ast.literal_eval(re.search(r"^FIGURES = (\(.*\))", build, re.MULTILINE)[1])
    assert len(figures) == len(named)
    for path in ("src/attention_pooling/explorer/figure.css", "chapters/_static/book.css"):
        lists = re.findall(r"\(((?:\.nw-\w+, )+\.nw-\w+)\)", (ROOT / path).read_text("utf-8"))
        whole = [one.split(", ") for one in lists if one.startswith(".nw-explorer")]
        assert whole == [[f".nw-{name}" for name in figures]] * len(whole) != [], path


def test_only_a_named_explorer_brings_widgets_along():
    program = (
        "import sys\n"
        "absent = 'IPython', 'ipywidgets', 'anywidget', 'traitlets'\n"
        "sys.modules |= dict.fromkeys(absent)\n"
        "import attention_pooling, attention_pooling.exercises\n"
        "assert attention_pooling.pool([0.0], [0.0], [1.0]) == [1.0]\n"
        "for name in attention_pooling.__all__:\n"
        "    try: getattr(attention_pooling, name)\n"
        "    except ImportError as error:\n"
        "        assert f'{name} needs ' in str(error), error\n"
        "        assert \"pip install 'attention-pooling[widgets]'\" in str(error), error\n"
        "        print(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True
    )
    assert "Explorer" in done.stdout.split()
    assert "pool" not in done.stdout.split()


@pytest.mark.parametrize("module", [attention_pooling, exercises], ids=lambda it: it.__name__)
def test_every_function_says_what_it_takes_and_gives(module):
    names = [name for name in module.__all__ if inspect.isfunction(getattr(module, name))]
    assert names
    for name in names:
        signature = inspect.signature(getattr(module, name))
        assert signature.return_annotation is not signature.empty, name
        for parameter in signature.parameters.values():
            assert parameter.annotation is not parameter.empty, f"{name}: {parameter}"
    assert files("attention_pooling").joinpath("py.typed").is_file()


def test_the_page_on_the_package_leaves_nothing_out(html):
    page = (html / "chapters" / "api.html").read_text(encoding="utf-8")
    described = set(re.findall(r'id="attention_pooling\.(?:\w+\.)*(\w+)"', page))
    kernels = attention_pooling.KERNELS.keys() | {"KERNELS"}
    assert described >= set(attention_pooling.__all__) - kernels
    assert described >= set(exercises.__all__)
    # A footnote's number, and not the name under which several pages' footnotes are told apart.
    assert "[1]" in page
    assert not re.search(r"\[R[0-9a-f]{8,}-\d+\]", page)


def test_the_paper_cites_what_the_books_bibliography_holds():
    paper = (ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
    header = yaml.safe_load(paper.split("---")[1])
    works = (ROOT / "paper" / header["bibliography"]).read_text(encoding="utf-8")
    cited = set(re.findall(r"@(\w+)", paper.partition("# Summary")[2]))
    assert cited
    assert cited <= set(re.findall(r"^@\w+\{(\w+),", works, re.MULTILINE))


@pytest.mark.parametrize("path", tracked("chapters/*.md"))
def test_code_that_is_shown_fits_the_column_of_text(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}.*?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    folded = re.compile(r"^:?tags:.*(hide|remove)", re.MULTILINE)
    shown = [cell for cell in cells if not folded.search(cell)]
    options = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
    lines = [line for cell in shown for line in options.sub("", cell).splitlines()]
    assert [line for line in lines if len(line) > 79] == []
