"""References in less time: what hundreds of them ask for is looked up once."""

from functools import cache

from pybtex.backends import plaintext
from pybtex.plugin import register_plugin
from sphinx.domains.std import StandardDomain


def setup(app):
    # For each citation all that is installed would be gone through.
    # Seen in sphinxcontrib-bibtex 2.7.0, domain.py.
    register_plugin("pybtex.backends", "plaintext", plaintext.Backend)
    app.add_domain(Domain, override=True)


class Domain(StandardDomain):
    """Sphinx's own references, with numbers from pages that are read once."""

    # Each number would have a whole page read anew.
    # Seen in Sphinx 7.4.7, domains/std/__init__.py.

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
