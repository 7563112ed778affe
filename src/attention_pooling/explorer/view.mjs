// How a small figure comes alive: in a page, and as the view of a widget.

import { enliven } from "./page.mjs";

/**
 * Make of `build` what a page and a notebook ask for. `build(root, data, ask)` makes the figure,
 * hands what the reader changes to `ask`, and returns `show`, which takes traits, and `end`.
 */
export function figureOf(name, traits, build) {
  const mount = (root) =>
    enliven(root, (data) => {
      const built = build(root, data, (change) => built.show(change));
    });
  function mountAll(page = document) {
    for (const root of page.querySelectorAll(`.nw-${name}`)) mount(root);
  }
  /** The view of an anywidget: the model holds the truth. */
  function render({ model, el }) {
    const root = el.appendChild(document.createElement("div"));
    root.className = `nw-${name}`;
    const held = () => Object.fromEntries(traits.map((trait) => [trait, model.get(trait)]));
    const built = build(root, { ...model.get("data"), ...held() }, (change) => {
      for (const trait in change) model.set(trait, change[trait]);
      model.save_changes();
    });
    const events = traits.map((trait) => `change:${trait}`).join(" ");
    const update = () => built.show(held());
    model.on(events, update);
    return () => {
      model.off(events, update);
      built.end();
    };
  }
  return { mount, mountAll, render };
}
