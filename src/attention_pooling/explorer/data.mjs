// The data of an explorer, the book's or the reader's: tables that nothing changes once made.

import { extent } from "./scales.mjs";

export const MOST_KEYS = 2000;
const FIELDS = ["keys", "values", "queries", "truth", "labels", "units", "sigmas"];

/** The part of an object that is a table, its numbers in typed arrays. */
export function tableOf(raw) {
  const table = Object.fromEntries(FIELDS.map((name) => [name, raw[name]]));
  for (const name of ["keys", "values", "queries", "truth"]) {
    table[name] &&= Float64Array.from(table[name]);
  }
  return table;
}

const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

/**
 * A table with other pairs, asked at the same queries as long as these suit the keys. Pairs with
 * labels are about something else: nothing of the table is kept but how finely it is asked.
 */
export function withPairs(table, { keys = table.keys, values, labels }) {
  const pairs = { ...table, values: Float64Array.from(values) };
  if (equal(keys, table.keys) && !labels) return pairs;
  pairs.keys = Float64Array.from(keys);
  const [now, before] = [extent([pairs.keys], 0), extent([table.queries], 0)];
  const [span, spanned] = [now.hi - now.lo, before.hi - before.lo];
  if (labels || now.lo < before.lo || now.hi > before.hi || span < spanned / 2) {
    const last = table.queries.length - 1;
    pairs.queries = table.queries.map((_, j) => now.lo + (last ? j / last : 0.5) * span);
    pairs.truth = null;
  }
  if (labels) {
    const factor = span / spanned;
    pairs.sigmas = table.sigmas.map((sigma) => Number((sigma * factor).toPrecision(2)));
    pairs.labels = labels;
    pairs.units = labels.map((label) => /\(([^()]*)\)$/.exec(label)?.[1] ?? "");
  }
  return pairs;
}

/** Refuse pairs that cannot be drawn. */
export function checkPairs({ keys, values }, table) {
  const must = (holds, rule, given) => {
    if (!holds) throw new RangeError(`${rule}, got ${given}`);
  };
  must(keys === undefined || values !== undefined, "values must be set with keys", "keys alone");
  for (const [name, numbers] of Object.entries({ keys: keys ?? table.keys, values })) {
    must(numbers?.[Symbol.iterator], `${name} must be a list of numbers`, numbers);
    const wrong = Array.from(numbers).find((x) => !Number.isFinite(x));
    must(wrong === undefined && !Array.from(numbers).includes(undefined), `${name} must be finite`, wrong);
  }
  const count = (keys ?? table.keys).length;
  must(count > 0 && count <= MOST_KEYS, `keys must be 1 to ${MOST_KEYS} numbers`, count);
  must(values.length === count, `values must be as many as the ${count} keys`, values.length);
}
