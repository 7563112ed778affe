// Scores: the Gaussian turns into the attention of transformers, one step at a time.

import { effectiveKeys } from "./arithmetic.mjs";
import { SIDE, STEPS, barsInk, planeInk, seen } from "./plane.mjs";
import { rounded, written } from "./scales.mjs";
import { SCORES, compare } from "./softmax.mjs";
import { speaker } from "./speech.mjs";
import { figureOf } from "./view.mjs";

const BODY = `<div class="nw-dials">
    <label><span>width σ <b></b></span><input type="range" name="sigma" autocomplete="off"></label>
    <label><span>score</span><select name="score" autocomplete="off"></select></label>
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

  let [now, drawn] = [start];
  const [say, hush] = speaker(find(".nw-spoken"));
  function show(next) {
    now = { ...now, ...next };
    const { query, sigma, score } = now;
    drawn = { ...now, ...compare({ ...now, keys: given }), given };
    // A query that was set far out is drawn all the same.
    drawn.reach = Math.max(room, ...query.map(Math.abs));
    const [, formula, reason] = STEPS[score];
    const place = query.map((x) => written(x)).join(", ");
    plane.innerHTML = planeInk(drawn);
    bars.innerHTML = barsInk(drawn);
    handle.style.left = `${50 + (50 * query[0]) / drawn.reach}%`;
    handle.style.top = `${50 - (50 * query[1]) / drawn.reach}%`;
    Object.assign(handle, { ariaValueNow: query[0], ariaValueText: place });
    plane.ariaLabel = `Plane with ${given.length} keys; the query is at ${place}.`;
    bars.ariaLabel = `Weights by this score and by distance: ${drawn.weights
      .map((weight, i) => `key ${i + 1} ${written(weight, 2)} and ${written(drawn.gaussian[i], 2)}`)
      .join(", ")}.`;
    const width = `${written(drawn.sigma)}, temperature σ² = ${written(drawn.sigma ** 2)}`;
    find("label b").textContent = width;
    slider.ariaValueText = width;
    slider.value = Math.log10(sigma);
    slider.disabled = score === "scaled";
    chooser.value = score;
    find(".nw-step b").textContent = formula;
    find(".nw-step span").textContent = reason;
    find(".nw-seen").textContent = seen(drawn);
    say(() => `Score ${formula}. ${seen(drawn)}`);
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
  slider.addEventListener("input", () => ask({ sigma: rounded(10 ** slider.value) }));
  chooser.addEventListener("change", () => ask({ score: chooser.value }));

  root.append(live);
  show({});
  root.dataset.ready = "true";
  return { show, end: hush };
}

export const { mount, mountAll, render } = figureOf("scores", ["sigma", "score", "query"], build);
export default { mountAll, render };
