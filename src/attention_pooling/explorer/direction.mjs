// A map with one row looks along one direction: turn it, and error and attention follow.

import { leaveOneOut, share } from "./arithmetic.mjs";
import { draggable } from "./drag.mjs";
import { Panel } from "./frame.mjs";
import { heatmap, paint } from "./heatmap.mjs";
import { gaussian } from "./kernels.mjs";
import { keepFitting } from "./looks.mjs";
import { extent, rounded, written } from "./scales.mjs";
import { speaker } from "./speech.mjs";
import { figureOf } from "./view.mjs";

const ANGLES = 61; // of the curve, from 0° to 180°
const radians = (degrees) => (degrees * Math.PI) / 180;

/** The keys as a map with one row sees them, before it divides by the width. */
export const projected = (keys, angle) => {
  const [across, up] = [Math.cos(radians(angle)), Math.sin(radians(angle))];
  return Float64Array.from(keys, ([x, y]) => across * x + up * y);
};

/** The weight that each key gives to each other one, none to itself. */
export function weightsOf(along, sigma) {
  const n = along.length;
  const weights = new Float64Array(n * n);
  for (let j = 0; j < n; j++) share(along[j], along, gaussian, sigma, weights, j * n, j);
  return weights;
}

const DEGREES = { name: "angle", axis: "x", read: (x) => Math.min(Math.max(Math.round(x), 0), 180) };

const fieldPanel = {
  name: "field",
  label: "Keys in the plane, each in the colour of its value, and the direction as a line",
  legend: ({ ramp, colors }) => [
    ["low value", ramp[0]],
    ["high", ramp.at(-1)],
    ["direction", colors.query, []],
  ],
  scales: ({ keys }) =>
    [0, 1].map((which) => ({
      ...extent([keys.map((key) => key[which])], 0.05),
      label: ["first coordinate", "second coordinate"][which],
    })),
  draw(panel, { keys, shades, angle, colors, centre }) {
    const pen = panel.begin();
    keys.forEach(([x, y], i) => panel.dot(panel.x(x), panel.y(y), 3.5, shades[i]));
    const reach = 0.45 * Math.min(panel.scaleX.hi - panel.scaleX.lo, panel.scaleY.hi - panel.scaleY.lo);
    const end = (sign) => [
      panel.x(centre[0] + sign * reach * Math.cos(radians(angle))),
      panel.y(centre[1] + sign * reach * Math.sin(radians(angle))),
    ];
    pen.strokeStyle = colors.query;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.moveTo(...end(-1));
    pen.lineTo(...end(1));
    pen.stroke();
    panel.dot(...end(1), 6, colors.query);
  },
};

const weightsPanel = {
  ...heatmap,
  label:
    "Heatmap of the weights that keys give to each other, sorted by the direction that matters",
  scales: (state) =>
    heatmap.scales({ keys: state.sorted, queries: state.sorted }).map((scale) => ({
      ...scale,
      label: `${scale.label}, along what matters`,
    })),
  prepare: (panel, { sorted, ramp }) =>
    heatmap.prepare(panel, { keys: sorted, queries: sorted, ramp }),
  draw(panel, { keys, weights }) {
    paint(panel, keys.length, weights);
    panel.begin(panel.image);
  },
};

const errorsPanel = {
  name: "angles",
  label: "Leave-one-out error as a curve over the angle of the direction",
  drags: DEGREES,
  legend: ({ colors }) => [["leave-one-out error", colors.estimate, []]],
  scales: ({ scatter }) => [
    { lo: 0, hi: 180, label: "angle of the direction (°)" },
    { lo: 0, hi: 1.5 * scatter, label: "error" },
  ],
  draw(panel, { angles, curve, angle, error, colors }) {
    const pen = panel.begin();
    pen.save();
    pen.beginPath();
    pen.rect(panel.left, panel.top, panel.right - panel.left, panel.bottom - panel.top);
    pen.clip();
    panel.curve(angles, curve, colors.estimate);
    pen.restore();
    const at = panel.x(angle);
    panel.upright(at, colors.query, 1.5);
    if (Number.isFinite(error)) panel.dot(at, Math.max(panel.y(error), panel.top), 5, colors.estimate);
    panel.dot(at, panel.bottom, 6, colors.query);
  },
};

const BODY = `<div class="nw-dials">
    <label><span>direction <b></b></span><input type="range" name="angle" autocomplete="off"></label>
    <label><span>width σ <b></b></span><input type="range" name="sigma" autocomplete="off"></label>
  </div>
  <div class="nw-panels"></div>
  <p class="nw-seen"></p><p class="nw-spoken" aria-live="polite"></p>`;

