// Bias, variance and their sum against the width, and draws that come to show the same.

import { attentionWeights, pool, share } from "./arithmetic.mjs";
import { draggable } from "./drag.mjs";
import { DASH, Panel } from "./frame.mjs";
import { gaussian } from "./kernels.mjs";
import { keepFitting } from "./looks.mjs";
import { digitsOf, extent, rounded, written } from "./scales.mjs";
import { speaker } from "./speech.mjs";
import { figureOf } from "./view.mjs";

const WIDTHS = 61;
const MOST_DRAWS = 1000;
const SEEN = 20; // of the draws, as curves
const DOTS = [2, 3];

/** For given keys: bias and variance of the estimate at a query, whose weights end in `row`. */
export function balanceOf(query, truthThere, { keys, truthAtKeys, noise }, sigma, row) {
  share(query, keys, gaussian, sigma, row);
  let [mean, squares] = [0, 0];
  for (let i = 0; i < row.length; i++) {
    mean += row[i] * truthAtKeys[i];
    squares += row[i] * row[i];
  }
  return { bias: mean - truthThere, variance: noise * noise * squares };
}

/** Normal deviates that are the same each time: mulberry32, then Box and Muller's transform. */
export function normalDeviates(seed) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The mean of some numbers less another one, and their variance. */
function momentsOf(numbers, truth) {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { bias: mean - truth, variance: squares / (numbers.length - 1) };
}

const nearest = (x, queries) =>
  queries.reduce((best, q, j) => (Math.abs(q - x) < Math.abs(queries[best] - x) ? j : best), 0);

const drawsPanel = {
  name: "draws",
  label: "The truth, the mean of the estimates with one standard deviation, and the last draws",
  drags: {
    name: "query",
    axis: "x",
    read: (x, { queries }) => queries[nearest(x, queries)],
  },
  legend: ({ colors }) => [
    ["truth", colors.truth, DASH],
    ["mean ± deviation", colors.estimate, []],
    ["a draw", colors.value],
  ],
  scales: ({ keys, queries, truth, truthAtKeys, noise, labels }) => {
    const { lo, hi } = extent([truth, truthAtKeys], 0);
    return [
      { ...extent([keys, queries], 0.02), label: labels[0] },
      { lo: lo - 2.5 * noise, hi: hi + 2.5 * noise, label: labels[1] },
    ];
  },
  draw(panel, state) {
    const { queries, truth, colors, means, deviations, curves, values, keys } = state;
    const pen = panel.begin();
    pen.globalAlpha = 0.25;
    pen.fillStyle = colors.estimate;
    pen.beginPath();
    queries.forEach((q, j) => pen.lineTo(panel.x(q), panel.y(means[j] + deviations[j])));
    for (let j = queries.length - 1; j >= 0; j--) {
      pen.lineTo(panel.x(queries[j]), panel.y(means[j] - deviations[j]));
    }
    pen.fill();
    pen.globalAlpha = 0.4;
    for (const curve of curves.slice(0, -1)) panel.curve(queries, curve, colors.value);
    pen.globalAlpha = 1;
    if (values) {
      keys.forEach((key, i) => panel.dot(panel.x(key), panel.y(values[i]), 2.5, colors.value));
      panel.curve(queries, curves.at(-1), colors.value);
    }
    panel.curve(queries, means, colors.estimate);
    panel.curve(queries, truth, colors.truth, DASH);
    panel.query(state);
  },
};

