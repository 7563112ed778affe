// The curves that a reader can draw: where they lie, and what they truly are.

import { attentionWeights, leaveOneOut, pool } from "../../attention_pooling/explorer/arithmetic.mjs";
import { kernelsOf } from "../../attention_pooling/explorer/kernels.mjs";
import { extent, valueAt } from "../../attention_pooling/explorer/scales.mjs";

export const COLUMNS = 61;
const places = (scale) =>
  Float64Array.from({ length: COLUMNS }, (_, i) => valueAt(i / (COLUMNS - 1), scale));

/** The estimate over the queries, at the setting's width. */
function estimate(data) {
  const { keys, values, queries, labels, units } = data;
  const kernels = kernelsOf(data.kernels);
  const xs = places(extent([queries], 0));
  const name = ({ sigma = data.sigma }) => `σ = ${sigma}`;
  return {
    xs,
    name,
    units,
    dots: [keys, values],
    scales: [
      { ...extent([keys, queries], 0.02), label: labels[0] },
      { ...extent([values], 0.06), label: labels[1] },
    ],
    at: ({ sigma = data.sigma, kernel = data.kernel }) =>
      pool(attentionWeights(xs, keys, kernels[kernel], sigma), values),
    verdict: () => "",
  };
}

const least = (xs, ys) => ys.reduce((best, y, i) => (y < ys[best] || !(ys[best] >= 0) ? i : best), 0);

/** The leave-one-out error over the width; the scale leaves room for that of the setting's kernel. */
function leaveOneOutError(data, setting) {
  const { keys, values, sigmas, units } = data;
  const kernels = kernelsOf(data.kernels);
  const [unit, squared] = [units[0], units[1] && `${units[1]}²`];
  const across = { lo: sigmas[0], hi: sigmas[1], log: true };
  const xs = places(across);
  const at = ({ kernel = data.kernel }) =>
    Float64Array.from(xs, (sigma) => leaveOneOut(keys, values, kernels[kernel], sigma).error);
  const highest = Math.max(...at(setting).filter(Number.isFinite));
  return {
    xs,
    at,
    name: ({ kernel = data.kernel }) => kernel,
    units: [unit, squared],
    dots: [[], []],
    scales: [
      { ...across, label: `width σ${unit && ` (${unit})`}` },
      { lo: 0, hi: 1.1 * highest, label: `mean squared error${squared && ` (${squared})`}` },
    ],
    verdict: (drawn, truth, say) =>
      ` Your error is least at ${say(xs[least(xs, drawn)], 0)}, the true one at ${say(xs[least(xs, truth)], 0)}.`,
  };
}

/** What can be drawn of a figure's data. */
export const CURVES = { estimate, "leave-one-out": leaveOneOutError };

/** How far a drawn curve is from the true one where that exists: on average, and at most. */
export function gapOf(drawn, truth) {
  let [sum, count, at] = [0, 0, 0];
  const gaps = truth.map((y, i) => Math.abs(drawn[i] - y));
  gaps.forEach((gap, i) => {
    if (!Number.isFinite(gap)) return;
    sum += gap;
    count++;
    if (!(gap <= gaps[at])) at = i;
  });
  return { mean: sum / count, most: gaps[at], at };
}
