// The explorer: an estimate, its attention weights and the controls that move them.
// Arithmetic, ink and controls are three parts; only the last one knows where it runs.

// ---------------------------------------------------------------- arithmetic

/** Similarity as a function of the scaled distance u ≥ 0, by the names Python uses. */
export const KERNELS = {
  gaussian: (u) => Math.exp((-u * u) / 2),
  boxcar: (u) => (u <= 1 ? 1 : 0),
  constant: () => 1,
  triangular: (u) => (u < 1 ? 1 - u : 0),
  epanechnikov: (u) => (u < 1 ? 0.75 * ((1 - u) * (1 + u)) : 0),
};

/** Write one query's shares of attention to row[from …], without the key `left` if given. */
function share(query, keys, kernel, sigma, row, from = 0, left = -1) {
  const n = keys.length;
  let total = 0;
  if (kernel === KERNELS.gaussian) {
    // The largest score is shifted out, so that a narrow width tends to the nearest key, not to 0/0.
    let nearest = Infinity;
    for (let i = 0; i < n; i++) {
      const u = (row[from + i] = Math.abs(query - keys[i]) / sigma);
      if (u < nearest && i !== left) nearest = u;
    }
    for (let i = 0; i < n; i++) {
      const u = row[from + i];
      // exp is exactly 0 below −746; not to call it there is what makes narrow widths cheap.
      const score = u > nearest ? ((nearest - u) * (nearest + u)) / 2 : 0;
      total += row[from + i] = i === left || score < -746 ? 0 : Math.exp(score);
    }
  } else {
    for (let i = 0; i < n; i++) {
      total += row[from + i] = i === left ? 0 : kernel(Math.abs(query - keys[i]) / sigma);
    }
  }
  for (let i = 0; i < n; i++) row[from + i] = total > 0 ? row[from + i] / total : NaN;
}

/** Attention weights, row by row: (queries × keys) numbers. A query that no key reaches gets NaN. */
export function attentionWeights(
  queries,
  keys,
  kernel,
  sigma,
  weights = new Float64Array(queries.length * keys.length),
) {
  for (let j = 0; j < queries.length; j++) {
    share(queries[j], keys, kernel, sigma, weights, j * keys.length);
  }
  return weights;
}

/** Average the values under each row of weights. */
export function pool(weights, values, estimate = new Float64Array(weights.length / values.length)) {
  const n = values.length;
  for (let j = 0; j < estimate.length; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += weights[j * n + i] * values[i];
    estimate[j] = sum;
  }
  return estimate;
}

/** How many keys a row of weights attends to in effect, 1 / Σ w². */
export function effectiveKeys(row) {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] * row[i];
  return 1 / sum;
}

/** Mean squared error when each value is left out of its own estimate; NaN unless all are reached. */
export function leaveOneOut(keys, values, kernel, sigma) {
  const n = keys.length;
  const totals = new Float64Array(n);
  const sums = new Float64Array(n);
  // Similarity is symmetric: each pair of keys serves both of them.
  for (let j = 1; j < n; j++) {
    for (let i = 0; i < j; i++) {
      const similarity = kernel(Math.abs(keys[j] - keys[i]) / sigma);
      totals[j] += similarity;
      totals[i] += similarity;
      sums[j] += similarity * values[i];
      sums[i] += similarity * values[j];
    }
  }
  let sum = 0;
  let unreached = 0;
  for (let j = 0; j < n; j++) {
    let estimate = sums[j] / totals[j];
    if (kernel === KERNELS.gaussian && totals[j] < 1e-280) {
      // So far from the others that a plain exponential has lost its digits.
      const row = new Float64Array(n);
      share(keys[j], keys, kernel, sigma, row, 0, j);
      estimate = pool(row, values)[0];
    }
    if (Number.isNaN(estimate)) unreached++;
    sum += (estimate - values[j]) ** 2;
  }
  return { error: sum / n, unreached };
}

// ----------------------------------------------------------------------- ink

// Every eighth colour of matplotlib's viridis; between them it is straight to within two levels.
const VIRIDIS =
  "440154460c5f47186a482273472c7b4536814240853e49893a528b365a8c32628d2f6a8d2c728e287a8e26818e23898d" +
  "20908c1e978a1e9e8821a68527ad8031b47a3dbb744cc26c5cc8626ece5881d34c95d73faadb32bfdf24d4e11ae9e419" +
  "fde724";

