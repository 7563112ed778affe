// The state of an explorer as part of an address, which no server is sent.

export const LONGEST = 32000; // characters; what messages and browsers can be trusted with

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Whole numbers by their differences, five bits a character, the sixth for "more follows". */
function packWhole(numbers) {
  let text = "";
  let before = 0;
  for (const x of numbers) {
    let rest = x < before ? 2 * (before - x) + 1 : 2 * (x - before);
    before = x;
    for (; rest >= 32; rest = Math.floor(rest / 32)) text += DIGITS[32 + (rest % 32)];
    text += DIGITS[rest];
  }
  return text;
}

function unpackWhole(text) {
  const numbers = [];
  let before = 0;
  for (let i = 0; i < text.length; ) {
    let rest = 0;
    for (let unit = 1, more = true; more; unit *= 32) {
      const digit = DIGITS.indexOf(text[i++]);
      if (digit < 0) throw new RangeError("the address has lost a part");
      rest += (digit % 32) * unit;
      more = digit >= 32;
    }
    before += rest % 2 ? -(rest - 1) / 2 : rest / 2;
    numbers.push(before);
  }
  return numbers;
}

/** Numbers exactly: those of few decimals as whole numbers, others byte by byte. */
export function pack(numbers) {
  for (let decimals = 0; decimals < 10; decimals++) {
    const whole = Array.from(numbers, (x) => Math.round(x * 10 ** decimals));
    const exact = whole.every((x, i) => x / 10 ** decimals === numbers[i] && Math.abs(x) < 2 ** 46);
    if (exact) return decimals + packWhole(whole);
  }
  const bytes = new Uint8Array(Float64Array.from(numbers).buffer);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return "x" + text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

export function unpack(text) {
  if (text[0] !== "x") {
    return unpackWhole(text.slice(1)).map((whole) => whole / 10 ** Number(text[0]));
  }
  const bytes = atob(text.slice(1).replace(/-/g, "+").replace(/_/g, "/"));
  return Array.from(
    new Float64Array(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)).buffer),
  );
}

const sixDigits = (x) => String(Number(x.toPrecision(6)));

/** What stands behind the # for the explorer at a place of its page. */
export function hashOf(place, { kernel, sigma, query, keys, values, labels }) {
  const parts = { explorer: place, kernel, width: sixDigits(sigma), query: sixDigits(query) };
  if (keys) parts.keys = pack(keys);
  if (values) parts.values = pack(values);
  if (labels) parts.labels = JSON.stringify(labels);
  const hash = String(new URLSearchParams(parts));
  if (hash.length > LONGEST) {
    throw new RangeError(
      `These data make an address of ${hash.length} characters; at most ${LONGEST} can be sent.`,
    );
  }
  return hash;
}

/** The place of the explorer that a hash is about, and what it says of it; null if of none. */
export function readHash(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  if (!parts.has("explorer")) return null;
  const found = { place: Number(parts.get("explorer")), change: {} };
  const { change } = found;
  if (parts.has("kernel")) change.kernel = parts.get("kernel");
  if (parts.has("width")) change.sigma = Number(parts.get("width"));
  if (parts.has("query")) change.query = Number(parts.get("query"));
  for (const name of ["keys", "values"]) {
    if (parts.has(name)) change[name] = unpack(parts.get(name));
  }
  if (parts.has("labels")) change.labels = JSON.parse(parts.get("labels")).map(String);
  return found;
}
