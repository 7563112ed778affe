"""One table of kernels: similarity as a function of the scaled distance u = ‖q − k‖ / σ.

Whatever needs a kernel's formula, its reach or its shape takes it from a row of `KERNELS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, inf, pi, sqrt
from typing import Any, ClassVar, Literal

import numpy as np

from .arrays import real_array

Similarity = str | Callable[[Any], Any]
"""What `kernel=` takes: a name in `KERNELS`, or a function of the scaled distance."""

Unreached = Literal["nan", "nearest"]
"""What a query may get that no key reaches."""


@dataclass(frozen=True, eq=False, repr=False)
class Kernel:
    """A row of the table, and a function of the scaled distance.

    Parameters
    ----------
    name : str
        What `kernel=` takes.
    formula : str
        α(u) as Markdown with TeX.
    words : str
        What it looks like.

    Attributes
    ----------
    reach : float
        From which u on there is no similarity; infinite unless the kernel is compact.
    area : float
        The integral of α, by which a kernel is divided to be a density.
    variance : Fraction or float
        The square of `spread`.
    roughness : float
        The integral of the squared density, in units of 1/σ; noise comes through in proportion.
    numbers : dict
        What computes α elsewhere; empty unless α is a polynomial.
    smoothness : str
        What an estimate inherits: jumps, kinks, or neither.
    """

    name: str
    formula: str
    words: str

    def __call__(self, u):
        """Return similarities for scaled distances.

        Parameters
        ----------
        u : array
            Scaled distances, any shape, without unit. The sign is irrelevant.

        Returns
        -------
        array
            Similarities, in the shape of `u`.

        Examples
        --------
        >>> KERNELS["gaussian"]([0.0, 1.0]).round(4).tolist()
        [1.0, 0.6065]
        >>> KERNELS["boxcar"]([0.0, -1.0, 1.1]).tolist()
        [1.0, 1.0, 0.0]
        >>> KERNELS["epanechnikov"]([0.0, 0.5, -1.0]).tolist()
        [0.75, 0.5625, 0.0]
        """
        raise NotImplementedError

    def __repr__(self):
        return f"KERNELS[{self.name!r}]"

    def __reduce__(self):
        # Code asks whether a kernel is the Gaussian: a copy of it would not be.
        ours = KERNELS.get(self.name) is self
        return (named, (self.name,)) if ours else super().__reduce__()

    @property
    def __name__(self):
        return self.name

    @property
    def is_compact(self):
        """Whether there is no similarity beyond some distance."""
        return self.reach < inf

    @property
    def spread(self):
        """Standard deviation of the kernel as a density, in units of σ."""
        return sqrt(self.variance)


@dataclass(frozen=True, eq=False, repr=False)
class Gaussian(Kernel):
    """The Gaussian kernel exp(−u²/2), the only one whose score −u²/2 is a polynomial."""

    reach = inf
    numbers: ClassVar[dict[str, Any]] = {}
    area = sqrt(2 * pi)
    variance = 1
    roughness = 1 / (2 * sqrt(pi))
    smoothness = "smooth"

    @np.errstate(all="ignore")
    def __call__(self, u):
        """Return exp(−u²/2)."""
        xp, u = real_array("u", u)
        return xp.exp(-(u**2) / 2)


@dataclass(frozen=True, eq=False, repr=False)
class Polynomial(Kernel):
    """A kernel that is a polynomial of |u| within its reach and zero beyond.

    Parameters
    ----------
    coefficients : tuple of int
        Of α(u) / α(0) in powers of |u|, so that the first is 1.
    height : float, optional
        α(0).
    reach : float, optional
        Infinite for the constant kernel alone.
    """

    coefficients: tuple = (1,)
    height: float = 1.0
    reach: float = 1.0

    def __post_init__(self):
        """Refuse coefficients that leave α(0) to more than the height."""
        if self.coefficients[0] != 1:
            raise ValueError(f"coefficients must begin with 1, got {self.coefficients}")

    @property
    def is_even(self):
        """Whether α is a polynomial of u² as well, without a kink or a bend at 0."""
        return not any(self.coefficients[1::2])

    @cached_property
    def inward(self):
        """Coefficients of α in powers of the way to the edge, R² − u² if even and R − |u| if not.

        Near the edge, where α is small, the powers of u cancel and these do not.
        """
        step = 2 if self.is_even else 1
        edge, coefficients = self.reach**step, self.coefficients[::step]
        return tuple(
            self.height
            * sum(
                coefficients[p] * comb(p, k) * edge ** (p - k) * (-1) ** k
                for p in range(k, len(coefficients))
            )
            for k in range(len(coefficients))
        )

    @property
    def numbers(self):
        """What computes α elsewhere, ready for JSON, which has no infinity."""
        reach = self.reach if self.is_compact else None
        return {"reach": reach, "even": self.is_even, "coefficients": self.inward}

    @np.errstate(all="ignore")
    def __call__(self, u):
        """Return the polynomial where |u| is at most the reach, and zero elsewhere."""
        xp, u = real_array("u", u)
        if len(self.inward) > 1:
            similarity = _sum_of_powers(self.inward, self._way_to_the_edge(xp, u))
        else:
            # u**0 instead of a plain one keeps u in an autograd graph, with derivative zero.
            similarity = self.height * u**0
        if self.jumps:
            similarity = xp.where(xp.abs(u) <= self.reach, similarity, xp.zeros_like(u))
        return similarity

    def _way_to_the_edge(self, xp, u):
        if self.is_even:
            # By its factors R² − u² keeps its digits.
            return xp.maximum((self.reach - u) * (self.reach + u), xp.zeros_like(u))
        return self.reach - xp.minimum(xp.abs(u), xp.full_like(u, self.reach))

    @property
    def is_flat_at_0(self):
        """Whether no even power but u⁰ is there to bend α where a query lies on a key."""
        return not any(self.coefficients[2::2])

    def bend(self, squared):
        """Return what the even powers of u add to α(0), as a function of u²."""
        bend = 0.0
        for coefficient in reversed(self.coefficients[2::2]):
            bend = (bend + self.height * coefficient) * squared
        return bend

    @property
    def jumps(self):
        """Whether α ends at a height."""
        return self.is_compact and self.inward[0] != 0

    @property
    def area(self):
        """Integral of α, from the coefficients."""
        return float(self.height * self._moment(0)) if self.is_compact else inf

    @property
    def variance(self):
        """Square of the spread, from the coefficients."""
        return self._moment(2) / self._moment(0) if self.is_compact else inf

    @property
    def roughness(self):
        """Integral of the squared density, from the coefficients."""
        if not self.is_compact:
            return 0.0
        powers = list(enumerate(self.coefficients))
        reach = Fraction(self.reach)
        square = 2 * sum(
            c * d * reach ** (p + q + 1) / (p + q + 1) for p, c in powers for q, d in powers
        )
        return float(square / self._moment(0) ** 2)

    def _moment(self, power):
        reach = Fraction(self.reach)
        return 2 * sum(
            c * reach ** (p + power + 1) / (p + power + 1) for p, c in enumerate(self.coefficients)
        )

    @property
    def smoothness(self):
        """What the ends of the polynomial, at 0 and at the reach, do to an estimate."""
        if not self.is_compact:
            return "smooth"
        if self.jumps:
            return "jumps"
        at_peak = len(self.coefficients) > 1 and self.coefficients[1] != 0
        at_ends = self.inward[1] != 0
        return {
            (True, True): "kinks",
            (False, True): "kinks at the ends of its reach",
            (True, False): "a kink at its peak",
            (False, False): "no jump and no kink",
        }[at_peak, at_ends]


def _sum_of_powers(coefficients, x):
    """Return c₀ + c₁ x + c₂ x² + …, without the products with 1 and sums with 0 that take time."""
    *lower, highest = coefficients
    total = x if highest == 1 else highest * x
    for coefficient in lower[:0:-1]:
        total = (total + coefficient if coefficient else total) * x
    return total + lower[0] if lower[0] else total


def named(name):
    """Return the kernel of that name."""
    return KERNELS[name]


KERNELS = {
    row.name: row
    for row in (
        Gaussian("gaussian", r"$\exp(-u^2/2)$", "falls like a bell and never reaches zero"),
        Polynomial("boxcar", r"$1$ if $\lvert u\rvert \le 1$, else $0$", "all or nothing"),
        Polynomial("constant", "$1$", "distance plays no part", reach=inf),
        Polynomial(
            "triangular",
            r"$\max(0, 1 - \lvert u\rvert)$",
            "falls along a straight line",
            coefficients=(1, -1),
        ),
        Polynomial(
            "epanechnikov",
            r"$\tfrac34 \max(0, 1 - u^2)$",
            "falls along a parabola",
            coefficients=(1, 0, -1),
            height=3 / 4,
        ),
    )
}
"""The book's kernels by name, in the book's order."""

gaussian, constant = KERNELS["gaussian"], KERNELS["constant"]
