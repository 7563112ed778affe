"""Attention is pooling by similarity: Nadaraya–Watson regression, seen and computed."""

from .data import Data, cost_measurements, digits, mcycle, noisy_trend, trend
from .explorer import Explorer
from .explorer.scores import ScoreExplorer
from .explorer.words import WordExplorer
from .fast import LeaveOneOutCurve, leave_one_out_curve, pool
from .kernels import KERNELS, boxcar, constant, epanechnikov, gaussian, triangular
from .pooling import Pooled, attention_weights, effective_keys, nadaraya_watson
from .width import LeaveOneOut, leave_one_out

__all__ = [
    "KERNELS",
    "Data",
    "Explorer",
    "LeaveOneOut",
    "LeaveOneOutCurve",
    "Pooled",
    "ScoreExplorer",
    "WordExplorer",
    "attention_weights",
    "boxcar",
    "constant",
    "cost_measurements",
    "digits",
    "effective_keys",
    "epanechnikov",
    "gaussian",
    "leave_one_out",
    "leave_one_out_curve",
    "mcycle",
    "nadaraya_watson",
    "noisy_trend",
    "pool",
    "trend",
    "triangular",
]
