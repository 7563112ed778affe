// Similarity as a function of the scaled distance u ≥ 0, in the book's order.

// Browsers compile one function, whatever its constants, into the loops that call it; not four.
const capped = (reach, a, b, c) => (u) => (u <= reach ? a + (1 - u) * (b + c * u) : 0);

export const KERNELS = {
  // Below −746 exp is 0, and dear.
  gaussian: (u) => (u < 39 ? Math.exp((-u * u) / 2) : 0),
  boxcar: capped(1, 1, 0, 0),
  constant: capped(Infinity, 1, 0, 0),
  triangular: capped(1, 0, 1, 0),
  epanechnikov: capped(1, 0, 0.75, 0.75),
};
