// An estimate, its attention weights and the controls that move them: arithmetic, ink, controls.

// ---------------------------------------------------------------- arithmetic

// Browsers compile one function, whatever its constants, into the loops that call it; not four.
const within = (reach, a, b, c) => (u) => (u <= reach ? a + (1 - u) * (b + c * u) : 0);

/** Similarity as a function of the scaled distance u ≥ 0. */
export const KERNELS = {
  // Below −746 exp is 0, and dear.
  gaussian: (u) => (u < 39 ? Math.exp((-u * u) / 2) : 0),
  boxcar: within(1, 1, 0, 0),
  constant: within(Infinity, 1, 0, 0),
  triangular: within(1, 0, 1, 0),
  epanechnikov: within(1, 0, 0.75, 0.75),
};

/** Write one query's shares of attention to row[from …], without the key `left` if given. */
function share(query, keys, kernel, sigma, row, from = 0, left = -1) {
  const n = keys.length;
  let total = 0;
  if (kernel === KERNELS.gaussian) {
    // Without the largest score, a narrow width tends to the nearest key and not to 0/0.
    let nearest = 0;
    let least = Infinity;
    for (let i = 0; i < n; i++) {
      const distance = Math.abs(query - keys[i]);
      if (distance < least && i !== left) {
        least = distance;
        nearest = keys[i];
      }
    }
    for (let i = 0; i < n; i++) {
      // The difference of two squares by its factors, as Python has it.
      const ahead = (keys[i] - nearest) / sigma;
      const score = (ahead * ((query - nearest + (query - keys[i])) / sigma)) / 2;
      total += row[from + i] = i === left || score < -746 ? 0 : Math.exp(score);
    }
  } else {
    for (let i = 0; i < n; i++) {
      total += row[from + i] = i === left ? 0 : kernel(Math.abs(query - keys[i]) / sigma);
    }
  }
  const part = total > 0 ? 1 / total : NaN;
  for (let i = 0; i < n; i++) row[from + i] *= part;
}

/** Weights of (queries × keys), row by row; NaN where no key is in reach. */
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

