// Words: which words a word attends to, and what comes next.

import { effectiveKeys } from "./arithmetic.mjs";
import { HEADS, MOST, attend, tokensOf, unpack } from "./reading.mjs";
import { rounded, written } from "./scales.mjs";
import { speaker } from "./speech.mjs";

const MOST_TOKENS = 500;
const SHOWN = 8;

const portion = (x) => (x < 0.005 ? "0.00" : x.toFixed(2));
const escaped = (words) =>
  words.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);

/** The text, each token shaded by its weight. */
const textInk = ({ tokens, at, weights }) =>
  tokens
    .map((token, i) => {
      const name = i === at ? "nw-at" : weights[i] === null ? "nw-out" : "";
      return `<span data-i="${i}" class="${name}" style="--weight:${weights[i] ?? 0}">${escaped(token)}</span>`;
    })
    .join(" ");

/** One bar a token that may come next, the likeliest first. */
function barsInk({ next, truth }) {
  return next
    .slice(0, SHOWN)
    .map(
      ([token, probability]) =>
        `<dt>${escaped(token)}${token === truth ? " ✓" : ""}</dt>` +
        `<dd><i style="width:${100 * probability}%"></i><b>${portion(probability)}</b></dd>`,
    )
    .join("");
}

/** What is seen, in words. */
function seen({ tokens, at, head, weights, next, truth, first }) {
  if (!next.length) return `“${tokens[at]}” is the first word: nothing stands before it to learn from.`;
  const paid = weights.map((weight, i) => [i, weight ?? 0]).sort((a, b) => b[1] - a[1]);
  const [[best, most]] = paid;
  const seenByIt = weights.filter((weight) => weight !== null);
  const told = truth === undefined ? "" : ` The text goes on with “${truth}”.`;
  const whose = head === "match" ? "the hand-made kernel" : "the transformer";
  return (
    `From “${tokens[at]}”, word ${at + 1}, ${written(effectiveKeys(seenByIt), 2)} of ${seenByIt.length} words ` +
    `are attended to in effect, most of all “${tokens[best]}”, word ${best + 1}, with ${portion(most)}. ` +
    `Next, ${whose} expects “${next[0][0]}” with ${portion(next[0][1])}.${told}` +
    (first ? ` The transformer sees the last ${at + 1 - first} words.` : "")
  );
}

const BODY = `<div class="nw-dials">
    <label><span>attention by</span><select name="head"></select></label>
    <label><span>width <b></b></span><input type="range" name="width"></label>
  </div>
  <div class="nw-text" role="slider" tabindex="0" aria-label="query, a word of the text"><svg aria-hidden="true"></svg><p></p></div>
  <p class="nw-legend"><i class="nw-at"></i> query <i class="nw-shade"></i> attended to, the stronger the larger its weight</p>
  <div class="nw-next"><p>What comes next (✓ in the text)</p><dl></dl></div>
  <p class="nw-seen"></p><p class="nw-spoken" aria-live="polite"></p>
  <div class="nw-own"><label><span>text</span><select name="example"></select></label>
    <label><span>or your own, of at most <b></b> different words</span><textarea name="text" rows="2" spellcheck="false"></textarea></label>
    <p role="alert"></p></div>`;

