// What the panels leave to words: a record for each answer.

import { withUnit } from "./controls.mjs";
import { written } from "./scales.mjs";
import { writtenValue } from "./terms.mjs";

const reached = ({ queryEstimate }) => Number.isFinite(queryEstimate);

const ANSWERS = [
  {
    term: "estimate at the query",
    text: (state) => {
      const { queryReach: reach } = state;
      const band = reach >= 0 ? ` ± ${written(reach)}` : "";
      return reached(state)
        ? withUnit(writtenValue(state.queryEstimate, state) + band, state, 1)
        : "undefined";
    },
  },
  {
    term: "keys it attends to in effect",
    text: (state) =>
      reached(state) ? `${written(state.effectiveKeys)} of ${state.keys.length}` : "none",
  },
  {
    term: "queries out of reach",
    text: ({ unreached, queries }) => (unreached ? `${unreached} of ${queries.length}` : "none"),
  },
  {
    term: "leave-one-out error",
    text({ kernel, leaveOneOutError, keysUnreached: alone, best, panel, question, ...state }) {
      if (!Number.isFinite(leaveOneOutError)) {
        return `undefined: ${alone} ${alone === 1 ? "key is" : "keys are"} reached by no other`;
      }
      const { error, sigma } = best[kernel];
      const tried = `, best so far ${written(error)} at ${withUnit(written(sigma), state)}`;
      return written(leaveOneOutError) + (question || panel === "leave-one-out" ? tried : "");
    },
  },
];

/** The answers inside an element. */
export function readoutOf(element, state, { tell }) {
  const made = ANSWERS.map(({ term, text }) => {
    const entry = element.appendChild(document.createElement("div"));
    entry.innerHTML = `<span>${term}</span> <b></b>`;
    return { term, text, number: entry.lastChild };
  });
  return {
    write() {
      for (const { number, text } of made) tell(number, "textContent", text(state));
    },
    words: () => made.map(({ term, text }) => `${term} ${text(state)}`).join(". "),
  };
}
