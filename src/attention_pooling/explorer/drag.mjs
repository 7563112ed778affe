// A control is dragged in a panel; what a pointer is over, the panels point at.

import { queryRange } from "./controls.mjs";
import { tidy } from "./scales.mjs";

/** The slider's query that is nearest to a place on the queries' scale. */
function toQuery(place, { queries }) {
  const { min, max, step } = queryRange(queries);
  return Math.min(Math.max(tidy(Math.round(place / step) * step), min), max);
}

/** Let a panel's canvas be dragged; `focus` gets the keyboard, `ask` what the reader changes. */
export function draggable(panel, state, { focus, ask, point }) {
  const { canvas } = panel;
  const { name, axis, read = toQuery } = panel.record.drags;
  let held = null;
  const move = (event) => ask({ [name]: read(panel.under(event)[axis], state) });
  const over = (event) => point(panel.record.points?.(panel, state, event) ?? -1);
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
    if (!held) return event.pointerType === "touch" || over(event);
    held.sure ||= Math.abs(event.clientX - held.x) > Math.abs(event.clientY - held.y);
    if (held.sure) move(event);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (held && (held.sure || Math.abs(event.clientY - held.y) < 8)) {
      move(event);
      over(event);
    }
    held = null;
  });
  canvas.addEventListener("pointercancel", () => (held = null));
  canvas.addEventListener("pointerleave", (event) => event.pointerType === "touch" || point(-1));
  canvas.style.cursor = axis === "x" ? "ew-resize" : "ns-resize";
}
