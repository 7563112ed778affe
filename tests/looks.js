// What holds of each page in every engine: `looks(address)` returns what is wrong with it.
// The page stands in a frame, whose width does not depend on what a browser's window allows.
async (address) => {
  const wrong = [];
  const frame = document.createElement("iframe");
  frame.style.cssText = "position: fixed; inset: 0 auto auto 0; height: 640px; border: 0";
  frame.src = address;
  const loaded = new Promise((done) => frame.addEventListener("load", done));
  document.body.append(frame);
  await loaded;
  const page = frame.contentDocument;
  const all = (selector) => [...page.querySelectorAll(selector)];
  const styled = (element) => frame.contentWindow.getComputedStyle(element);
  const rest = () => new Promise((done) => frame.contentWindow.requestAnimationFrame(() => setTimeout(done)));
  const named = (element) => `${element.outerHTML.slice(0, 80)}…`;

  // Boxes that open look alike, say what they hold, and do not hide things too deep.
  const boxes = all("#main-content details");
  const look = (box) => {
    const { borderTopWidth, boxShadow } = styled(box);
    const { backgroundColor, borderLeftWidth, fontSize, fontWeight } = styled(box.querySelector("summary"));
    return JSON.stringify([borderTopWidth, boxShadow, backgroundColor, borderLeftWidth, fontSize, fontWeight]);
  };
  const own = boxes.filter((box) => box.parentElement.closest(".nw-guess") === null);
  if (new Set(own.map(look)).size > 1) wrong.push(`boxes look like ${[...new Set(own.map(look))]}`);
  for (const box of boxes) {
    if (!box.querySelector("summary").textContent.trim()) wrong.push(`no title: ${named(box)}`);
    if (box.closest("details details details")) wrong.push(`too deep: ${named(box)}`);
    box.open = true;
  }
  // Headings are little larger than the text, and code is little smaller.
  const size = (selector) => Number.parseFloat(styled(page.querySelector(selector)).fontSize);
  for (const [selector, least, most] of [["article h1", 1.5, 1.7], ["article h2", 1.2, 1.4], ["article .cell_input pre", 0.85, 1]]) {
    const times = page.querySelector(selector) ? size(selector) / size("body") : least;
    if (times < least || times > most) wrong.push(`${selector} is ${times} times the text`);
  }
  // What breaks long words breaks no formula, but where its parts meet.
  for (const part of all(".katex .base")) {
    if (styled(part).whiteSpace !== "nowrap") wrong.push(`a formula breaks: ${named(part.closest(".katex"))}`);
  }
  // No icon is a letter of a typeface that is not there.
  for (const title of all(".admonition-title")) {
    const { content } = frame.contentWindow.getComputedStyle(title, "::after");
    if (/[\uE000-\uF8FF]/.test(content)) wrong.push(`a missing icon: ${named(title)}`);
  }
  // Nothing is wider than the screen; at 640 a page has the room of 1280 at twice the size.
  for (const width of [320, 640, 1280]) {
    frame.style.width = `${width}px`;
    const over = () => page.documentElement.scrollWidth - page.documentElement.clientWidth;
    // Figures are drawn anew for another width.
    for (let waited = 0; waited < 40 && (waited < 2 || over() > 0); waited++) await rest();
    const { scrollWidth, clientWidth } = page.documentElement;
    if (over() > 0) wrong.push(`${scrollWidth} wide on ${clientWidth}`);
  }
  for (const code of all(".bd-article pre")) {
    if (code.scrollWidth > code.clientWidth + 1) wrong.push(`code scrolls: ${named(code)}`);
    if (!styled(code).whiteSpace.startsWith("pre")) wrong.push(`lines of code are joined: ${named(code)}`);
  }
  // Each theme shows its own drawing of a figure.
  for (const theme of ["dark", "light"]) {
    page.documentElement.dataset.theme = theme;
    for (const image of all("img[src*=_images]")) {
      const shown = styled(image).display !== "none";
      if (shown !== (image.getAttribute("src").endsWith("-dark.svg") === (theme === "dark")))
        wrong.push(`in ${theme}: ${named(image)}`);
    }
  }
  // Focus is seen on all that takes it, in forced colours too, which leave nothing but an outline.
  const free = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  for (const element of all(free)) {
    if (element.disabled || !element.getClientRects().length) continue;
    element.focus({ preventScroll: true });
    const { outlineStyle, outlineWidth } = styled(element);
    const seen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1;
    if (element.matches(":focus-visible") && !seen) wrong.push(`focus is not seen: ${named(element)}`);
    element.blur();
  }
  frame.remove();
  return wrong;
}
