"""Rows that the table of kernels could have as well: what reads the table must take them."""

from attention_pooling import KERNELS
from attention_pooling.kernels import Polynomial

OTHERS = {
    row.name: row
    for row in (
        Polynomial("biweight", "", "", coefficients=(1, 0, -2, 0, 1), height=15 / 16),
        Polynomial("triweight", "", "", coefficients=(1, 0, -3, 0, 3, 0, -1), height=35 / 32),
        # Odd powers and no kink at 0.
        Polynomial("wendland", "", "", coefficients=(1, 0, -10, 20, -15, 4)),
        # A kink at 0, a bend beside it, and a jump at another reach than 1.
        Polynomial("tent", "", "", coefficients=(1, -1 / 4, -1 / 16), height=3.0, reach=2.0),
    )
}
COMPACT = {name: kernel for name, kernel in KERNELS.items() if kernel.is_compact} | OTHERS
