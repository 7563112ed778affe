// When a page looks otherwise: another theme, another density of pixels, paper.

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
