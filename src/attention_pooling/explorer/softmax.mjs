// Scores, and the weights that a softmax makes of them.

export const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** What each step divides by the temperature, by the names Python uses. */
export const SCORES = {
  distance: (q, k) => -((q[0] - k[0]) ** 2 + (q[1] - k[1]) ** 2) / 2,
  expanded: (q, k) => dot(q, k) - dot(k, k) / 2,
  product: dot,
  circle: dot,
  scaled: dot,
};

/** Softmax of scores at temperature σ², the largest shifted out. */
export function softmax(scores, sigma = 1) {
  const top = Math.max(...scores);
  // Divided twice, because the square of a very narrow width is 0.
  const shares = scores.map((score) => Math.exp((score - top) / sigma / sigma));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/** The weights by a score and by distance, with the keys and the width that the step uses. */
export function compare({ keys, query, sigma, score }) {
  if (score === "circle") {
    keys = keys.map((key) => key.map((x) => x / Math.hypot(...key)));
  }
  if (score === "scaled") sigma = 2 ** 0.25;
  const by = (name) => softmax(keys.map((key) => SCORES[name](query, key)), sigma);
  const [weights, gaussian] = [by(score), by("distance")];
  const differences = weights.map((weight, i) => Math.abs(weight - gaussian[i]));
  const difference = Math.max(...differences);
  return { keys, sigma, weights, gaussian, difference, at: differences.indexOf(difference) };
}
