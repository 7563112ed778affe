// A figure in a page: it comes alive from the data beside its still figure.

/** Bring a figure to life once, by a function of its data. */
export function enliven(root, build) {
  if (!root.explorer) build(JSON.parse(root.querySelector("script").textContent));
  return root.explorer;
}
