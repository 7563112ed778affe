// A reader's answers as a notebook that runs in Jupyter, and back.

async function published(page) {
  const response = await fetch(page.book.files.notebook);
  if (!response.ok) throw new Error(`the answer is ${response.status}`);
  return response.json();
}

const source = (cell) => [cell.source].flat().join("");
const code = (notebook) => notebook.cells.filter((cell) => cell.cell_type === "code");

/** Offer the chapter's notebook with the reader's code in its cells. */
export async function save(page) {
  try {
    const notebook = await published(page);
    const left = code(notebook);
    for (const cell of page.cells) {
      const at = left.findIndex((one) => source(one) === cell.book);
      if (at >= 0) left.splice(0, at + 1)[at].source = cell.source;
    }
    const blob = new Blob([JSON.stringify(notebook, null, 1)], { type: "application/x-ipynb+json" });
    const link = document.createElement("a");
    const href = URL.createObjectURL(blob);
    Object.assign(link, { href, download: `${page.name.split("/").pop()}-answers.ipynb` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
    return "Saved as a notebook.";
  } catch (error) {
    return `The notebook could not be made: ${error.message}.`;
  }
}

/** Take the code of a saved notebook into the page's cells. */
export async function load(page, file) {
  try {
    const [old, given] = [await published(page), JSON.parse(await file.text())];
    const typed = new Map(code(given).map((cell) => [cell.id, source(cell)]));
    const left = code(old);
    let taken = 0;
    for (const cell of page.cells) {
      const at = left.findIndex((one) => source(one) === cell.book);
      if (at < 0) continue;
      const { id } = left.splice(0, at + 1)[at];
      if (!typed.has(id) || typed.get(id) === cell.source) continue;
      cell.source = typed.get(id);
      cell.more();
      taken++;
    }
    return `${taken} ${taken === 1 ? "cell" : "cells"} taken from ${file.name}.`;
  } catch (error) {
    return `${file.name} cannot be read as a notebook: ${error.message}.`;
  }
}
