// The attention weights as a heatmap: keys across, queries upwards.

const SHADES = 1023;
// The scale is the same at every width, and shows faint rows too: its marks stand at cube roots.
const MARKS = [0, 0.01, 0.1, 1];

/** Colours by the root of the weight, as the pixels of an ImageData hold them. */
function shadesOf(ramp) {
  const last = ramp.length - 1;
  return Uint32Array.from({ length: SHADES + 1 }, (_, level) => {
    const at = Math.cbrt((level / SHADES) ** 2) * last;
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
  name: "weights",
  label:
    "Heatmap of attention weights: keys across, queries upwards, brighter is more, " +
    "by the cube root of the weight from 0 to 1",
  drags: { name: "query", axis: "y" },

  /** The key in whose column a place of the window lies. */
  points(panel, _, event) {
    const { x } = panel.under(event);
    const { places, edges } = panel.columns;
    const cell = edges.findIndex((edge) => edge > x) - 1;
    return cell >= 0 && x < edges[edges.length - 1] ? places[cell] : -1;
  },

  legend: () => [],
  scales: ({ keys, queries }) => [between(cells(keys), "key"), between(cells(queries), "query")],

  prepare(panel, { keys, queries, ramp }) {
    // New values alone leave the weights as they are.
    if (panel.keys === keys && panel.queries === queries) return;
    Object.assign(panel, { keys, queries });
    panel.columns = cells(keys);
    panel.rows = cells(queries);
    panel.ramp = shadesOf(ramp);
    panel.shades = new Uint32Array(keys.length);
    panel.painted = null;
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
    panel.painted = null;
    const pen = panel.frame.getContext("2d");
    pen.fillText("weight", panel.left, 8);
    const from = panel.left + pen.measureText("weight").width + 12;
    const bar = Math.min(150, panel.right - from - 6);
    const gradient = pen.createLinearGradient(from, 0, from + bar, 0);
    ramp.forEach((colour, i) => gradient.addColorStop(i / (ramp.length - 1), colour));
    pen.textAlign = "center";
    pen.font = panel.ink.font.replace("12px", "10px");
    for (const mark of MARKS) {
      pen.fillRect(from + Math.cbrt(mark) * bar - 0.5, 3, 1, 12);
      pen.fillText(mark, from + Math.cbrt(mark) * bar, 20);
    }
    pen.fillStyle = gradient;
    pen.fillRect(from, 3, bar, 10);
  },

  draw(panel, { keys, query, weights, version, pointed, colors }) {
    if (panel.painted !== version) paint(panel, keys.length, weights);
    panel.painted = version;
    const pen = panel.begin(panel.image);
    const at = panel.y(query);
    pen.fillStyle = colors.query;
    pen.fillRect(panel.left, at - 0.75, panel.right - panel.left, 1.5);
    panel.dot(panel.left, at, 6, colors.query);
    if (pointed < 0) return;
    const { places, edges } = panel.columns;
    const cell = places.findIndex((place) => keys[place] === keys[pointed]);
    const [left, right] = [panel.x(edges[cell]), panel.x(edges[cell + 1])];
    // Light within dark, to be seen on every colour.
    for (const [colour, width] of [["#000", 4], ["#fff", 1.5]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.strokeRect(left - 2, at - 5, right - left + 4, 10);
    }
  },
};

/** Fill the image: for each cell the colour of its weight, nothing where no key is in reach. */
export function paint({ pixels, across, upwards, ramp, shades }, n, weights) {
  const width = across.length;
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
      for (let i = 0; i < n; i++) {
        shades[i] = ramp[(Math.sqrt(weights[row * n + i]) * SHADES + 0.5) | 0];
      }
      for (let x = 0; x < width; x++) pixels[from + x] = shades[across[x]];
    }
  }
}