/** Build the figure inside root. `ask` receives what the reader changes; it ends in `show`. */
function build(root, { numbers, colors, widths, texts, ...start }, ask) {
  const model = unpack(numbers);
  const symbols = model.embedding().rows;
  const live = document.createElement("div");
  live.className = "nw-live";
  // JupyterLab would take the keys for its own, and the slider would stand still.
  live.addEventListener("keydown", (event) => event.stopPropagation());
  live.innerHTML = BODY;
  for (const name of ["query", "key", "estimate"]) live.style.setProperty(`--${name}`, colors[name]);
  const find = (selector) => live.querySelector(selector);
  const [chooser, slider, words] = [find("select"), find("input"), find(".nw-text")];
  const [arcs, shown, area, example] = [find("svg"), find(".nw-text p"), find("textarea"), find("[name=example]")];

  Object.assign(slider, { step: 0.01, min: Math.log10(widths[0]), max: Math.log10(widths[1]) });
  chooser.add(new Option("length of match (hand-made)", "match"));
  for (const head of HEADS.slice(1)) chooser.add(new Option(`head ${head} of the transformer`, head));
  for (const label in texts) example.add(new Option(label, label));
  example.add(new Option("your own", ""));
  find(".nw-own b").textContent = symbols;

  let [now, drawn] = [start];
  const [say, hush] = speaker(find(".nw-spoken"));
  function show(next) {
    const before = now.text;
    now = { ...now, ...next };
    const { text, head, width } = now;
    const tokens = tokensOf(text);
    // Python may tell of a shorter text before it tells of the place.
    const at = (now.at = Math.min(now.at, tokens.length - 1));
    drawn = { ...now, tokens, ...attend({ tokens, at, head, width, model }) };
    drawn.truth = tokens[at + 1];
    drawn.first = head === "match" ? 0 : Math.max(0, at + 1 - model.positions().rows);
    if (before !== text || !area.value) area.value = text;
    example.value = Object.keys(texts).find((label) => texts[label] === text) ?? "";
    shown.innerHTML = textInk(drawn);
    find("dl").innerHTML = barsInk(drawn);
    drawArcs();
    Object.assign(words, {
      ariaValueMin: 1,
      ariaValueMax: tokens.length,
      ariaValueNow: at + 1,
      ariaValueText: `word ${at + 1} of ${tokens.length}, ${tokens[at]}`,
    });
    chooser.value = head;
    slider.value = Math.log10(width);
    slider.disabled = head !== "match";
    find("label b").textContent = head === "match" ? written(width) : "of the kernel alone";
    slider.ariaValueText = written(width);
    find(".nw-seen").textContent = seen(drawn);
    find("[role=alert]").textContent = "";
    say(() => seen(drawn));
    root.dispatchEvent(new CustomEvent("nw:change", { bubbles: true }));
  }

  /** An arc from the query to each token with a weight that an eye can see. */
  function drawArcs() {
    const box = shown.getBoundingClientRect();
    // A slide shows it enlarged.
    const share = shown.offsetWidth / box.width;
    const place = (i) => {
      const { left, top, width } = shown.children[i].getBoundingClientRect();
      return [(left + width / 2 - box.left) * share, (top - box.top) * share + 3];
    };
    const [x, y] = place(drawn.at);
    arcs.innerHTML = drawn.weights
      .map((weight, i) => {
        if (!(weight > 0.02) || i === drawn.at) return "";
        const [tx, ty] = place(i);
        const lift = Math.min(y, ty) - 10 - Math.min(30, Math.abs(tx - x) / 8);
        return `<path d="M${x} ${y}Q${(x + tx) / 2} ${lift} ${tx} ${ty}" style="stroke-width:${1 + 4 * weight};opacity:${0.2 + 0.6 * weight}"/>`;
      })
      .join("");
  }
  const resized = new ResizeObserver(() => drawn && drawArcs());

  const checked = (change) => {
    const asked = { ...now, ...change };
    if (typeof asked.text !== "string") throw new RangeError(`text must be a string, got ${asked.text}`);
    const tokens = tokensOf(asked.text);
    if (!tokens.length || tokens.length > MOST_TOKENS) {
      throw new RangeError(`text must have 1 to ${MOST_TOKENS} words, got ${tokens.length}`);
    }
    const different = new Set(tokens).size;
    if (different > symbols) {
      throw new RangeError(
        `text must have at most ${symbols} different words, as many as the transformer has symbols, got ${different}`,
      );
    }
    // A new text is asked about at its end.
    if (change.text !== undefined && change.at === undefined) asked.at = tokens.length - 1;
    if (!Number.isInteger(asked.at) || asked.at < 0 || asked.at >= tokens.length) {
      throw new RangeError(`at must be a place from 0 to ${tokens.length - 1}, got ${asked.at}`);
    }
    if (!HEADS.includes(asked.head)) {
      throw new RangeError(`head must be one of ${HEADS.join(", ")}, got ${asked.head}`);
    }
    if (!(typeof asked.width === "number" && asked.width > 0 && MOST / asked.width < Infinity && asked.width < Infinity)) {
      throw new RangeError(`width must be positive and finite, got ${asked.width}`);
    }
    const { text, at, head, width } = asked;
    return { text, at, head, width };
  };
  const move = (at) => ask({ at: Math.min(Math.max(at, 0), drawn.tokens.length - 1) });

  root.words = {
    state() {
      const { tokens, at, head, width, weights, next } = drawn;
      return structuredClone({
        tokens,
        at,
        head,
        width: head === "match" ? width : null,
        weights,
        next: Object.fromEntries(next),
      });
    },
    set: (change) => ask(checked(change)),
  };

  const pointed = ({ clientX, clientY }) => {
    const span = document.elementFromPoint(clientX, clientY)?.closest?.("[data-i]");
    if (span && words.contains(span)) move(Number(span.dataset.i));
  };
  words.addEventListener("click", pointed);
  // A mouse that is held draws the query along; a finger scrolls the page.
  words.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons === 1) pointed(event);
  });
  words.addEventListener("keydown", (event) => {
    const { at, tokens } = drawn;
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: beside(-1),
      ArrowDown: beside(1),
      Home: 0,
      End: tokens.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  });
  /** The token in the line above or below that is nearest. */
  function beside(way) {
    const boxes = Array.from(shown.children, (span) => span.getBoundingClientRect());
    const here = boxes[drawn.at];
    const lines = [...new Set(boxes.map((box) => box.top))];
    const line = lines[lines.indexOf(here.top) + way];
    if (line === undefined) return drawn.at;
    const far = (box) => (box.top === line ? Math.abs(box.left - here.left) : Infinity);
    return boxes.reduce((best, box, i) => (far(box) < far(boxes[best]) ? i : best), boxes.findIndex((box) => box.top === line));
  }
  const tell = (change) => {
    try {
      ask(checked(change));
    } catch (error) {
      // The reader's text stays in its field, and the drawing as it was.
      find("[role=alert]").textContent = error.message;
    }
  };
  slider.addEventListener("input", () => tell({ width: rounded(10 ** slider.value) }));
  chooser.addEventListener("change", () => tell({ head: chooser.value }));
  example.addEventListener("change", () => (example.value ? tell({ text: texts[example.value] }) : area.focus()));
  area.addEventListener("input", () => tell({ text: area.value }));

  root.append(live);
  show({});
  resized.observe(shown);
  root.dataset.ready = "true";
  return {
    show,
    end() {
      hush();
      resized.disconnect();
    },
  };
}

