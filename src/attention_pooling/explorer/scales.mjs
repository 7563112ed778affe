// Numbers as they are written, and the scales on which they stand.

/** A few digits and a true minus sign. */
export function written(x, digits = 3) {
  const size = Math.abs(x);
  const near = Number(x.toPrecision(digits));
  const text =
    size && (size < 1e-4 || size >= 1e7)
      ? near.toExponential()
      : String(size >= 10 ** digits ? Math.round(x) : near);
  return text.replace(/-/g, "−");
}

/** As many digits as tell apart the parts of a range, of which there are so many. */
export function digitsOf({ lo, hi }, parts) {
  const step = roundStep((hi - lo) / parts);
  return Math.max(3, 1 + Math.ceil(Math.log10(Math.max(-lo, hi, step) / step)));
}

/** The number without what rounding has left behind its twelfth digit. */
export const tidy = (x) => Number(x.toPrecision(12));

/** 1, 2 or 5 times a power of ten, at least as large as the span. */
export function roundStep(span) {
  const power = 10 ** Math.floor(Math.log10(span));
  return power * [1, 2, 5, 10].find((digit) => digit * power >= span * 0.999999);
}

/** Round numbers from lo to hi; on a logarithmic scale 1, 2 and 5 of each decade, or powers. */
export function ticks({ lo, hi, log }, most) {
  if (log) {
    const decades = Math.log10(hi / lo);
    const digits = decades * 3 > most ? [1] : [1, 2, 5];
    const every = Math.ceil((decades * digits.length) / most);
    const marks = [];
    for (let power = Math.floor(Math.log10(lo)); power <= Math.log10(hi); power += every) {
      for (const digit of digits) marks.push(Number(`${digit}e${power}`));
    }
    return marks.filter((mark) => mark >= lo * 0.9999 && mark <= hi * 1.0001);
  }
  const step = roundStep((hi - lo) / most);
  const first = Math.ceil(lo / step - 1e-9);
  return Array.from({ length: Math.floor(hi / step + 1e-9) - first + 1 }, (_, i) =>
    tidy((first + i) * step),
  );
}

/** The range of some arrays of numbers, with a margin on either side. */
export function extent(arrays, margin) {
  let lo = Infinity;
  let hi = -Infinity;
  for (const array of arrays) {
    for (const x of array) {
      if (x < lo) lo = x;
      if (x > hi) hi = x;
    }
  }
  const pad = hi > lo ? (hi - lo) * margin : Math.max(Math.abs(hi) * 0.01, 0.5);
  return { lo: lo - pad, hi: hi + pad };
}

/** The nearest of the range's numbers that are a four-hundredth of it, or a little more, apart. */
export function nearest(x, { lo, hi }) {
  const step = roundStep((hi - lo) / 400);
  return tidy(Math.round(x / step) * step);
}

/** How far along a scale a value lies: 0 at its lower end, 1 at its upper one. */
export const along = (value, { lo, hi, log }) =>
  log ? Math.log(value / lo) / Math.log(hi / lo) : (value - lo) / (hi - lo);

/** The value that lies so far along a scale. */
export const valueAt = (fraction, { lo, hi, log }) =>
  log ? lo * (hi / lo) ** fraction : lo + fraction * (hi - lo);

/** A slider's width: what is computed has as many digits as its label. */
export const rounded = (sigma) => Number(sigma.toPrecision(3));
