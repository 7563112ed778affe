"""How the property tests run: the same examples each time, without a stopwatch."""

from hypothesis import settings

settings.register_profile("book", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("book")
