// The query is dragged in the panels.

import { queryRange } from "./controls.mjs";
import { tidy } from "./scales.mjs";

/** Let a panel's canvas be dragged; `focus` gets the keyboard, `ask` what the reader changes. */
export function draggable(panel, state, { focus, ask }) {
  const { canvas } = panel;
  const { axis } = panel.record.drags;
  let held = null;
  const move = (event) => {
    const { min, max, step } = queryRange(state.queries);
    const at = tidy(Math.round(panel.under(event)[axis] / step) * step);
    ask({ query: Math.min(Math.max(at, min), max) });
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    focus();
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
  canvas.style.cursor = axis === "x" ? "ew-resize" : "ns-resize";
}
