// Attention weights, estimates and errors, as Python computes them.

import { gaussian } from "./kernels.mjs";

/** Write one query's shares of attention to row[from …], without the key `left` if given. */
export function share(query, keys, kernel, sigma, row, from = 0, left = -1) {
  const n = keys.length;
  let total = 0;
  if (kernel === gaussian) {
    // Without the largest score, a narrow width tends to the nearest key and not to 0/0.
    let nearest = 0;
    let least = Infinity;
    for (let i = 0; i < n; i++) {
      const distance = Math.abs(query - keys[i]);
      if (distance < least && i !== left) {
        least = distance;
        nearest = keys[i];
      }
    }
    for (let i = 0; i < n; i++) {
      // The difference of two squares by its factors, as Python has it.
      const ahead = (keys[i] - nearest) / sigma;
      const score = (ahead * ((query - nearest + (query - keys[i])) / sigma)) / 2;
      total += row[from + i] = i === left || score < -746 ? 0 : Math.exp(score);
    }
  } else {
    for (let i = 0; i < n; i++) {
      total += row[from + i] = i === left ? 0 : kernel(Math.abs(query - keys[i]) / sigma);
    }
  }
  const unit = total > 0 ? 1 / total : NaN;
  for (let i = 0; i < n; i++) row[from + i] *= unit;
}

/** Weights of (queries × keys), row by row; NaN where no key is in reach. */
export function attentionWeights(
  queries,
  keys,
  kernel,
  sigma,
  weights = new Float64Array(queries.length * keys.length),
) {
  for (let j = 0; j < queries.length; j++) {
    share(queries[j], keys, kernel, sigma, weights, j * keys.length);
  }
  return weights;
}

/** Average the values under each row of weights. */
export function pool(weights, values, estimate = new Float64Array(weights.length / values.length)) {
  const n = values.length;
  for (let j = 0; j < estimate.length; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += weights[j * n + i] * values[i];
    estimate[j] = sum;
  }
  return estimate;
}

/** How many keys a row of weights attends to in effect, 1 / Σ w². */
export function effectiveKeys(row) {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] * row[i];
  return 1 / sum;
}

/** The most attended keys of a row of weights, the largest weight first. */
export function mostAttended(row, values, count = 5) {
  const found = [];
  for (let i = 0; i < row.length; i++) {
    if (!(row[i] > 0) || (found.length === count && row[i] <= row[found[count - 1]])) continue;
    let at = Math.min(found.length, count - 1);
    for (; at > 0 && row[found[at - 1]] < row[i]; at--) found[at] = found[at - 1];
    found[at] = i;
  }
  return found.map((index) => ({ index, weight: row[index], value: values[index] }));
}

/**
 * Mean squared errors at the keys: with each value left out of its own estimate, NaN unless all are
 * reached, and with it (the training error). The variance of the noise is what is left of the
 * former once each square is divided by 1 + Σ w², for the estimate from the others errs as well.
 */
export function leaveOneOut(keys, values, kernel, sigma) {
  const n = keys.length;
  const totals = new Float64Array(n);
  const sums = new Float64Array(n);
  const squares = new Float64Array(n);
  // Similarity is symmetric: each pair of keys serves both of them.
  for (let j = 1; j < n; j++) {
    for (let i = 0; i < j; i++) {
      const u = Math.abs(keys[j] - keys[i]) / sigma;
      // Called by its name, the Gaussian is compiled into the loop as well.
      const similarity = kernel === gaussian ? gaussian(u) : kernel(u);
      totals[j] += similarity;
      totals[i] += similarity;
      squares[j] += similarity * similarity;
      squares[i] += similarity * similarity;
      sums[j] += similarity * values[i];
      sums[i] += similarity * values[j];
    }
  }
  let sum = 0;
  let training = 0;
  let noise = 0;
  let unreached = 0;
  const own = kernel(0);
  for (let j = 0; j < n; j++) {
    let estimate = sums[j] / totals[j];
    let shared = squares[j] / totals[j] ** 2;
    if (kernel === gaussian && totals[j] < 1e-140) {
      // So far from the others that the square of the plain exponential loses its digits.
      const row = new Float64Array(n);
      share(keys[j], keys, kernel, sigma, row, 0, j);
      estimate = pool(row, values)[0];
      shared = 1 / effectiveKeys(row);
    }
    if (Number.isNaN(estimate)) unreached++;
    const square = (estimate - values[j]) ** 2;
    sum += square;
    noise += square / (1 + shared);
    training += ((sums[j] + own * values[j]) / (totals[j] + own) - values[j]) ** 2;
  }
  return { error: sum / n, unreached, training: training / n, noise: noise / n };
}
