// A table that a reader pastes or drops: two columns of numbers, as spreadsheets and programs write.

import { MOST_KEYS } from "./data.mjs";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
// A comma is decimal where it does not separate. The first way that suits the most lines is taken.
const WAYS = [
  { separator: /\t/, comma: true },
  { separator: /;/, comma: true },
  { separator: /,/, comma: false },
  { separator: /\s+/, comma: true },
];

function number(text, comma) {
  const plain = text.replace(/−/g, "-").replace(comma ? "," : "", comma ? "." : "");
  return NUMBER.test(plain) ? Number(plain) : NaN;
}

/** The pairs of a text, with the labels of its header if it has one, and a word on what was left out. */
export function readTable(text) {
  const lines = text
    .replace(/^\ufeff/, "")
    .split(/\r\n?|\n/)
    .map((line, i) => ({ line: line.trim(), at: i + 1 }))
    .filter(({ line }) => line && !line.startsWith("#"));
  const read = ({ separator, comma }) =>
    lines.map(({ line, at }) => {
      const cells = line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
      return { at, line, cells, numbers: cells.map((cell) => number(cell, comma)) };
    });
  const suits = ({ numbers }) => numbers.length === 2 && numbers.every(Number.isFinite);
  const [rows] = WAYS.map(read).sort((a, b) => b.filter(suits).length - a.filter(suits).length);
  if (!rows.some(suits)) {
    throw new RangeError("No line holds two numbers, a key and a value.");
  }
  const header = rows[0].numbers.every(Number.isNaN) && rows[0].cells.length === 2;
  const labels = header ? rows.shift().cells : ["key", "value"];
  for (const row of rows) {
    if (suits(row)) continue;
    const wrong = row.cells.find((_, i) => !Number.isFinite(row.numbers[i]));
    throw new RangeError(
      row.cells.length === 2
        ? `Line ${row.at}: a finite number is needed, got “${wrong}”.`
        : `Line ${row.at}: two numbers are needed, got “${row.line}”.`,
    );
  }
  const every = Math.max(1, rows.length / MOST_KEYS);
  const kept = rows.filter((_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every));
  const [keys, values] = [0, 1].map((k) => kept.map(({ numbers }) => numbers[k]));
  const word =
    kept.length < rows.length
      ? `${kept.length} of ${rows.length} rows are used, evenly taken.`
      : `${rows.length} ${rows.length === 1 ? "row is" : "rows are"} used.`;
  return { keys, values, labels, word };
}
