// Digits: the reader paints the top half of one, and pooling completes it.

import { effectiveKeys, mostAttended } from "./arithmetic.mjs";
import { rounded, written } from "./scales.mjs";
import { softmax } from "./softmax.mjs";
import { speaker } from "./speech.mjs";
import { figureOf } from "./view.mjs";

const SIDE = 8;
const HALF = 32; // pixels
const LEVELS = 16; // of brightness
const SHOWN = 5;

/** Images of which Python has written a letter a pixel, from a for 0 to q for 1. */
const unpacked = (text) =>
  Array.from({ length: text.length / 2 / HALF }, (_, i) =>
    Float64Array.from({ length: 2 * HALF }, (_, j) => {
      return (text.charCodeAt(2 * HALF * i + j) - 97) / LEVELS;
    }),
  );

/** The weights of all keys by their top halves, and the average of their bottom halves. */
export function complete(images, painted, sigma) {
  const scores = images.map((image) => {
    let sum = 0;
    for (let j = 0; j < HALF; j++) sum += (painted[j] - image[j]) ** 2;
    return -sum / 2;
  });
  const weights = softmax(scores, sigma);
  const completed = new Array(HALF).fill(0);
  images.forEach((image, i) => {
    for (let j = 0; j < HALF; j++) completed[j] += weights[i] * image[HALF + j];
  });
  return { weights, completed };
}

/** An image as squares, the darker the brighter the pixel. */
function imageInk(pixels) {
  let ink = "";
  pixels.forEach((level, j) => {
    if (!(level > 0)) return;
    const [x, y] = [j % SIDE, Math.floor(j / SIDE)];
    ink += `<rect x="${x}" y="${y}" width="1.02" height="1.02" fill-opacity="${level.toFixed(3)}"/>`;
  });
  return ink;
}

const BODY = `<div class="nw-dials">
    <label><span>width σ <b></b></span><input type="range" name="sigma" autocomplete="off"></label>
    <p><button type="button" name="clear">clear</button> <button type="button" name="next">another digit</button></p>
  </div>
  <div class="nw-work">
    <div><p>paint here</p><div class="nw-whole">
      <div class="nw-top" role="grid" aria-label="top half, to be painted: arrow keys move, the space bar paints"></div>
      <svg class="nw-bottom" viewBox="0 0 8 4" role="img"></svg>
    </div><p>completed</p></div>
    <div><p>most attended keys, with their weights</p><div class="nw-best"></div></div>
  </div>
  <p class="nw-seen"></p><p class="nw-spoken" aria-live="polite"></p>`;

