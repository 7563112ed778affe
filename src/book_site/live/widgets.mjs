// Explorers that a cell has made: their views are the book's own, their models live in Python too.

import { made } from "./output.mjs";

/** What a view has of a widget: its traits, here and in Python. */
class Model extends EventTarget {
  constructor(traits, pass) {
    super();
    Object.assign(this, { traits, pass, changed: {} });
  }

  get(name) {
    return this.traits[name];
  }

  set(name, value) {
    if (Object.is(this.traits[name], value)) return;
    this.changed[name] = value;
    this.take({ [name]: value });
  }

  take(traits) {
    Object.assign(this.traits, traits);
    for (const name in traits) this.dispatchEvent(new Event(`change:${name}`));
  }

  /** Tell Python, one message at a time: what changes meanwhile goes together. */
  async save_changes() {
    if (this.saving) return;
    this.saving = true;
    while (Object.keys(this.changed).length) {
      const { changed } = this;
      this.changed = {};
      await this.pass(changed);
    }
    this.saving = false;
  }

  on(names, listener) {
    for (const name of names.split(" ")) this.addEventListener(name, listener);
  }

  off(names, listener) {
    for (const name of names.split(" ")) this.removeEventListener(name, listener);
  }
}

/** Keep two traits the same; the second starts as the first. */
function link(one, name, other, its) {
  const follow = (from, at, to, there) => () => {
    to.set(there, from.get(at));
    to.save_changes();
  };
  const forth = follow(one, name, other, its);
  one.on(`change:${name}`, forth);
  other.on(`change:${its}`, follow(other, its, one, name));
  forth();
}

/** A control with the name of its trait, which both sides may move. */
function control(model, part, events, fit, value) {
  const show = () => fit(model.traits);
  model.on(events, show);
  part.oninput = () => {
    model.set(...value());
    model.save_changes();
  };
  show();
  return made("label", "", [made("span", "", [model.get("description")]), part]);
}

const KINDS = {
  box(model, children) {
    // What the explorers' style calls a group of controls.
    return made("div", children.some((one) => one.localName === "div") ? "" : "nw-controls", children);
  },

  slider(model) {
    const input = Object.assign(made("input", ""), { type: "range", name: "sigma" });
    const fit = ({ min, max, step, value }) => {
      Object.assign(input, { min, max, step, value: Math.log10(value) });
      input.ariaValueText = Number(value.toPrecision(3));
    };
    return control(model, input, "change:value change:min change:max", fit, () => ["value", 10 ** input.value]);
  },

  chooser(model) {
    const select = Object.assign(made("select", ""), { name: "kernel" });
    const fit = ({ labels, index }) => {
      select.replaceChildren(...labels.map((label) => new Option(label)));
      select.selectedIndex = index;
    };
    return control(model, select, "change:labels change:index", fit, () => ["index", select.selectedIndex]);
  },
};

/** Show a widget and those in it under a cell; `python` keeps their models. */
export async function showWidget(cell, widget, python, show) {
  const { area } = cell;
  const { models, worker } = python;
  const drawn = [];

  async function pass(id, changed) {
    const { state } = cell.root.dataset;
    if (python.worker !== worker) {
      if (state === "done") cell.state("idle", "Python has been started anew: run this cell again.");
      return;
    }
    for (const error of area.querySelectorAll(".live-error")) error.remove();
    const slow = setTimeout(() => cell.state("running", "Running …"), 500);
    await python.pass(id, changed);
    clearTimeout(slow);
    if (cell.root.dataset.state !== "running") return;
    if (python.worker === worker) cell.state("done", "Done.");
    else cell.state("stopped", "Stopped.");
  }

  async function draw(el, kind, model) {
    const { files } = cell.page.book;
    if (!document.querySelector(`link[href*="/${kind}.css"]`)) {
      document.head.append(Object.assign(made("link", ""), { rel: "stylesheet", href: files[`${kind} style`] }));
    }
    const { default: view } = await import(files[kind]);
    cell.ends.push(view.render({ model, el }));
    // The controls belong into the view, the first of them to the text that tells its value.
    const controls = el.previousElementSibling;
    if (controls?.className !== "nw-controls") return;
    const place = el.querySelector("label:not(:has(input, select))");
    if (!place) return el.firstElementChild.prepend(controls);
    place.append(controls.querySelector("input"));
    place.after(controls.lastChild);
    controls.remove();
  }

  function open([id, kind, children]) {
    const model = models[id];
    model.show = show;
    if (kind in KINDS) return KINDS[kind](model, children.map(open));
    const el = made("div", "");
    drawn.push(() => draw(el, kind, model));
    return el;
  }

  for (const [id, traits] of widget.models) models[id] = new Model(traits, (changed) => pass(id, changed));
  for (const [one, name, other, its] of widget.links) link(models[one], name, models[other], its);
  area.append(made("div", "output text_html", [open(widget.tree)]));
  await Promise.all(drawn.map((one) => one()));
}
