// What the attention explorer draws and says: the plane, a bar for each key, a sentence.

import { effectiveKeys } from "./arithmetic.mjs";
import { written } from "./scales.mjs";

export const STEPS = {
  distance: ["distance", "−‖q − k‖² / 2σ²", "The Gaussian’s own score."],
  expanded: [
    "product and the key’s length",
    "q·k / σ² − ‖k‖² / 2σ²",
    "‖q‖² has cancelled: it was the same for every key.",
  ],
  product: [
    "product alone",
    "q·k / σ²",
    "‖k‖² is left out as well, and it was not the same for every key.",
  ],
  circle: [
    "product, keys on the circle",
    "q·k / σ²,  ‖k‖ = 1",
    "Every key is moved to length 1: ‖k‖² is the same for all.",
  ],
  scaled: [
    "product, as in transformers",
    "q·k / √d,  d = 2",
    "The keys are back; the temperature is √2, whatever the slider says.",
  ],
};
export const SIDE = 320;

const circle = (x, y, r, name) => `<circle cx="${x}" cy="${y}" r="${r}" class="nw-${name}"/>`;
const line = (x, y, dx, dy, name) => `<path d="M${x} ${y}l${dx} ${dy}" class="nw-${name}"/>`;
const text = (x, y, words) => `<text x="${x}" y="${y}">${words}</text>`;

/** The plane: what scores alike, the keys at their weights, and where they came from. */
export function planeInk({ given, keys, weights, query, sigma, score, reach }) {
  const scale = SIDE / 2 / reach;
  const [x, y] = [(at) => SIDE / 2 + at * scale, (at) => SIDE / 2 - at * scale];
  let ink = line(0, y(0), SIDE, 0, "axis") + line(x(0), 0, 0, SIDE, "axis");
  ink += text(x(0) - 6, y(0) + 13, 0);
  if (score === "distance" || score === "expanded") {
    for (const u of [1, 2, 3]) ink += circle(x(query[0]), y(query[1]), u * sigma * scale, "equal");
  } else {
    const length = Math.hypot(...query);
    const [across, along] = [query[0] / length, query[1] / length];
    // A query at the origin has the same product, 0, with every key.
    for (let i = -8; length && i <= 8; i++) {
      const at = (i * reach) / 6;
      const [dx, dy] = [along * SIDE, across * SIDE];
      ink += line(x(across * at) - dx, y(along * at) - dy, 2 * dx, 2 * dy, "equal");
    }
  }
  if (score === "circle") ink += circle(x(0), y(0), scale, "outline");
  keys.forEach((key, i) => {
    const [cx, cy] = [x(key[0]), y(key[1])];
    const r = Math.max(2, 26 * Math.sqrt(weights[i]));
    if (score === "circle") {
      const [ox, oy] = [x(given[i][0]), y(given[i][1])];
      ink += line(ox, oy, cx - ox, cy - oy, "moved") + circle(ox, oy, 3, "moved");
    }
    ink += circle(cx, cy, r, "key");
    // The number stands outwards, where no other key is on the circle, but not under the query.
    const length = Math.hypot(...key);
    const spots = [0, 2, -2, 4].map((turns) => {
      const angle = Math.atan2(key[1] / length, key[0] / length) + (turns * Math.PI) / 4;
      return [cx + (r + 9) * Math.cos(angle), cy - (r + 9) * Math.sin(angle)];
    });
    const free = ([tx, ty]) => Math.hypot(tx - x(query[0]), ty - y(query[1])) > 15;
    const [tx, ty] = spots.find(free) ?? spots[0];
    ink += text(tx, ty + 4, i + 1);
  });
  return ink;
}

/** One bar a key: filled to the weight by this score, outlined to the Gaussian's. */
export function barsInk({ weights, gaussian }) {
  const [left, bottom] = [26, SIDE - 22];
  const x = (weight) => left + weight * (SIDE - left - 14);
  const row = bottom / weights.length;
  const bar = Math.min(0.7 * row, 18);
  let ink = "";
  for (const mark of [0, 0.5, 1]) {
    ink += line(x(mark), 0, 0, bottom, "axis") + text(x(mark), SIDE - 6, mark);
  }
  weights.forEach((weight, i) => {
    const middle = (i + 0.5) * row;
    const box = (share, name) =>
      `<rect x="${left}" y="${middle - bar / 2}" width="${x(share) - left}" height="${bar}" class="nw-${name}"/>`;
    ink += text(left / 2, middle + 4, i + 1) + box(weight, "key") + box(gaussian[i], "outline");
  });
  return ink;
}

/** What is seen, in words. */
export function seen({ weights, gaussian, difference, at, given }) {
  const count = `${written(effectiveKeys(weights))} of ${weights.length} keys`;
  // Rounding leaves a millionth of a millionth; what an eye could see starts far above.
  if (difference < 1e-9) {
    return (
      "Every bar fills its outline: the two sets of weights agree to rounding. " +
      `The query attends to ${count} in effect.`
    );
  }
  return (
    `Largest difference: ${written(difference)}, at key ${at + 1} of length ` +
    `${written(Math.hypot(...given[at]))}, which gets ${written(weights[at])} and by distance ` +
    `${written(gaussian[at])}. The query attends to ${count} in effect, ` +
    `by distance to ${written(effectiveKeys(gaussian))}.`
  );
}