/** Build the figure inside root. `ask` receives what the reader changes; it ends in `show`. */
function build(root, { sigmas, matters, ...data }, ask) {
  const live = document.createElement("div");
  live.className = "nw-live";
  // JupyterLab would take the keys for its own, and the slider would stand still.
  live.addEventListener("keydown", (event) => event.stopPropagation());
  live.innerHTML = BODY;
  const find = (selector) => live.querySelector(selector);
  const [turn, width] = ["[name=angle]", "[name=sigma]"].map(find);
  const [angleTold, widthTold] = live.querySelectorAll("b");
  Object.assign(turn, { step: 1, min: 0, max: 180 });
  Object.assign(width, { step: 0.01, min: Math.log10(sigmas[0]), max: Math.log10(sigmas[1]) });

  const { keys, values, ramp } = data;
  const state = { ...data, sorted: projected(keys, matters) };
  // What `draggable` asks of a state that has queries.
  state.queries = state.sorted;
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  state.scatter = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  const { lo, hi } = extent([values], 0);
  state.shades = values.map((v) => ramp[Math.round(((v - lo) / (hi - lo || 1)) * (ramp.length - 1))]);
  state.centre = [0, 1].map((which) => {
    const ends = extent([keys.map((key) => key[which])], 0);
    return (ends.lo + ends.hi) / 2;
  });
  state.angles = Float64Array.from({ length: ANGLES }, (_, i) => (180 * i) / (ANGLES - 1));
  const errorAt = (angle) => leaveOneOut(projected(keys, angle), values, gaussian, state.sigma).error;

  const [say, hush] = speaker(find(".nw-spoken"));
  function seen() {
    const { angles, curve, error, angle, scatter } = state;
    const best = curve.reduce((least, y, i) => (y < curve[least] ? i : least), 0);
    return (
      `Looking along ${written(angle)}°, the leave-one-out error is ${written(error)}; along ` +
      `${written(angles[best])}° it is least, ${written(curve[best])}. ` +
      `The variance of the values is ${written(scatter)}.`
    );
  }
  function update(curveToo) {
    const { angle, sigma } = state;
    if (curveToo) state.curve = Float64Array.from(state.angles, errorAt);
    state.error = errorAt(angle);
    state.weights = weightsOf(projected(keys, angle), sigma);
  }

  let panels = [];
  const draw = () => panels.forEach((panel) => panel.draw(state));
  function show(next) {
    const before = state.sigma;
    Object.assign(state, next);
    update(state.sigma !== before);
    const degrees = `${written(state.angle)}°`;
    Object.assign(turn, { value: state.angle, ariaValueText: degrees });
    Object.assign(width, { value: Math.log10(state.sigma), ariaValueText: written(state.sigma) });
    angleTold.textContent = degrees;
    widthTold.textContent = written(state.sigma);
    find(".nw-seen").textContent = seen();
    draw();
    say(seen);
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  root.explorer = {
    state: () => ({
      ...{ angle: state.angle, sigma: state.sigma, error: state.error },
      keys: structuredClone(keys),
      values: [...values],
      curve: Array.from(state.angles, (angle, i) => [angle, state.curve[i]]),
      weights: keys.map((_, j) =>
        Array.from(state.weights.subarray(j * keys.length, (j + 1) * keys.length)),
      ),
    }),
    set(change) {
      const { sigma, angle } = { ...state, ...change };
      if (!(sigma > 0 && sigma < Infinity)) {
        throw new RangeError(`sigma must be positive and finite, got ${sigma}`);
      }
      if (!(angle >= 0 && angle <= 180)) {
        throw new RangeError(`angle must be from 0 to 180 degrees, got ${angle}`);
      }
      ask({ sigma, angle });
    },
  };

  turn.addEventListener("input", () => ask({ angle: Number(turn.value) }));
  width.addEventListener("input", () => ask({ sigma: rounded(10 ** width.value) }));

  root.append(live);
  update(true);
  const sheets = find(".nw-panels");
  panels = [fieldPanel, weightsPanel, errorsPanel].map((record) => new Panel(sheets, record, state));
  const [field, , errors] = panels;
  const focus = () => turn.focus({ preventScroll: true });
  draggable(errors, state, { focus, ask, point() {} });
  // A finger on the plane scrolls the page; it has the slider and the curve.
  const follow = (event) => {
    const { x, y } = field.under(event);
    const degrees = (Math.atan2(y - state.centre[1], x - state.centre[0]) * 180) / Math.PI;
    ask({ angle: Math.round((degrees + 180) % 180) });
  };
  field.canvas.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch") return;
    field.canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    focus();
    follow(event);
  });
  field.canvas.addEventListener("pointermove", (event) => {
    if (field.canvas.hasPointerCapture(event.pointerId)) follow(event);
  });
  const unfit = keepFitting(root, sheets, (ink) => {
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

export const { mount, mountAll, render } = figureOf("direction", ["angle", "sigma"], build);
export default { mountAll, render };
