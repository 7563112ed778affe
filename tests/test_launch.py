"""Every way out of a page leads to something that publishing puts there."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat
import pages
import pytest
import yaml
from sphinx.errors import ConfigError

sys.path.append(str(Path(__file__).parents[1] / "src"))
from book_site import repository  # noqa: E402

ROOT = Path(__file__).parents[1]
OWNER, NAME = "reader", "attention.book"
CHAPTERS = pages.chapters()


class Links(HTMLParser):
    """The links of a page by their text, and the ids in it."""

    def __init__(self, page):
        super().__init__()
        self.found, self.ids, self.at = [], set(), None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a" and "href" in attributes:
            self.at = attributes["href"]

    def handle_data(self, text):
        if self.at and text.strip():
            self.found.append((text.strip(), self.at))
            self.at = None


def menu(page, label):
    """The links in one of the menus at the top of a page, in order."""
    found = re.search(rf'<div class="dropdown dropdown-{label}.*?</ul>', page, re.DOTALL)
    return Links(found[0]).found if found else []


def links_in(notebook):
    """The links in a notebook's prose, where brackets of code and formulas are none."""
    prose = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"```.*?```|`[^`\n]+`", "", prose, flags=re.DOTALL)
    prose = re.sub(r"\$\$.*?\$\$|(?<!\\)\$[^$]+\$", "", prose, flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


@pytest.fixture(scope="module")
def built(html, tmp_path_factory):
    """Build the site for a repository, from the notebooks that have been run already."""

    def build(repository):
        out = tmp_path_factory.mktemp("site")
        for kept in (".doctrees", ".jupyter_cache"):
            shutil.copytree(ROOT / "_build" / kept, out / "_build" / kept)
        environment = os.environ | {"BOOK_REPOSITORY": repository, "BOOK_LITE": "1"}
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from jupyter_book.cli.main import main; main()",
                "build",
                ".",
                "-n",
                "-W",
            ]
            + ["--keep-going", "--path-output", str(out)],
            cwd=ROOT,
            env=environment | {"PYTHONPATH": str(ROOT / "src")},
            check=True,
            capture_output=True,
        )
        return out / "_build" / "html"

    return build


@pytest.fixture(scope="module")
def known(built):
    return built(f"{OWNER}/{NAME}")


@pytest.fixture(scope="module")
def unknown(html, built):
    # `make book` offers no JupyterLite.
    ready = repository.repository() is None and (html / "lite").is_dir()
    return html if ready else built("")


def page(site, chapter):
    return (site / "chapters" / f"{chapter}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def published(known, tmp_path_factory):
    """What lies on the notebooks' branch after the workflow's own commands have run."""
    work, remote = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("remote")
    run = {"check": True, "capture_output": True, "text": True}
    subprocess.run(["git", "clone", "--quiet", "--no-local", "--bare", ROOT, remote], **run)
    subprocess.run(["git", "clone", "--quiet", "--no-local", "--depth=1", ROOT, work], **run)
    subprocess.run(["git", "remote", "set-url", "origin", remote], cwd=work, **run)
    # One job keeps the folder as an artifact, and another, which may write, puts it here.
    shutil.copytree(known / "notebooks", work / "notebooks")
    workflow = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text())
    steps = workflow["jobs"]["notebooks"]["steps"]
    (commands,) = (step["run"] for step in steps if step.get("name") == "Publish the notebooks")
    subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=work, **run)
    listing = ["git", "ls-tree", "-r", "--name-only", "notebooks"]
    return set(subprocess.run(listing, cwd=remote, **run).stdout.splitlines())


