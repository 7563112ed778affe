// An explorer: a state, what follows from it, and the panels, controls and words that show it.

import {
  attentionWeights,
  effectiveKeys,
  leaveOneOut,
  mostAttended,
  pool,
  share,
} from "./arithmetic.mjs";
import { controlsOf } from "./controls.mjs";
import { checkPairs, tableOf, withPairs } from "./data.mjs";
import { draggable } from "./drag.mjs";
import { editable } from "./edit.mjs";
import { errorPanel } from "./errors.mjs";
import { estimatePanel } from "./estimate.mjs";
import { Panel } from "./frame.mjs";
import { heatmap } from "./heatmap.mjs";
import { kernelsOf } from "./kernels.mjs";
import { inkOf, isSame, watchLooks } from "./looks.mjs";
import { readoutOf } from "./readout.mjs";
import { extent, rounded } from "./scales.mjs";
import { similarityPanel } from "./similarity.mjs";
import { speaker } from "./speech.mjs";
import { sumOf } from "./terms.mjs";
import { toolsOf } from "./tools.mjs";

const PANELS = [estimatePanel, heatmap, similarityPanel, errorPanel];
const SETTINGS = ["sigma", "kernel", "query"];
const MOST_STEPS = 100; // that can be taken back

/** Make another table the state's, with room for what is computed from it. */
function takeTable(state, table) {
  Object.assign(state, table, { table, best: {} });
  const { keys, queries } = table;
  if (state.row?.length !== keys.length || state.estimate.length !== queries.length) {
    state.weights = new Float64Array(queries.length * keys.length);
    state.estimate = new Float64Array(queries.length);
    state.row = new Float64Array(keys.length);
  }
}

/** Fill in what follows; `given` is what Python has computed for a reader's own kernel. */
function update(state, given) {
  const { kernel, sigma, query, keys, values, queries, weights, row, estimate } = state;
  state.evaluated = given?.panel;
  // The weights do not change with the query or a value, nor the errors with the query.
  const weighed = [kernel, sigma, keys, queries];
  const known = !given && weighed.every((x, i) => x === state.weighed?.[i]);
  state.weighed = given ? null : weighed;
  if (!known) state.version = (state.version ?? 0) + 1;
  if (given) {
    weights.set(given.weights.subarray(0, weights.length));
    row.set(given.weights.subarray(weights.length));
    [state.leaveOneOutError, state.keysUnreached] = given.leaveOneOut;
    state.noise = given.noise;
  } else {
    const alpha = state.kernels[kernel];
    if (!known) attentionWeights(queries, keys, alpha, sigma, weights);
    share(query, keys, alpha, sigma, row);
    if (!known || state.judged !== values) {
      const left = leaveOneOut(keys, values, alpha, sigma);
      [state.leaveOneOutError, state.keysUnreached] = [left.error, left.unreached];
      state.noise = left.noise;
    }
  }
  state.judged = values;
  pool(weights, values, estimate);
  state.queryEstimate = pool(row, values)[0];
  state.effectiveKeys = effectiveKeys(row);
  if (state.band) {
    const n = keys.length;
    const doubled = (shares) => 2 * Math.sqrt(state.noise / effectiveKeys(shares));
    state.reach = estimate.map((_, j) => doubled(weights.subarray(j * n, (j + 1) * n)));
    state.queryReach = doubled(row);
  }
  state.terms = mostAttended(row, values);
  state.unreached = estimate.reduce((count, x) => count + Number.isNaN(x), 0);
  if (!(state.best[kernel]?.error <= state.leaveOneOutError)) {
    const { leaveOneOutError: error } = state;
    if (Number.isFinite(error)) state.best[kernel] = { sigma, error };
  }
}