const sumPanel = {
  name: "parts",
  label: "Bias squared, variance and their sum as curves over the width, at the query",
  drags: {
    name: "sigma",
    axis: "x",
    read: (x, { sigmas: [lo, hi] }) => rounded(Math.min(Math.max(x, lo), hi)),
  },
  legend: ({ colors }) => [
    ["bias²", colors.estimate, DASH],
    ["variance", colors.estimate, DOTS],
    ["sum", colors.estimate, []],
    ["your draws", colors.value],
  ],
  scales: ({ sigmas: [lo, hi], noise, unit }) => [
    { lo, hi, log: true, label: `width σ${unit && ` (${unit})`}` },
    { lo: 0, hi: noise * noise, label: "mean squared error at the query" },
  ],
  draw(panel, { widths, curve, sigma, sigmas, colors, drawn, now }) {
    const pen = panel.begin();
    pen.save();
    pen.beginPath();
    pen.rect(panel.left, panel.top, panel.right - panel.left, panel.bottom - panel.top);
    pen.clip();
    panel.curve(widths, curve.map(({ bias }) => bias * bias), colors.estimate, DASH);
    panel.curve(widths, curve.map(({ variance }) => variance), colors.estimate, DOTS);
    panel.curve(widths, curve.map(({ sum }) => sum), colors.estimate);
    if (sigma >= sigmas[0] && sigma <= sigmas[1]) {
      const at = panel.x(sigma);
      panel.upright(at, panel.ink.colour, 1);
      panel.dot(at, panel.y(now.sum), 5, colors.estimate);
      if (drawn) {
        for (const y of [drawn.bias ** 2, drawn.variance]) panel.dot(at, panel.y(y), 4, colors.value);
      }
    }
    pen.restore();
  },
};

const BODY = `<div class="nw-dials">
    <label><span>width σ <b></b></span><input type="range" name="sigma" autocomplete="off"></label>
    <label><span>query <b></b></span><input type="range" name="query" autocomplete="off"></label>
    <p><button type="button" name="once">draw once</button>
    <button type="button" name="often">draw 100 times</button>
    <button type="button" name="again">start again</button></p>
  </div>
  <div class="nw-panels"></div>
  <p class="nw-seen"></p><p class="nw-spoken" aria-live="polite"></p>`;

