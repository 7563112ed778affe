// Cells of a page that can be run and changed; nothing is fetched for them before the first press.

const { search } = new URL(import.meta.url);
const part = (name) => import(new URL(name + search, import.meta.url));

function made(tag, properties = {}, ...content) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content);
  return element;
}

const button = (name, text, press) => {
  const element = made("button", { name, type: "button", onclick: press }, text);
  element.className = "live-button";
  return element;
};

// ------------------------------------------------------------------- storage

/** What a reader has typed and solved: in this browser, or in this page alone where that is forbidden. */
class Store {
  constructor(home) {
    this.home = `live ${home} `;
    this.memory = {};
  }

  get(name) {
    try {
      return JSON.parse(localStorage.getItem(this.home + name)) ?? this.memory[name] ?? {};
    } catch {
      return this.memory[name] ?? {};
    }
  }

  /** Set entries of one name; an entry that is undefined goes. */
  change(name, entries) {
    const now = { ...this.get(name), ...entries };
    this.memory[name] = JSON.parse(JSON.stringify(now));
    try {
      localStorage.setItem(this.home + name, JSON.stringify(now));
    } catch {
      // Full or forbidden: the page remembers until it is left.
    }
  }

  /** Empty everything, and return what brings it back. */
  forget() {
    const names = new Set(Object.keys(this.memory));
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.home)) names.add(key.slice(this.home.length));
      }
    } catch {
      // There is nothing but the memory.
    }
    const all = [...names].map((name) => [name, this.get(name)]);
    for (const [name] of all) {
      delete this.memory[name];
      try {
        localStorage.removeItem(this.home + name);
      } catch {
        // There was nothing.
      }
    }
    return () => all.forEach(([name, entries]) => this.change(name, entries));
  }
}

// --------------------------------------------------------------------- cells

class Cell {
  constructor(page, root, index) {
    Object.assign(this, { page, root, index });
    this.input = root.querySelector(".cell_input");
    this.pre = this.input.querySelector("pre");
    this.highlighted = [...this.pre.childNodes];
    this.book = this.pre.textContent.replace(/\n$/, "");
    this.text = this.book;
    this.area = root.querySelector(".cell_output");
    this.built = this.area && [...this.area.childNodes];
    const first = this.book.split("\n")[0];
    const alike = page.cells.filter((cell) => cell.book.split("\n")[0] === first).length;
    this.key = alike ? `${first} (${alike + 1})` : first;
    this.bar();
    root.dataset.state = "idle";
    const cell = this;
    root.live = {
      get source() {
        return cell.source;
      },
      set source(text) {
        cell.source = String(text);
      },
      run: () => cell.run(),
      stop: () => page.stop(),
      reset: () => cell.reset(),
    };
    const typed = page.store.get(page.name)[this.key];
    if (typed !== undefined) this.restore(typed);
  }

  bar() {
    const stub = /^ +return \.\.\.$/m.test(this.book);
    this.buttons = {
      run: button("run", stub ? "Edit and run" : checked(this.book) ? "Check" : "Run", () => {
        if (stub) this.edit();
        this.run();
      }),
      edit: button("edit", "Edit", () => this.edit()),
    };
    this.buttons.run.title = "Shift-Enter in the editor";
    if (stub || checked(this.book)) delete this.buttons.edit;
    this.status = made("span", { className: "live-status" });
    // Only what ends a run is spoken: the megabytes in between would talk over everything.
    this.said = made("span", { className: "live-said" });
    this.said.setAttribute("role", "status");
    this.strip = made("div", { className: "live-bar" }, ...Object.values(this.buttons), this.status, this.said);
    this.input.after(this.strip);
  }

  /** The buttons that make sense only after the first press. */
  more() {
    if (this.buttons.stop) return;
    if (!checked(this.book)) this.buttons.run.textContent = "Run";
    this.buttons.stop = button("stop", "Stop", () => this.page.stop());
    this.buttons.reset = button("reset", "Reset", () => this.reset());
    this.buttons.reset.title = "Bring back the book's code and output";
    this.status.before(this.buttons.stop, this.buttons.reset);
  }

  state(name, text = "") {
    this.root.dataset.state = name;
    this.status.replaceChildren(text);
    if (this.buttons.stop) this.buttons.stop.disabled = !["loading", "running"].includes(name);
  }

  get source() {
    return this.editor ? this.editor.text : this.text;
  }

  set source(text) {
    this.text = text;
    if (this.editor && this.editor.text !== text) this.editor.text = text;
    if (text === this.book) this.pre.replaceChildren(...this.highlighted);
    else this.pre.textContent = text;
    this.remember();
  }

  restore(text) {
    this.text = text;
    this.pre.textContent = text;
    this.more();
    this.state("idle", "This is what you typed; Reset brings back the book's code.");
  }

  remember() {
    const typed = this.source === this.book ? undefined : this.source;
    this.page.store.change(this.page.name, { [this.key]: typed });
  }

  /** Turn the code into an editor. */
  async edit() {
    this.more();
    this.opening ??= this.open();
    await this.opening;
    this.editor.focus();
  }

