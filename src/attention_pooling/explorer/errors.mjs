// The leave-one-out error over the width, with the current width marked.

import { leaveOneOut } from "./arithmetic.mjs";
import { KERNELS } from "./kernels.mjs";

const WIDTHS = 61;

/** Compute the errors of every kernel at every width, a few at a time: the page never waits. */
function compute(panel, { keys, values }, done) {
  const curves = Object.fromEntries(Object.keys(KERNELS).map((name) => [name, []]));
  const todo = Object.entries(curves).flatMap(([name, curve]) =>
    Array.from(panel.widths, (sigma) => () =>
      curve.push(leaveOneOut(keys, values, KERNELS[name], sigma).error),
    ),
  );
  const work = () => {
    const start = performance.now();
    while (todo.length && performance.now() - start < 6) todo.shift()();
    if (todo.length) panel.working = setTimeout(work);
    else done(curves);
  };
  panel.working = setTimeout(work);
}

export const errorPanel = {
  name: "leave-one-out",
  label: "Leave-one-out error as a curve over the width, with the current width marked",
  legend: ({ colors }) => [["leave-one-out error", colors.estimate, []]],

  scales: ({ sigmas: [lo, hi], units }) => [
    { lo, hi, log: true, label: `width σ${units[0] && ` (${units[0]})`}` },
    { lo: 0, hi: 1, label: "leave-one-out error" },
  ],

  prepare(panel) {
    const { lo, hi } = panel.scaleX;
    panel.widths = Float64Array.from({ length: WIDTHS }, (_, i) => lo * (hi / lo) ** (i / (WIDTHS - 1)));
    panel.curves = null;
  },

  start(panel, state, redraw) {
    compute(panel, state, (curves) => {
      panel.curves = curves;
      const errors = Object.values(curves).flat().filter(Number.isFinite);
      panel.scaleY.hi = Math.max(...errors, 0) * 1.05 || 1;
      panel.fit(panel.ink, state);
      redraw();
    });
  },

  end: (panel) => clearTimeout(panel.working),

  /** The curve's [width, error] pairs; none as long as they are being computed. */
  curve(panel, { kernel, evaluated }) {
    if (!panel.curves) return [];
    return Array.from(evaluated ?? panel.curves[kernel], (error, i) => [panel.widths[i], error]);
  },

  draw(panel, state) {
    const { sigma, leaveOneOutError, colors } = state;
    const { lo, hi } = panel.scaleX;
    panel.begin();
    const curve = errorPanel.curve(panel, state);
    panel.curve(...[0, 1].map((k) => curve.map((pair) => pair[k])), colors.estimate);
    if (sigma < lo || sigma > hi) return;
    const at = panel.x(sigma);
    panel.upright(at, panel.ink.colour, 1);
    if (Number.isFinite(leaveOneOutError)) {
      panel.dot(at, panel.y(leaveOneOutError), 5, colors.estimate);
    }
  },
};