def test_there_are_chapters():
    assert {"index", "kernels", "data", "pooling", "width"} <= set(CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_launch_links_lead_to_what_publishing_produces(known, published, chapter):
    links = dict(menu(page(known, chapter), "launch-buttons"))
    assert list(links) == ["JupyterLite", "Colab", "Binder", "Studio Lab"]
    github = f"github/{OWNER}/{NAME}/blob/notebooks/"
    for place, start in {
        "Colab": "https://colab.research.google.com/",
        "Studio Lab": "https://studiolab.sagemaker.aws/import/",
    }.items():
        path = links[place].removeprefix(start + github)
        assert path.endswith(f"/{chapter}.ipynb")
        assert path in published
    binder = urlsplit(links["Binder"])
    assert binder.netloc == "mybinder.org"
    assert binder.path == f"/v2/gh/{OWNER}/{NAME}/notebooks"
    (inside,) = parse_qs(binder.query)["urlpath"]
    assert inside.removeprefix("lab/tree/") in published
    assert inside.endswith(f"/{chapter}.ipynb")
    assert {"environment.yml", "pyproject.toml"} <= published
    downloads = dict(menu(page(known, chapter), "download-buttons"))
    assert downloads == {".ipynb": f"../notebooks/{chapter}.ipynb"}
    assert (known / "notebooks" / f"{chapter}.ipynb").is_file()
    assert links["JupyterLite"] == f"../lite/notebooks/index.html?path={chapter}.ipynb"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_links_of_notebooks_lead_to_published_pages(known, published, chapter):
    notebook = nbformat.read(known / "notebooks" / f"{chapter}.ipynb", as_version=4)
    home = f"https://{OWNER}.github.io/{NAME}/"
    own = set()
    for cell in notebook.cells:
        own |= set(re.findall(r'<a id="([^"]+)"></a>', cell.source))
    for link in links_in(notebook):
        if link.startswith("#"):
            assert link[1:] in own
        elif link.startswith(home):
            path, _, anchor = unquote(link.removeprefix(home)).partition("#")
            assert not anchor or anchor in Links((known / path).read_text()).ids
            assert (known / path).is_file()
        elif not (known / "notebooks" / link).is_file():
            assert urlsplit(link).scheme == "https", link
    (wheel,) = set(re.findall(r"https://\S+\.whl", notebook.cells[0].source))
    start = f"https://github.com/{OWNER}/{NAME}/raw/notebooks/"
    assert wheel.removeprefix(start) in published


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_without_a_repository_no_link_is_dead(unknown, chapter):
    text = page(unknown, chapter)
    assert [name for name, _ in menu(text, "launch-buttons")] == ["JupyterLite"]
    downloads = menu(text, "download-buttons")
    assert [name for name, _ in downloads] == [".ipynb", ".whl"]
    for _, link in downloads:
        assert (unknown / "chapters" / link).resolve().is_file()
    notebook = nbformat.read(unknown / "notebooks" / f"{chapter}.ipynb", as_version=4)
    (wheel,) = set(re.findall(r'"\./(\S+?\.whl)', notebook.cells[0].source))
    assert (unknown / "notebooks" / wheel).is_file()
    for link in links_in(notebook):
        file = urlsplit(link).path
        assert urlsplit(link).scheme or not file or (unknown / "notebooks" / file).is_file(), link


def test_each_page_has_one_address_where_the_repository_is_known(known):
    home = f"https://{OWNER}.github.io/{NAME}/"
    listed = re.findall(r"<loc>(.*?)</loc>", (known / "sitemap.xml").read_text(encoding="utf-8"))
    assert listed == [f"{home}chapters/{name}.html" for name in sorted(pages.listed())]
    for address in listed:
        text = (known / address.removeprefix(home)).read_text(encoding="utf-8")
        assert re.findall(r'<link rel="canonical" href="([^"]*)"', text) == [address]
        assert f'<meta property="og:url" content="{address}">' in text
        assert f'<meta property="og:image" content="{home}_static/preview.png">' in text
        assert f'"url": "{address}"' in text
    lost = (known / "404.html").read_text(encoding="utf-8")
    assert set(re.findall(r'href="([^"]*/)', lost)) >= {f"{home}chapters/", f"{home}_static/"}


def test_pages_without_code_offer_no_notebook(known):
    assert menu(page(known, "references"), "launch-buttons") == []


def test_chapters_load_nothing_of_jupyterlite(known):
    for chapter in CHAPTERS:
        loaded = re.findall(r'(?:src|href)="([^"]*lite/[^"]*)"', page(known, chapter))
        assert all("?path=" in address for address in loaded)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/owner/name", ("owner", "name")),
        ("https://github.com/owner/na.me.git", ("owner", "na.me")),
        ("https://token@github.com/owner/name/", ("owner", "name")),
        ("git@github.com:owner/name.git", ("owner", "name")),
        ("ssh://git@github.com/owner/name.git", ("owner", "name")),
        ("https://gitlab.com/owner/name", None),
        ("https://example.org/github.com/owner/name", None),
        ("https://notgithub.com/owner/name", None),
        ("/srv/git/name.git", None),
        ("", None),
    ],
)
def test_a_remote_names_a_repository_only_on_github(address, expected):
    assert repository.on_github(address) == expected


def test_the_environment_names_the_repository(monkeypatch):
    monkeypatch.setenv("BOOK_REPOSITORY", "Owner/owner.github.io")
    assert repository.repository().pages == "https://owner.github.io/"
    monkeypatch.setenv("BOOK_REPOSITORY", "")
    assert repository.repository() is None
    monkeypatch.setenv("BOOK_REPOSITORY", "https://github.com/owner/name")
    with pytest.raises(ConfigError, match="BOOK_REPOSITORY must be owner/name, got https"):
        repository.repository()