  async open() {
    this.buttons.edit?.setAttribute("hidden", "");
    const { open } = await part("editing.mjs");
    this.place = made("div", { className: "live-editor" });
    const lines = this.pre.closest("div[class*=highlight-]");
    lines.hidden = true;
    lines.after(this.place);
    const title = this.key.slice(0, 60);
    this.editor = await open(this.place, this.text, {
      module: this.page.book.editor,
      label: `Code of the cell that begins with ${title}`,
      change: () => this.remember(),
      run: () => this.run(),
    });
  }

  /** The check that belongs to this answer, or the answer that belongs to this check. */
  get check() {
    const after = this.page.cells[this.index + 1];
    const name = after && checked(after.book);
    return name && this.book.includes(`def ${name}(`) ? after : null;
  }

  get answer() {
    const before = this.page.cells[this.index - 1];
    return before?.check === this ? before : null;
  }

  /** Run the cell, and what it needs before it; an answer is checked, a check takes the answer. */
  async run() {
    const { check, answer } = this;
    if (answer) return answer.run();
    const own = await this.alone();
    const end = check && own.ok ? await check.alone() : own;
    if (end !== own) this.state(end.state, end.said);
    this.said.textContent = end.said;
    return end === own ? own : { ...end, text: own.text + end.text, html: own.html + end.html };
  }

  async alone() {
    this.more();
    if (this.root.dataset.state === "running") this.page.stop();
    this.state("loading", "Loading …");
    let fresh = false;
    const { show } = await part("output.mjs");
    const begin = () => {
      if (fresh) return;
      fresh = true;
      this.area ??= this.strip.parentElement.appendChild(
        made("div", { className: "cell_output docutils container" }),
      );
      this.area.replaceChildren();
    };
    let wrong = null;
    const end = await this.page.python(
      this.index,
      (message) => {
        begin();
        if (message.kind === "solved") return this.page.solve(message.parts);
        if (message.kind === "error") wrong = message;
        show(this.area, message, this.page.book, () => this.frame());
      },
      (name, text) => this.state(name, text),
    );
    if (end.reason === undefined) begin();
    return this.finish(end, wrong, fresh);
  }

  /** The built figure with its caption, without its picture. */
  frame() {
    const built = this.built?.find((node) => node.querySelector?.("figcaption"));
    const figure = built?.cloneNode(true);
    for (const part of [...(figure?.children ?? [])]) {
      if (part.localName !== "figcaption") part.remove();
    }
    return figure;
  }

  finish(end, wrong, fresh) {
    const shown = fresh ? this.area : null;
    const box = shown?.querySelector(".exercise-check strong")?.textContent;
    const [last] = (wrong?.text ?? "").split("\n").slice(-1);
    let said = { done: box ?? "Done.", failed: last, stopped: end.reason }[end.state];
    if (end.state === "failed" && end.reason) {
      said = end.running
        ? `Python came to an end: ${end.reason}. The next run starts it again.`
        : `Python could not be loaded: ${end.reason}. What you typed is kept: try again, or`;
    }
    const text = end.state === "failed" && !end.reason ? "See the error below." : said;
    this.state(end.state, box ? "" : text);
    if (end.reason && end.state === "failed" && !end.running) this.ways(this.page.book.ways);
    if (wrong?.torch) {
      this.state("failed", "PyTorch does not run in a browser:");
      this.ways(this.page.book.elsewhere);
    }
    return {
      ok: end.state === "done",
      text: shown?.textContent ?? "",
      html: shown?.innerHTML ?? "",
      error: wrong?.text ?? end.reason ?? null,
      state: end.state,
      said: box ?? said,
    };
  }

  ways(ways) {
    this.status.append(" ", ...links(ways));
  }

  reset() {
    if (["loading", "running"].includes(this.root.dataset.state)) this.page.stop();
    this.source = this.book;
    if (this.built) this.area.replaceChildren(...this.built);
    else this.area?.replaceChildren();
    this.state("idle");
    this.check?.reset();
  }
}

const checked = (source) => /^check_\w+\((\w+)\)\s*$/.exec(source)?.[1];

function links(ways) {
  const found = ways.flatMap(([text, href]) => [", ", made("a", { href }, text)]);
  return ["open this chapter in ", ...found.slice(1), "."];
}

// ---------------------------------------------------------------------- page

class Page {
  constructor(book) {
    this.book = book;
    this.name = book.page;
    this.cells = [];
    this.store = new Store(new URL(book.root, location).pathname);
    for (const root of document.querySelectorAll(".live-cell")) {
      this.cells.push(new Cell(this, root, this.cells.length));
    }
    for (const root of document.querySelectorAll(".live-elsewhere")) {
      const note = made("div", { className: "live-bar" }, "PyTorch does not run in a browser: ", ...links(book.elsewhere));
      root.querySelector(".cell_input").after(note);
    }
    // A single cell needs no press for all; on the landing page the figure comes first.
    if (this.cells.length > 1) this.header();
    this.count();
    addEventListener("storage", () => this.count());
  }

