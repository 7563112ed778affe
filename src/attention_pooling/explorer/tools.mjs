// Small buttons: take back, send, and bring data of one's own.

import { readTable } from "./table.mjs";

const BUTTONS = [
  { name: "undo", text: "undo", title: "Take back the last change of the data" },
  { name: "reset", text: "reset", title: "The book’s own data and settings" },
  { name: "link", text: "copy link", title: "An address that opens what you see", sends: true },
  { name: "embed", text: "embed", title: "The figure for a page of your own", sends: true },
  { name: "file", text: "open a file", title: "Two columns; nothing leaves this page" },
];

/** The buttons inside an element; `actions` do what their names say, `bring` takes a table. */
export function toolsOf(element, root, { actions, bring }) {
  element.innerHTML = `<p></p><div><textarea name="data" rows="1" spellcheck="false"
    aria-label="Data of your own: two columns, a key and a value"
    placeholder="your own data: paste two columns, or drop a file"></textarea><button
    type="button" name="use">use</button></div><p class="nw-alert" role="alert"></p>
    <p class="nw-told" role="status"></p>`;
  const [row, own, alert, status] = element.children;
  const [text, use] = own.children;
  const say = (told, wrong = "") => {
    status.textContent = told;
    alert.textContent = wrong;
  };
  const act = async (action) => {
    try {
      say((await action()) ?? "");
    } catch (error) {
      say("", error.message);
    }
  };
  const take = (table) =>
    act(() => {
      const { word, ...pairs } = readTable(table);
      bring(pairs);
      return word;
    });
  const open = async (file) => {
    text.value = "";
    if (file) take(await file.text());
  };
  const copied = async (what, words) => {
    try {
      await navigator.clipboard.writeText(what);
      return `${words} is copied.`;
    } catch {
      // No clipboard, as in a frame or without https: the reader copies it.
      return `${words}: ${what}`;
    }
  };
  const does = {
    ...actions,
    link: () => copied(actions.link(), "The address of what you see"),
    embed: () => copied(actions.embed(), "The text for your page"),
    file() {
      const input = Object.assign(document.createElement("input"), { type: "file" });
      input.addEventListener("change", () => open(input.files[0]));
      input.click();
    },
  };
  for (const { name, text: words, title, sends } of BUTTONS) {
    if (sends && !actions[name]) continue;
    const button = row.appendChild(document.createElement("button"));
    Object.assign(button, { type: "button", name, title, textContent: words });
    button.addEventListener("click", () => act(does[name]));
  }
  use.addEventListener("click", () => take(text.value));
  // In a notebook it would run the cell, or move to another one.
  text.addEventListener("keydown", (event) => event.stopPropagation());
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) open(file);
    else take(event.dataTransfer.getData("text"));
  });
  return { say };
}
