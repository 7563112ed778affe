"""Attention is pooling by similarity: Nadaraya–Watson regression, seen and computed."""

from .data import Data, cost_measurements, digits, mcycle, noisy_trend, trend
from .explorer import Explorer
from .explorer.digits import DigitExplorer
from .explorer.scores import ScoreExplorer
from .explorer.words import WordExplorer
from .fast import LeaveOneOutCurve, leave_one_out_curve, pool
from .kernels import KERNELS
from .pooling import Pooled, attention_weights, effective_keys, nadaraya_watson
from .width import LeaveOneOut, leave_one_out

__version__ = "0.1.0"

__all__ = [
    *KERNELS,
    "KERNELS",
    "Data",
    "DigitExplorer",
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


def __getattr__(name):
    """Return a kernel by its own name."""
    if name in KERNELS:
        return KERNELS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
