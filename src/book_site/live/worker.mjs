// Python, away from the page: it can be ended at any time, and reaches neither page nor storage.

const CODE = ["cells.py", "widgets.py", "kernel.py"];
const tell = (message) => self.postMessage(message);
const fetched = [];
let arrived = 0;
let kernel;

/** Tell at once: what has asked for the file may take long to miss it, or never tell. */
function fail(url) {
  const file = url.split("?")[0].split("/").pop();
  tell({ kind: "broken", reason: `${file} did not arrive whole` });
}

/** Count what arrives, and keep it for the next page, so that nothing is fetched twice. */
function countedFetch(cache, folder, plain) {
  return async (address, options) => {
    const url = String(address?.url ?? address);
    const kept = url.startsWith(folder) ? await cache?.match(url) : undefined;
    try {
      const response = kept ?? (await plain(address, options));
      if (!response.ok) throw new Error(`the answer is ${response.status}`);
      if (!kept && url.startsWith(folder)) fetched.push([url, response.clone()]);
      const reader = response.body.getReader();
      const stream = new ReadableStream({
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) return controller.close();
            arrived += value.length;
            tell({ kind: "arrived", bytes: arrived, kept: Boolean(kept) });
            controller.enqueue(value);
          } catch (error) {
            fail(url);
            controller.error(error);
          }
        },
      });
      const { headers, status } = response;
      return new Response(stream, { headers, status });
    } catch (error) {
      fail(url);
      throw error;
    }
  };
}

async function keep(cache) {
  const whole = fetched.splice(0);
  // Storage may be full or forbidden; then the next page fetches again.
  await Promise.allSettled(whole.map(([url, response]) => cache?.put(url, response)));
}

let cache;

async function boot({ pyodide: folder, wheel, packages, code, version }) {
  // A folder holds one version for ever; what the book adds is for the browser to keep or not.
  cache = await self.caches?.open(`pyodide ${folder}`).catch(() => undefined);
  const plain = self.fetch.bind(self);
  self.fetch = countedFetch(cache, folder, plain);
  const { loadPyodide } = await import(`${folder}pyodide.mjs`);
  const wanted = [wheel, packages, ...CODE.map((name) => `${code}${name}?v=${version}`)];
  const files = Promise.all(
    wanted.map(async (url) => new Uint8Array(await (await self.fetch(url)).arrayBuffer())),
  );
  files.catch(() => {});
  const quiet = () => {};
  const python = await loadPyodide({
    indexURL: folder,
    packages: ["numpy", "traitlets"],
    stdout: quiet,
    stderr: quiet,
    // What the reader's code may reach by `import js`: nothing that leads out.
    jsglobals: { Object, Array, Promise, setTimeout, clearTimeout, setInterval, clearInterval },
  });
  const [own, others, ...modules] = await files;
  python.unpackArchive(own, "wheel");
  const site = python.runPython("import site; site.getsitepackages()[0]");
  python.unpackArchive(others, "zip", { extractDir: site });
  CODE.forEach((name, i) => python.FS.writeFile(`${site}/${name}`, modules[i]));
  python.runPython("import importlib; importlib.invalidate_caches()");
  python.FS.writeFile(`${site}/page_backend.py`, BACKEND);
  python.runPython("import os; os.environ['MPLBACKEND'] = 'module://page_backend'");
  kernel = python.pyimport("kernel");
  kernel.prepare();
  await keep(cache);
  return python;
}

// Matplotlib's own for pictures, but for `plt.show()`.
const BACKEND = `
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas
from kernel import show_figures as show
`;

let ready;

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "boot") {
      ready = boot(data.book);
      await ready;
      tell({ kind: "ready" });
      return;
    }
    const python = await ready;
    const sources = python.toPy(data.sources);
    const wanted = kernel.imports(sources, data.at);
    if (wanted) {
      await python.loadPackagesFromImports(wanted, { messageCallback() {}, errorCallback() {} });
      await keep(cache);
    }
    tell({ kind: "started" });
    const ok = kernel.run(sources, data.at, (shown) => tell(JSON.parse(shown)));
    sources.destroy();
    tell({ kind: "ended", ok });
  } catch (error) {
    tell({ kind: "broken", reason: String(error?.message ?? error).slice(0, 300) });
  }
};
