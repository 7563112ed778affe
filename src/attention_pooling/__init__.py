"""Attention is pooling by similarity: Nadaraya–Watson regression, seen and computed."""

from importlib import import_module
from typing import TYPE_CHECKING

from .data import Data, cost_measurements, digits, mcycle, noisy_trend, trend
from .fast import LeaveOneOutCurve, leave_one_out_curve, pool
from .kernels import KERNELS
from .pooling import Pooled, attention_weights, effective_keys, nadaraya_watson
from .width import LeaveOneOut, leave_one_out

if TYPE_CHECKING:
    from .explorer import Explorer
    from .explorer.balance import BalanceExplorer
    from .explorer.digits import DigitExplorer
    from .explorer.direction import DirectionExplorer
    from .explorer.scores import ScoreExplorer
    from .explorer.words import WordExplorer

__version__ = "0.1.0"

__all__ = [
    *KERNELS,
    "KERNELS",
    "BalanceExplorer",
    "Data",
    "DigitExplorer",
    "DirectionExplorer",
    "Explorer",
    "LeaveOneOut",
    "LeaveOneOutCurve",
    "Pooled",
    "ScoreExplorer",
    "WordExplorer",
    "attention_weights",
    "cost_measurements",
    "digits",
    "effective_keys",
    "leave_one_out",
    "leave_one_out_curve",
    "mcycle",
    "nadaraya_watson",
    "noisy_trend",
    "pool",
    "trend",
]


_WIDGETS = {
    "BalanceExplorer": ".explorer.balance",
    "DigitExplorer": ".explorer.digits",
    "DirectionExplorer": ".explorer.direction",
    "Explorer": ".explorer",
    "ScoreExplorer": ".explorer.scores",
    "WordExplorer": ".explorer.words",
}


def __getattr__(name):
    """Return a kernel by its own name, or a widget, which brings ipywidgets and anywidget along."""
    if name in KERNELS:
        return KERNELS[name]
    if name in _WIDGETS:
        try:
            module = import_module(_WIDGETS[name], __name__)
        except ModuleNotFoundError as missing:
            raise ImportError(
                f"{name} needs {missing.name}: pip install 'attention-pooling[widgets]'"
            ) from missing
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
