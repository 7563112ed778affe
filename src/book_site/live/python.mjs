// The page's side of Python: one worker, one run at a time, and an end to what does not end.

/** Seconds of a run after which the worker is ended, if nobody has pressed Stop before. */
const LIMIT = 300;
/** Seconds without a byte after which the network is called slow. */
const SILENCE = 15;
/** Bytes of all that the worker counts until Python can start; a test adds them up. */
export const NEEDED = 15_950_000;

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

/** Runs cells in a worker; made anew after each end of it. */
export class Python {
  constructor(book) {
    this.book = book;
    this.waiting = [];
    this.passing = [];
    this.boot();
  }

  boot() {
    const worker = new Worker(this.book.files.worker, { type: "module" });
    Object.assign(this, { worker, state: "loading", begun: performance.now(), bytes: 0, models: {} });
    worker.onmessage = ({ data }) => worker === this.worker && (this[data.kind] ?? this.show).call(this, data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.worker) this.broken({ reason: "its program did not arrive whole" });
    };
    worker.postMessage({ kind: "boot", book: this.book });
    this.heard();
  }

  /** Run the cell `at` of the texts; `show` takes what comes, `tell` says how far it is. */
  run(at, sources, show, tell) {
    if (!this.worker) this.boot();
    return new Promise((done) => {
      this.waiting.push({ at, sources, show, tell, done });
      this.next();
      this.progress();
    });
  }

  next() {
    const [first] = this.waiting;
    if (this.state !== "ready" || !first || first.sent) return;
    first.sent = true;
    this.worker.postMessage({ kind: "run", at: first.at, sources: first.sources });
  }

  /** Give a widget in Python what its view has changed; resolves once Python has taken it. */
  pass(id, traits) {
    return new Promise((done) => {
      this.passing.push(done);
      this.worker.postMessage({ kind: "change", id, traits: JSON.stringify(traits) });
    });
  }

  changed() {
    this.passing.shift()();
  }

  traits({ id, traits }) {
    this.models[id]?.take(traits);
  }

  ready() {
    this.state = "ready";
    clearTimeout(this.silence);
    this.next();
  }

  heard() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.say("The network is slow: nothing has arrived for a while. You can keep reading.");
    }, SILENCE * 1000);
  }

  arrived({ bytes, kept }) {
    this.heard();
    Object.assign(this, { bytes, kept });
    this.progress();
  }

  progress() {
    if (this.waiting[0]?.running) return;
    if (this.state === "ready") {
      this.say("Loading what this cell needs …");
    } else if (this.bytes < NEEDED * 0.98) {
      const seconds = (performance.now() - this.begun) / 1000;
      const left = Math.ceil((seconds * (NEEDED - this.bytes)) / this.bytes) + 3;
      const when = seconds > 1 && this.bytes > 1e6 ? `, about ${left} s left` : "";
      const where = this.kept ? "from this browser's cache" : "once for all pages";
      const size = `${megabytes(this.bytes)} of ${megabytes(NEEDED)} MB`;
      this.say(`Loading Python, ${where}: ${size}${when}.`);
    } else {
      this.say("Starting Python, about 3 s …");
    }
  }

  say(text) {
    for (const one of this.waiting) one.tell("loading", text);
  }

  started() {
    clearTimeout(this.silence);
    const [first] = this.waiting;
    first.running = true;
    first.tell("running", "Running …");
    this.limit = setTimeout(() => this.stop(`Stopped after ${LIMIT} seconds.`), LIMIT * 1000);
  }

  /** What Python shows, whatever it is. */
  show(message) {
    // What a change of a widget shows stands where the widget does.
    (this.models[message.view] ?? this.waiting[0]).show(message);
  }

  ended({ ok }) {
    clearTimeout(this.limit);
    this.waiting.shift().done({ state: ok ? "done" : "failed" });
    this.next();
  }

  /** Python could not be loaded, or came to an end by itself. */
  broken({ reason }) {
    const running = this.waiting[0]?.running;
    this.end();
    for (const one of this.waiting.splice(0)) one.done({ state: "failed", reason, running });
  }

  /** End the worker, whatever it does, and make another. */
  stop(reason = "Stopped.") {
    this.end();
    for (const one of this.waiting.splice(0)) one.done({ state: "stopped", reason, running: one.running });
    this.boot();
  }

  end() {
    clearTimeout(this.limit);
    clearTimeout(this.silence);
    this.worker?.terminate();
    this.worker = null;
    this.state = "ended";
    for (const done of this.passing.splice(0)) done();
  }
}
