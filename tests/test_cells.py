"""A cell shows what it would show if the whole page had been run from the top."""

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "src"))
from book_site import cells  # noqa: E402

LINES = [
    "a = 1",
    "a = 2",
    "b = a + 1",
    "a = b * 2",
    "a += 10",
    "c = a, b",
    "def f(x):\n    return a + x",
    "b = f(3)",
    "g = lambda: f(b)",
    "c = g()",
    "for a in range(3):\n    b = a",
    "c = [b for b in range(2)]",
    "d = {}\nfor i in range(2):\n    d[i] = b",
    "d['x'] = a",
    "e = d, a",
    "import math\nimport cmath\nm = math.pi",
    "b = math.floor(m) + a",
    "if b > 3:\n    a = b",
    "rng = iter(range(100))",
    "b = next(rng)",
    "def f(x):\n    global a\n    return x * 2",
]
START = """a = b = c = m = 0
d = {}
f = g = lambda *_: 5
rng = iter(range(9))
math = __import__("math")"""


def shown(cell, space):
    """What a cell would show: the names that it binds and uses."""
    for unit in cells.units([cell]):
        exec("\n".join(map(ast.unparse, unit.statements)), space)
    bound, used = cells.names(cell)
    found = {name: space.get(name) for name in bound | used if name not in "fg" and name != "rng"}
    return repr({name: found[name] for name in sorted(found) if "math" not in name})


def from_the_top(page, at):
    space = {}
    for cell in page[:at]:
        exec(cell, space)
    return shown(page[at], space)


@given(
    st.lists(st.sampled_from(LINES), min_size=2, max_size=9),
    st.lists(st.tuples(st.integers(0, 8), st.none() | st.sampled_from(LINES)), max_size=8),
)
def test_a_cell_sees_what_the_cells_above_it_say(page, presses):
    page, runs, space = [START, *page], cells.Runs(), {}
    for at, text in presses:
        at = 1 + at % (len(page) - 1)
        page[at] = text or page[at]
        every = cells.units(page)
        last = None
        for unit in runs.schedule(at, every):
            if unit.cell != at:
                exec(unit.code, space)
            elif last != at:
                result = shown(page[at], space)
            last = unit.cell
            runs.record(unit)
        assert result == from_the_top(page, at)


def test_what_a_cell_does_not_need_is_not_run():
    page = [
        "import slow\nimport math",
        "x = math.pi",
        "y = slow.thing()",
        "print(x)",
        "result = x\nresult",
    ]
    runs = cells.Runs()

    def run(at):
        units = runs.schedule(at, cells.units(page))
        for unit in units:
            runs.record(unit)
        return [(unit.cell, unit.code) for unit in units]

    assert run(3) == [(0, "import math"), (1, "x = math.pi"), (3, "print(x)")]
    assert run(4) == [(4, "result = x\nresult")]
    page[1] = "x = 3"
    assert run(3) == [(1, "x = 3"), (3, "print(x)")]
    assert run(2) == [(0, "import slow"), (2, "y = slow.thing()")]


def test_a_cell_that_is_no_python_is_missed_where_its_names_are_used():
    page = ["def f(x)\n    return x", "print(1)", "f(2)"]
    assert [unit.cell for unit in cells.Runs().schedule(1, cells.units(page))] == [1]
    assert [unit.cell for unit in cells.Runs().schedule(2, cells.units(page))] == [0, 2]


@pytest.mark.parametrize(
    ("code", "bound", "used"),
    [
        ("x = 1\nx + 1", {"x"}, set()),
        ("x + 1\nx = 1", {"x"}, {"x"}),
        ("if y:\n    x = 1", {"x"}, {"x", "y"}),
        ("for d in (1, 2):\n    print(d)", {"d"}, {"print"}),
        ("for d in d:\n    pass", {"d"}, {"d"}),
        ("a[0] = b.c = 1", {"a", "b"}, {"a", "b"}),
        ("import torch.nn as n\nn.f()", {"n"}, {"torch"}),
        ("def f(x):\n    return x + k", {"f"}, {"k"}),
    ],
)
def test_names(code, bound, used):
    assert cells.names(code) == (bound, used)
