// Scores: the Gaussian turns into the attention of transformers, one step at a time.
// Arithmetic, ink and controls are three parts; only the last one knows where it runs.

// ---------------------------------------------------------------- arithmetic

const dot = (a, b) => a[0] * b[0] + a[1] * b[1];

/** What each step divides by the temperature, by the names Python uses. */
export const SCORES = {
  distance: (q, k) => -((q[0] - k[0]) ** 2 + (q[1] - k[1]) ** 2) / 2,
  expanded: (q, k) => dot(q, k) - dot(k, k) / 2,
  product: dot,
  circle: dot,
  scaled: dot,
};

/** Softmax of scores at temperature σ². */
export function softmax(scores, sigma) {
  const top = Math.max(...scores);
  // Divided twice, because the square of a very narrow width is 0.
  const shares = scores.map((score) => Math.exp((score - top) / sigma / sigma));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/** How many keys a row of weights attends to in effect, 1 / Σ w². */
export const effectiveKeys = (row) => 1 / row.reduce((sum, weight) => sum + weight * weight, 0);

/** The weights by a score and by distance, with the keys and the width that the step uses. */
export function compare({ keys, query, sigma, score }) {
  if (score === "circle") {
    keys = keys.map((key) => key.map((x) => x / Math.hypot(...key)));
  }
  if (score === "scaled") sigma = 2 ** 0.25;
  const by = (name) => softmax(keys.map((key) => SCORES[name](query, key)), sigma);
  const [weights, gaussian] = [by(score), by("distance")];
  const differences = weights.map((weight, i) => Math.abs(weight - gaussian[i]));
  const difference = Math.max(...differences);
  return { keys, sigma, weights, gaussian, difference, at: differences.indexOf(difference) };
}

// ----------------------------------------------------------------------- ink

const STEPS = {
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
const SIDE = 320;

/** A number as a reader wants it: a few digits and a true minus sign. */
const figure = (x, digits = 3) => String(Number(x.toPrecision(digits))).replace(/-/g, "−");

const circle = (x, y, r, name) => `<circle cx="${x}" cy="${y}" r="${r}" class="nw-${name}"/>`;
const line = (x, y, dx, dy, name) => `<path d="M${x} ${y}l${dx} ${dy}" class="nw-${name}"/>`;
const text = (x, y, words) => `<text x="${x}" y="${y}">${words}</text>`;

/** The plane: what scores alike, the keys at their weights, and where they came from. */
function planeInk({ given, keys, weights, query, sigma, score, reach }) {
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
    // The number stands outwards, where no other key is on the circle.
    const out = (r + 9) / Math.hypot(...key);
    ink += text(cx + out * key[0], cy - out * key[1] + 4, i + 1);
  });
  return ink;
}

