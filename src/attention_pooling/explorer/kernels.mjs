// Similarity as a function of the scaled distance u ≥ 0, by the numbers of Python's table.

// Below −746 exp is 0, and dear.
export const gaussian = (u) => (u < 39 ? Math.exp((-u * u) / 2) : 0);

/** A polynomial of the way to the edge, R² − u² if it is even and R − u if not; R is the reach. */
// Browsers compile one function, whatever its constants, into the loops that call it; not four.
function polynomial({ reach, even, coefficients }) {
  const edge = reach ?? Infinity;
  const along = even ? 1 : 0;
  const across = even ? edge : 1;
  const terms = Float64Array.from(coefficients);
  return (u) => {
    if (!(u <= edge)) return 0;
    const way = (edge - u) * (across + along * u);
    let sum = terms[terms.length - 1];
    for (let k = terms.length - 2; k >= 0; k--) sum = sum * way + terms[k];
    return sum;
  };
}

/** The kernels by name, in the order of the table. */
export function kernelsOf(table) {
  const formulas = { gaussian };
  return Object.fromEntries(
    Object.entries(table).map(([name, row]) => {
      const kernel = row.coefficients ? polynomial(row) : formulas[name];
      if (!kernel) throw new RangeError(`kernels must have coefficients, got ${name} without`);
      return [name, kernel];
    }),
  );
}
