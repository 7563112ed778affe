"""Which earlier cells a cell needs, and in which order: plain Python, here and in the browser.

Cells that stand between the one that binds a name and the one that uses it are left out, so a
change is seen at once on a page whose other cells take minutes.
"""

import ast
import functools
import re
import symtable
from dataclasses import dataclass, field

# What a browser does not run, by the name that code imports, and how a reader knows it.
ELSEWHERE = {"torch": "PyTorch", "dask": "Dask"}

# A generator moves on whenever it is used, which binds no name.
GENERATOR = "rng"


# Statements that bind their names whatever happens.
PLAIN = (ast.Assign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def names(code):
    """Return the names that code binds or changes, and those that it uses from outside."""
    bound, used, own = set(), set(), set()
    for statement in ast.parse(code).body:
        assigned, changed, loaded = _names(statement)
        if isinstance(statement, ast.For):
            loop = _names(ast.Expr(statement.iter))[2]
            target = {one.id for one in ast.walk(statement.target) if isinstance(one, ast.Name)}
            loaded -= target - loop
        if isinstance(statement, ast.If | ast.While | ast.Try | ast.Match):
            # What may not be bound here is what it was before.
            loaded |= assigned
        bound |= assigned | changed
        used |= loaded - own
        if isinstance(statement, PLAIN):
            own |= assigned
    return bound, used


def _names(statement):
    """Return the names that a statement binds, those that it changes, and those that it loads."""
    table = symtable.symtable(ast.unparse(statement), "cell", "exec")
    symbols = table.get_symbols()
    assigned = {
        one.get_name()
        for one in symbols
        if one.is_assigned() or one.is_imported() or one.is_namespace()
    }
    changed, loaded = set(), {one.get_name() for one in symbols if one.is_referenced()}
    tables = list(table.get_children())
    while tables:
        inner = tables.pop()
        tables += inner.get_children()
        loaded |= {one.get_name() for one in inner.get_symbols() if one.is_global()}
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            loaded |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            loaded.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            loaded.add(node.target.id)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            changed |= {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    return assigned, changed, loaded


@dataclass(eq=False)
class Unit:
    """What runs as a whole: a cell, or one statement of a cell that imports."""

    cell: int
    code: str
    statements: list | None
    bound: set
    used: set
    needs: dict = field(default_factory=dict)
    """Name that it uses → the last unit before it that binds the name."""

    @property
    def key(self):
        """What tells whether the same has been run before."""
        return self.cell, self.code


def without_magics(source):
    """Return a cell in which lines for Jupyter alone do nothing."""
    lines = source.splitlines()
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in lines)


def units(sources):
    """Return the units of all cells in the page's order."""
    found = [
        Unit(cell, code, statements, set(bound), set(used))
        for cell, source in enumerate(sources)
        for code, statements, bound, used in parts(source)
    ]
    last, later = {}, {}
    for unit in found:
        # A function looks its names up when it is called, by then bound by other cells maybe.
        unit.used |= set().union(*(later.get(name, ()) for name in unit.used))
        unit.needs = {name: last[name] for name in unit.used if name in last}
        last |= dict.fromkeys(unit.bound, unit)
        later |= dict.fromkeys(unit.bound, unit.used if has_functions(unit) else ())
    return found


@functools.cache
def parts(source):
    """Return the units of one cell as (code, statements, names bound, names used).

    Imports stand together in a cell without belonging together; other cells do one thing.
    """
    try:
        statements = ast.parse(without_magics(source)).body
    except SyntaxError:
        # Whatever it may bind is asked for here, and not where an older text has bound it.
        begun = set(re.findall(r"^(?:def |class )?(\w+)", source, re.MULTILINE))
        return [(source, None, begun, set())]
    imports = any(isinstance(one, ast.Import | ast.ImportFrom) for one in statements)
    found = []
    for part in [[one] for one in statements] if imports else [statements] * bool(statements):
        code = "\n".join(ast.unparse(one) for one in part)
        bound, used = names(code)
        if imports and isinstance(part[0], ast.Expr):
            # A line that sets up what was imported, such as `plt.style.use(...)`.
            bound |= used
        found.append((code, part, bound | used & {GENERATOR}, used))
    return found


def has_functions(unit):
    """Tell whether a unit makes functions."""
    return any(
        isinstance(node, ast.FunctionDef | ast.Lambda)
        for one in unit.statements or ()
        for node in ast.walk(one)
    )


class Runs:
    """Remembers which unit has bound each name, and what it was bound from."""

    def __init__(self):
        self.owners, self.numbers, self.inputs = {}, {}, {}

    def record(self, unit):
        """Note that a unit has been run."""
        self.numbers[unit.key] = len(self.numbers) + max(self.numbers.values(), default=0)
        self.inputs[unit.key] = self._numbered(unit)
        self.owners |= dict.fromkeys(unit.bound, unit.key)

    def _numbered(self, unit):
        return {name: self.numbers.get(one.key) for name, one in unit.needs.items()}

    def schedule(self, cell, every):
        """Return the units that must run for a cell to see what it would see from the top."""
        chosen = {id(unit) for unit in every if unit.cell == cell}
        while missing := self._missing(chosen, every):
            chosen |= missing
        return [unit for unit in every if id(unit) in chosen]

    def _missing(self, chosen, every):
        """Return what must run besides, as soon as some of the chosen lack it."""
        fresh, owners = {}, dict(self.owners)
        for unit in every:
            # What needs nothing that runs anew, and has seen the last of all that it needs.
            fresh[id(unit)] = self.inputs.get(unit.key) == self._numbered(unit) and all(
                fresh[id(one)] and id(one) not in chosen for one in unit.needs.values()
            )
            if id(unit) in chosen:
                missing = {
                    id(one)
                    for name, one in unit.needs.items()
                    if owners.get(name) != one.key or not fresh[id(one)]
                } - chosen
                if missing:
                    return missing
                owners |= dict.fromkeys(unit.bound, unit.key)
        return set()
