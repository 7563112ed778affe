// A question: each answer is a button, met by its reply and by a figure that shows it.

/** Make buttons of the answers that stand in the page. */
export function question(root, { right, shows }, { kept, told, look, show }) {
  const items = [...root.querySelectorAll(".nw-answers > li")];
  const replies = [...root.querySelectorAll(".nw-replies > ol > li")];
  const buttons = items.map((item, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...(item.querySelector("p") ?? item).childNodes);
    button.addEventListener("click", () => choose(i));
    item.replaceChildren(button);
    return button;
  });
  const skip = document.createElement("button");
  Object.assign(skip, { type: "button", className: "nw-skip", textContent: "just tell me" });
  skip.addEventListener("click", () => tell(right, true));
  root.querySelector(".nw-answers").after(told, skip);
  let chosen = null;

  /** Show the reply to an answer, and the figure that goes with it. */
  function tell(place, sets) {
    const shown = replies[place].cloneNode(true);
    // An anchor's name stands once in a page.
    for (const named of shown.querySelectorAll("[id]")) named.removeAttribute("id");
    told.replaceChildren(...shown.childNodes);
    if (shows[place]) {
      told.append(look);
      if (sets) show(shows[place]);
    }
    skip.hidden = place === right;
  }

  function mark(place) {
    chosen = place;
    buttons.forEach((button, i) => {
      button.ariaPressed = String(i === place);
      button.dataset.verdict = i === place ? (i === right ? "right" : "wrong") : "";
    });
  }

  function choose(place) {
    if (!buttons[place]) {
      throw new RangeError(`answer must be from 0 to ${buttons.length - 1}, got ${place}`);
    }
    mark(place);
    kept.set(place);
    tell(place, true);
  }

  const before = kept.get();
  if (buttons[before]) {
    mark(before);
    tell(before, false);
  }
  return {
    choose,
    state: () => ({
      kind: "question",
      answered: chosen !== null,
      chosen,
      right: chosen === null ? null : chosen === right,
    }),
  };
}
