// What a reader has guessed, kept in this browser.

/** A value under a name; without storage it lasts as long as the page. */
export function memory(name) {
  let held;
  return {
    get() {
      try {
        return JSON.parse(localStorage.getItem(name)) ?? held;
      } catch {
        return held;
      }
    },
    set(value) {
      held = value;
      try {
        localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // Full or forbidden.
      }
    },
  };
}