/** Refuse what cannot be drawn. */
function check(state, { sigma = state.sigma, query = state.query, kernel = state.kernel }, table) {
  const must = (holds, rule, given) => {
    if (!holds) throw new RangeError(`${rule}, got ${given}`);
  };
  const names = Object.keys(state.kernels);
  must(Number.isFinite(sigma) && sigma > 0, "sigma must be positive and finite", sigma);
  must(Number.isFinite(query), "query must be finite", query);
  const known = [state.kernel, ...names].includes(kernel);
  must(known, `kernel must be one of ${names.join(", ")}`, kernel);
  const { lo, hi } = extent([table.keys, table.queries], 0);
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
    band: state.band
      ? [-1, 1].map((side) => plain(state.estimate.map((f, j) => f + side * state.reach[j])))
      : null,
    queryEstimate: known(state.queryEstimate),
    queryWeights: plain(state.row),
    terms: state.terms.map((term) => ({ ...term })),
    effectiveKeys: known(state.effectiveKeys),
    leaveOneOutError: known(state.leaveOneOutError),
    unreached: state.unreached,
    pointed: state.pointed < 0 ? null : state.pointed,
    best: state.best[state.kernel] ?? null,
    leaveOneOutCurve: errors ? errorPanel.curve(errors, state).map(plain) : [],
    panels: panels.map(({ left, right, top, bottom, scaleX, scaleY }) => ({
      x: { ...scaleX, from: left, to: right },
      y: { ...scaleY, from: bottom, to: top },
    })),
  };
}

/**
 * Build an explorer. `ask` receives what the reader changes, and has it shown; `addresses`, where
 * there are any, make of a state an address and a frame; `rested` is told the state that has come to
 * rest.
 */
