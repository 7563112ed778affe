"""Measure the explorer in a browser: bytes of each page, time to life, script time of a redraw."""

import gzip
import sys
from urllib.parse import unquote

import numpy as np
from host import hosted, pages

SIZES = [(40, 50), (133, 200), (400, 400)]  # keys, queries
REDRAW = {(133, 200): 2.0, (400, 400): 8.0}  # ms, 95th percentile
READY = 2000  # ms from the start, on a slow phone
# A fourth of the processor; 1.6 Mbit/s, in bytes a second, with 150 ms to the server and back.
PROCESSOR = {"rate": 4}
NETWORK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 200_000,
}
WEIGHT = 18 * 1024  # bytes of modules and style, gzipped
PAGE = {False: 250_000, True: 300_000}  # bytes of a page without and with an explorer, as sent
LIVE = 'class="nw-still"'  # in each figure that comes alive
# Whoever reads to the end loads every figure that no box hides.
ALL_SHOWN = """() => {
  const shown = [...document.images].filter((image) => image.checkVisibility());
  return Promise.all(shown.map((image) => ((image.loading = "eager"), image.decode())));
}"""

# Every width of a sweep for every kernel, each drawn three times, nearly alike, since nothing is
# computed again for a width that is drawn already. The fastest of the three is the redraw's own
# time, the others may hold what else the machine did.
SWEEP = """async ([module, keys, values, queries]) => {
  const { mount } = await import(module);
  const root = document.body.appendChild(document.querySelector(".nw-explorer").cloneNode(true));
  root.querySelector(".nw-live").remove();
  const script = root.querySelector("script");
  const data = JSON.parse(script.textContent);
  Object.assign(data, { keys, values, queries, truth: null, query: queries[0] });
  script.textContent = JSON.stringify(data);
  const { set } = mount(root);
  await new Promise((done) => setTimeout(done, 300));
  const times = [];
  const dragged = [];
  for (const kernel in data.kernels) {
    for (let step = 0; step <= 60; step++) {
      const query = queries[Math.floor((step / 60) * (queries.length - 1))];
      const best = [0, 1, 2].map((again) => {
        const start = performance.now();
        set({ kernel, sigma: 0.02 * 1000 ** (step / 60) * (1 + 1e-6 * again), query });
        return performance.now() - start;
      });
      times.push(Math.min(...best));
      // One value, as a hand drags it.
      const drags = [0, 1, 2].map((way) => {
        const moved = values.slice();
        moved[step % moved.length] += 0.1 * way;
        const start = performance.now();
        set({ values: moved });
        return performance.now() - start;
      });
      dragged.push(Math.min(...drags));
      await new Promise(requestAnimationFrame);
    }
  }
  root.remove();
  return [times, dragged];
}"""
WATCH = """addEventListener("nw:change", () => queueMicrotask(() => {
  const ready = document.querySelector(".nw-explorer[data-ready]");
  if (ready) window.explorerReady ??= performance.now();
}));"""
KINDS = {"document": "html", "js": "js", "stylesheet": "css", "font": "font", "image": "image"}

missed = []


def judged(name, value, target):
    """Return the target as text, having noted whether the value misses it."""
    if value > target:
        missed.append(name)
    return f"{target:g}{'  missed' if value > target else ''}"


def alive(browser, address, path):
    """Return the ms until the first explorer of a page is ready on a slow phone."""
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.add_init_script(WATCH)
        send = context.new_cdp_session(page).send
        send("Emulation.setCPUThrottlingRate", PROCESSOR)
        send("Network.emulateNetworkConditions", NETWORK)
        page.goto(address + path, wait_until="commit")
        page.wait_for_function("() => window.explorerReady")
        return page.evaluate("explorerReady")


def loaded(browser, address, folder, path):
    """Open a page afresh and return it with its bytes as sent, by kind."""
    context = browser.new_context()
    page = context.new_page()
    sizes = dict.fromkeys([*KINDS.values(), "other"], 0)

    def weigh(response):
        file = folder / unquote(response.url.removeprefix(address).split("?")[0])
        if response.url.startswith(address) and file.is_file():
            kind = "js" if file.suffix in (".js", ".mjs") else response.request.resource_type
            sizes[KINDS.get(kind, "other")] += file.stat().st_size

    page.on("response", weigh)
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    page.evaluate(ALL_SHOWN)
    return context, page, sizes


def main():
    """Print the tables, and exit with 1 where a target is missed."""
    folder = pages.HTML / "_static" / "explorer"
    weight = sum(len(gzip.compress(file.read_bytes(), 9)) for file in sorted(folder.iterdir()))
    print(
        f"modules and style, gzipped: {weight:,} bytes, at most {judged('weight', weight, WEIGHT)}"
    )

    with (
        pages.browser() as browser,
        hosted() as (host, folder),
        pages.served(pages.HTML) as address,
    ):
        print("\nbytes of each page as sent, with all its figures, and ms to life on a slow phone")
        heads = [*KINDS.values(), "other", "all"]
        print(f"{'page':24}" + "".join(f"{head:>9}" for head in heads) + "  target", end="")
        print(f"{'ready':>9}  target")
        explorers = pages.with_explorers()
        for path in (path for path in pages.every_page() if path != "index.html"):
            context, page, sizes = loaded(browser, host, folder, path)
            context.close()
            total = sum(sizes.values())
            print(f"{path:24}" + "".join(f"{size:9,}" for size in [*sizes.values(), total]), end="")
            target = PAGE[LIVE in (pages.HTML / path).read_text(encoding="utf-8")]
            print(f"  {judged(path, total, target)}", end="")
            if path in explorers:
                ready = min(alive(browser, host, path) for _ in range(3))
                print(f"{ready:9.0f}  {judged(path, ready, READY)}", end="")
            print()

        print("\nscript ms of a redraw, over a sweep of widths, values and all kernels")
        print(f"{'keys x queries':20}{'median':>8}{'p95':>8}  target")
        context = browser.new_context()
        page = context.new_page()
        page.goto(address + explorers[0])
        page.wait_for_load_state("networkidle")
        module = address + "_static/explorer/explorer.mjs"
        rng = np.random.default_rng(0)
        for n, m in SIZES:
            keys = np.sort(rng.uniform(0, 5, n))
            values = 2 * np.sin(keys) + keys + rng.standard_normal(n)
            given = [module, keys.tolist(), values.tolist(), np.linspace(0, 5, m).tolist()]
            for what, times in zip(("", ", a value"), page.evaluate(SWEEP, given), strict=True):
                name = f"{n} x {m}{what}"
                median, late = np.percentile(times, [50, 95])
                target = judged(name, late, REDRAW[n, m]) if (n, m) in REDRAW else ""
                print(f"{name:20}{median:8.2f}{late:8.2f}  {target}")
        context.close()

    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    sys.exit(bool(missed))


main()
