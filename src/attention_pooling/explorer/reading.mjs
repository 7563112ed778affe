// What a place of a text attends to: by a hand-made kernel, or by a head of a transformer.

import { dot, softmax } from "./softmax.mjs";

export const MOST = 8;
export const HEADS = ["match", "1.1", "1.2", "2.1", "2.2"];

/** Cut a text at white space, with marks of punctuation as tokens of their own. */
export const tokensOf = (text) => text.match(/[^\s.,;:!?"()]+|[.,;:!?"()]/g) ?? [];

/** In how many tokens "text before i" and "text up to and with `at`" end alike, i = 1 … at. */
export function matchLengths(tokens, at) {
  return Array.from({ length: at }, (_, key) => {
    let length = 0;
    while (length < MOST && length <= key && tokens[key - length] === tokens[at - length]) length++;
    return length;
  });
}

/** The matrices that Python has packed, each a function of layer and head where it has them. */
export function unpack({ matrices, numbers }) {
  const bytes = Uint8Array.from(atob(numbers), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let start = 0;
  return Object.fromEntries(
    Object.entries(matrices).map(([name, { shape, scale }]) => {
      const count = shape.reduce((product, length) => product * length);
      const all = Float64Array.from({ length: count }, (_, i) => {
        return scale * view.getInt16(2 * (start + i), true);
      });
      start += count;
      const [rows, columns] = shape.slice(-2);
      const cut = (layer = 0, head = 0) => {
        const first = (layer * (shape.at(-3) ?? 1) + head) * rows * columns;
        return { rows, columns, numbers: all.subarray(first, first + rows * columns) };
      };
      return [name, cut];
    }),
  );
}

const rowOf = ({ columns, numbers }, i) => numbers.subarray(i * columns, (i + 1) * columns);
const add = (a, b) => a.map((value, i) => value + b[i]);
const sumOf = (rows, weights) => {
  const sum = new Float64Array(rows[0].length);
  rows.forEach((row, i) => row.forEach((value, j) => (sum[j] += weights[i] * value)));
  return sum;
};
const apply = (row, map) =>
  sumOf(
    Array.from(row, (_, i) => rowOf(map, i)),
    row,
  );

/** Read symbols: the weights of each head, and the probability of each symbol to come next. */
export function read(model, symbols) {
  let x = symbols.map((s, place) => add(rowOf(model.embedding(), s), rowOf(model.positions(), place)));
  const weights = {};
  for (const layer of [0, 1]) {
    const heard = [0, 1].map((head) => {
      const [queries, keys, values] = ["W_q", "W_k", "W_v"].map((name) =>
        x.map((row) => apply(row, model[name](layer, head))),
      );
      const root = Math.sqrt(queries[0].length);
      // No place looks at a later one.
      const rows = queries.map((query, i) =>
        softmax(keys.slice(0, i + 1).map((key) => dot(query, key) / root)),
      );
      weights[`${layer + 1}.${head + 1}`] = rows;
      return rows.map((row) => apply(sumOf(values.slice(0, row.length), row), model.W_o(layer, head)));
    });
    x = x.map((row, i) => add(add(row, heard[0][i]), heard[1][i]));
  }
  return { weights, probabilities: softmax([...apply(x.at(-1), model.unembedding())]) };
}

/** The weight of each token for the one at `at`, null where it cannot look, and what comes next. */
export function attend({ tokens, at, head, width, model }) {
  const weights = tokens.map(() => null);
  const next = new Map();
  if (head === "match") {
    if (at) softmax(matchLengths(tokens, at).map((length) => length / width)).forEach(vote);
  } else {
    const different = [...new Set(tokens)];
    const first = Math.max(0, at + 1 - model.positions().rows);
    const symbols = tokens.slice(first, at + 1).map((token) => different.indexOf(token));
    const reading = read(model, symbols);
    reading.weights[head].at(-1).forEach((weight, i) => (weights[first + i] = weight));
    different.forEach((token, symbol) => next.set(token, reading.probabilities[symbol]));
  }
  function vote(weight, key) {
    weights[key + 1] = weight;
    next.set(tokens[key + 1], (next.get(tokens[key + 1]) ?? 0) + weight);
  }
  return { weights, next: [...next].sort((a, b) => b[1] - a[1]) };
}