/** Mean squared error with each value left out of its own estimate; NaN unless all are reached. */
export function leaveOneOut(keys, values, kernel, sigma) {
  const n = keys.length;
  const totals = new Float64Array(n);
  const sums = new Float64Array(n);
  const { gaussian } = KERNELS;
  // Similarity is symmetric: each pair of keys serves both of them.
  for (let j = 1; j < n; j++) {
    for (let i = 0; i < j; i++) {
      const u = Math.abs(keys[j] - keys[i]) / sigma;
      // Called by its name, the Gaussian is compiled into the loop as well.
      const similarity = kernel === gaussian ? gaussian(u) : kernel(u);
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
      // So far from the others that the plain exponential has lost its digits.
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

/** A few digits and a true minus sign. */
function figure(x, digits = 3) {
  const size = Math.abs(x);
  const near = Number(x.toPrecision(digits));
  const text =
    size && (size < 1e-4 || size >= 1e7)
      ? near.toExponential()
      : String(size >= 10 ** digits ? Math.round(x) : near);
  return text.replace(/-/g, "−");
}

const tidy = (x) => Number(x.toPrecision(12));

const roundStep = (span) => {
  const power = 10 ** Math.floor(Math.log10(span));
  return power * [1, 2, 5, 10].find((digit) => digit * power >= span * 0.999999);
};

/** Round numbers from lo to hi; on a logarithmic axis 1, 2 and 5 of each decade, or powers. */
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
    tidy((first + i) * step),
  );
}

const DASH = [5, 3];

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

  /** Take size and ink from the page as it is now, and draw what no control moves. */
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
    const wide = (mark) => pen.measureText(figure(mark, 12)).width;
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
    for (const mark of marksX) pen.fillText(figure(mark, 12), this.x(mark), this.bottom + 13);
    pen.fillText(scaleX.label, (this.left + this.right) / 2, height - 9, this.right - this.left);
    pen.textAlign = "right";
    for (const mark of marksY) pen.fillText(figure(mark, 12), this.left - 8, this.y(mark));
    pen.save();
    pen.translate(9, (this.top + this.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(scaleY.label, 0, 0, height - 4);
    pen.restore();
    pen.textAlign = "left";
    let at = this.left;
    for (const [text, colour, dash] of this.legend) {
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = 2;
      pen.setLineDash(dash || []);
      pen.beginPath();
      if (dash) {
        pen.moveTo(at, 10);
        pen.lineTo(at + 14, 10);
        pen.stroke();
      } else {
        pen.arc(at + 9, 10, 4, 0, 7);
        pen.fill();
      }
      at += 18;
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

  /** Begin a drawing with an image, if there is one, and the frame. */
  begin(image) {
    const { pen, canvas, dpr } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (image) pen.putImageData(image, Math.round(this.left * dpr), Math.round(this.top * dpr));
    pen.drawImage(this.frame, 0, 0);
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    return pen;
  }

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

  upright(x, colour, width) {
    this.pen.fillStyle = colour;
    this.pen.fillRect(x - width / 2, this.top, width, this.bottom - this.top);
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

/** Places of numbers, sorted; those of distinct ones, and the edges halfway between these. */
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

function estimatePanel(parent, data, { order }) {
  const { colors: colours, labels } = data;
  const sorted = (array, into = new Float64Array(array.length)) => {
    for (let j = 0; j < into.length; j++) into[j] = array[order[j]];
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
      ["value", colours.value],
      ["estimate", colours.estimate, []],
      ...(truth ? [["truth", colours.truth, DASH]] : []),
      ["query", colours.query, []],
    ],
  );
  const heights = new Float64Array(places.length);
  const levels = new Uint8Array(data.keys.length);
  panel.axis = "x";
  panel.draw = ({ query, queryEstimate, row, estimate }) => {
    const pen = panel.begin();
    const largest = row.reduce((most, weight) => (weight > most ? weight : most), 0);
    // One path for all dots that look alike, the most attended last.
    for (let i = 0; i < row.length; i++) levels[i] = Math.round((10 * row[i]) / largest) || 0;
    pen.fillStyle = colours.value;
    for (let level = 0; level <= 10; level++) {
      pen.globalAlpha = 0.4 + 0.06 * level;
      pen.beginPath();
      for (let i = 0; i < row.length; i++) {
        if (levels[i] !== level) continue;
        const [x, y] = [panel.x(data.keys[i]), panel.y(data.values[i])];
        pen.moveTo(x, y);
        pen.arc(x, y, 2.5 + 0.25 * level, 0, 7);
      }
      pen.fill();
    }
    pen.globalAlpha = 1;
    if (truth) panel.curve(places, truth, colours.truth, DASH);
    const at = panel.x(query);
    panel.upright(at, colours.query, 1.5);
    panel.dot(at, panel.bottom, 6, colours.query);
    panel.curve(places, sorted(estimate, heights), colours.estimate);
    if (Number.isFinite(queryEstimate)) {
      panel.dot(at, panel.y(queryEstimate), 5.5, colours.query);
      panel.dot(at, panel.y(queryEstimate), 3, colours.estimate);
    }
  };
  return panel;
}

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
  const ramp = shadesOf(data.ramp);
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
    data.ramp.forEach((colour, i) => gradient.addColorStop(i / (data.ramp.length - 1), colour));
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
        for (let i = 0; i < n; i++) shades[i] = ramp[(weights[row * n + i] * levels + 0.5) | 0];
        for (let x = 0; x < width; x++) pixels[from + x] = shades[across[x]];
      }
    }
    const pen = panel.begin(panel.image);
    pen.font = panel.ink.font;
    pen.fillStyle = panel.ink.colour;
    pen.textBaseline = "middle";
    pen.fillText(figure(largest), panel.start + panel.bar + 6, 10);
    const at = panel.y(query);
    pen.fillStyle = data.colors.query;
    pen.fillRect(panel.left, at - 0.75, panel.right - panel.left, 1.5);
    panel.dot(panel.left, at, 6, data.colors.query);
  };
  return panel;
}