/** Build the figure inside root. `ask` receives what the reader changes; it ends in `show`. */
function build(root, { sigmas, ...data }, ask) {
  const live = document.createElement("div");
  live.className = "nw-live";
  // JupyterLab would take the keys for its own, and the slider would stand still.
  live.addEventListener("keydown", (event) => event.stopPropagation());
  live.innerHTML = BODY;
  const find = (selector) => live.querySelector(selector);
  const [width, place] = ["[name=sigma]", "[name=query]"].map(find);
  const [widthTold, placeTold] = live.querySelectorAll("label b");
  Object.assign(width, { step: 0.01, min: Math.log10(sigmas[0]), max: Math.log10(sigmas[1]) });
  Object.assign(place, { step: 1, min: 0, max: data.queries.length - 1 });
  const row = new Float64Array(data.keys.length);
  const state = { ...data, sigmas, noises: [] };
  state.widths = Float64Array.from({ length: WIDTHS }, (_, i) => {
    return sigmas[0] * (sigmas[1] / sigmas[0]) ** (i / (WIDTHS - 1));
  });
  const digits = digitsOf(extent([data.queries], 0), data.queries.length);
  const at = (sigma) => {
    const found = balanceOf(state.query, state.truth[state.place], state, sigma, row);
    return { ...found, sum: found.bias ** 2 + found.variance };
  };
  const valuesOf = (noises) => state.truthAtKeys.map((level, i) => level + noises[i]);

  const [say, hush] = speaker(find(".nw-spoken"));
  const unit = (x) => `${written(x)} ${state.unit}`.trim();
  function seen() {
    const { now, curve, widths, drawn, noises, query } = state;
    const best = curve.reduce((least, { sum }, i) => (sum < curve[least].sum ? i : least), 0);
    const told = (one) => `bias² ${written(one.bias ** 2)} and variance ${written(one.variance)}`;
    return (
      `At the query ${written(query, digits)} and the width ${unit(state.sigma)}: ${told(now)}, together ` +
      `${written(now.sum)}. The sum is least at the width ${unit(widths[best])}, with ${written(curve[best].sum)}.` +
      (drawn ? ` Your ${noises.length} draws: ${told(drawn)}.` : "")
    );
  }

  /** Compute what follows from width, query and draws. */
  function update() {
    const { queries, keys, truthAtKeys, sigma, noise, noises } = state;
    state.place = nearest(state.query, queries);
    state.query = queries[state.place];
    state.curve = Array.from(state.widths, at);
    const weights = attentionWeights(queries, keys, gaussian, sigma);
    state.means = pool(weights, truthAtKeys);
    const n = keys.length;
    state.deviations = queries.map((_, j) => {
      const squares = weights.subarray(j * n, (j + 1) * n).reduce((sum, w) => sum + w * w, 0);
      return noise * Math.sqrt(squares);
    });
    const last = noises.slice(-SEEN).map(valuesOf);
    state.values = last.at(-1);
    state.curves = last.map((values) => pool(weights, values));
    // Last, for the row that it leaves.
    state.now = at(sigma);
    state.estimates = noises.map((each) => pool(row, valuesOf(each))[0]);
    state.drawn = noises.length > 1 ? momentsOf(state.estimates, state.truth[state.place]) : null;
  }

  let panels = [];
  function draw() {
    for (const panel of panels) panel.draw(state);
  }
  function show(next) {
    Object.assign(state, next);
    update();
    Object.assign(width, { value: Math.log10(state.sigma), ariaValueText: unit(state.sigma) });
    Object.assign(place, { value: state.place, ariaValueText: written(state.query, digits) });
    widthTold.textContent = unit(state.sigma);
    placeTold.textContent = written(state.query, digits);
    find(".nw-seen").textContent = seen();
    draw();
    say(seen);
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  let deviate;
  const restart = () => {
    deviate = normalDeviates(1);
    state.noises = [];
  };
  /** Draw values anew, some times, at the same keys. */
  function drawAnew(times) {
    for (let i = 0; i < times && state.noises.length < MOST_DRAWS; i++) {
      state.noises.push(Float64Array.from(state.keys, () => state.noise * deviate()));
    }
    show({});
  }

  root.explorer = {
    state: () =>
      structuredClone({
        ...{ sigma: state.sigma, query: state.query, ...state.now },
        curve: state.curve.map(({ bias, variance }, i) => [state.widths[i], bias, variance]),
        draws: state.noises.length,
        values: state.values ? Array.from(state.values) : null,
        estimates: state.estimates,
        drawn: state.drawn,
      }),
    set(change) {
      const { sigma, query } = { ...state, ...change };
      if (!(sigma > 0 && sigma < Infinity)) {
        throw new RangeError(`sigma must be positive and finite, got ${sigma}`);
      }
      if (!Number.isFinite(query)) throw new RangeError(`query must be finite, got ${query}`);
      ask({ sigma, query });
    },
    draw: drawAnew,
    reset() {
      restart();
      show({});
    },
  };

  width.addEventListener("input", () => ask({ sigma: rounded(10 ** width.value) }));
  place.addEventListener("input", () => ask({ query: state.queries[place.value] }));
  find("[name=once]").addEventListener("click", () => drawAnew(1));
  find("[name=often]").addEventListener("click", () => drawAnew(100));
  find("[name=again]").addEventListener("click", () => root.explorer.reset());

  root.append(live);
  restart();
  update();
  panels = [drawsPanel, sumPanel].map((record) => new Panel(find(".nw-panels"), record, state));
  for (const panel of panels) {
    const input = find(`[name=${panel.record.drags.name}]`);
    const focus = () => input.focus({ preventScroll: true });
    draggable(panel, state, { focus, ask, point() {} });
  }
  const unfit = keepFitting(root, find(".nw-panels"), (ink) => {
    for (const panel of panels) panel.fit(ink, state);
    draw();
  });
  show({});
  root.dataset.ready = "true";
  return {
    show,
    end() {
      hush();
      unfit();
    },
  };
}

export const { mount, mountAll, render } = figureOf("balance", ["sigma", "query"], build);
export default { mountAll, render };
