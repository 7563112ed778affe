// An editor for a cell: the one with colours if it arrives, else a plain field.

/** Milliseconds that a reader who wants to type waits for colours. */
const PATIENCE = 5000;

/** Put an editor into a place, and return its text and focus. */
export async function open(place, text, { module, label, change, run }) {
  const late = new Promise((_, give) => setTimeout(give, PATIENCE));
  try {
    const { edit } = await Promise.race([import(module), late]);
    return edit(place, text, { label, change, run });
  } catch {
    return plain(place, text, { label, change, run });
  }
}

function plain(place, text, { label, change, run }) {
  const field = place.appendChild(document.createElement("textarea"));
  Object.assign(field, { value: text, spellcheck: false, autocapitalize: "off" });
  field.setAttribute("aria-label", `${label}. Escape, then Tab, leaves it.`);
  const fit = () => (field.rows = field.value.split("\n").length + 1);
  let leaving = false;
  field.onkeydown = (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      run();
    } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      field.setRangeText("    ", field.selectionStart, field.selectionEnd, "end");
      field.oninput();
    }
    leaving = event.key === "Escape";
  };
  field.oninput = () => {
    fit();
    change();
  };
  fit();
  return {
    get text() {
      return field.value;
    },
    set text(value) {
      field.value = value;
      fit();
    },
    focus: () => field.focus(),
  };
}
