// The values over the keys, the estimate as a curve, and the query.

import { DASH } from "./frame.mjs";
import { extent } from "./scales.mjs";

const LEVELS = 10;

/** The key whose dot is nearest to a place of the window, and no farther from it than `reach`. */
export function dotUnder(panel, { keys, values }, event, reach = 9) {
  const { x, y } = panel.place(event);
  let found = -1;
  for (let i = 0; i < keys.length; i++) {
    const distance = Math.hypot(panel.x(keys[i]) - x, panel.y(values[i]) - y);
    if (distance <= reach) [found, reach] = [i, distance];
  }
  return found;
}

export const estimatePanel = {
  name: "estimate",
  label: "Values over keys, with the estimate as a curve and the query as a line",
  drags: { name: "query", axis: "x" },
  points: dotUnder,

  legend: ({ colors, truth }) => [
    ["value", colors.value],
    ["estimate", colors.estimate, []],
    ...(truth ? [["truth", colors.truth, DASH]] : []),
    ["query", colors.query, []],
  ],

  scales: ({ keys, queries, values, truth, labels }) => [
    { ...extent([keys, queries], 0.02), label: labels[0] },
    { ...extent([values, truth || []], 0.06), label: labels[1] },
  ],

  prepare(panel, { keys, queries, truth }) {
    panel.order = Uint32Array.from(queries.keys()).sort((a, b) => queries[a] - queries[b]);
    panel.places = Float64Array.from(panel.order, (j) => queries[j]);
    panel.truth = truth && Float64Array.from(panel.order, (j) => truth[j]);
    panel.heights = new Float64Array(queries.length);
    panel.levels = new Uint8Array(keys.length);
  },

  draw(panel, { keys, values, colors, row, estimate, reach, queryEstimate, pointed, ...state }) {
    const pen = panel.begin();
    const { order, places, truth, heights, levels } = panel;
    let largest = 0;
    for (let i = 0; i < row.length; i++) if (row[i] > largest) largest = row[i];
    // One path for all dots that look alike, the most attended last.
    for (let i = 0; i < row.length; i++) levels[i] = Math.round((LEVELS * row[i]) / largest) || 0;
    pen.fillStyle = colors.value;
    for (let level = 0; level <= LEVELS; level++) {
      pen.globalAlpha = 0.4 + 0.06 * level;
      pen.beginPath();
      for (let i = 0; i < row.length; i++) {
        if (levels[i] !== level) continue;
        const [x, y] = [panel.x(keys[i]), panel.y(values[i])];
        pen.moveTo(x, y);
        pen.arc(x, y, 2.5 + 0.25 * level, 0, 7);
      }
      pen.fill();
    }
    pen.globalAlpha = 1;
    if (truth) panel.curve(places, truth, colors.truth, DASH);
    const at = panel.query({ ...state, colors });
    for (let j = 0; j < heights.length; j++) heights[j] = estimate[order[j]];
    if (reach) {
      const reaches = Float64Array.from(order, (j) => reach[j]);
      panel.band(places, heights, reaches, colors.estimate);
    }
    panel.curve(places, heights, colors.estimate);
    if (Number.isFinite(queryEstimate)) {
      panel.dot(at, panel.y(queryEstimate), 5.5, colors.query);
      panel.dot(at, panel.y(queryEstimate), 3, colors.estimate);
    }
    if (pointed >= 0) panel.ring(panel.x(keys[pointed]), panel.y(values[pointed]));
  },
};
