// Cells of a page that can be run and changed; nothing is fetched for them before the first press.

let address, loaded;

/** Load the rest of the program, again if it has not arrived. */
async function pressed() {
  try {
    return await (loaded ??= import(address));
  } catch (error) {
    // A browser remembers what has failed to arrive under an address.
    address += "&again";
    loaded = null;
    throw error;
  }
}

function made(tag, properties = {}, ...content) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content);
  return element;
}

const button = (name, text, press) =>
  made("button", { className: "live-button", name, type: "button", onclick: press }, text);

// ------------------------------------------------------------------- storage

/** What a reader has typed and solved: in this browser, or in this page alone where that is forbidden. */
class Store {
  constructor(home) {
    this.key = `live ${home}`;
  }

  read() {
    try {
      return this.memory ?? JSON.parse(localStorage.getItem(this.key)) ?? {};
    } catch {
      return {};
    }
  }

  write(all) {
    try {
      localStorage.setItem(this.key, JSON.stringify(all));
    } catch {
      // Full or forbidden: the page remembers until it is left.
      this.memory = all;
    }
  }

  get(name) {
    return this.read()[name] ?? {};
  }

  /** Set entries of one name; an entry that is undefined goes. */
  change(name, entries) {
    const all = this.read();
    this.write({ ...all, [name]: { ...all[name], ...entries } });
  }

  /** Empty everything, and return what brings it back. */
  forget() {
    const all = this.read();
    this.write({});
    return () => this.write(all);
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
    this.ends = [];
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
    this.said = made("span", { className: "visually-hidden", role: "status" });
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
    if (this.buttons.stop) this.buttons.stop.disabled = !this.busy;
  }

  get busy() {
    return ["loading", "running"].includes(this.root.dataset.state);
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
    try {
      await (this.opening ??= this.open());
      this.editor.focus();
    } catch {
      this.opening = null;
      this.state("failed", "The editor did not arrive: try again.");
    }
  }

