// What is folded prints opened, and what cannot work is not offered.
(() => {
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
})();
