// "Draw it": the reader draws a curve, then the true one appears, with the gap between them.

import { Panel, DASH } from "../../attention_pooling/explorer/frame.mjs";
import { inkOf, keepFitting } from "../../attention_pooling/explorer/looks.mjs";
import { along, written } from "../../attention_pooling/explorer/scales.mjs";
import { COLUMNS, CURVES, gapOf } from "./curves.mjs";

const KNOTS = 7; // places at which the arrow keys move the curve
const KNOT = (COLUMNS - 1) / (KNOTS - 1);
const STEP = 1 / 40; // of the height, for an arrow key
const plain = (xs, ys) => Array.from(xs, (x, i) => [x, Number.isFinite(ys[i]) ? ys[i] : null]);

/** A panel with the reader's curve, and with the true one when it has been asked for. */
const record = {
  name: "drawn",
  label: "Your curve: left and right choose a place, up and down move the curve there",
  legend: ({ curve, data, from, show, colour = "currentColor", truth }) => [
    ...(curve.dots[0].length ? [["value", data.colors.value]] : []),
    ...(from ? [[curve.name(from), data.colors.estimate, DASH]] : []),
    ["yours", colour, []],
    ...(truth ? [[`true, ${curve.name(show)}`, data.colors.estimate, []]] : []),
  ],
  scales: ({ curve }) => curve.scales,
  draw(panel, { curve, data, before, drawn, truth, colour, knot }) {
    const pen = panel.begin();
    if (!truth && drawn.every(Number.isNaN)) {
      pen.font = panel.ink.font;
      pen.fillStyle = colour;
      pen.textAlign = "center";
      pen.fillText("draw here", (panel.left + panel.right) / 2, panel.bottom - 16);
    }
    const { xs, dots } = curve;
    dots[0].forEach((key, i) => {
      pen.globalAlpha = 0.6;
      panel.dot(panel.x(key), panel.y(dots[1][i]), 3, data.colors.value);
    });
    if (truth) {
      // A strip for each two columns between which both curves run.
      pen.globalAlpha = 0.25;
      pen.fillStyle = data.colors.estimate;
      for (let i = 1; i < COLUMNS; i++) {
        if (!Number.isFinite(truth[i - 1] + truth[i])) continue;
        pen.beginPath();
        pen.moveTo(panel.x(xs[i - 1]), panel.y(drawn[i - 1]));
        pen.lineTo(panel.x(xs[i]), panel.y(drawn[i]));
        pen.lineTo(panel.x(xs[i]), panel.y(truth[i]));
        pen.lineTo(panel.x(xs[i - 1]), panel.y(truth[i - 1]));
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
    if (before) panel.curve(xs, before, data.colors.estimate, DASH);
    if (truth) panel.curve(xs, truth, data.colors.estimate);
    panel.curve(xs, drawn, colour);
    const at = knot * KNOT;
    if (knot >= 0) panel.ring(panel.x(xs[at]), panel.y(drawn[at]));
  },
};

/** Make a pad of a guess whose curve is that of a figure. */
export function drawing(root, { draw, show: setting, from }, { kept, told, look, show, figure }) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const curve = CURVES[draw](data, setting);
  const state = { curve, data, show: setting, from, truth: null, knot: -1 };
  state.before = from && curve.at(from);
  state.drawn = new Float64Array(COLUMNS).fill(NaN);

  const pad = document.createElement("div");
  pad.className = "nw-pad";
  root.querySelector(".nw-question").after(pad, told);
  const panel = new Panel(pad, record, state);
  const { canvas } = panel;
  canvas.setAttribute("role", "slider");
  Object.assign(canvas, { tabIndex: 0, ariaValueMin: 1, ariaValueMax: KNOTS });
  const row = pad.appendChild(document.createElement("p"));
  const button = (name, words, act) => {
    const made = row.appendChild(document.createElement("button"));
    Object.assign(made, { type: "button", name, textContent: words });
    made.addEventListener("click", act);
    return made;
  };
  const compare = button("compare", "compare", () => reveal(true));
  const again = button("again", "draw again", () => {
    clear();
    canvas.focus({ preventScroll: true });
  });
  const skip = button("skip", "just show it", () => reveal(true));

  const say = (x, which, digits) => `${written(x, digits)} ${curve.units[which]}`.trim();
  const empty = () => state.drawn.every(Number.isNaN);

  function redraw() {
    panel.draw(state);
    compare.hidden = Boolean(state.truth);
    compare.disabled = empty();
    again.hidden = empty() && !state.truth;
    skip.hidden = !empty() || Boolean(state.truth);
    const at = Math.max(0, state.knot) * KNOT;
    const height = state.drawn[at];
    canvas.ariaValueNow = Math.max(0, state.knot) + 1;
    canvas.ariaValueText = `at ${say(curve.xs[at], 0)}: ${Number.isNaN(height) ? "nothing drawn" : say(height, 1)}`;
  }
  /** Take looks and legend as they are now. */
  function refit(ink = inkOf(root)) {
    state.colour = ink.colour;
    panel.scale(state);
    panel.fit(ink, state);
    redraw();
  }

  /** Draw a straight piece from one place to another. */
  function line(from, to) {
    const { scaleX, scaleY } = panel;
    const [lo, hi] = [curve.xs[0], curve.xs[COLUMNS - 1]];
    const column = ({ x }) => {
      const inside = Math.min(Math.max(x, lo), hi);
      return Math.round((COLUMNS - 1) * along(inside, { ...scaleX, lo, hi }));
    };
    const [first, last] = [column(from), column(to)];
    for (let i = Math.min(first, last); i <= Math.max(first, last); i++) {
      const part = first === last ? 1 : (i - first) / (last - first);
      const y = from.y + part * (to.y - from.y);
      state.drawn[i] = Math.min(Math.max(y, scaleY.lo), scaleY.hi);
    }
  }

  /** What the reader left out lies level with what is drawn beside it, and straight between. */
  function complete() {
    const known = [...state.drawn.keys()].filter((i) => !Number.isNaN(state.drawn[i]));
    for (let i = 0; i < COLUMNS; i++) {
      if (!Number.isNaN(state.drawn[i])) continue;
      const before = known.findLast((k) => k < i) ?? known[0];
      const after = known.find((k) => k > i) ?? before;
      const part = after === before ? 0 : (i - before) / (after - before);
      state.drawn[i] = state.drawn[before] + part * (state.drawn[after] - state.drawn[before]);
    }
  }

  let gap = null;
  function reveal(sets) {
    state.truth = curve.at(setting);
    state.knot = -1;
    const words = document.createElement("p");
    if (empty()) gap = null;
    else {
      complete();
      gap = gapOf(state.drawn, state.truth);
      const most = `${say(gap.most, 1)} where it is farthest, at ${say(curve.xs[gap.at], 0)}`;
      words.textContent =
        `On average your curve is ${say(gap.mean, 1)} away from the true one, and ${most}.` +
        curve.verdict(state.drawn, state.truth, say);
      kept.set(Array.from(state.drawn));
    }
    const reply = root.querySelector(".nw-replies").cloneNode(true);
    reply.querySelector("summary").remove();
    for (const named of reply.querySelectorAll("[id]")) named.removeAttribute("id");
    told.replaceChildren(...(gap ? [words] : []), ...reply.childNodes, look);
    if (sets) show(setting);
    refit();
  }
  function clear() {
    state.truth = gap = null;
    state.drawn.fill(NaN);
    kept.set(null);
    told.replaceChildren();
    refit();
  }

  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (state.truth || !event.isPrimary || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    state.knot = -1;
    last = panel.under(event);
    line(last, last);
    redraw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const now = panel.under(event);
    line(last, now);
    last = now;
    redraw();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => (last = null));
  }
  canvas.addEventListener("keydown", (event) => {
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const way = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (state.truth || (!side && !way)) return;
    event.preventDefault();
    const { scaleY } = panel;
    if (empty()) state.drawn.fill((scaleY.lo + scaleY.hi) / 2);
    else complete();
    const knot = Math.min(Math.max(Math.max(0, state.knot) + (side ?? 0), 0), KNOTS - 1);
    state.knot = knot;
    if (way) {
      const at = (k) => ({ x: curve.xs[k * KNOT], y: state.drawn[k * KNOT] });
      const moved = at(knot);
      moved.y += way * STEP * (scaleY.hi - scaleY.lo);
      for (const beside of [knot - 1, knot + 1]) {
        if (beside >= 0 && beside < KNOTS) line(at(beside), moved);
      }
    }
    redraw();
  });

  const before = kept.get();
  if (before?.length === COLUMNS) {
    state.drawn.set(before);
    reveal(false);
  }
  keepFitting(root, pad, refit);

  return {
    /** Draw through [x, y] pairs from left to right, and compare. */
    draw(pairs) {
      clear();
      pairs.forEach(([x, y], i) => {
        const [fromX, fromY] = pairs[Math.max(0, i - 1)];
        line({ x: fromX, y: fromY }, { x, y });
      });
      reveal(true);
    },
    state: () => ({
      kind: "draw",
      answered: gap !== null,
      chosen: gap && plain(curve.xs, state.drawn),
      right: null,
      truth: state.truth && plain(curve.xs, state.truth),
      gap: gap && { mean: gap.mean, most: gap.most, at: curve.xs[gap.at] },
    }),
  };
}
