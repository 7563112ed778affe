"""Checks for the book's exercises: each takes the reader's function and says what it found.

A check never raises and never hangs the notebook, whatever the function does. It registers itself
where it is defined, in a module of this folder.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from .result import EXERCISES, Answer, CheckResult, Progress, progress

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
_checks = {f"check_{part}": exercise.check for part, exercise in EXERCISES.items()}
globals().update(_checks)

__all__ = ["CheckResult", "Progress", "progress", *_checks]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[[Answer], CheckResult]: ...
