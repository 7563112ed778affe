"""Runs the cells of one page in the reader's browser, and tells the page what they show."""

import ast
import base64
import builtins
import io
import json
import linecache
import logging
import os
import sys
import time
import traceback
import types

import cells
import widgets

MOST_TEXT = 100_000
"""Characters that a cell may print; a page with more would not scroll any more."""

# What a name brings along that no import statement of the page's shows.
EXPLORERS = [f"{what}Explorer" for what in ("", "Score", "Word", "Digit", "Balance", "Direction")]
BRINGS = {"digits": "sklearn"} | dict.fromkeys(EXPLORERS, "matplotlib")
SCALE = 2  # of figures, as in the built pages

runs = cells.Runs()
main = sys.modules["__main__"] = types.ModuleType("__main__")


def imports(sources, at):
    """Return import statements for the packages that a run needs, for Pyodide to find."""
    every = cells.units(sources)
    used = set().union(*(unit.used for unit in runs.schedule(at, every)), set())
    code = [unit.code for unit in every if unit.used & used]
    code += [f"import {BRINGS[name]}" for name in used & BRINGS.keys()]
    return "\n".join(line for line in code if "import " in line)


def run(sources, at, send):
    """Run a cell and what it needs; `send` takes what the page shows.

    Returns
    -------
    bool
        Whether the cell came to its end.
    """
    tell = widgets.Widget.tell = telling(send)
    out = Stream(tell, "out"), Stream(tell, "err")
    before = sys.stdout, sys.stderr
    place = at
    try:
        compile(cells.without_magics(sources[at]), file_name(at), "exec")
        every = cells.units(sources)
        for unit in runs.schedule(at, every):
            place = unit.cell
            # What an earlier cell shows stands there already.
            display.tell = tell if place == at else None
            sys.stdout, sys.stderr = out if place == at else (io.StringIO(), io.StringIO())
            if not left_out(unit, every):
                execute(unit, sources[place])
                runs.record(unit)
    except BaseException as error:
        for stream in out:
            stream.send()
        earlier = sources[place] if place != at else None
        tell("error", text=told(error, earlier), lacks=lacking(error))
        return False
    finally:
        sys.stdout, sys.stderr = before
        for stream in out:
            stream.send()
        close_figures()
        tell("solved", parts=solved())
    return True


def change(widget, traits, send):
    """Take what a reader has changed in the view of a widget, and what follows from it."""
    tell = display.tell = telling(send, view=widget)
    widgets.Widget.tell = telling(send)
    out = Stream(tell, "out")
    before = sys.stdout
    sys.stdout = out
    try:
        widgets.shown[widget].take(json.loads(traits))
    except BaseException as error:
        out.send()
        tell("error", text=told(error))
    finally:
        out.send()
        sys.stdout = before
        close_figures()


def telling(send, **always):
    """Return a function that sends its keywords as JSON, and bytes beside it."""

    def tell(kind, **content):
        beside = []

        def placed(value):
            beside.append(value)
            return {"beside": len(beside) - 1}

        send(json.dumps({"kind": kind, **always, **content}, default=placed), beside)

    return tell


def left_out(unit, every):
    """Tell whether a unit sets up what runs elsewhere alone, among others that do without it."""
    beside = sum(one.cell == unit.cell for one in every) > 1
    return beside and not unit.used.isdisjoint(cells.ELSEWHERE)


def execute(unit, source):
    """Run a unit in the page's one namespace, and show its last expression."""
    name = file_name(unit.cell)
    if unit.statements is None:
        compile(cells.without_magics(source), name, "exec")
    lines = [f"{line}\n" for line in source.splitlines()]
    linecache.cache[name] = len(source), None, lines, name
    *body, last = unit.statements
    if not isinstance(last, ast.Expr):
        body, last = unit.statements, None
    exec(compile(ast.Module(body, []), name, "exec"), vars(main))
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), vars(main))
        if value is not None:
            display(value)
    show_figures()


