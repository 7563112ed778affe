// The leave-one-out error and the training error over the width.

import { leaveOneOut } from "./arithmetic.mjs";
import { DASH } from "./frame.mjs";
import { rounded } from "./scales.mjs";

const WIDTHS = 61;

/** Compute the errors of every kernel at every width, a few at a time: the page never waits. */
function compute(panel, { keys, values, kernels }, done) {
  const curves = Object.fromEntries(Object.keys(kernels).map((name) => [name, []]));
  const todo = Object.entries(curves).flatMap(([name, curve]) =>
    Array.from(panel.widths, (sigma) => () =>
      curve.push(leaveOneOut(keys, values, kernels[name], sigma)),
    ),
  );
  const work = () => {
    const start = performance.now();
    while (todo.length && performance.now() - start < 6) todo.shift()();
    if (todo.length) panel.working = setTimeout(work);
    else done(curves);
  };
  return work;
}

export const errorPanel = {
  name: "leave-one-out",
  asked: true,
  label:
    "Leave-one-out error and training error as curves over the width, " +
    "with the current width and the best so far marked",
  drags: {
    name: "sigma",
    axis: "x",
    read: (sigma, { sigmas: [lo, hi] }) => Math.min(Math.max(rounded(sigma), lo), hi),
  },

  legend: ({ colors }) => [
    ["leave-one-out", colors.estimate, []],
    ["training", colors.estimate, DASH],
    ["best", colors.estimate, null, "stroke"],
  ],

  scales: ({ sigmas: [lo, hi], units }, panel) => [
    { lo, hi, log: true, label: `width σ${units[0] && ` (${units[0]})`}` },
    panel.scaleY ?? { lo: 0, hi: 1, label: "mean squared error" },
  ],

  prepare(panel) {
    const { lo, hi } = panel.scaleX;
    if (panel.widths && panel.widths[0] !== lo) panel.curves = panel.stale = null;
    const factor = (hi / lo) ** (1 / (WIDTHS - 1));
    panel.widths = Float64Array.from({ length: WIDTHS }, (_, i) => lo * factor ** i);
  },

  /** Compute the curves anew: at once, or when data that are being changed have come to rest. */
  start(panel, state, redraw, wait = 0) {
    clearTimeout(panel.working);
    panel.stale = panel.curves ?? panel.stale;
    panel.curves = null;
    const work = compute(panel, state, (curves) => {
      panel.curves = curves;
      const errors = Object.values(curves).flat();
      const finite = errors.flatMap(({ error, training }) => [error, training]).filter(Number.isFinite);
      panel.scaleY.hi = Math.max(...finite, 0) * 1.05 || 1;
      redraw();
    });
    panel.working = setTimeout(work, wait);
  },

  end: (panel) => clearTimeout(panel.working),

  /** The curve's [width, error] pairs; none as long as they are being computed. */
  curve(panel, { kernel, evaluated }) {
    if (!panel.curves) return [];
    const errors = evaluated ?? panel.curves[kernel].map(({ error }) => error);
    return Array.from(errors, (error, i) => [panel.widths[i], error]);
  },

  draw(panel, state) {
    const { kernel, sigma, leaveOneOutError, best, colors, evaluated } = state;
    const { lo, hi } = panel.scaleX;
    const pen = panel.begin();
    const curves = panel.curves ?? panel.stale;
    if (curves) {
      // What is being computed anew fades.
      pen.globalAlpha = panel.curves ? 1 : 0.3;
      const ours = curves[kernel] ?? [];
      if (!evaluated) {
        const training = ours.map((errors) => errors.training);
        panel.curve(panel.widths.slice(0, ours.length), training, colors.estimate, DASH);
      }
      const errors = evaluated ?? ours.map(({ error }) => error);
      panel.curve(panel.widths.slice(0, errors.length), errors, colors.estimate);
      pen.globalAlpha = 1;
    }
    if (best[kernel] && best[kernel].sigma >= lo && best[kernel].sigma <= hi) {
      pen.strokeStyle = colors.estimate;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(panel.x(best[kernel].sigma), panel.y(best[kernel].error), 7, 0, 7);
      pen.stroke();
    }
    if (sigma < lo || sigma > hi) return;
    const at = panel.x(sigma);
    panel.upright(at, panel.ink.colour, 1);
    if (Number.isFinite(leaveOneOutError)) {
      panel.dot(at, panel.y(leaveOneOutError), 5, colors.estimate);
    }
  },
};
