// Guesses: a reader decides, or draws, before the page tells. It is kept in this browser.

import { drawing } from "./drawing.mjs";
import { memory } from "./memory.mjs";
import { question } from "./question.mjs";

/** The next figure of a kind on the page, or else the last one before. */
function nearest(root, kind) {
  const figures = [...document.querySelectorAll(`.nw-${kind}`)];
  const follows = (figure) =>
    root.compareDocumentPosition(figure) & Node.DOCUMENT_POSITION_FOLLOWING;
  return figures.find(follows) ?? figures.at(-1);
}

/** Set a figure, as soon as it has come alive, and return how a reader gets there. */
function shower(figure) {
  if (!figure) return {};
  let wanted;
  const set = () => {
    const alive = figure.words ?? figure.explorer;
    if (!wanted || !alive) return;
    alive.set(wanted);
    wanted = null;
  };
  new MutationObserver(set).observe(figure, { attributeFilter: ["data-ready"] });
  const look = document.createElement("button");
  Object.assign(look, { type: "button", className: "nw-look", textContent: "see it in the figure" });
  look.addEventListener("click", () => figure.scrollIntoView({ block: "center" }));
  return {
    look,
    show(setting) {
      wanted = setting;
      set();
    },
  };
}

/** Bring a guess of a page to life. */
export function mount(root) {
  if (root.guess) return root.guess;
  const { kind, name, ...given } = JSON.parse(root.dataset.guess);
  const figure = nearest(root, given.figure);
  const kept = memory(`guess/${name}`);
  const told = document.createElement("div");
  Object.assign(told, { className: "nw-told", role: "status" });
  const build = kind === "draw" ? drawing : question;
  root.guess = build(root, given, { kept, told, figure, ...shower(figure) });
  root.dataset.ready = "true";
  return root.guess;
}

/** Mount every guess of a page; one that cannot be mounted stays as it is without a script. */
export function mountAll(page = document) {
  for (const root of page.querySelectorAll(".nw-guess")) mount(root);
}
