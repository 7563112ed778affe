"""Attention is pooling by similarity: Nadaraya–Watson regression, seen and computed."""

from .data import Data, digits, mcycle, noisy_trend, trend
from .explorer import Explorer
from .explorer.scores import ScoreExplorer
from .kernels import KERNELS, boxcar, constant, epanechnikov, gaussian, triangular
from .pooling import Pooled, attention_weights, effective_keys, nadaraya_watson
from .width import LeaveOneOut, leave_one_out

__all__ = [
    "KERNELS",
    "Data",
    "Explorer",
    "LeaveOneOut",
    "Pooled",
    "ScoreExplorer",
    "attention_weights",
    "boxcar",
    "constant",
    "digits",
    "effective_keys",
    "epanechnikov",
    "gaussian",
    "leave_one_out",
    "mcycle",
    "nadaraya_watson",
    "noisy_trend",
    "trend",
    "triangular",
]
