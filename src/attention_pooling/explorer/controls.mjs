// What a reader moves, apart from the panels: a record for each control.

import { KERNELS } from "./kernels.mjs";
import { extent, roundStep, tidy, written } from "./scales.mjs";

/** A slider's width: what is computed has as many digits as its label. */
export const rounded = (sigma) => Number(sigma.toPrecision(3));

/** The queries that a slider can choose: its ends, its step, and the digits that tell steps apart. */
export function queryRange(queries) {
  const { lo, hi } = extent([queries], 0);
  const step = roundStep((hi - lo) / 400);
  return {
    step: tidy(step),
    min: tidy(Math.floor(lo / step) * step),
    max: tidy(Math.ceil(hi / step) * step),
    digits: 1 + Math.ceil(Math.log10(Math.max(-lo, hi, step) / step)),
  };
}

/** A number with the unit of keys (0) or values (1). */
export const withUnit = (text, { units }, which = 0) => (units[which] ? `${text} ${units[which]}` : text);

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
    prepare(chooser) {
      for (const name in KERNELS) chooser.add(new Option(name, name));
    },
    write: ({ kernel }) => kernel,
    read: ({ value }) => value,
  },
  {
    name: "query",
    words: "query",
    input: '<input type="range" name="query">',
    prepare(slider, { queries }) {
      const { min, max, step } = queryRange(queries);
      Object.assign(slider, { min, max, step });
    },
    text: (state) => withUnit(written(state.query, queryRange(state.queries).digits), state),
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
      record.prepare(input, state);
      input.addEventListener("input", () => {
        forget(input);
        ask({ [record.name]: record.read(input) });
      });
    }
    return { ...record, input, number: label.querySelector("b") };
  });
  return {
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
