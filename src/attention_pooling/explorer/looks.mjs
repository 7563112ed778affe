// How a page looks, and when it looks otherwise: another theme, another density of pixels, paper.

/** What a panel draws with where root stands. */
export function inkOf(root) {
  const { color, fontFamily } = getComputedStyle(root);
  return { colour: color, font: `12px ${fontFamily}`, density: devicePixelRatio };
}

/** Whether two inks are the same. */
export const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/**
 * Call `fit` with the ink of root, now and whenever the ink or the size of its sheets changes,
 * until the returned function is called.
 */
export function keepFitting(root, sheets, fit) {
  let ink;
  const anew = () => fit((ink = inkOf(root)));
  anew();
  // Once taken out of the page they have no size to fit.
  const watch = new ResizeObserver(() => sheets.clientWidth && anew());
  watch.observe(sheets);
  const unwatch = watchLooks(root, () => isSame(ink, inkOf(root)) || anew());
  return () => {
    watch.disconnect();
    unwatch();
  };
}

/** Call `changed` whenever the page may look otherwise, until the returned function is called. */
export function watchLooks(root, changed) {
  const ended = new AbortController();
  const { signal } = ended;
  for (const query of ["print", "(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(query).addEventListener("change", changed, { signal });
  }
  const density = () => {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", () => (changed(), density()), { once: true, signal });
  };
  density();
  // Themes are chosen by an attribute up there, and some style sheets come later: then the colour's
  // transition, too short to see, ends.
  const themes = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) {
    themes.observe(element, { attributes: true });
  }
  root.addEventListener("transitionend", changed, { signal });
  return () => {
    ended.abort();
    themes.disconnect();
  };
}
