// The attention weights as a heatmap: keys across, queries upwards.

import { written } from "./scales.mjs";

/** 256 colours between the given ones, as the pixels of an ImageData hold them. */
function shadesOf(ramp) {
  const last = ramp.length - 1;
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const at = (level / 255) * last;
    const low = Math.min(at | 0, last - 1);
    const [b, g, r] = [5, 3, 1].map((k) => {
      const [from, to] = [low, low + 1].map((i) => parseInt(ramp[i].slice(k, k + 2), 16));
      return Math.round(from + (to - from) * (at - low));
    });
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}

/** Places of distinct numbers in their order, and the edges halfway between them. */
export function cells(numbers) {
  const order = Uint32Array.from(numbers.keys()).sort((a, b) => numbers[a] - numbers[b]);
  const places = order.filter((place, i) => !i || numbers[place] !== numbers[order[i - 1]]);
  const at = Array.from(places, (place) => numbers[place]);
  const edges = at.slice(1).map((x, i) => (x + at[i]) / 2);
  const [first, last] = [at[0], at[at.length - 1]];
  edges.unshift(edges.length ? 2 * first - edges[0] : first - 0.5);
  edges.push(edges.length > 1 ? 2 * last - edges[edges.length - 1] : last + 0.5);
  return { places, edges };
}

/** For each pixel, the place of the number in whose cell it lies. */
function spread({ places, edges }, pixels) {
  const [lo, hi] = [edges[0], edges[edges.length - 1]];
  let cell = 0;
  return Uint32Array.from({ length: pixels }, (_, pixel) => {
    const value = lo + ((pixel + 0.5) / pixels) * (hi - lo);
    while (cell < places.length - 1 && edges[cell + 1] <= value) cell++;
    return places[cell];
  });
}

const between = ({ edges }, label) => ({ lo: edges[0], hi: edges[edges.length - 1], label });

export const heatmap = {
  label: "Heatmap of attention weights: keys across, queries upwards, brighter is more",
  drags: { name: "query", axis: "y" },
  legend: () => [],
  scales: ({ keys, queries }) => [between(cells(keys), "key"), between(cells(queries), "query")],

  prepare(panel, { keys, queries, ramp }) {
    panel.columns = cells(keys);
    panel.rows = cells(queries);
    panel.ramp = shadesOf(ramp);
    panel.shades = new Uint32Array(keys.length);
  },

  fit(panel, { ramp }) {
    const { dpr } = panel;
    panel.image = new ImageData(
      Math.max(1, Math.round((panel.right - panel.left) * dpr)),
      Math.max(1, Math.round((panel.bottom - panel.top) * dpr)),
    );
    panel.pixels = new Uint32Array(panel.image.data.buffer);
    panel.across = spread(panel.columns, panel.image.width);
    panel.upwards = spread(panel.rows, panel.image.height);
    const pen = panel.frame.getContext("2d");
    const bar = (panel.bar = Math.min(90, (panel.right - panel.left) / 3));
    const start = (panel.start = panel.left + Math.ceil(pen.measureText("weight 0 ").width) + 4);
    const gradient = pen.createLinearGradient(start, 0, start + bar, 0);
    ramp.forEach((colour, i) => gradient.addColorStop(i / (ramp.length - 1), colour));
    pen.fillText("weight 0", panel.left, 10);
    pen.fillStyle = gradient;
    pen.fillRect(start, 5, bar, 10);
  },

  draw(panel, { keys, query, weights, colors }) {
    const { pixels, across, upwards, ramp, shades } = panel;
    const n = keys.length;
    let largest = 0;
    for (let i = 0; i < weights.length; i++) if (weights[i] > largest) largest = weights[i];
    const width = across.length;
    const levels = 255 / (largest || 1);
    for (let line = 0, before = -1; line < upwards.length; line++) {
      const from = (upwards.length - 1 - line) * width;
      const row = upwards[line];
      if (row === before) {
        pixels.copyWithin(from, from + width, from + 2 * width);
        continue;
      }
      before = row;
      if (Number.isNaN(weights[row * n])) pixels.fill(0, from, from + width);
      else {
        for (let i = 0; i < n; i++) shades[i] = ramp[(weights[row * n + i] * levels + 0.5) | 0];
        for (let x = 0; x < width; x++) pixels[from + x] = shades[across[x]];
      }
    }
    const pen = panel.begin(panel.image);
    pen.font = panel.ink.font;
    pen.fillStyle = panel.ink.colour;
    pen.textBaseline = "middle";
    pen.fillText(written(largest), panel.start + panel.bar + 6, 10);
    const at = panel.y(query);
    pen.fillStyle = colors.query;
    pen.fillRect(panel.left, at - 0.75, panel.right - panel.left, 1.5);
    panel.dot(panel.left, at, 6, colors.query);
  },
};
