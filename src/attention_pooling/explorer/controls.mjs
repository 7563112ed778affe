// What a reader moves, apart from the panels: a record for each control.

import { digitsOf, extent, rounded, roundStep, tidy, written } from "./scales.mjs";

/** The queries that a slider can choose: its ends and its step. */
export function queryRange(queries) {
  const { lo, hi } = extent([queries], 0);
  const step = roundStep((hi - lo) / 400);
  return {
    step: tidy(step),
    min: tidy(Math.floor(lo / step) * step),
    max: tidy(Math.ceil(hi / step) * step),
  };
}

/** A number with the unit of keys (0) or values (1). */
export const withUnit = (text, { units }, which = 0) =>
  units[which] ? `${text} ${units[which]}` : text;

// An input that is linked is an ipywidget in a notebook, where only its text is shown.
const CONTROLS = [
  {
    name: "sigma",
    words: "width σ",
    spoken: "width",
    linked: true,
    input: '<input type="range" name="sigma">',
    prepare(slider, { sigmas, step }) {
      const [min, max] = sigmas.map(Math.log10);
      // Whole steps, so that the upper end can be reached.
      const steps = Math.max(1, Math.round((max - min) / step));
      Object.assign(slider, { min, max, step: (max - min) / steps });
    },
    text: (state) => withUnit(written(state.sigma), state),
    write: ({ sigma }) => Math.log10(sigma),
    read: ({ value }) => rounded(10 ** value),
  },
  {
    name: "kernel",
    words: "kernel",
    linked: true,
    input: '<select name="kernel"></select>',
    prepare(chooser, { kernels }) {
      if (chooser.length) return;
      for (const name in kernels) chooser.add(new Option(name, name));
    },
    write: ({ kernel }) => kernel,
    read: ({ value }) => value,
  },
  {
    name: "query",
    words: "query",
    input: '<input type="range" name="query">',
    prepare: (slider, { queries }) => Object.assign(slider, queryRange(queries)),
    text(state) {
      // Enough digits to tell one step from the next.
      const digits = digitsOf(extent([state.queries], 0), 400);
      return withUnit(written(state.query, digits), state);
    },
    write: ({ query }) => query,
    read: ({ value }) => Number(value),
  },
];

/** The controls inside an element; `ask` receives what the reader changes. */
export function controlsOf(element, state, { inputs, ask, tell, forget }) {
  const shown = CONTROLS.filter(({ linked, text }) => inputs || !linked || text);
  const made = shown.map((record) => {
    const label = element.appendChild(document.createElement("label"));
    label.innerHTML =
      `<span>${record.words} <b aria-hidden="true"></b></span>` +
      (inputs || !record.linked ? record.input : "");
    const input = label.querySelector("input, select");
    if (input) {
      // Else a browser that comes back to the page puts the reader's last values into it.
      input.autocomplete = "off";
      input.addEventListener("input", () => {
        forget(input);
        ask({ [record.name]: record.read(input) });
      });
    }
    return { ...record, input, number: label.querySelector("b") };
  });
  return {
    prepare() {
      for (const { input, prepare } of made) {
        if (!input) continue;
        prepare(input, state);
        forget(input);
      }
    },
    input: (name) => made.find((record) => record.name === name)?.input,
    words: () =>
      made
        .filter(({ text }) => text)
        .map(({ words, spoken = words, text }) => `${spoken} ${text(state)}`)
        .join(", "),
    write() {
      for (const { input, number, text, write } of made) {
        if (text) tell(number, "textContent", text(state));
        if (!input) continue;
        tell(input, "value", write(state));
        if (text) tell(input, "ariaValueText", text(state));
      }
    },
  };
}
