// What a page loads with the first press of a button.
export { load, save } from "./answers.mjs";
export { open } from "./editing.mjs";
export { show } from "./output.mjs";
export { Python } from "./python.mjs";
export { showWidget } from "./widgets.mjs";