  /** Above the first cell: what can be done here, and one press for all of it. */
  header() {
    const all = button("run-all", "Run every cell", () => this.runAll());
    const text =
      "Python can run in this page: change any code below and run it. " +
      "The first run fetches about 17 MB; what you type stays in this browser.";
    this.bar = made("div", { className: "live-page" }, all, made("span", {}, text));
    this.checks = this.cells.filter((cell) => checked(cell.book) && cell.answer);
    if (this.checks.length) this.panel();
    const [first] = this.cells;
    first.root.before(this.bar);
  }

  /** Which parts of the exercises have been solved, and what becomes of the answers. */
  panel() {
    this.heading = made("strong");
    this.list = made("ul");
    this.told = made("span", { className: "live-status" });
    this.told.setAttribute("role", "status");
    const file = made("input", { type: "file", accept: ".ipynb", hidden: true, name: "answers" });
    file.onchange = async () => {
      const { load } = await part("answers.mjs");
      this.told.textContent = await load(this, file.files[0]);
      file.value = "";
    };
    const save = async () => {
      const { save } = await part("answers.mjs");
      this.told.textContent = await save(this);
    };
    const panel = made(
      "section",
      { className: "live-progress" },
      this.heading,
      this.list,
      made(
        "div",
        { className: "live-bar" },
        button("save", "Save answers as a notebook", save),
        button("load", "Load answers", () => file.click()),
        button("forget", "Forget everything", () => this.forget()),
        file,
        this.told,
      ),
    );
    panel.setAttribute("aria-label", "What you have solved");
    const page = this;
    panel.live = {
      get solved() {
        return page.solved();
      },
    };
    this.bar.append(panel);
  }

  solved() {
    return this.store.get("solved").parts ?? [];
  }

  solve(parts) {
    const now = new Set([...this.solved(), ...parts]);
    if (now.size > this.solved().length) {
      this.store.change("solved", { parts: [...now], of: this.checks.length });
    }
    this.count();
  }

  /** Show how many parts have been solved, here and in the sidebar. */
  count() {
    const solved = this.solved();
    const { of } = this.store.get("solved");
    for (const link of document.querySelectorAll(".bd-sidebar-primary .bd-links a")) {
      const { pathname } = new URL(link.href, location);
      if (!pathname.endsWith("/exercises.html")) continue;
      link.querySelector(".live-count")?.remove();
      if (!solved.length) continue;
      const mark = made("span", { className: "live-count" }, `${solved.length}/${of}`);
      mark.setAttribute("aria-label", `${solved.length} of ${of} solved`);
      link.append(" ", mark);
    }
    if (!this.list) return;
    this.heading.textContent = `${solved.length} of ${this.checks.length} parts solved in this browser`;
    this.list.replaceChildren(
      ...this.checks.map((cell) => {
        const exercise = cell.root.closest(".exercise");
        const title = exercise.querySelector(".admonition-title strong").textContent;
        const done = solved.includes(/^check_(\w+)\(/.exec(cell.book)[1]);
        const link = made("a", { href: `#${exercise.id}` }, `${done ? "✓ " : ""}${title}`);
        const entry = made("li", { className: done ? "live-solved" : "" }, link);
        if (done) link.setAttribute("aria-label", `${title}: solved`);
        return entry;
      }),
    );
  }

  forget() {
    const restore = this.store.forget();
    const typed = this.cells.map((cell) => [cell, cell.source]).filter(([cell, text]) => text !== cell.book);
    for (const [cell] of typed) cell.reset();
    this.count();
    const back = button("bring-back", "Bring it back", () => {
      for (const [cell, text] of typed) cell.source = text;
      restore();
      this.told.textContent = "";
      this.count();
    });
    this.told.replaceChildren("Everything typed and solved here is forgotten. ", back);
  }

  /** Run a cell in Python, which is loaded at the first call. */
  async python(at, show, tell) {
    tell("loading", "Loading Python …");
    this.loading ??= part("python.mjs").then(({ Python }) => new Python(this.book));
    let engine;
    try {
      engine = await this.loading;
    } catch (error) {
      this.loading = undefined;
      return { state: "failed", reason: "its program did not arrive" };
    }
    return engine.run(at, this.cells.map((cell) => cell.source), show, tell);
  }

  async stop() {
    (await this.loading)?.stop();
  }

  /** Run all cells from top to bottom, and stop at the first that fails. */
  async runAll() {
    for (const cell of this.cells) {
      const { state } = await cell.alone();
      if (state !== "done") return cell.root.scrollIntoView({ block: "center" });
    }
  }
}

/** Bring the cells of a page to life; `book` says where everything lies. */
export function mountAll(book) {
  const at = (address) => new URL(address, document.baseURI).href;
  for (const name of ["pyodide", "wheel", "packages", "code", "worker", "editor", "notebook"]) book[name] = at(book[name]);
  for (const figure of Object.values(book.figures)) {
    for (const name of Object.keys(figure)) figure[name] = at(figure[name]);
  }
  return new Page(book);
}
