// An explorer: a state, what follows from it, and the panels, controls and words that show it.

import { attentionWeights, effectiveKeys, leaveOneOut, pool, share } from "./arithmetic.mjs";
import { controlsOf } from "./controls.mjs";
import { draggable } from "./drag.mjs";
import { errorPanel } from "./errors.mjs";
import { estimatePanel } from "./estimate.mjs";
import { Panel } from "./frame.mjs";
import { heatmap } from "./heatmap.mjs";
import { KERNELS } from "./kernels.mjs";
import { readoutOf } from "./readout.mjs";
import { extent } from "./scales.mjs";
import { similarityPanel } from "./similarity.mjs";
import { speaker } from "./speech.mjs";

// Those with a name are shown where Python asks for them.
const PANELS = [estimatePanel, heatmap, similarityPanel, errorPanel];
const ASKED = ["sigma", "kernel", "query"];

/** The data as arrays of numbers, with room for what is computed from them. */
function stateOf(raw) {
  const state = { ...raw };
  for (const name of ["keys", "values", "queries"]) state[name] = Float64Array.from(raw[name]);
  state.weights = new Float64Array(state.queries.length * state.keys.length);
  state.estimate = new Float64Array(state.queries.length);
  state.row = new Float64Array(state.keys.length);
  return state;
}

/** Fill in what follows; `given` is what Python has computed for a reader's own kernel. */
function update(state, given) {
  const { kernel, sigma, query, keys, values, queries, weights, row, estimate } = state;
  state.evaluated = given?.panel;
  if (given) {
    weights.set(given.weights.subarray(0, weights.length));
    row.set(given.weights.subarray(weights.length));
    [state.leaveOneOutError, state.keysUnreached] = given.leaveOneOut;
  } else {
    const alpha = KERNELS[kernel];
    attentionWeights(queries, keys, alpha, sigma, weights);
    share(query, keys, alpha, sigma, row);
    const left = leaveOneOut(keys, values, alpha, sigma);
    [state.leaveOneOutError, state.keysUnreached] = [left.error, left.unreached];
  }
  pool(weights, values, estimate);
  state.queryEstimate = pool(row, values)[0];
  state.effectiveKeys = effectiveKeys(row);
  state.unreached = estimate.reduce((count, x) => count + Number.isNaN(x), 0);
}

/** Refuse what cannot be drawn. */
function check(state, { sigma = state.sigma, query = state.query, kernel = state.kernel }) {
  const must = (holds, rule, given) => {
    if (!holds) throw new RangeError(`${rule}, got ${given}`);
  };
  const names = Object.keys(KERNELS);
  must(Number.isFinite(sigma) && sigma > 0, "sigma must be positive and finite", sigma);
  must(Number.isFinite(query), "query must be finite", query);
  const known = [state.kernel, ...names].includes(kernel);
  must(known, `kernel must be one of ${names.join(", ")}`, kernel);
  const { lo, hi } = extent([state.keys, state.queries], 0);
  const farthest = Math.max(query, hi) - Math.min(query, lo);
  must(farthest / sigma < Infinity, "sigma must not make scaled distances overflow", sigma);
}

const known = (x) => (Number.isNaN(x) ? null : x);
const plain = (array) => Array.from(array, known);

/** The state as others may have it: plain arrays, null for NaN. */
function told(state, panels) {
  const n = state.keys.length;
  const errors = panels.find(({ record }) => record === errorPanel);
  return {
    kernel: state.kernel,
    sigma: state.sigma,
    query: state.query,
    queries: plain(state.queries),
    keys: plain(state.keys),
    values: plain(state.values),
    estimate: plain(state.estimate),
    weights: Array.from(state.queries, (_, j) =>
      plain(state.weights.subarray(j * n, (j + 1) * n)),
    ),
    queryEstimate: known(state.queryEstimate),
    queryWeights: plain(state.row),
    effectiveKeys: known(state.effectiveKeys),
    leaveOneOutError: known(state.leaveOneOutError),
    unreached: state.unreached,
    leaveOneOutCurve: errors ? errorPanel.curve(errors, state).map(plain) : [],
    panels: panels.map(({ left, right, top, bottom, scaleX, scaleY }) => ({
      x: { ...scaleX, from: left, to: right },
      y: { ...scaleY, from: bottom, to: top },
    })),
  };
}

/** Build an explorer. `ask` receives what the reader changes, and has it shown. */
export function explore(root, raw, { inputs, ask }) {
  const state = stateOf(raw);
  const live = document.createElement("div");
  live.className = "nw-live";
  live.innerHTML = `<div class="nw-controls"></div><div class="nw-panels"></div>
    <p class="nw-spoken" aria-live="polite"></p>`;
  const [controlled, sheets, spoken] = live.children;
  const [say, hush] = speaker(spoken);

  // The page's own parts are dear to touch: only with what is new to them.
  const last = new Map();
  function tell(element, name, value) {
    const before = last.get(element) ?? {};
    if (before[name] === value) return;
    last.set(element, { ...before, [name]: value });
    element[name] = value;
  }

  // A hand is faster than the screen: what it asks for is gathered until the next frame.
  let pending = {};
  let frame = 0;
  const flush = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    const change = pending;
    pending = {};
    ask(change);
  };
  const later = (change) => {
    Object.assign(pending, change);
    frame ||= requestAnimationFrame(flush);
  };

  const controls = controlsOf(controlled, state, {
    inputs,
    ask: later,
    tell,
    forget: (input) => last.delete(input),
  });
  const panels = PANELS.filter(({ name }) => !name || name === state.panel).map((record) => {
    const panel = new Panel(sheets, record, state);
    const focus = () => controls.input(record.drags.name).focus({ preventScroll: true });
    if (record.drags) draggable(panel, state, { focus, ask: later });
    return panel;
  });
  const answers = sheets.appendChild(document.createElement("div"));
  answers.className = "nw-readout";
  const readout = readoutOf(answers, state, { tell });

  function draw() {
    for (const panel of panels) panel.draw(state);
    controls.write();
    readout.write();
    say(() => `Kernel ${state.kernel}, ${controls.words()}. ${readout.words()}`);
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }
  const fit = () => {
    const { color, fontFamily } = getComputedStyle(root);
    for (const panel of panels) panel.fit({ colour: color, font: `12px ${fontFamily}` }, state);
    if (root.dataset.ready) draw();
  };
  root.append(live);
  // Once taken out of the page it has no size to fit.
  const watch = new ResizeObserver(() => sheets.clientWidth && fit());
  watch.observe(sheets);
  // The style sheet's transition of color ends with every change of theme.
  root.addEventListener("transitionend", (event) => event.propertyName === "color" && fit());
  const print = matchMedia("print");
  print.addEventListener("change", fit);
  fit();
  for (const panel of panels) panel.record.start?.(panel, state, draw);

  root.explorer = {
    state: () => told(state, panels),
    set(change) {
      check(state, change);
      for (const name of ASKED) if (change[name] !== undefined) pending[name] = change[name];
      flush();
    },
  };
  return {
    show(change, given) {
      Object.assign(state, change);
      update(state, given);
      draw();
      root.dataset.ready = "true";
    },
    end() {
      watch.disconnect();
      print.removeEventListener("change", fit);
      hush();
      for (const panel of panels) panel.record.end?.(panel);
    },
  };
}
