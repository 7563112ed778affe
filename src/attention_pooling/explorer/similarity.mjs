// The kernel as a curve around the query, with every key at its similarity.

import { extent } from "./scales.mjs";

const highest = (kernels) => Math.max(...Object.values(kernels).map((alpha) => alpha(0)));

export const similarityPanel = {
  name: "kernel",
  label: "The kernel as a curve around the query, with every key at its similarity",
  asked: true,
  drags: { name: "query", axis: "x" },


  legend: ({ colors }) => [
    ["kernel", colors.estimate, []],
    ["key", colors.key],
    ["query", colors.query, []],
  ],

  scales: ({ keys, queries, labels, kernels }) => [
    { ...extent([keys, queries], 0.02), label: labels[0] },
    { lo: 0, hi: 1.08 * highest(kernels), label: "similarity α" },
  ],

  prepare(panel) {
    const { lo, hi } = panel.scaleX;
    panel.places = Float64Array.from({ length: 401 }, (_, i) => lo + (i / 400) * (hi - lo));
  },

  draw(panel, { kernels, kernel, sigma, query, keys, colors, evaluated, pointed }) {
    const pen = panel.begin();
    const alpha = (place) => kernels[kernel](Math.abs(query - place) / sigma);
    panel.query({ query, colors });
    panel.curve(panel.places, evaluated ?? panel.places.map(alpha), colors.estimate);
    // Python evaluates a reader's own kernel along the curve alone.
    if (evaluated) return;
    pen.globalAlpha = 0.7;
    for (const key of keys) panel.dot(panel.x(key), panel.y(alpha(key)), 3, colors.key);
    pen.globalAlpha = 1;
    if (pointed >= 0) panel.ring(panel.x(keys[pointed]), panel.y(alpha(keys[pointed])));
  },
};
