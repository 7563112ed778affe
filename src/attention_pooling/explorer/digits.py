"""The digit explorer: paint the top half of a digit, and see what pooling makes of it."""

import numpy as np
import traitlets

from ..arrays import finite_numbers, finite_width, finite_widths
from ..figures import COLORS
from ..pooling import nadaraya_watson
from .figure import Figure
from .modules import joined

SIDE = 8
HALF = 32  # pixels
LEVELS = 16  # of brightness, which a letter each can hold in the page
MOST_IMAGES = 500
SHOWN = 5
# Farther apart than any two halves are.
SPAN = float(HALF)


class DigitExplorer(Figure):
    """Complete an image of which the reader paints the top, with or without a running kernel.

    Keys are the top halves of images, values their bottom halves, and the query is what has been
    painted. In a notebook this is a widget whose `sigma` and `painted` Python can read, set and
    observe; `completed` is the bottom half that comes out. In the built book the same figure runs
    without Python.

    Parameters
    ----------
    images : array, shape (n, 64)
        At most 500 images of 8 × 8 pixels, row by row, with brightnesses from 0 to 1 in
        sixteenths, as `digits` gives them.
    examples : array, shape (k, 64)
        Images whose top halves the reader can begin with, in turn; the first is there at the start.
    sigma : float, optional
        Width at the start.
    sigmas : tuple of float, optional
        The slider's range.
    alt : str, optional
        Text alternative of the still figure.

    Attributes
    ----------
    sigma : float
        The width. Any positive number: only the slider's thumb stays within its range.
    painted : tuple of float
        The 32 pixels of the top half, from 0 to 1.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message names it and the value received.

    Examples
    --------
    >>> light, dark = np.zeros(64), np.ones(64)
    >>> explorer = DigitExplorer([light, dark], [dark], sigma=0.5)
    >>> explorer.completed[:3]
    array([1., 1., 1.])
    >>> explorer.painted = light[:32]
    >>> explorer.completed[:3].round(3)
    array([0., 0., 0.])
    """

    _esm = joined("digits.mjs")
    _css = joined("digits.css")
    _root, _label = "nw-digits", "Digit explorer"
    _still = 720, 300  # pixels
    sigma = traitlets.Any().tag(sync=True)
    painted = traitlets.Any().tag(sync=True)

    def __init__(self, images, examples, sigma=0.3, *, sigmas=(0.05, 5.0), alt=None):
        self._images, examples = _images("images", images), _images("examples", examples)
        data = {
            "images": _packed(self._images),
            "examples": _packed(examples),
            "sigmas": finite_widths(sigmas, SPAN),
            "colors": COLORS,
        }
        super().__init__(alt, data, sigma=sigma, painted=examples[0, :HALF])

    @traitlets.validate("sigma")
    def _valid_sigma(self, proposal):
        return finite_width(proposal.value, SPAN)

    @traitlets.validate("painted")
    def _valid_painted(self, proposal):
        painted = finite_numbers("painted", proposal.value)
        if painted.shape != (HALF,):
            raise ValueError(f"painted must have shape ({HALF},), got {painted.shape}")
        _check_range("painted", painted)
        return tuple(painted.tolist())

    @property
    def completed(self):
        """The bottom half that pooling gives."""
        return self._pooled()[0]

    def _pooled(self):
        keys, values = self._images[:, :HALF], self._images[:, HALF:]
        estimate, weights = nadaraya_watson([self.painted], keys, values, sigma=self.sigma)
        return estimate[0], weights[0]

    def _description(self):
        return (
            f"Left: the top half of a digit and below it the bottom half that pooling over "
            f"{len(self._images)} digits gives, Gaussian kernel of width {self.sigma:.3g}. "
            f"Right: the digits with the largest weights, and these."
        )

    def _draw(self, fig):
        """Draw the still figure."""
        completed, weights = self._pooled()
        best = np.argsort(-weights, kind="stable")[:SHOWN]
        axes = fig.subplots(1, 1 + len(best), width_ratios=[2, *[1] * len(best)])
        pictures = [np.append(self.painted, completed), *self._images[best]]
        labels = ["painted and completed", *(f"{weights[i]:.2g}" for i in best)]
        for ax, picture, label in zip(axes, pictures, labels, strict=True):
            ax.imshow(picture.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
            ax.axhline(SIDE / 2 - 0.5, color=COLORS["key"], lw=1)
            ax.set(xticks=[], yticks=[], xlabel=label)
            ax.spines[:].set(visible=True, color=COLORS["key"], linewidth=2)
        axes[0].spines[:].set_color(COLORS["query"])
        axes[0].spines["bottom"].set_color(COLORS["estimate"])


def _images(name, given):
    images = finite_numbers(name, given)
    if images.ndim != 2 or images.shape[1] != 2 * HALF or not 0 < len(images) <= MOST_IMAGES:
        raise ValueError(
            f"{name} must have shape (n, {2 * HALF}), n from 1 to {MOST_IMAGES}, got {images.shape}"
        )
    _check_range(name, images)
    uneven = images * LEVELS % 1 != 0
    if uneven.any():
        raise ValueError(f"{name} must be in sixteenths, got {images[uneven][0]}")
    return images


def _check_range(name, pixels):
    outside = (pixels < 0) | (pixels > 1)
    if outside.any():
        raise ValueError(f"{name} must lie between 0 and 1, got {pixels[outside][0]}")


def _packed(images):
    """Return a letter for each pixel, from a for 0 to q for 1."""
    return "".join(chr(97 + level) for level in (images * LEVELS).astype(int).ravel())
