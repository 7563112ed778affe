// The estimate at the query written out: weight × value for the most attended keys, and the rest.

import { withUnit } from "./controls.mjs";
import { digitsOf, extent, written } from "./scales.mjs";

/** A value, and what is made of values, with as many digits as their range asks for. */
export const writtenValue = (x, { values }) => written(x, digitsOf(extent([values], 0), 100));

/** A pair in words. */
export function pairOf(index, state) {
  const { keys, values, row, queries } = state;
  const key = withUnit(written(keys[index], digitsOf(extent([keys, queries], 0), 100)), state);
  const value = withUnit(writtenValue(values[index], state), state, 1);
  return `key ${key}, value ${value}, weight ${written(row[index])}`;
}

/** The sum inside an element; `point` is told which key the reader points at. */
export function sumOf(element, state, { tell, point }) {
  element.innerHTML = `<p role="group" aria-label="the estimate written out">
    ${'<span><i>+ </i><button type="button" class="nw-term"></button></span> '.repeat(5)}
    <span class="nw-rest"></span> <b></b></p><p class="nw-note"></p>`;
  const terms = [...element.querySelectorAll("button")];
  const [rest, total, note] = [".nw-rest", "b", ".nw-note"].map((one) => element.querySelector(one));
  terms.forEach((button, i) => {
    const here = () => point(state.terms[i]?.index ?? -1);
    for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, here);
    for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => point(-1));
  });
  return {
    write() {
      const { terms: shown, pointed, queryEstimate, keys } = state;
      let sum = 0;
      terms.forEach((button, i) => {
        const term = shown[i];
        tell(button.parentElement, "hidden", !term);
        if (!term) return;
        sum += term.weight * term.value;
        const text = `${written(term.weight)} × ${writtenValue(term.value, state)}`;
        tell(button, "textContent", text);
        tell(button, "ariaPressed", String(term.index === pointed));
      });
      const more = keys.length - shown.length;
      const left = `and ${more} more: ${writtenValue(queryEstimate - sum, state)}`;
      tell(rest, "textContent", more && shown.length ? left : "");
      const all = shown.length ? `= ${withUnit(writtenValue(queryEstimate, state), state, 1)}` : "";
      tell(total, "textContent", all || "No key is in reach of the query.");
      tell(
        note,
        "textContent",
        pointed < 0
          ? ""
          : `${pairOf(pointed, state)}: the estimate’s derivative by this value`,
      );
    },
  };
}