/** One bar a key: filled to the weight by this score, outlined to the Gaussian's. */
function barsInk({ weights, gaussian }) {
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
function seen({ weights, gaussian, difference, at, given }) {
  const count = `${figure(effectiveKeys(weights))} of ${weights.length} keys`;
  // Rounding leaves a millionth of a millionth; what an eye could see starts far above.
  if (difference < 1e-9) {
    return (
      `Every bar fills its outline: the two sets of weights agree to rounding ` +
      `(largest difference ${figure(difference, 2)}). The query attends to ${count} in effect.`
    );
  }
  return (
    `Largest difference: ${figure(difference)}, at key ${at + 1} of length ` +
    `${figure(Math.hypot(...given[at]))}, which gets ${figure(weights[at])} and by distance ` +
    `${figure(gaussian[at])}. The query attends to ${count} in effect, ` +
    `by distance to ${figure(effectiveKeys(gaussian))}.`
  );
}

// ------------------------------------------------------------------ controls

const BODY = `<div class="nw-dials">
    <label><span>width σ <b></b></span><input type="range" name="sigma"></label>
    <label><span>score</span><select name="score"></select></label>
  </div>
  <p class="nw-step"><b></b> <span></span></p>
  <div class="nw-sheets">
    <div>
      <p><i class="nw-dot"></i> query <i class="nw-dot nw-key"></i> key, area: weight <i>—</i> equal score</p>
      <div class="nw-plane">
        <svg viewBox="0 0 ${SIDE} ${SIDE}" role="img"></svg>
        <div class="nw-query" role="slider" tabindex="0" aria-label="query"
          aria-roledescription="point to move with the arrow keys"></div>
      </div>
    </div>
    <div>
      <p><i class="nw-box nw-key"></i> weight by this score <i class="nw-box"></i> by distance</p>
      <svg class="nw-bars" viewBox="0 0 ${SIDE} ${SIDE}" role="img"></svg>
    </div>
  </div>
  <p class="nw-seen"></p><p class="nw-spoken" aria-live="polite"></p>`;

/** Build the figure inside root. `ask` receives what the reader changes; it ends in `show`. */
function build(root, { keys: given, colors, sigmas, ...start }, ask) {
  const live = document.createElement("div");
  live.className = "nw-live";
  // JupyterLab would take the keys for its own, and the slider would stand still.
  live.addEventListener("keydown", (event) => event.stopPropagation());
  live.innerHTML = BODY;
  live.style.setProperty("--query", colors.query);
  live.style.setProperty("--key", colors.key);
  const find = (selector) => live.querySelector(selector);
  const [slider, chooser, handle] = [find("input"), find("select"), find(".nw-query")];
  const [plane, bars] = live.querySelectorAll("svg");

  const room = 1.2 * Math.max(1, ...given.flat().map(Math.abs), ...start.query.map(Math.abs));
  const step = 10 ** Math.floor(Math.log10(room / 50));
  Object.assign(handle, { ariaValueMin: -room, ariaValueMax: room });
  Object.assign(slider, { step: 0.01, min: Math.log10(sigmas[0]), max: Math.log10(sigmas[1]) });
  Object.entries(STEPS).forEach(([name, [words]], i) => {
    chooser.add(new Option(`${i + 1}  ${words}`, name));
  });

  let [now, drawn, speech] = [start];
  function show(next) {
    now = { ...now, ...next };
    const { query, sigma, score } = now;
    drawn = { ...now, ...compare({ ...now, keys: given }), given };
    // A query that was set far out is drawn all the same.
    drawn.reach = Math.max(room, ...query.map(Math.abs));
    const [, formula, reason] = STEPS[score];
    const place = query.map((x) => figure(x)).join(", ");
    plane.innerHTML = planeInk(drawn);
    bars.innerHTML = barsInk(drawn);
    handle.style.left = `${50 + (50 * query[0]) / drawn.reach}%`;
    handle.style.top = `${50 - (50 * query[1]) / drawn.reach}%`;
    Object.assign(handle, { ariaValueNow: query[0], ariaValueText: place });
    plane.ariaLabel = `Plane with ${given.length} keys; the query is at ${place}.`;
    bars.ariaLabel = `Weights by this score and by distance: ${drawn.weights
      .map((weight, i) => `key ${i + 1} ${figure(weight, 2)} and ${figure(drawn.gaussian[i], 2)}`)
      .join(", ")}.`;
    const width = `${figure(drawn.sigma)}, temperature σ² = ${figure(drawn.sigma ** 2)}`;
    find("label b").textContent = width;
    slider.ariaValueText = width;
    slider.value = Math.log10(sigma);
    slider.disabled = score === "scaled";
    chooser.value = score;
    find(".nw-step b").textContent = formula;
    find(".nw-step span").textContent = reason;
    find(".nw-seen").textContent = seen(drawn);
    // A screen reader is told once the reader's hand has come to rest.
    clearTimeout(speech);
    speech = setTimeout(() => {
      find(".nw-spoken").textContent = `Score ${formula}. ${seen(drawn)}`;
    }, 700);
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  root.explorer = {
    state() {
      const { score, query, keys, weights, gaussian, difference } = drawn;
      return structuredClone({
        score,
        sigma: now.sigma,
        temperature: drawn.sigma ** 2,
        query,
        keys,
        weights,
        gaussian,
        difference,
        effectiveKeys: effectiveKeys(weights),
      });
    },
    set(change) {
      const { score, sigma, query } = { ...now, ...change };
      if (!Object.hasOwn(SCORES, score)) {
        throw new RangeError(`score must be one of ${Object.keys(SCORES).join(", ")}, got ${score}`);
      }
      if (!(sigma > 0 && sigma < Infinity)) {
        throw new RangeError(`sigma must be positive and finite, got ${sigma}`);
      }
      if (query?.length !== 2 || !query.every(Number.isFinite)) {
        throw new RangeError(`query must be two finite numbers, got ${query}`);
      }
      ask({ score, sigma, query: [...query] });
    },
  };

  const move = (point) =>
    ask({
      query: point.map((x) => {
        const inside = Math.min(Math.max(x, -room), room);
        return Number((Math.round(inside / step) * step).toPrecision(12)) + 0;
      }),
    });
  const follow = ({ clientX, clientY }) => {
    const { left, top, width, height } = plane.getBoundingClientRect();
    const [across, down] = [(clientX - left) / width, (clientY - top) / height];
    move([(2 * across - 1) * drawn.reach, (1 - 2 * down) * drawn.reach]);
  };
  const area = find(".nw-plane");
  let held = false;
  area.addEventListener("pointerdown", (event) => {
    // A finger beside the query may be about to scroll the page; only its tap moves the query.
    if (event.button || (event.pointerType === "touch" && event.target !== handle)) return;
    held = true;
    area.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus({ preventScroll: true });
    follow(event);
  });
  area.addEventListener("pointermove", (event) => held && follow(event));
  area.addEventListener("lostpointercapture", () => (held = false));
  area.addEventListener("click", follow);
  handle.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
      event.key
    ];
    if (!way) return;
    event.preventDefault();
    move(now.query.map((x, i) => x + 5 * step * way[i]));
  });
  // What the label shows is what is computed: three digits.
  slider.addEventListener("input", () => ask({ sigma: Number((10 ** slider.value).toPrecision(3)) }));
  chooser.addEventListener("change", () => ask({ score: chooser.value }));

  root.append(live);
  show({});
  root.dataset.ready = "true";
  return { show, end: () => clearTimeout(speech) };
}

/** Bring a page's figure to life from the data beside its still figure. */
export function mount(root) {
  if (!root.explorer) {
    const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    const built = build(root, data, (change) => built.show(change));
  }
  return root.explorer;
}

/** Mount every figure of a page. */
export function mountAll(page = document) {
  page.querySelectorAll(".nw-scores").forEach(mount);
}

/** The view of an anywidget: the model holds the truth. */
function render({ model, el }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "nw-scores";
  const traits = () => ({
    sigma: model.get("sigma"),
    score: model.get("score"),
    query: model.get("query"),
  });
  const built = build(root, { ...model.get("data"), ...traits() }, (change) => {
    for (const name in change) model.set(name, change[name]);
    model.save_changes();
  });
  const events = "change:sigma change:score change:query";
  const update = () => built.show(traits());
  model.on(events, update);
  return () => {
    model.off(events, update);
    built.end();
  };
}

export default { render };