function kernelPanel(parent, data) {
  const { colors: colours, labels } = data;
  const x = { ...extent([data.keys, data.queries], 0.02), label: labels[0] };
  const panel = new Panel(
    parent,
    "The kernel as a curve around the query, with every key at its similarity",
    x,
    { lo: 0, hi: 1.08, label: "similarity α" },
    [
      ["kernel", colours.estimate, []],
      ["key", colours.key],
      ["query", colours.query, []],
    ],
  );
  const places = Float64Array.from({ length: 401 }, (_, i) => x.lo + (i / 400) * (x.hi - x.lo));
  panel.axis = "x";
  panel.draw = ({ kernel, sigma, query, panel: given }) => {
    const pen = panel.begin();
    const alpha = (place) => KERNELS[kernel](Math.abs(query - place) / sigma);
    const at = panel.x(query);
    panel.upright(at, colours.query, 1.5);
    panel.dot(at, panel.bottom, 6, colours.query);
    panel.curve(places, given || places.map(alpha), colours.estimate);
    if (given) return;
    pen.globalAlpha = 0.7;
    for (const key of data.keys) panel.dot(panel.x(key), panel.y(alpha(key)), 3, colours.key);
    pen.globalAlpha = 1;
  };
  return panel;
}

function errorPanel(parent, data, redraw) {
  const { colors: colours, units } = data;
  const [lo, hi] = data.sigmas;
  const panel = new Panel(
    parent,
    "Leave-one-out error as a curve over the width, with the current width marked",
    { lo, hi, log: true, label: `width σ${units[0] && ` (${units[0]})`}` },
    { lo: 0, hi: 1, label: "leave-one-out error" },
    [["leave-one-out error", colours.estimate, []]],
  );
  panel.widths = Float64Array.from({ length: 61 }, (_, i) => lo * (hi / lo) ** (i / 60));
  panel.curves = Object.fromEntries(Object.keys(KERNELS).map((name) => [name, []]));
  // A few at a time, so that the page never waits.
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
    panel.upright(at, panel.ink.colour, 1);
    if (Number.isFinite(leaveOneOutError)) {
      panel.dot(at, panel.y(leaveOneOutError), 5, colours.estimate);
    }
  };
  return panel;
}

// ------------------------------------------------------------------ controls

/** A slider's width: what is computed has as many digits as its label. */
const shown = (sigma) => Number(sigma.toPrecision(3));

