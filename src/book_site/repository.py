"""Where the book lives on GitHub, and where publishing puts its pages and notebooks."""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.errors import ConfigError
from sphinx.util.docutils import SphinxRole

ROOT = Path(__file__).parents[2]
# The workflow that publishes adds this folder to a copy of the source, on a branch of its own.
BRANCH = FOLDER = "notebooks"


def setup(app):
    app.add_config_value("book_repository", lambda config: repository(), "html")
    app.add_role("repository", RepositoryRole())
    app.add_node(RepositoryWords)
    app.connect("doctree-resolved", link)


class RepositoryWords(nodes.inline):
    """Stands for words that lead to the repository until it is known whether there is one."""


class RepositoryRole(SphinxRole):
    """The role ``{repository}`words` ``, which is a link where the repository is known."""

    def run(self):
        """Leave the link to the builder."""
        return [RepositoryWords("", nodes.Text(self.text))], []


def link(app, doctree, docname):
    """Link to the repository, or leave the words alone."""
    known = app.config.book_repository
    for words in list(doctree.findall(RepositoryWords)):
        linked = [nodes.reference("", "", *words.children, refuri=known.home)] if known else None
        words.replace_self(linked or words.children)


class Repository(NamedTuple):
    """A repository on GitHub."""

    owner: str
    name: str

    @property
    def home(self):
        """Return the address of the repository itself."""
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def pages(self):
        """Return the address of the published site, with a slash at its end."""
        host = f"{self.owner.lower()}.github.io"
        return f"https://{host}/" if self.name.lower() == host else f"https://{host}/{self.name}/"

    def published(self, file):
        """Return what follows ``github/`` in the address of a published notebook."""
        return f"{self.owner}/{self.name}/blob/{BRANCH}/{FOLDER}/{file}"

    def raw(self, file):
        """Return the address that serves a published file as it is."""
        return f"https://github.com/{self.owner}/{self.name}/raw/{BRANCH}/{FOLDER}/{file}"


def repository():
    """Return the repository that BOOK_REPOSITORY or git's origin names, or None.

    An empty BOOK_REPOSITORY means none, whatever git knows.
    """
    given = os.environ.get("BOOK_REPOSITORY")
    if given == "":
        return None
    if given is not None:
        parts = re.fullmatch(r"([\w-]+)/([\w.-]+)", given, re.ASCII)
        if not parts:
            raise ConfigError(f"BOOK_REPOSITORY must be owner/name, got {given}")
        return Repository(*parts.groups())
    asked = subprocess.run(
        ["git", "remote", "get-url", "origin"], cwd=ROOT, capture_output=True, text=True
    )
    return on_github(asked.stdout.strip())


def on_github(address):
    """Return the repository that an address of a git remote names, or None.

    Examples
    --------
    >>> on_github("git@github.com:owner/name.git")
    Repository(owner='owner', name='name')
    >>> on_github("https://example.org/github.com/owner/name")
    """
    parts = re.fullmatch(
        r"(?:(?:https?|ssh|git)://)?(?:[^@/]+@)?github\.com(?::\d+/|[:/])"
        r"([\w-]+)/([\w.-]+?)(?:\.git)?/?",
        address,
        re.ASCII,
    )
    return Repository(*parts.groups()) if parts else None
