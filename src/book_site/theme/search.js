// Search is loaded when a reader opens it, and finds as one types.
(() => {
  const FILES = ["_static/searchtools.js", "_static/language_data.js", "searchindex.js"];
  const root = document.documentElement.dataset.content_root;
  const dialog = document.getElementById("pst-search-dialog");
  const wholePage = document.querySelector(".bd-search-container");
  let loading;

  const load = () =>
    (loading ??= FILES.reduce(
      (before, file) =>
        before.then(
          () =>
            new Promise((loaded, failed) => {
              const script = document.createElement("script");
              script.src = root + file;
              script.onload = loaded;
              script.onerror = failed;
              document.head.append(script);
            }),
        ),
      Promise.resolve(),
    ).catch((error) => {
      loading = undefined;
      throw error;
    }));

  // The page of results has its own field, and searches for what its address asks.
  if (wholePage) {
    load();
    return;
  }
  const input = dialog.querySelector("input");
  const results = dialog.appendChild(document.createElement("section"));
  const told = dialog.appendChild(document.createElement("p"));
  results.id = "search-results";
  results.ariaLabel = "Results";
  told.setAttribute("role", "status");
  let timer;

  const find = async () => {
    const query = input.value.trim();
    if (query) {
      told.textContent = "Searching …";
      try {
        await load();
      } catch {
        told.textContent = "The index did not arrive: try again.";
        return;
      }
    }
    if (query !== input.value.trim()) return;
    results.replaceChildren();
    told.textContent = "";
    if (query) Search.performSearch(query);
  };
  const addressed = () => {
    for (const link of results.querySelectorAll(".search a")) {
      const href = link.getAttribute("href");
      if (!href.startsWith(root)) link.setAttribute("href", root + href);
    }
    const summary = results.querySelector(".search-summary")?.textContent;
    if (summary && summary !== told.textContent) told.textContent = summary;
  };
  new MutationObserver(addressed).observe(results, { childList: true, subtree: true });
  new MutationObserver(() => dialog.open && load().catch(() => {})).observe(dialog, { attributeFilter: ["open"] });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 250);
  });
})();
