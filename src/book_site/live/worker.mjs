// Python, away from the page: it can be ended at any time, and reaches neither page nor storage.

const CODE = ["cells.py", "widgets.py", "kernel.py", "page_backend.py"];
const tell = (message) => self.postMessage(message);
const fetched = [];
let arrived = 0;
let cache, kernel, ready;

/** Tell at once: what has asked for the file may take long to miss it, or never tell. */
function fail(url) {
  const file = url.split("?")[0].split("/").pop();
  tell({ kind: "broken", reason: `${file} did not arrive whole` });
}

/** Count what arrives, and keep it for the next page, so that nothing is fetched twice. */
function countedFetch(folder, ours, plain) {
  return async (address, options) => {
    const url = String(address?.url ?? address);
    const theirs = url.startsWith(folder);
    if (!theirs && !ours.includes(url)) throw new Error("Python in a page fetches nothing but its packages");
    const kept = theirs ? await cache?.match(url) : undefined;
    try {
      const response = kept ?? (await plain(url, options));
      if (!response.ok) throw new Error(`the answer is ${response.status}`);
      if (!kept && theirs) fetched.push([url, response.clone()]);
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

async function keep() {
  const whole = fetched.splice(0);
  // Storage may be full or forbidden; then the next page fetches again.
  await Promise.allSettled(whole.map(([url, response]) => cache?.put(url, response)));
}

/** Take from the worker what leads out of it, before any code of a reader's runs. */
function close() {
  const ways = /storage|file|indexedDB|caches|XMLHttp|EventSource|Broadcast|WebSocket|WebTransport|^Worker$/i;
  for (let at of [self, self.navigator]) {
    for (; at; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) if (ways.test(name)) delete at[name];
    }
  }
}

async function boot({ version, files: { pyodide: folder, wheel, packages, code } }) {
  // A folder holds one version for ever; what the book adds is for the browser to keep or not.
  cache = await self.caches?.open(`pyodide ${folder}`).catch(() => undefined);
  const wanted = [wheel, packages, ...CODE.map((name) => `${code}${name}?v=${version}`)];
  const plain = self.fetch.bind(self);
  delete Object.getPrototypeOf(Object.getPrototypeOf(self)).fetch;
  self.fetch = countedFetch(folder, wanted, plain);
  const { loadPyodide } = await import(`${folder}pyodide.mjs`).catch(() => fail("pyodide.mjs"));
  const arriving = Promise.all(
    wanted.map(async (url) => new Uint8Array(await (await self.fetch(url)).arrayBuffer())),
  );
  arriving.catch(() => {});
  const quiet = () => {};
  const python = await loadPyodide({
    indexURL: folder,
    packages: ["numpy", "traitlets"],
    stdout: quiet,
    stderr: quiet,
    // What the reader's code may reach by `import js`: nothing that leads out.
    jsglobals: { Object, Array, Promise, setTimeout, clearTimeout, setInterval, clearInterval },
  });
  const [own, others, ...modules] = await arriving;
  CODE.forEach((name, i) => python.FS.writeFile(name, modules[i]));
  python.unpackArchive(own, "wheel");
  python.unpackArchive(others, "zip");
  kernel = python.pyimport("kernel");
  kernel.prepare();
  await keep();
  close();
  return python;
}

/** Pass on what Python shows: JSON, and the bytes that stand beside it. */
function pass(text, beside) {
  const bytes = beside.toJs();
  tell(JSON.parse(text, (_, value) => (value?.beside >= 0 ? new DataView(bytes[value.beside].buffer) : value)));
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "boot") {
      ready = boot(data.book);
      await ready;
      return tell({ kind: "ready" });
    }
    const python = await ready;
    if (data.kind === "change") {
      kernel.change(data.id, data.traits, pass);
      return tell({ kind: "changed" });
    }
    const sources = python.toPy(data.sources);
    const wanted = kernel.imports(sources, data.at);
    if (wanted) {
      await python.loadPackagesFromImports(wanted, { messageCallback() {}, errorCallback() {} });
      await keep();
    }
    tell({ kind: "started" });
    const ok = kernel.run(sources, data.at, pass);
    sources.destroy();
    tell({ kind: "ended", ok });
  } catch (error) {
    tell({ kind: "broken", reason: String(error?.message ?? error).slice(0, 300) });
  }
};
