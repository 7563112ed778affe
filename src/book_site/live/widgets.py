"""What the explorers need of ipywidgets and anywidget where the page itself is the front end.

The packages would bring IPython and a megabyte with them, to reach a front end that is not there.
"""

import json
import sys
import types

import traitlets

SYNC = {"sync": True}
shown = {}
"""Number of a widget → the widget, once the page has been told of it."""


class Widget(traitlets.HasTraits):
    """Holds traits, of which those tagged ``sync`` are the same in Python and in the page."""

    layout = traitlets.Any()
    kind = None
    """What the page makes of it, if anything."""
    tell = None
    """Takes what the page has to know, in any number of keywords."""

    def __init__(self, **given):
        known = {name: value for name, value in given.items() if self.has_trait(name)}
        self._taken, self.links = {}, []
        super().__init__(**known)
        self.observe(self._pass_on)

    def _pass_on(self, change):
        if shown.get(id(self)) is not self or change.name not in self.traits(**SYNC):
            return
        # A hand that drags on must not be given its older positions back.
        taken = self._taken.get(change.name, self)
        if taken is self or json.loads(json.dumps(change.new, default=repr)) != taken:
            Widget.tell("traits", id=id(self), traits={change.name: change.new})

    def take(self, traits):
        """Set traits as the page has them."""
        self._taken = traits
        try:
            with self.hold_trait_notifications():
                for name, value in traits.items():
                    self.set_trait(name, value)
        finally:
            self._taken = {}

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self)}


class AnyWidget(Widget):
    """A widget whose view is a module: the page runs the book's own, and no reader's."""

    @property
    def kind(self):
        """Name of the Python module that defines it, which is the name of the view's as well."""
        modules = [one.__module__ for one in type(self).__mro__]
        ours = [name for name in modules if name.startswith("attention_pooling")]
        return ours[0].rpartition(".")[2] if ours else None

    def _repr_mimebundle_(self, **kwargs):
        return super()._repr_mimebundle_(**kwargs), {}


class Box(Widget):
    """A widget that holds others."""

    kind = "box"
    children = traitlets.List()

    def __init__(self, children=(), **given):
        super().__init__(children=list(children), **given)


class FloatLogSlider(Widget):
    """A width, and the decades it may be moved in."""

    kind = "slider"
    value = traitlets.Float(1.0).tag(**SYNC)
    min, max = traitlets.Float(0.0).tag(**SYNC), traitlets.Float(4.0).tag(**SYNC)
    step = traitlets.Float(0.1).tag(**SYNC)
    description = traitlets.Unicode().tag(**SYNC)


class Dropdown(Widget):
    """A choice among pairs of a label and a value."""

    kind = "chooser"
    options, value = traitlets.List(), traitlets.Any()
    index, labels = traitlets.Int(0).tag(**SYNC), traitlets.List().tag(**SYNC)
    description = traitlets.Unicode().tag(**SYNC)

    def __init__(self, options, value, **given):
        # The first option is nobody's choice.
        super().__init__(options=options, **given)
        self.value = value

    @traitlets.observe("options")
    def _choose_first(self, change):
        self.labels = [label for label, _ in self.options]
        self.index = 0
        self._follow_index(None)

    @traitlets.observe("index")
    def _follow_index(self, change):
        self.value = self.options[self.index][1]

    @traitlets.observe("value")
    def _follow_value(self, change):
        self.index = [value for _, value in self.options].index(change.new)


def described(widget):
    """Return what the page needs to show a widget and those in it.

    Returns
    -------
    dict
        ``tree`` of (number, kind, trees of children); and, for widgets that the page has not been
        told of before, ``models`` of (number, traits) and ``links`` of one trait to another.
    """
    models, links = [], []

    def tree(widget):
        if id(widget) not in shown:
            shown[id(widget)] = widget
            models.append(
                (id(widget), {name: getattr(widget, name) for name in widget.traits(**SYNC)})
            )
            links.extend((id(widget), name, id(other), its) for name, other, its in widget.links)
        children = [tree(child) for child in getattr(widget, "children", ()) if child.kind]
        return id(widget), widget.kind, children

    return {"tree": tree(widget), "models": models, "links": links}


def jslink(source, target):
    """Keep two traits the same in the page, without Python."""
    widget, name = source
    widget.links.append((name, *target))


def install():
    """Stand in for the two packages."""
    layout = types.SimpleNamespace
    boxes = {"VBox": Box, "HBox": type("HBox", (Box,), {}), "Layout": layout}
    controls = {"FloatLogSlider": FloatLogSlider, "Dropdown": Dropdown, "jslink": jslink}
    for name, contents in {
        "ipywidgets": {"Widget": Widget} | boxes | controls,
        "anywidget": {"AnyWidget": AnyWidget},
    }.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(contents)