/** Build an explorer. `ask` receives what the reader changes, and has it shown. */
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
  const drawn = [
    estimatePanel(panels, data, rows),
    weightsPanel(panels, data, columns, rows),
  ];
  if (data.panel === "kernel") drawn.push(kernelPanel(panels, data));
  if (data.panel === "leave-one-out") drawn.push(errorPanel(panels, data, () => draw()));
  const readout = panels.appendChild(document.createElement("div"));
  readout.className = "nw-readout";
  const answers = [
    "estimate at the query",
    "keys it attends to in effect",
    "queries out of reach",
    "leave-one-out error",
  ].map((term) => {
    const entry = readout.appendChild(document.createElement("div"));
    entry.innerHTML = `<span>${term}</span> <b></b>`;
    return entry.lastChild.appendChild(new Text());
  });

  const unit = (text, which = 0) => (data.units[which] ? `${text} ${data.units[which]}` : text);
  const bounds = extent([queries], 0);
  const reach = extent([keys, queries], 0);
  const step = roundStep((bounds.hi - bounds.lo) / 400);
  // Enough to tell one step from the next.
  const digits = 1 + Math.ceil(Math.log10(Math.max(-bounds.lo, bounds.hi, step) / step));
  Object.assign(slider.query, {
    step: tidy(step),
    min: tidy(Math.floor(bounds.lo / step) * step),
    max: tidy(Math.ceil(bounds.hi / step) * step),
  });
  if (controls) {
    const [low, high] = data.sigmas.map(Math.log10);
    // Whole steps, so that the upper end can be reached.
    const steps = Math.max(1, Math.round((high - low) / data.step));
    Object.assign(slider.sigma, { min: low, max: high, step: (high - low) / steps });
    for (const name in KERNELS) chooser.add(new Option(name, name));
  }

  // The page's own parts are dear to touch: only with what is new to them.
  const told = new Map();
  function tell(part, name, value) {
    if (told.get(part) === value) return;
    told.set(part, value);
    part[name] = value;
  }

  let speech;
  function draw() {
    for (const panel of drawn) panel.draw(now);
    const { kernel, sigma, query, queryEstimate, unreached } = now;
    const reached = Number.isFinite(queryEstimate);
    const alone = now.keysUnreached;
    [
      reached ? unit(figure(queryEstimate), 1) : "undefined",
      reached ? `${figure(now.effectiveKeys)} of ${keys.length}` : "none",
      unreached ? `${unreached} of ${queries.length}` : "none",
      Number.isFinite(now.leaveOneOutError)
        ? figure(now.leaveOneOutError)
        : `undefined: ${alone} ${alone === 1 ? "key is" : "keys are"} reached by no other`,
    ].forEach((text, i) => tell(answers[i], "data", text));
    const width = unit(figure(sigma));
    const place = unit(figure(query, digits));
    tell(widthText, "textContent", width);
    tell(queryText, "textContent", place);
    tell(slider.query, "value", query);
    slider.query.ariaValueText = place;
    if (controls) {
      tell(slider.sigma, "value", Math.log10(sigma));
      slider.sigma.ariaValueText = width;
      tell(chooser, "value", kernel);
    }
    // Said when the hand has come to rest.
    clearTimeout(speech);
    speech = setTimeout(() => {
      const said = Array.from(readout.children, (entry) => entry.textContent).join(". ");
      spoken.textContent = `Kernel ${kernel}, width ${width}, query ${place}. ${said}`;
    }, 700);
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  /** Compute and draw; `given` is what Python has computed for a reader's own kernel. */
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
    const must = (holds, rule, given) => {
      if (!holds) throw new RangeError(`${rule}, got ${given}`);
    };
    const names = Object.keys(KERNELS);
    must(Number.isFinite(sigma) && sigma > 0, "sigma must be positive and finite", sigma);
    must(Number.isFinite(query), "query must be finite", query);
    const known = [now.kernel, ...names].includes(kernel);
    must(known, `kernel must be one of ${names.join(", ")}`, kernel);
    const farthest = Math.max(query, reach.hi) - Math.min(query, reach.lo);
    must(farthest / sigma < Infinity, "sigma must not make scaled distances overflow", sigma);
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
  const known = (x) => (Number.isNaN(x) ? null : x);
  const plain = (array) => Array.from(array, known);
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
      queryEstimate: known(now.queryEstimate),
      queryWeights: plain(now.row),
      effectiveKeys: known(now.effectiveKeys),
      leaveOneOutError: known(now.leaveOneOutError),
      unreached: now.unreached,
      // [width, error] pairs, none as long as they are being computed.
      leaveOneOutCurve: Array.from(drawn[2]?.shown?.(now) || [], (error, i) => [
        drawn[2].widths[i],
        known(error),
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

  live.addEventListener("input", ({ target }) => told.delete(target));
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
      // A finger may be about to scroll: it has to move sideways, or to tap.
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
  // Once taken out of the page it has no size to fit.
  const watch = new ResizeObserver(() => panels.clientWidth && fit());
  watch.observe(panels);
  // The style sheet's transition of color ends with every change of theme.
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

/** Bring an explorer of a page to life. */
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

/** The view of an anywidget, whose slider and chooser are ipywidgets linked to the model. */
function render({ model, el }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "nw-explorer";
  // Else JupyterLab's shortcuts take the arrow keys from the slider beside the view.
  const keepKeys = ({ target }) => (target.dataset.lmSuppressShortcuts = "true");
  new ResizeObserver(() => el.closest(".widget-vbox")?.addEventListener("focusin", keepKeys)).observe(el);
  const names = Object.keys(KERNELS);
  const chosen = () => names[model.get("kernel_index")] || model.get("evaluated").name;
  const explorer = build(root, model.get("data"), {
    controls: false,
    ask({ sigma, kernel, query }) {
      if (sigma !== undefined) model.set("sigma", sigma);
      // A reader's own kernel stays, even under the name of one of ours.
      if (kernel !== undefined && kernel !== chosen()) {
        model.set("kernel_index", names.indexOf(kernel));
      }
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
  // Width and thumb follow each other, but the thumb's rounding to its steps goes nowhere.
  const pass = (name, value) => {
    const [lo, hi] = model.get("ends");
    const within = Math.min(Math.max(model.get("sigma"), lo), hi);
    if (Math.abs(Math.log10(model.get("thumb") / within)) < 0.51 * model.get("data").step) return;
    model.set(name, value(within));
    model.save_changes();
  };
  const listeners = [
    ["change:sigma change:ends", () => pass("thumb", (within) => within)],
    ["change:thumb", () => pass("sigma", () => shown(model.get("thumb")))],
    ["change:sigma change:kernel_index change:query change:evaluated", update],
  ];
  for (const [events, listener] of listeners) model.on(events, listener);
  listeners[0][1]();
  update();
  return () => {
    for (const [events, listener] of listeners) model.off(events, listener);
    explorer.end();
  };
}

export default { render };