  async open() {
    const { open } = await pressed();
    this.buttons.edit?.setAttribute("hidden", "");
    // The book's own shortcuts would take the key "/" for a search.
    const onkeydown = (event) => event.stopPropagation();
    this.place = made("div", { className: "live-editor", onkeydown });
    const lines = this.pre.closest("div[class*=highlight-]");
    lines.hidden = true;
    lines.after(this.place);
    const title = this.key.slice(0, 60);
    this.editor = await open(this.place, this.text, {
      module: this.page.book.files.editor,
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
    // A verdict on an answer that is no more would mislead.
    if (own.fresh && !own.ok) check?.area.replaceChildren();
    const end = check && own.ok ? await check.alone() : own;
    if (end !== own) this.state(end.state, end.said);
    this.said.textContent = end.said;
    return end === own ? own : { ...end, text: own.text + end.text, html: own.html + end.html };
  }

  async alone() {
    this.more();
    if (this.root.dataset.state === "running") this.page.stop();
    let fresh = false;
    const drawn = [];
    const begin = () => {
      if (fresh) return;
      fresh = true;
      this.end();
      this.area ??= this.strip.parentElement.appendChild(
        made("div", { className: "cell_output docutils container" }),
      );
      this.area.replaceChildren();
    };
    let wrong = null;
    const end = await this.page.python(
      this.index,
      (message, python, { show, showWidget }) => {
        const add = (one) => show(this.area, one, () => this.frame());
        begin();
        if (message.kind === "solved") return this.page.solve(message.parts);
        if (message.kind === "error") wrong = message;
        if (message.kind !== "widget") return add(message);
        drawn.push(showWidget(this, message.widget, python, add));
      },
      (name, text) => this.state(name, text),
    );
    if (end.reason === undefined || end.running) begin();
    await Promise.allSettled(drawn);
    return this.finish(end, wrong, fresh);
  }

  /** Leave the views that the last run has shown. */
  end() {
    for (const end of this.ends.splice(0)) end();
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

  finish({ state, reason, running }, wrong, fresh) {
    const shown = fresh ? this.area : null;
    const box = shown?.querySelector(".exercise-check strong")?.textContent;
    let said = wrong?.text.split("\n").pop() ?? reason ?? box ?? "Done.";
    this.state(state, wrong ? "See the error below." : box ? "" : said);
    if (state === "failed" && reason) {
      said = running
        ? `Python came to an end: ${reason}. The next run starts it again.`
        : `Python could not be loaded: ${reason}. What you typed is kept: try again, or `;
      this.state(state, said);
      if (!running) this.status.append(...links(this.page.book.ways));
    }
    if (wrong?.lacks) {
      this.state(state, `${wrong.lacks} does not run in a browser: `);
      this.status.append(...links(this.page.book.elsewhere));
    }
    return {
      ok: state === "done",
      text: shown?.textContent ?? "",
      html: shown?.innerHTML ?? "",
      error: wrong?.text ?? reason ?? null,
      state,
      said,
      fresh,
    };
  }

  reset() {
    if (this.busy) this.page.stop();
    this.source = this.book;
    this.end();
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
    this.store = new Store(book.files.root);
    for (const root of document.querySelectorAll(".live-cell")) {
      this.cells.push(new Cell(this, root, this.cells.length));
    }
    for (const root of document.querySelectorAll(".live-elsewhere")) {
      const note = made("span", {}, `${book.lacks} does not run in a browser: `, ...links(book.elsewhere));
      [...root.querySelectorAll(".cell_input, .live-bar")].pop().after(made("div", { className: "live-bar" }, note));
    }
    // A single cell needs no press for all; on the landing page the figure comes first.
    if (this.cells.length > 1) this.header();
    this.count();
    addEventListener("storage", () => this.count());
  }

  /** Above the first cell: what can be done here, and one press for all of it. */
  header() {
    const all = button("run-all", "Run every cell", () => this.runAll());
    this.bar = made("div", { className: "live-page" }, all, made("span", {}, this.book.says));
    this.checks = this.cells.filter((cell) => checked(cell.book) && cell.answer);
    if (this.checks.length) this.panel();
    const [first] = this.cells;
    first.root.before(this.bar);
  }

  /** Which parts of the exercises have been solved, and what becomes of the answers. */
  panel() {
    this.heading = made("strong");
    this.list = made("ul");
    this.told = made("span", { className: "live-status", role: "status" });
    const file = made("input", { type: "file", accept: ".ipynb", hidden: true, name: "answers" });
    const use = async (name) => {
      const program = await pressed().catch(() => ({ [name]: () => "The program for it did not arrive: try again." }));
      this.told.textContent = await program[name](this, file.files[0]);
      file.value = "";
    };
    file.onchange = () => use("load");
    const panel = made(
      "section",
      { className: "live-progress" },
      this.heading,
      this.list,
      made(
        "div",
        { className: "live-bar" },
        button("save", "Save answers as a notebook", () => use("save")),
        button("load", "Load answers", () => file.click()),
        button("forget", "Forget everything", () => this.forget()),
        file,
        this.told,
      ),
    );
    panel.ariaLabel = "What you have solved";
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
      mark.ariaLabel = `${solved.length} of ${of} solved`;
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
        if (done) link.ariaLabel = `${title}: solved`;
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
    try {
      const program = await pressed();
      this.engine ??= new program.Python(this.book);
      const shown = (message) => show(message, this.engine, program);
      return await this.engine.run(at, this.cells.map((cell) => cell.source), shown, tell);
    } catch {
      return { state: "failed", reason: "its program did not arrive" };
    }
  }

  stop() {
    this.engine?.stop();
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
  const { files } = book;
  for (const name in files) files[name] = new URL(files[name], document.baseURI).href;
  address = files.pressed;
  return new Page(book);
}
