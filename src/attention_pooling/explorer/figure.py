"""What the small figures share: a widget, and a still picture that a page brings to life."""

import anywidget
import traitlets

from .still import checked_text, living, still_image, still_picture


class Figure(anywidget.AnyWidget):
    """A figure of one page and one widget.

    A subclass says in `_root` and `_label` which class its element has and what it is called where
    it is not seen, in `_still` how large its still picture is, describes it in words and draws it.

    Parameters
    ----------
    alt : str or None
        Text alternative of the still picture; None for the figure's own description.
    data : dict
        What no reader changes.
    **held
        What a reader changes: traits of the subclass, and their values at the start.
    """

    data = traitlets.Dict().tag(sync=True)

    def __init__(self, alt, data, **held):
        self._alt = None if alt is None else checked_text("alt", alt)
        self._held = tuple(held)
        super().__init__(data=data, **held)

    def _repr_mimebundle_(self, **kwargs):
        bundle, metadata = super()._repr_mimebundle_(**kwargs)
        picture = still_picture(self._draw, *self._still)
        return bundle | {"text/html": self._html(picture), "image/png": picture}, metadata

    def _html(self, picture):
        """Return the still figure, and beside it the data from which a page comes alive."""
        still = still_image(picture, *self._still, self._alt or self._description())
        return living(self._root, self._label, still, self._start())

    def _start(self):
        """Return the data of a page, in which the figure starts as it is now."""
        return self.data | {name: getattr(self, name) for name in self._held}