export function explore(root, raw, { inputs, ask, addresses = {}, rested = () => {} }) {
  const book = tableOf(raw);
  const state = { ...raw, kernels: kernelsOf(raw.kernels), pointed: -1, chosen: -1, held: false };
  takeTable(state, book);
  const live = document.createElement("div");
  live.className = "nw-live";
  live.innerHTML = `<div class="nw-controls"></div><div class="nw-panels"></div>
    <div class="nw-sum"></div><div class="nw-tools"></div>
    <p class="nw-spoken" aria-live="polite"></p>`;
  const [controlled, sheets, written, tooled, spoken] = live.children;
  const [say, hush] = speaker(spoken);

  // The page's own parts are dear to touch: only with what is new to them.
  const last = new Map();
  function tell(element, name, value) {
    let before = last.get(element);
    if (!before) last.set(element, (before = {}));
    if (before[name] === value) return;
    element[name] = before[name] = value;
  }

  // A hand is faster than the screen: what it asks for is gathered until the next frame.
  let pending = {};
  let frame = 0;
  let touched = false;
  const flush = () => {
    touched = true;
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
  let redraw = 0;
  const mark = (name, index) => {
    if (index === state[name]) return;
    state[name] = index;
    redraw ||= requestAnimationFrame(draw);
  };
  const point = (index) => mark("pointed", index < 0 ? state.chosen : index);
  const choose = (index) => {
    mark("chosen", index);
    point(index);
  };

  // What the reader has done to the data, and how to take it back.
  const past = [];
  let doing = null;
  function put(change, what, gathered = false) {
    if (!what || what !== doing) {
      past.push({ table: state.table, sigma: state.sigma, query: state.query });
      if (past.length > MOST_STEPS) past.shift();
    }
    doing = what;
    Object.assign(pending, change);
    if (gathered) later({});
    else flush();
  }
  function change(pairs, what) {
    try {
      checkPairs(pairs, state.table);
    } catch (error) {
      tools.say("", error.message);
      return false;
    }
    put({ table: withPairs(state.table, pairs) }, what, state.held);
    return true;
  }
  /** Go back to a table; with another unit of keys, to its width and query as well. */
  function restore({ table, sigma, query }) {
    const other = table.labels !== state.table.labels;
    Object.assign(pending, other ? { table, sigma, query } : { table });
    doing = null;
    flush();
  }
  const undo = () => past.length && restore(past.pop());
  function reset() {
    if (state.table === book) return;
    past.push({ table: state.table, sigma: state.sigma, query: state.query });
    restore({ table: book, sigma: raw.sigma, query: raw.query });
  }
  function bring(pairs) {
    checkPairs(pairs, state.table);
    const table = withPairs(state.table, pairs);
    const { lo, hi } = extent([table.queries], 0);
    const sigma = rounded((state.sigma * table.sigmas[0]) / state.table.sigmas[0]);
    const query = (lo + hi) / 2;
    check(state, { sigma, query }, table);
    put({ table, sigma, query });
  }
  /** What an address has to say of the state. */
  function snapshot() {
    const { kernel, sigma, query, table } = state;
    const { keys, values, labels } = table;
    return {
      ...{ kernel, sigma, query },
      keys: keys === book.keys ? undefined : keys,
      values: values === book.values ? undefined : values,
      labels: labels === book.labels ? undefined : labels,
    };
  }

  let resting = 0;
  const remember = () => {
    clearTimeout(resting);
    if (touched) resting = setTimeout(() => rested(snapshot()), 150);
  };

  const controls = controlsOf(controlled, state, {
    inputs,
    ask: later,
    tell,
    forget: (input) => last.delete(input),
  });
  const shown = PANELS.filter(({ asked, name }) => !asked || name === state.panel);
  const panels = shown.map((record) => new Panel(sheets, record, state));
  const handle = editable(panels[0], state, {
    ...{ tell, change, choose, undo },
    rest() {
      settle();
      draw();
    },
  });
  for (const panel of panels) {
    const focus = () => controls.input(panel.record.drags.name)?.focus({ preventScroll: true });
    draggable(panel, state, { focus, ask: later, point });
  }
  const answers = sheets.appendChild(document.createElement("div"));
  answers.className = "nw-readout";
  const readout = readoutOf(answers, state, { tell });
  if (raw.question) {
    const question = sheets.appendChild(document.createElement("p"));
    question.className = "nw-question";
    question.textContent = raw.question;
  }
  const sum = sumOf(written, state, { tell, point });
  const actions = { undo, reset };
  for (const [name, address] of Object.entries(addresses)) {
    actions[name] = () => address(snapshot());
  }
  const tools = toolsOf(tooled, root, { actions, bring });

  function draw() {
    redraw = 0;
    // Not every browser tells at once that the page has come to a denser screen.
    if (ink.density !== devicePixelRatio) return fit();
    for (const panel of panels) panel.record.draw(panel, state);
    for (const part of [controls, handle, readout, sum]) part.write();
    remember();
    say(() => {
      const words = `Kernel ${state.kernel}, ${controls.words()}. ${readout.words()}`;
      return state.chosen < 0 ? words : `${handle.words()}. ${words}`;
    });
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  let ink;
  const fit = () => {
    ink = inkOf(root);
    for (const panel of panels) panel.fit(ink, state);
    if (state.terms) draw();
  };
  const fitAnew = () => isSame(inkOf(root), ink) || fit();
  const fitErrors = (panel) => {
    panel.fit(ink, state);
    draw();
  };
  /** Lay the panels' scales around the data as they are now. */
  function settle(before = {}) {
    for (const panel of panels) {
      const fits = before.keys === state.keys && before.queries === state.queries;
      if (panel.scale(state) || !fits) panel.fit(ink, state);
    }
  }

  root.append(live);
  // Once taken out of the page it has no size to fit.
  const watch = new ResizeObserver(() => sheets.clientWidth && fit());
  watch.observe(sheets);
  const unwatch = watchLooks(root, fitAnew);
  controls.prepare();
  fit();
  const judge = (wait) => {
    for (const panel of panels) {
      panel.record.start?.(panel, state, () => fitErrors(panel), wait);
    }
  };
  judge(0);

  root.explorer = {
    state: () => told(state, panels),
    set(wanted) {
      const { keys, values, labels } = wanted;
      const data = keys !== undefined || values !== undefined;
      if (data) checkPairs({ keys, values }, state.table);
      const table = data ? withPairs(state.table, { keys, values, labels }) : state.table;
      check(state, wanted, table);
      for (const name of SETTINGS) if (wanted[name] !== undefined) pending[name] = wanted[name];
      if (data) put({ table });
      else flush();
    },
    reset,
    undo,
    ...actions,
  };
  return {
    show({ table = state.table, ...settings }, given) {
      const before = { ...state.table };
      Object.assign(state, settings);
      if (table !== state.table) {
        takeTable(state, table);
        if (table.keys !== before.keys) state.pointed = state.chosen = -1;
        judge(200);
      }
      update(state, given);
      if (before.sigmas !== table.sigmas || before.queries !== table.queries) controls.prepare();
      if (!state.held && (before.keys !== table.keys || before.values !== table.values)) {
        settle(before);
      }
      draw();
      root.dataset.ready = "true";
    },
    end() {
      watch.disconnect();
      unwatch();
      hush();
      clearTimeout(resting);
      for (const panel of panels) panel.record.end?.(panel);
    },
  };
}