/** 256 colours from no weight to the largest, as the pixels of an ImageData hold them. */
const PIXELS = Uint32Array.from({ length: 256 }, (_, level) => {
  const at = Math.min((level / 255) * 32, 31.999);
  const channel = (step, k) => parseInt(VIRIDIS.substr(step * 6 + k * 2, 2), 16);
  const [r, g, b] = [0, 1, 2].map((k) => {
    const low = channel(at | 0, k);
    return Math.round(low + (channel((at | 0) + 1, k) - low) * (at % 1));
  });
  return (255 << 24) | (b << 16) | (g << 8) | r;
});

/** A number as a reader wants it: a few digits and a true minus sign. */
function figure(x, digits = 3) {
  const size = Math.abs(x);
  const text =
    size && (size < 1e-4 || size >= 1e7)
      ? x.toExponential(digits - 1)
      : String(size >= 10 ** digits ? Math.round(x) : Number(x.toPrecision(digits)));
  return text.replace(/-/g, "−");
}

const roundStep = (span) => {
  const power = 10 ** Math.floor(Math.log10(span));
  return power * [1, 2, 5, 10].find((digit) => digit * power >= span * 0.999999);
};

/** Round numbers from lo to hi; on a logarithmic axis 1, 2, 5 in each decade, or its powers. */
function ticks({ lo, hi, log }, most) {
  if (log) {
    const decades = Math.log10(hi / lo);
    const digits = decades * 3 > most ? [1] : [1, 2, 5];
    const every = Math.ceil((decades * digits.length) / most);
    const marks = [];
    for (let power = Math.floor(Math.log10(lo)); power <= Math.log10(hi); power += every) {
      for (const digit of digits) marks.push(Number(`${digit}e${power}`));
    }
    return marks.filter((mark) => mark >= lo * 0.9999 && mark <= hi * 1.0001);
  }
  const step = roundStep((hi - lo) / most);
  const first = Math.ceil(lo / step - 1e-9);
  return Array.from({ length: Math.floor(hi / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

function extent(arrays, margin) {
  let lo = Infinity;
  let hi = -Infinity;
  for (const array of arrays) {
    for (const x of array) {
      if (x < lo) lo = x;
      if (x > hi) hi = x;
    }
  }
  const pad = hi > lo ? (hi - lo) * margin : Math.max(Math.abs(hi) * 0.01, 0.5);
  return { lo: lo - pad, hi: hi + pad };
}

/** A canvas with a frame, two scales and a line of legend above. */
class Panel {
  constructor(parent, label, x, y, legend) {
    this.canvas = parent.appendChild(document.createElement("canvas"));
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.frame = document.createElement("canvas");
    this.pen = this.canvas.getContext("2d");
    Object.assign(this, { scaleX: x, scaleY: y, legend });
  }

  /** Take the size and the ink of the page as they are now, and draw what data do not move. */
  fit(ink) {
    const { canvas, frame, scaleX, scaleY } = this;
    this.dpr = window.devicePixelRatio || 1;
    this.ink = ink;
    for (const sheet of [canvas, frame]) {
      sheet.width = Math.max(1, Math.round(canvas.clientWidth * this.dpr));
      sheet.height = Math.max(1, Math.round(canvas.clientHeight * this.dpr));
    }
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const pen = frame.getContext("2d");
    pen.scale(this.dpr, this.dpr);
    pen.font = ink.font;
    pen.textBaseline = "middle";
    this.top = 26;
    this.bottom = height - 40;
    const marksY = ticks(scaleY, (this.bottom - this.top) / 32);
    const wide = (mark) => pen.measureText(figure(mark, 4)).width;
    this.left = Math.ceil(Math.max(0, ...marksY.map(wide))) + 30;
    this.right = width - 12;

    pen.strokeStyle = pen.fillStyle = ink.colour;
    pen.globalAlpha = 0.55;
    pen.beginPath();
    pen.moveTo(this.left - 0.5, this.top);
    pen.lineTo(this.left - 0.5, this.bottom + 0.5);
    pen.lineTo(this.right, this.bottom + 0.5);
    let marksX;
    let room = 24;
    do {
      marksX = ticks(scaleX, (this.right - this.left) / room);
      room *= 1.2;
    } while (marksX.some((mark, i) => i && this.x(mark) - this.x(marksX[i - 1]) < wide(mark) + 12));
    for (const mark of marksX) {
      pen.moveTo(this.x(mark), this.bottom);
      pen.lineTo(this.x(mark), this.bottom + 5);
    }
    for (const mark of marksY) {
      pen.moveTo(this.left, this.y(mark));
      pen.lineTo(this.left - 5, this.y(mark));
    }
    pen.stroke();
    pen.globalAlpha = 1;
    pen.textAlign = "center";
    for (const mark of marksX) pen.fillText(figure(mark, 4), this.x(mark), this.bottom + 13);
    pen.fillText(scaleX.label, (this.left + this.right) / 2, height - 9, this.right - this.left);
    pen.textAlign = "right";
    for (const mark of marksY) pen.fillText(figure(mark, 4), this.left - 8, this.y(mark));
    pen.save();
    pen.translate(9, (this.top + this.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(scaleY.label, 0, 0, height - 4);
    pen.restore();
    pen.textAlign = "left";
    let at = this.left;
    for (const { text, mark, colour } of this.legend) {
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = 2;
      pen.setLineDash(mark === "dash" ? [5, 3] : []);
      pen.beginPath();
      if (mark === "dot") pen.arc(at + 5, 10, 4, 0, 7);
      else pen.moveTo(at, 10), pen.lineTo(at + 14, 10);
      mark === "dot" ? pen.fill() : pen.stroke();
      at += mark === "dot" ? 13 : 18;
      pen.fillStyle = ink.colour;
      pen.fillText(text, at, 10);
      at += pen.measureText(text).width + 10;
    }
  }

  x(value) {
    return this.left + part(value, this.scaleX) * (this.right - this.left);
  }

  y(value) {
    return this.bottom - part(value, this.scaleY) * (this.bottom - this.top);
  }

  /** Begin a drawing: a clean sheet, an image in the frame if there is one, and the frame. */
  begin(image) {
    const { pen, canvas, dpr } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (image) pen.putImageData(image, Math.round(this.left * dpr), Math.round(this.top * dpr));
    pen.drawImage(this.frame, 0, 0);
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    return pen;
  }

  /** Draw a curve through points with a gap where a value is missing. */
  curve(xs, ys, colour, dash = []) {
    const { pen } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.setLineDash(dash);
    pen.beginPath();
    for (let j = 0, down = false; j < xs.length; j++) {
      const there = Number.isFinite(ys[j]);
      if (there && !down) pen.moveTo(this.x(xs[j]) - 1, this.y(ys[j]));
      if (there) pen.lineTo(this.x(xs[j]), this.y(ys[j]));
      down = there;
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  line(x0, y0, x1, y1, colour, width) {
    const { pen } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
  }

  dot(x, y, radius, colour) {
    const { pen } = this;
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fill();
  }
}

const part = (value, { lo, hi, log }) =>
  log ? Math.log(value / lo) / Math.log(hi / lo) : (value - lo) / (hi - lo);

/** Sorted places of distinct numbers, and the cell edges halfway between them. */
function cells(numbers) {
  const order = Uint32Array.from(numbers.keys()).sort((a, b) => numbers[a] - numbers[b]);
  const places = order.filter((place, i) => !i || numbers[place] !== numbers[order[i - 1]]);
  const at = Array.from(places, (place) => numbers[place]);
  const edges = at.slice(1).map((x, i) => (x + at[i]) / 2);
  const [first, last] = [at[0], at[at.length - 1]];
  edges.unshift(edges.length ? 2 * first - edges[0] : first - 0.5);
  edges.push(edges.length > 1 ? 2 * last - edges[edges.length - 1] : last + 0.5);
  return { order, places, edges };
}

/** For each pixel of a side, the place of the number whose cell it lies in. */
function spread({ places, edges }, pixels) {
  const [lo, hi] = [edges[0], edges[edges.length - 1]];
  let cell = 0;
  return Uint32Array.from({ length: pixels }, (_, pixel) => {
    const value = lo + ((pixel + 0.5) / pixels) * (hi - lo);
    while (cell < places.length - 1 && edges[cell + 1] <= value) cell++;
    return places[cell];
  });
}

/** Estimate over the data: the first panel. */
function estimatePanel(parent, data, { order }, queryOrder) {
  const { colors: colours, labels } = data;
  const sorted = (array, into = new Float64Array(array.length)) => {
    for (let j = 0; j < into.length; j++) into[j] = array[queryOrder[j]];
    return into;
  };
  const places = sorted(data.queries);
  const truth = data.truth && sorted(data.truth);
  const panel = new Panel(
    parent,
    "Values over keys, with the estimate as a curve and the query as a line",
    { ...extent([data.keys, data.queries], 0.02), label: labels[0] },
    { ...extent([data.values, data.truth || []], 0.06), label: labels[1] },
    [
      { text: "value", mark: "dot", colour: colours.value },
      { text: "estimate", mark: "line", colour: colours.estimate },
      ...(data.truth ? [{ text: "truth", mark: "dash", colour: colours.truth }] : []),
      { text: "query", mark: "line", colour: colours.query },
    ],
  );
  const heights = new Float64Array(places.length);
  panel.axis = "x";
  panel.draw = ({ query, queryEstimate, row, estimate }) => {
    const pen = panel.begin();
    const largest = row.reduce((most, weight) => (weight > most ? weight : most), 0);
    for (const i of order) {
      const share = row[i] / largest || 0;
      pen.globalAlpha = 0.4 + 0.6 * share;
      panel.dot(panel.x(data.keys[i]), panel.y(data.values[i]), 2.5 + 2.5 * share, colours.value);
    }
    pen.globalAlpha = 1;
    if (truth) panel.curve(places, truth, colours.truth, [6, 4]);
    const at = panel.x(query);
    panel.line(at, panel.top, at, panel.bottom, colours.query, 1.5);
    panel.curve(places, sorted(estimate, heights), colours.estimate);
    panel.dot(at, panel.bottom, 6, colours.query);
    if (Number.isFinite(queryEstimate)) {
      panel.dot(at, panel.y(queryEstimate), 5.5, colours.query);
      panel.dot(at, panel.y(queryEstimate), 3, colours.estimate);
    }
  };
  return panel;
}

/** Attention weights as a heatmap: the second panel. */
function weightsPanel(parent, data, columns, rows) {
  const scale = ({ edges }, label) => ({ lo: edges[0], hi: edges[edges.length - 1], label });
  const panel = new Panel(
    parent,
    "Heatmap of attention weights: keys across, queries upwards, brighter is more",
    scale(columns, "key"),
    scale(rows, "query"),
    [],
  );
  const n = data.keys.length;
  const shades = new Uint32Array(n);
  panel.axis = "y";
  const fit = panel.fit;
  panel.fit = (ink) => {
    fit.call(panel, ink);
    const { dpr } = panel;
    panel.image = new ImageData(
      Math.max(1, Math.round((panel.right - panel.left) * dpr)),
      Math.max(1, Math.round((panel.bottom - panel.top) * dpr)),
    );
    panel.pixels = new Uint32Array(panel.image.data.buffer);
    panel.across = spread(columns, panel.image.width);
    panel.upwards = spread(rows, panel.image.height);
    const pen = panel.frame.getContext("2d");
    const bar = (panel.bar = Math.min(90, (panel.right - panel.left) / 3));
    const start = (panel.start = panel.left + Math.ceil(pen.measureText("weight 0 ").width) + 4);
    const gradient = pen.createLinearGradient(start, 0, start + bar, 0);
    for (let step = 0; step <= 32; step++) {
      gradient.addColorStop(step / 32, `#${VIRIDIS.substr(step * 6, 6)}`);
    }
    pen.fillText("weight 0", panel.left, 10);
    pen.fillStyle = gradient;
    pen.fillRect(start, 5, bar, 10);
  };
  panel.draw = ({ query, weights }) => {
    const { pixels, across, upwards } = panel;
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
        for (let i = 0; i < n; i++) shades[i] = PIXELS[(weights[row * n + i] * levels + 0.5) | 0];
        for (let x = 0; x < width; x++) pixels[from + x] = shades[across[x]];
      }
    }
    const pen = panel.begin(panel.image);
    pen.font = panel.ink.font;
    pen.fillStyle = panel.ink.colour;
    pen.textBaseline = "middle";
    pen.fillText(figure(largest), panel.start + panel.bar + 6, 10);
    const at = panel.y(query);
    panel.line(panel.left, at, panel.right, at, data.colors.query, 1.5);
    panel.dot(panel.left, at, 6, data.colors.query);
  };
  return panel;
}

/** The kernel laid around the query, with each key at its similarity. */
function kernelPanel(parent, data, { order }) {
  const { colors: colours, labels } = data;
  const x = { ...extent([data.keys, data.queries], 0.02), label: labels[0] };
  const panel = new Panel(
    parent,
    "The kernel as a curve around the query, with every key at its similarity",
    x,
    { lo: 0, hi: 1.08, label: "similarity α" },
    [
      { text: "kernel", mark: "line", colour: colours.estimate },
      { text: "key", mark: "dot", colour: colours.key },
      { text: "query", mark: "line", colour: colours.query },
    ],
  );
  const places = Float64Array.from({ length: 401 }, (_, i) => x.lo + (i / 400) * (x.hi - x.lo));
  panel.axis = "x";
  panel.places = places;
  panel.draw = ({ kernel, sigma, query, panel: given }) => {
    const pen = panel.begin();
    const alpha = (place) => KERNELS[kernel](Math.abs(query - place) / sigma);
    const at = panel.x(query);
    panel.line(at, panel.top, at, panel.bottom, colours.query, 1.5);
    panel.dot(at, panel.bottom, 6, colours.query);
    panel.curve(places, given || places.map(alpha), colours.estimate);
    if (given) return;
    pen.globalAlpha = 0.7;
    for (const i of order) {
      panel.dot(panel.x(data.keys[i]), panel.y(alpha(data.keys[i])), 3, colours.key);
    }
    pen.globalAlpha = 1;
  };
  return panel;
}

/** Leave-one-out error over the width, with the current width marked. */
function errorPanel(parent, data, redraw) {
  const { colors: colours, units } = data;
  const [lo, hi] = data.sigmas;
  const panel = new Panel(
    parent,
    "Leave-one-out error as a curve over the width, with the current width marked",
    { lo, hi, log: true, label: `width σ${units[0] && ` (${units[0]})`}` },
    { lo: 0, hi: 1, label: "leave-one-out error" },
    [{ text: "leave-one-out error", mark: "line", colour: colours.estimate }],
  );
  panel.widths = Float64Array.from({ length: 61 }, (_, i) => lo * (hi / lo) ** (i / 60));
  panel.curves = Object.fromEntries(Object.keys(KERNELS).map((name) => [name, []]));
  // Hundreds of errors, a few at a time, so that the page never waits for them.
  const todo = Object.entries(panel.curves).flatMap(([name, curve]) =>
    Array.from(panel.widths, (sigma) => () =>
      curve.push(leaveOneOut(data.keys, data.values, KERNELS[name], sigma).error),
    ),
  );
  const work = () => {
    const start = performance.now();
    while (todo.length && performance.now() - start < 6) todo.shift()();
    if (todo.length) setTimeout(work);
    else {
      const errors = Object.values(panel.curves).flat().filter(Number.isFinite);
      panel.scaleY.hi = Math.max(...errors, 0) * 1.05 || 1;
      panel.fit(panel.ink);
      redraw();
    }
  };
  setTimeout(work);
  panel.shown = ({ kernel, panel: given }) => (todo.length ? [] : given || panel.curves[kernel]);
  panel.draw = (now) => {
    const { sigma, leaveOneOutError } = now;
    panel.begin();
    panel.curve(panel.widths, panel.shown(now), colours.estimate);
    if (sigma < lo || sigma > hi) return;
    const at = panel.x(sigma);
    panel.line(at, panel.top, at, panel.bottom, panel.ink.colour, 1);
    if (Number.isFinite(leaveOneOutError)) {
      panel.dot(at, panel.y(leaveOneOutError), 5, colours.estimate);
    }
  };
  return panel;
}

// ------------------------------------------------------------------ controls

/** The width that a label shows for a slider's place: what is computed has no more digits. */
const shown = (sigma) => Number(sigma.toPrecision(3));

/** Build an explorer inside root. `ask` receives what the reader changes; it ends in `show`. */
function build(root, raw, { controls, ask }) {
  const data = { ...raw };
  for (const name of ["keys", "values", "queries"]) data[name] = Float64Array.from(raw[name]);
  const { keys, values, queries } = data;
  const now = { kernel: raw.kernel, sigma: raw.sigma, query: raw.query };
  const buffers = {
    weights: new Float64Array(queries.length * keys.length),
    estimate: new Float64Array(queries.length),
    row: new Float64Array(keys.length),
  };

  const live = document.createElement("div");
  live.className = "nw-live";
  live.innerHTML = `<div class="nw-controls">
    <label><span>width σ <b aria-hidden="true"></b></span>
      ${controls ? '<input type="range" name="sigma">' : ""}</label>
    ${controls ? '<label><span>kernel</span><select name="kernel"></select></label>' : ""}
    <label><span>query <b aria-hidden="true"></b></span><input type="range" name="query"></label></div>
    <div class="nw-panels"></div><p class="nw-spoken" aria-live="polite"></p>`;
  const find = (selector) => live.querySelector(selector);
  const slider = { sigma: find("[name=sigma]"), query: find("[name=query]") };
  const [widthText, queryText] = live.querySelectorAll("b");
  const chooser = find("select");
  const panels = find(".nw-panels");
  const spoken = find(".nw-spoken");

  const [columns, rows] = [cells(keys), cells(queries)];
  const drawn = [estimatePanel(panels, data, columns, rows.order), weightsPanel(panels, data, columns, rows)];
  if (data.panel === "kernel") drawn.push(kernelPanel(panels, data, columns));
  if (data.panel === "leave-one-out") drawn.push(errorPanel(panels, data, () => draw()));
  const readout = panels.appendChild(document.createElement("div"));
  readout.className = "nw-readout";
  const say = Object.fromEntries(
    ["estimate at the query", "keys it attends to in effect", "queries out of reach", "leave-one-out error"].map(
      (term) => {
        const entry = readout.appendChild(document.createElement("div"));
        entry.innerHTML = `<span>${term}</span> <b></b>`;
        return [term, entry.lastChild.appendChild(new Text())];
      },
    ),
  );

  const unit = (text, which = 0) => (data.units[which] ? `${text} ${data.units[which]}` : text);
  const bounds = extent([queries], 0);
  const reach = extent([keys, queries], 0);
  const step = roundStep((bounds.hi - bounds.lo) / 400);
  const tidy = (x) => Number(x.toPrecision(12));
  Object.assign(slider.query, {
    step: tidy(step),
    min: tidy(Math.floor(bounds.lo / step) * step),
    max: tidy(Math.ceil(bounds.hi / step) * step),
  });
  if (controls) {
    const [low, high] = data.sigmas.map(Math.log10);
    // A whole number of steps, so that the upper end can be reached.
    const steps = Math.max(1, Math.round((high - low) / data.step));
    Object.assign(slider.sigma, { min: low, max: high, step: (high - low) / steps });
    for (const name in KERNELS) chooser.add(new Option(name, name));
  }

  const told = new Map();
  function tell(input, value, text) {
    if (told.get(input) === value) return;
    told.set(input, value);
    input.value = value;
    input.setAttribute("aria-valuetext", text);
  }

  let speech;
  /** Draw `now`, and everything that follows from it. */
  function draw() {
    for (const panel of drawn) panel.draw(now);
    const { kernel, sigma, query, queryEstimate, unreached } = now;
    const reached = Number.isFinite(queryEstimate);
    const alone = now.keysUnreached;
    const texts = {
      "estimate at the query": reached
        ? unit(figure(queryEstimate), 1)
        : "no key in reach",
      "keys it attends to in effect": reached
        ? `${figure(now.effectiveKeys)} of ${keys.length}`
        : "none",
      "queries out of reach": unreached ? `${unreached} of ${queries.length}` : "none",
      "leave-one-out error": Number.isFinite(now.leaveOneOutError)
        ? figure(now.leaveOneOutError)
        : `undefined: ${alone} ${alone === 1 ? "key is" : "keys are"} reached by no other`,
    };
    for (const term in texts) say[term].data = texts[term];
    const width = unit(figure(sigma));
    const place = unit(figure(query, 4));
    widthText.textContent = width;
    queryText.textContent = place;
    tell(slider.query, query, place);
    if (controls) tell(slider.sigma, Math.log10(sigma), width);
    if (chooser) chooser.value = kernel;
    // A screen reader is told once the reader's hand has come to rest.
    clearTimeout(speech);
    speech = setTimeout(() => {
      spoken.textContent =
        `Kernel ${kernel}, width ${width}, query ${place}. ` +
        Object.entries(texts).map(([term, text]) => `${term}: ${text}`).join(". ");
    }, 700);
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  /** Compute and draw a state; `given` holds what Python has computed for the reader's own kernel. */
  function show(next, given) {
    const { weights, estimate, row } = buffers;
    Object.assign(now, next, { panel: given && given.panel }, buffers);
    const { kernel, sigma, query } = now;
    if (given) {
      weights.set(given.weights.subarray(0, weights.length));
      row.set(given.weights.subarray(weights.length));
      [now.leaveOneOutError, now.keysUnreached] = given.leaveOneOut;
    } else {
      const alpha = KERNELS[kernel];
      attentionWeights(queries, keys, alpha, sigma, weights);
      share(query, keys, alpha, sigma, row);
      const left = leaveOneOut(keys, values, alpha, sigma);
      [now.leaveOneOutError, now.keysUnreached] = [left.error, left.unreached];
    }
    pool(weights, values, estimate);
    now.queryEstimate = pool(row, values)[0];
    now.effectiveKeys = effectiveKeys(row);
    now.unreached = estimate.reduce((count, x) => count + Number.isNaN(x), 0);
    draw();
  }

  function check({ sigma = now.sigma, query = now.query, kernel = now.kernel }) {
    if (!(sigma > 0 && sigma < Infinity)) {
      throw new RangeError(`sigma must be positive and finite, got ${sigma}`);
    }
    if (!Number.isFinite(query)) throw new RangeError(`query must be finite, got ${query}`);
    if (kernel !== now.kernel && !Object.hasOwn(KERNELS, kernel)) {
      throw new RangeError(`kernel must be one of ${Object.keys(KERNELS).join(", ")}, got ${kernel}`);
    }
    const farthest = Math.max(Math.abs(query - reach.lo), Math.abs(query - reach.hi), reach.hi - reach.lo);
    if (!Number.isFinite(farthest / sigma)) {
      throw new RangeError(`sigma must not make scaled distances overflow, got ${sigma}`);
    }
  }

  let pending = {};
  let asked = 0;
  const flush = () => {
    cancelAnimationFrame(asked);
    asked = 0;
    const change = pending;
    pending = {};
    ask(change);
  };
  const later = (change) => {
    Object.assign(pending, change);
    asked ||= requestAnimationFrame(flush);
  };
  const plain = (array) => Array.from(array, (x) => (Number.isNaN(x) ? null : x));
  root.explorer = {
    state: () => ({
      kernel: now.kernel,
      sigma: now.sigma,
      query: now.query,
      queries: plain(queries),
      keys: plain(keys),
      values: plain(values),
      estimate: plain(now.estimate),
      weights: Array.from(queries, (_, j) =>
        plain(now.weights.subarray(j * keys.length, (j + 1) * keys.length)),
      ),
      queryEstimate: plain([now.queryEstimate])[0],
      queryWeights: plain(now.row),
      effectiveKeys: plain([now.effectiveKeys])[0],
      leaveOneOutError: plain([now.leaveOneOutError])[0],
      unreached: now.unreached,
      // The curve's widths and errors, or none as long as they are being computed.
      leaveOneOutCurve: Array.from(drawn[2]?.shown?.(now) || [], (error, i) => [
        drawn[2].widths[i],
        plain([error])[0],
      ]),
    }),
    set(change) {
      check(change);
      for (const name of ["sigma", "kernel", "query"]) {
        if (change[name] !== undefined) pending[name] = change[name];
      }
      flush();
    },
  };

  slider.query.addEventListener("input", () => later({ query: Number(slider.query.value) }));
  if (controls) {
    slider.sigma.addEventListener("input", () =>
      later({ sigma: shown(10 ** slider.sigma.value) }),
    );
    chooser.addEventListener("change", () => later({ kernel: chooser.value }));
  }
  for (const panel of drawn.filter(({ axis }) => axis)) {
    const { canvas } = panel;
    let held = null;
    const move = ({ clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      const { lo, hi } = panel.axis === "x" ? panel.scaleX : panel.scaleY;
      const along =
        panel.axis === "x"
          ? (clientX - box.left - panel.left) / (panel.right - panel.left)
          : (panel.bottom - (clientY - box.top)) / (panel.bottom - panel.top);
      const { min, max } = slider.query;
      const at = tidy(Math.round((lo + along * (hi - lo)) / step) * step);
      later({ query: Math.min(Math.max(at, min), max) });
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
      slider.query.focus({ preventScroll: true });
      // A finger may be about to scroll the page: it has to move sideways, or to tap.
      held = { x: event.clientX, y: event.clientY, sure: event.pointerType !== "touch" };
      if (held.sure) move(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      held.sure ||= Math.abs(event.clientX - held.x) > Math.abs(event.clientY - held.y);
      if (held.sure) move(event);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (held && (held.sure || Math.abs(event.clientY - held.y) < 8)) move(event);
      held = null;
    });
    canvas.addEventListener("pointercancel", () => (held = null));
    canvas.style.cursor = panel.axis === "x" ? "ew-resize" : "ns-resize";
  }

  const fit = () => {
    const { color, fontFamily } = getComputedStyle(root);
    for (const panel of drawn) panel.fit({ colour: color, font: `12px ${fontFamily}` });
    if (now.row) draw();
  };
  root.append(live);
  const watch = new ResizeObserver(fit);
  watch.observe(panels);
  // The style sheet gives color a transition too short to see: its end reports every change of theme.
  root.addEventListener("transitionend", (event) => event.propertyName === "color" && fit());
  const print = matchMedia("print");
  print.addEventListener("change", fit);
  fit();
  return {
    show(next, given) {
      show(next, given);
      root.dataset.ready = "true";
    },
    end() {
      watch.disconnect();
      print.removeEventListener("change", fit);
      clearTimeout(speech);
    },
  };
}

/** Bring a page's explorer to life from the data beside its still figure. */
export function mount(root) {
  if (root.explorer) return root.explorer;
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const explorer = build(root, data, { controls: true, ask: (change) => explorer.show(change) });
  explorer.show({});
  return root.explorer;
}

/** Mount every explorer of a page. */
export function mountAll(page = document) {
  for (const root of page.querySelectorAll(".nw-explorer")) mount(root);
}

/** The view of an anywidget: sliders and chooser are ipywidgets, linked to the model. */
function render({ model, el }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "nw-explorer";
  const names = Object.keys(KERNELS);
  const explorer = build(root, model.get("data"), {
    controls: false,
    ask({ sigma, kernel, query }) {
      if (sigma !== undefined) model.set("sigma", sigma);
      if (kernel !== undefined) model.set("kernel_index", names.indexOf(kernel));
      if (query !== undefined) model.set("query", query);
      model.save_changes();
    },
  });
  const update = () => {
    const kernel = names[model.get("kernel_index")];
    if (kernel) {
      explorer.show({ kernel, sigma: model.get("sigma"), query: model.get("query") });
      return;
    }
    const { name, sigma, query, weights, panel, leaveOneOut } = model.get("evaluated");
    if (!weights) return;
    const numbers = ({ buffer, byteOffset, byteLength }) =>
      new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
    const error = leaveOneOut.map((x) => (x === null ? NaN : x));
    explorer.show(
      { kernel: name, sigma, query },
      { weights: numbers(weights), panel: panel && numbers(panel), leaveOneOut: error },
    );
  };
  // The width goes to the thumb and back, but the thumb's own rounding to its steps goes nowhere.
  const inReach = () => Math.min(Math.max(model.get("sigma"), model.get("ends")[0]), model.get("ends")[1]);
  const apart = () => Math.abs(Math.log10(model.get("thumb") / inReach())) > 0.51 * model.get("data").step;
  const place = () => {
    if (!apart()) return;
    model.set("thumb", inReach());
    model.save_changes();
  };
  const follow = () => {
    if (!apart()) return;
    model.set("sigma", shown(model.get("thumb")));
    model.save_changes();
  };
  model.on("change:sigma change:ends", place);
  model.on("change:thumb", follow);
  place();
  const events = "change:sigma change:kernel_index change:query change:evaluated";
  model.on(events, update);
  update();
  return () => {
    model.off(events, update);
    model.off("change:sigma change:ends", place);
    model.off("change:thumb", follow);
    explorer.end();
  };
}

export default { render };
