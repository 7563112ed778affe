"""Checks for the book's exercises: each takes the reader's function and says what it found.

A check never raises and never hangs the notebook, whatever the function does.
"""

from .descent import check_sgd
from .estimates import check_gaps, check_local_linear, check_temperature
from .kernel import check_own_kernel
from .losses import check_leave_one_out, check_training_loss
from .parzen import check_parzen
from .rates import check_rates
from .result import CheckResult, Progress, progress
from .sphere import check_off_sphere, check_unit_sphere
from .uncertainty import check_slope, check_standard_error
from .widths import check_adaptive_widths, check_coordinate_widths
from .words import check_causal_mask, check_induction, check_match_length

__all__ = [
    "CheckResult",
    "Progress",
    "check_adaptive_widths",
    "check_causal_mask",
    "check_coordinate_widths",
    "check_gaps",
    "check_induction",
    "check_leave_one_out",
    "check_local_linear",
    "check_match_length",
    "check_off_sphere",
    "check_own_kernel",
    "check_parzen",
    "check_rates",
    "check_sgd",
    "check_slope",
    "check_standard_error",
    "check_temperature",
    "check_training_loss",
    "check_unit_sphere",
    "progress",
]
