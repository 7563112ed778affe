// An editor for a cell: the one with colours if it arrives, else a plain field.

/** Milliseconds that a reader who wants to type waits for colours. */
const PATIENCE = 5000;

/** Put an editor into a place, and return its text and focus; the options say what it does. */
export async function open(place, text, options) {
  const late = new Promise((_, give) => setTimeout(give, PATIENCE));
  try {
    const { edit } = await Promise.race([import(options.module), late]);
    return edit(place, text, options);
  } catch {
    return plain(place, text, options);
  }
}

function plain(place, text, { label, change, run }) {
  const field = place.appendChild(document.createElement("textarea"));
  Object.assign(field, { value: text, spellcheck: false, autocapitalize: "off" });
  field.ariaLabel = `${label}. Escape, then Tab, leaves it.`;
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
