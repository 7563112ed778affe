"""What the explorers need of ipywidgets and anywidget where the page itself is the view.

The packages would bring IPython and a megabyte with them, to reach a front end that is not there.
"""

import sys
import types

import traitlets


class Widget(traitlets.HasTraits):
    """Holds its traits; what a notebook's front end would make of them, the page makes."""

    layout = traitlets.Any()

    def __init__(self, **given):
        known = {name: value for name, value in given.items() if self.has_trait(name)}
        super().__init__(**known)

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self)}


class AnyWidget(Widget):
    """A widget whose view is a module of the page."""

    def _repr_mimebundle_(self, **kwargs):
        return super()._repr_mimebundle_(**kwargs), {}


class Box(Widget):
    """A widget that holds others."""

    children = traitlets.List()

    def __init__(self, children=(), **given):
        super().__init__(children=list(children), **given)


class FloatLogSlider(Widget):
    """A width, and the decades it may be moved in."""

    value, min, max = traitlets.Float(), traitlets.Float(), traitlets.Float()


class Dropdown(Widget):
    """A choice among pairs of a label and a value."""

    options, index, value = traitlets.List(), traitlets.Int(0), traitlets.Any()

    @traitlets.observe("options")
    def _choose_first(self, change):
        self.index = 0
        self._follow_index(None)

    @traitlets.observe("index")
    def _follow_index(self, change):
        self.value = self.options[self.index][1]

    @traitlets.observe("value")
    def _follow_value(self, change):
        self.index = [value for _, value in self.options].index(change.new)


def install():
    """Stand in for the two packages."""
    layout = types.SimpleNamespace
    boxes = {"VBox": Box, "HBox": type("HBox", (Box,), {}), "Layout": layout}
    controls = {"FloatLogSlider": FloatLogSlider, "Dropdown": Dropdown, "jslink": traitlets.link}
    for name, contents in {
        "ipywidgets": {"Widget": Widget} | boxes | controls,
        "anywidget": {"AnyWidget": AnyWidget},
    }.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(contents)