/** Load the transformer's numbers, which lie in a script of their own. */
let numbers;
function load(version) {
  // Beside the style, whose address every page has, also one that is opened as a file.
  const { href } = document.querySelector('link[href*="words/words.css"]');
  const address = new URL("numbers.js", href).href.split("?")[0];
  numbers ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = `${address}?v=${version}`;
    script.onload = () => done(globalThis.wordNumbers);
    script.onerror = fail;
    document.head.append(script);
  });
  return numbers;
}

/** Bring a page's figure to life from the data beside its still figure. */
export async function mount(root) {
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const numbers = await load(data.version);
  if (!root.words) {
    const built = build(root, { ...data, numbers }, (change) => built.show(change));
  }
  return root.words;
}

/** Mount every figure of a page when it comes near. */
export function mountAll(page = document) {
  const near = new IntersectionObserver(
    (entries) =>
      entries.forEach(({ isIntersecting, target }) => {
        if (!isIntersecting) return;
        near.unobserve(target);
        mount(target);
      }),
    { rootMargin: "100% 0px" },
  );
  page.querySelectorAll(".nw-words").forEach((root) => near.observe(root));
}

/** The view of an anywidget: the model holds the truth. */
function render({ model, el }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "nw-words";
  const names = ["text", "at", "head", "width"];
  const traits = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  let asking = false;
  const built = build(root, { ...model.get("data"), ...traits() }, (change) => {
    // A new text and its place belong together, and the model tells of each by itself.
    asking = true;
    for (const name in change) model.set(name, change[name]);
    asking = false;
    update();
    model.save_changes();
  });
  const update = () => asking || built.show(traits());
  const events = names.map((name) => `change:${name}`).join(" ");
  model.on(events, update);
  return () => {
    model.off(events, update);
    built.end();
  };
}

export default { mountAll, render };
