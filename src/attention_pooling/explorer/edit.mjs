// The reader changes the data: by a handle on a pair, with mouse, finger or keys.

import { dotUnder } from "./estimate.mjs";
import { extent, nearest } from "./scales.mjs";
import { pairOf } from "./terms.mjs";

/** The places of the pairs in the order of their keys. */
const inOrder = ({ keys }) => Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b]);

/**
 * Let the pairs of the panel with the estimate be moved, added and removed. `change` takes new keys
 * and values with a name for what is done, `choose` the pair that is held, `rest` the end of a drag.
 */
export function editable(panel, state, { tell, change, choose, rest, undo }) {
  const { canvas, element } = panel;
  const handle = element.appendChild(document.createElement("div"));
  handle.className = "nw-handle";
  handle.tabIndex = 0;
  handle.setAttribute("role", "slider");
  handle.ariaLabel = "Value of a pair";
  handle.ariaOrientation = "vertical";
  handle.ariaDescription =
    "Up and down change the value, left and right choose a pair, Delete removes it, " +
    "Enter adds one at the query, Control+Z undoes.";

  const moveTo = (value) => {
    const values = state.values.slice();
    values[state.chosen] = value;
    change({ values }, `value ${state.chosen}`);
  };
  const add = (key, value) => {
    const [keys, values] = [
      [...state.keys, key],
      [...state.values, value],
    ];
    if (change({ keys, values }, "add")) hold(keys.length - 1);
  };
  const remove = () => {
    const { chosen } = state;
    if (state.keys.length === 1) return;
    const order = inOrder(state);
    const at = order.indexOf(chosen);
    const next = order[at + 1] ?? order[at - 1];
    const without = (array) => array.filter((_, i) => i !== chosen);
    change({ keys: without(state.keys), values: without(state.values) }, "remove");
    choose(next > chosen ? next - 1 : next);
  };
  function hold(index) {
    choose(index);
    handle.focus({ preventScroll: true });
  }

  const heightAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const clientY = Math.min(Math.max(event.clientY, box.top), box.bottom);
    return nearest(panel.under({ clientX: event.clientX, clientY }).y, panel.scaleY);
  };
  const drag = (event, target) => {
    event.preventDefault();
    target.setPointerCapture(event.pointerId);
    const start = event.clientY;
    let moved = false;
    state.held = true;
    const move = (now) => {
      moved ||= Math.abs(now.clientY - start) > 2;
      if (moved) moveTo(heightAt(now));
    };
    const end = () => {
      target.removeEventListener("pointermove", move);
      state.held = false;
      rest();
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("lostpointercapture", end, { once: true });
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    const found = event.pointerType === "touch" ? -1 : dotUnder(panel, state, event, 7);
    if (found < 0) return choose(-1);
    // The query stays where it is.
    event.stopImmediatePropagation();
    drag(event, canvas);
    hold(found);
  });
  // A finger first taps a dot, and then drags its handle, so that it can still scroll the page.
  canvas.addEventListener("click", (event) => {
    const found = event.pointerType === "touch" ? dotUnder(panel, state, event, 16) : -1;
    if (found >= 0) hold(found);
  });
  handle.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    drag(event, handle);
    handle.focus({ preventScroll: true });
  });
  element.addEventListener("dblclick", (event) => {
    const { x } = panel.under(event);
    const { lo, hi } = panel.scaleX;
    add(nearest(Math.min(Math.max(x, lo), hi), panel.scaleX), heightAt(event));
  });
  handle.addEventListener("focus", () => {
    if (state.chosen < 0) choose(state.terms[0]?.index ?? 0);
  });
  handle.addEventListener("keydown", (event) => {
    const order = inOrder(state);
    const at = order.indexOf(state.chosen);
    const { lo, hi } = extent([state.values, [panel.scaleY.lo, panel.scaleY.hi]], 0);
    const by = (steps) => () =>
      moveTo(nearest(state.values[state.chosen] + (steps * (hi - lo)) / 100, { lo, hi }));
    const act = {
      ArrowUp: by(1),
      ArrowDown: by(-1),
      PageUp: by(10),
      PageDown: by(-10),
      ArrowLeft: () => choose(order[Math.max(at - 1, 0)]),
      ArrowRight: () => choose(order[Math.min(at + 1, order.length - 1)]),
      Home: () => choose(order[0]),
      End: () => choose(order[order.length - 1]),
      Delete: remove,
      Backspace: remove,
      Enter: () => add(state.query, state.queryEstimate || 0),
      Escape: () => choose(-1),
    }[event.key];
    const back = event.key === "z" && (event.ctrlKey || event.metaKey) ? undo : act;
    if (!back) return;
    event.preventDefault();
    event.stopPropagation();
    back();
  });

  return {
    words: () => `Pair ${state.chosen + 1} of ${state.keys.length}: ${pairOf(state.chosen, state)}`,
    write() {
      const { chosen, keys, values } = state;
      element.classList.toggle("nw-held", chosen >= 0);
      const index = chosen >= 0 ? chosen : (state.terms[0]?.index ?? 0);
      const bottom = canvas.clientHeight;
      const top = Math.min(Math.max(panel.y(values[index]), 0), bottom);
      tell(handle, "ariaValueNow", String(values[index]));
      tell(handle, "ariaValueText", `${index + 1} of ${keys.length}: ${pairOf(index, state)}`);
      const place = `translate(${panel.x(keys[index]).toFixed(1)}px, ${top.toFixed(1)}px)`;
      if (handle.style.transform !== place) handle.style.transform = place;
    },
  };
}
