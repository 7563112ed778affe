{
  const NARROW = 600; // a phone, on which everything keeps its size
  const LEAST = 0.6;
  const STEP = 0.05;

  const isOver = (slide) => slide.scrollHeight > innerHeight || slide.scrollWidth > innerWidth;

  /** Make what is alive as large as its slide allows. */
  function enlarge(slide, figure) {
    // A question need not be larger than the words above it.
    const most = figure.matches(".nw-guess:not(:has(canvas))") ? Math.max(1, innerWidth / 800) : 3;
    let zoom = LEAST;
    while (!isOver(slide) && zoom < most) figure.style.zoom = zoom += STEP;
    if (isOver(slide)) figure.style.zoom = zoom - STEP;
  }

  /** Make a formula so small that it does not run into its number. */
  function narrow(formula) {
    const parts = [...formula.querySelectorAll(".katex-html .base")];
    const number = formula.querySelector(".eqno");
    const end = () => Math.max(...parts.map((part) => part.getBoundingClientRect().right));
    const room = () => (number ?? formula).getBoundingClientRect()[number ? "left" : "right"] - 16;
    let share = 1;
    formula.style.removeProperty("--share");
    while (end() > room() && share > LEAST) formula.style.setProperty("--share", (share -= STEP));
  }

  /** Make the words of a slide so small that all find room. */
  function shorten(slide) {
    let share = 1;
    while (isOver(slide) && share > LEAST) slide.style.setProperty("--fit", (share -= STEP));
  }

  function fit() {
    for (const slide of document.querySelectorAll(".slide")) {
      const figure = slide.querySelector(":scope > [class^=nw-]");
      slide.style.setProperty("--fit", 1);
      if (figure) figure.style.zoom = innerWidth < NARROW ? 1 : LEAST;
      if (innerWidth < NARROW) continue;
      for (const formula of slide.querySelectorAll(":scope > .math")) narrow(formula);
      shorten(slide);
      if (figure) enlarge(slide, figure);
    }
  }

  const FORWARD = new Set(["ArrowRight", "ArrowDown", "PageDown", " "]);
  const BACK = new Set(["ArrowLeft", "ArrowUp", "PageUp"]);
  const OWN = "a, button, input, select, textarea, summary, canvas, [tabindex], [contenteditable]";

  function turn(event) {
    const { key, target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // What a clicker sends turns the slide always, other keys where nothing else takes them.
    if (!key.startsWith("Page") && target.closest?.(OWN)) return;
    const slides = [...document.querySelectorAll(".slide")];
    const now = slides.findLastIndex((slide) => slide.getBoundingClientRect().top < innerHeight / 2);
    const back = BACK.has(key) || (key === " " && event.shiftKey);
    const next = { Home: 0, End: slides.length - 1 }[key] ?? now + (back ? -1 : 1);
    if (!back && !FORWARD.has(key) && key !== "Home" && key !== "End") return;
    event.preventDefault();
    slides[next]?.scrollIntoView({ behavior: "instant" });
  }

  addEventListener("keydown", turn);
  addEventListener("load", () => document.fonts.ready.then(fit));
  // A guess is larger once it is answered, and a figure once it is alive.
  addEventListener("DOMContentLoaded", () => {
    for (const alive of document.querySelectorAll(".slide > [class^=nw-]"))
      new MutationObserver(fit).observe(alive, { attributeFilter: ["data-ready", "class"] });
  });
  addEventListener("resize", fit);
}
