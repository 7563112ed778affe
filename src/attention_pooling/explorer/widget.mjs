// The explorer as the view of an anywidget, whose slider and chooser are ipywidgets.

import { tableOf } from "./data.mjs";
import { explore } from "./explore.mjs";
import { rounded } from "./scales.mjs";

const plainTable = (table) =>
  Object.fromEntries(
    Object.entries(table).map(([name, part]) => [name, part && Array.from(part)]),
  );

/** Show what the model holds, and tell it what the reader changes. */
export function render({ model, el }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "nw-explorer";
  // Else JupyterLab's shortcuts take the arrow keys from the slider beside the view.
  const keepKeys = ({ target }) => (target.dataset.lmSuppressShortcuts = "true");
  new ResizeObserver(() => el.closest(".widget-vbox")?.addEventListener("focusin", keepKeys)).observe(el);
  const names = Object.keys(model.get("data").kernels);
  const chosen = () => names[model.get("kernel_index")] || model.get("evaluated").name;
  // The reader's data, as the model has them and as the explorer does.
  let changed;
  let table;
  const explorer = explore(root, model.get("data"), {
    inputs: false,
    ask({ sigma, kernel, query, table: put }) {
      if (put !== undefined) {
        [table, changed] = [put, plainTable(put)];
        model.set("changed", changed);
      }
      if (sigma !== undefined) model.set("sigma", sigma);
      // A reader's own kernel stays, even under the name of one of ours.
      if (kernel !== undefined && kernel !== chosen()) {
        model.set("kernel_index", names.indexOf(kernel));
      }
      if (query !== undefined) model.set("query", query);
      model.save_changes();
    },
  });
  const update = () => {
    const kernel = names[model.get("kernel_index")];
    if (changed !== model.get("changed")) {
      changed = model.get("changed");
      table = tableOf({ ...model.get("data"), ...changed });
    }
    if (kernel) {
      explorer.show({ kernel, sigma: model.get("sigma"), query: model.get("query"), table });
      return;
    }
    const { name, sigma, query, weights, panel, leaveOneOut, noise } = model.get("evaluated");
    if (!weights) return;
    const numbers = ({ buffer, byteOffset, byteLength }) =>
      new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
    const { keys, queries } = table ?? model.get("data");
    // Python has not yet seen the reader's data.
    if (numbers(weights).length !== (queries.length + 1) * keys.length) return;
    const [error, alone, variance] = [...leaveOneOut, noise].map((x) => x ?? NaN);
    explorer.show(
      { kernel: name, sigma, query, table },
      {
        ...{ weights: numbers(weights), panel: panel && numbers(panel) },
        ...{ leaveOneOut: [error, alone], noise: variance },
      },
    );
  };
  // Width and thumb follow each other, but the thumb's rounding to its steps goes nowhere.
  const pass = (name, value) => {
    const [lo, hi] = model.get("ends");
    const inside = Math.min(Math.max(model.get("sigma"), lo), hi);
    if (Math.abs(Math.log10(model.get("thumb") / inside)) < 0.51 * model.get("data").step) return;
    model.set(name, value(inside));
    model.save_changes();
  };
  const listeners = [
    ["change:sigma change:ends", () => pass("thumb", (inside) => inside)],
    ["change:thumb", () => pass("sigma", () => rounded(model.get("thumb")))],
    ["change:sigma change:kernel_index change:query change:evaluated change:changed", update],
  ];
  for (const [events, listener] of listeners) model.on(events, listener);
  listeners[0][1]();
  update();
  return () => {
    for (const [events, listener] of listeners) model.off(events, listener);
    explorer.end();
  };
}