/** Build the figure inside root. `ask` receives what the reader changes; it ends in `show`. */
function build(root, { images: packed, examples, sigmas, colors, ...start }, ask) {
  const images = unpacked(packed);
  const starts = unpacked(examples).map((image) => Array.from(image.subarray(0, HALF)));
  const live = document.createElement("div");
  live.className = "nw-live";
  // JupyterLab would take the keys for its own, and the slider would stand still.
  live.addEventListener("keydown", (event) => event.stopPropagation());
  live.innerHTML = BODY;
  for (const role of ["query", "key", "estimate"]) live.style.setProperty(`--${role}`, colors[role]);
  const find = (selector) => live.querySelector(selector);
  const [slider, top, bottom, best] = ["input", ".nw-top", ".nw-bottom", ".nw-best"].map(find);
  Object.assign(slider, { step: 0.01, min: Math.log10(sigmas[0]), max: Math.log10(sigmas[1]) });

  const cells = [];
  for (let y = 0; y < SIDE / 2; y++) {
    const row = top.appendChild(document.createElement("div"));
    row.setAttribute("role", "row");
    for (let x = 0; x < SIDE; x++) {
      const cell = row.appendChild(document.createElement("button"));
      Object.assign(cell, { type: "button", tabIndex: cells.length ? -1 : 0 });
      cell.setAttribute("role", "gridcell");
      cells.push(cell);
    }
  }

  let [now, drawn] = [start];
  const [say, hush] = speaker(find(".nw-spoken"));
  const seen = () => {
    const [first] = drawn.most;
    const count = `${written(effectiveKeys(drawn.weights))} of ${images.length}`;
    return (
      `The query attends to ${count} keys in effect, most of all to key ${first.index + 1}, ` +
      `with a weight of ${written(first.weight)}.`
    );
  };
  function show(next) {
    now = { ...now, ...next };
    const { sigma, painted } = now;
    drawn = complete(images, painted, sigma);
    drawn.most = mostAttended(drawn.weights, images, SHOWN);
    cells.forEach((cell, j) => {
      cell.style.setProperty("--level", painted[j]);
      const [x, y] = [(j % SIDE) + 1, Math.floor(j / SIDE) + 1];
      cell.ariaLabel = `row ${y}, column ${x}: ${Math.round(100 * painted[j])} %`;
    });
    bottom.innerHTML = imageInk(drawn.completed);
    bottom.ariaLabel = `Bottom half, completed: ${drawn.completed.filter((x) => x > 0.5).length} of 32 pixels are dark.`;
    best.innerHTML = drawn.most
      .map(
        ({ index, weight }) =>
          `<figure><svg viewBox="0 0 8 8" role="img" aria-label="key ${index + 1}">${imageInk(images[index])}` +
          `<path d="M0 4h8"/></svg><i style="width:${100 * weight}%"></i><figcaption>${written(weight, 2)}</figcaption></figure>`,
      )
      .join("");
    find("label b").textContent = written(sigma);
    Object.assign(slider, { value: Math.log10(sigma), ariaValueText: written(sigma) });
    find(".nw-seen").textContent = seen();
    say(seen);
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  root.explorer = {
    state: () =>
      structuredClone({
        ...{ sigma: now.sigma, painted: now.painted, weights: drawn.weights },
        completed: drawn.completed,
        most: drawn.most.map(({ index, weight }) => ({ index, weight })),
        effectiveKeys: effectiveKeys(drawn.weights),
      }),
    set(change) {
      const { sigma, painted } = { ...now, ...change };
      if (!(sigma > 0 && sigma < Infinity)) {
        throw new RangeError(`sigma must be positive and finite, got ${sigma}`);
      }
      if (painted?.length !== HALF || !painted.every((x) => x >= 0 && x <= 1)) {
        throw new RangeError(`painted must be 32 numbers from 0 to 1, got ${painted}`);
      }
      ask({ sigma, painted: [...painted] });
    },
  };

  // A stroke paints, or clears if it begins on a dark pixel; its edge is soft, as a pen's is.
  let level = null;
  const stroke = (j) => {
    const painted = [...now.painted];
    painted[j] = level;
    if (level) {
      const x = j % SIDE;
      for (const [beside, there] of [[j - 1, x > 0], [j + 1, x < SIDE - 1]]) {
        if (there) painted[beside] = Math.max(painted[beside], 0.25);
      }
    }
    ask({ painted });
  };
  const under = ({ clientX, clientY }) => cells.indexOf(document.elementFromPoint(clientX, clientY));
  top.addEventListener("pointerdown", (event) => {
    const j = cells.indexOf(event.target);
    if (event.button || j < 0) return;
    event.target.releasePointerCapture(event.pointerId);
    level = now.painted[j] > 0.5 ? 0 : 1;
    stroke(j);
  });
  top.addEventListener("pointermove", (event) => {
    const j = level === null ? -1 : under(event);
    if (j >= 0 && now.painted[j] !== level) stroke(j);
  });
  const lift = () => (level = null);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, lift);
  top.addEventListener("click", (event) => {
    // By the keyboard: a pointer has painted already.
    const j = cells.indexOf(event.target);
    if (event.detail || j < 0) return;
    level = now.painted[j] > 0.5 ? 0 : 1;
    stroke(j);
    lift();
  });
  top.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -SIDE, ArrowDown: SIDE }[event.key];
    const from = cells.indexOf(event.target);
    if (!way || !cells[from + way]) return;
    event.preventDefault();
    cells[from].tabIndex = -1;
    cells[from + way].tabIndex = 0;
    cells[from + way].focus();
  });
  slider.addEventListener("input", () => ask({ sigma: rounded(10 ** slider.value) }));
  find("[name=clear]").addEventListener("click", () => ask({ painted: new Array(HALF).fill(0) }));
  let example = 0;
  find("[name=next]").addEventListener("click", () => {
    example = (example + 1) % starts.length;
    ask({ painted: starts[example] });
  });

  root.append(live);
  show({});
  root.dataset.ready = "true";
  return {
    show,
    end() {
      hush();
      for (const end of ["pointerup", "pointercancel"]) removeEventListener(end, lift);
    },
  };
}

export const { mount, mountAll, render } = figureOf("digits", ["sigma", "painted"], build);
export default { mountAll, render };