def display(*values):
    """Show values as a notebook would."""
    for value in values:
        if display.tell is not None:
            sys.stdout.send()
            if isinstance(value, widgets.Widget) and value.kind:
                display.tell("widget", widget=widgets.described(value))
                continue
            html, text = shown(value)
            display.tell("html", html=html) if html else display.tell("text", text=text)


def shown(value):
    """Return a value as HTML, or as text."""
    bundle = getattr(value, "_repr_mimebundle_", dict)()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    html = bundle.get("text/html")
    if html is None and hasattr(value, "_repr_html_") and not isinstance(value, type):
        html = value._repr_html_()
    return (html, None) if html else (None, repr(value)[:MOST_TEXT])


def show_figures(*_, **__):
    """Show the figures that are open, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums() if display.tell else ():
        figure = pyplot.figure(number)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=SCALE * figure.dpi, bbox_inches="tight")
        png = drawn.getvalue()
        sys.stdout.send()
        # A PNG's width stands in its header.
        width = int.from_bytes(png[16:20], "big") / SCALE
        display.tell("image", png=base64.b64encode(png).decode(), width=width)
    close_figures()


def close_figures():
    """Let no figure of one cell appear under another."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


class Stream(io.TextIOBase):
    """Sends what is printed in pieces that a page can take, and no more than it can hold."""

    def __init__(self, tell, name):
        self._tell, self._name, self._text, self._left = tell, name, [], MOST_TEXT
        self._sent = time.monotonic()

    def writable(self):
        return True

    def write(self, text):
        if self._left > 0:
            self._text.append(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._text.append("\n… the rest is not shown: too much is printed.\n")
        if self._text and time.monotonic() > self._sent + 0.1:
            self.send()
        return len(text)

    def send(self):
        if self._text:
            self._tell("stream", text="".join(self._text), stream=self._name)
            self._text.clear()
        self._sent = time.monotonic()


def file_name(cell):
    return f"<cell {cell + 1}>"


def told(error, earlier=None):
    """Return an error as a traceback of the reader's lines alone; `earlier` is a cell above."""
    lines = []
    if earlier is not None:
        first = earlier.strip().splitlines()[0]
        lines.append(f"An earlier cell, which this one needs, failed: {first}")
    if isinstance(error, SystemExit):
        return "\n".join([*lines, "exit() ends nothing here: a cell ends with its last line."])
    if isinstance(error, MemoryError):
        lines.append("Python in a page has two gigabytes of memory, and this asks for more.")
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith("<cell "):
            within = f", in {frame.name}" if frame.name != "<module>" else ""
            lines += [f"line {frame.lineno}{within}", f"    {frame.line}"]
    last = "".join(traceback.format_exception_only(error))
    return "\n".join([*lines, last.rstrip()])


def lacking(error):
    """Return what the code needs that a browser does not run, as a reader knows it, or None."""
    missing = isinstance(error, ImportError | NameError)
    return cells.ELSEWHERE.get(error.name) if missing else None


def solved():
    """Return the names of the parts of the exercises that have been solved."""
    exercises = sys.modules.get("attention_pooling.exercises")
    if exercises is None:
        return []
    states = exercises.progress().states
    return [
        part
        for part, exercise in exercises.result.EXERCISES.items()
        if states[exercise.title] == "solved"
    ]


def no_input(*_):
    """Stand for `input`, which would wait for ever."""
    raise RuntimeError("input() cannot ask here: write the answer into the cell")


def prepare():
    """Make Python behave as in a notebook, as far as a page can."""
    widgets.install()
    os.environ["MPLBACKEND"] = "module://page_backend"
    # The first figure would stand under a remark on fonts.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    builtins.input, builtins.display = no_input, display
    for name in ("exit", "quit"):
        setattr(builtins, name, sys.exit)
    display.tell = None
