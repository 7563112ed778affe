// What scrolls can be reached by key, what is folded prints opened, and what cannot work is not offered.
(() => {
  const main = document.getElementById("main-content");
  const mayScroll = "pre, .cell_output > .output, .pst-scrollable-table-container";
  // It is told of a box that opens, too, at a moment when all sizes are known.
  const sizes = new ResizeObserver((shown) => {
    const scrolling = shown.map(({ target }) => target.scrollWidth > target.clientWidth);
    shown.forEach(({ target }, place) => {
      if (scrolling[place]) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    });
  });
  const watch = ({ target }) => target.querySelectorAll(mayScroll).forEach((box) => sizes.observe(box));
  new MutationObserver((changes) => changes.forEach(watch)).observe(main, { subtree: true, childList: true });
  watch({ target: main });
  const opened = new Set();
  addEventListener("beforeprint", () => {
    for (const box of document.querySelectorAll("details:not([open])")) {
      box.open = true;
      opened.add(box);
    }
  });
  addEventListener("afterprint", () => {
    for (const box of opened) box.open = false;
    opened.clear();
  });
  // JupyterLite needs a server, which a page opened as a file does not have.
  if (location.protocol !== "file:") return;
  for (const way of document.querySelectorAll('a.dropdown-item[href*="lite/"]')) way.closest("li").remove();
  document.querySelector(".dropdown-launch-buttons:not(:has(a))")?.remove();
})();
