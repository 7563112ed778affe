// Join the style sheets and the scripts of all pages: `node join.cjs {styles, scripts, content, …}`.
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const packages = join(process.cwd(), "node_modules");
const { transformSync } = require(join(packages, "esbuild"));
const { PurgeCSS } = require(join(packages, "purgecss"));

const given = JSON.parse(readFileSync(0, "utf8"));
const shortened = (code, loader) =>
  transformSync(code, { loader, minify: true, charset: "utf8", legalComments: "none" }).code;

new PurgeCSS()
  .purge({
    css: [{ raw: given.styles }],
    content: given.content,
    blocklist: [/^fa-/],
  })
  .then(([{ css }]) => {
    writeFileSync(given.style, shortened(css, "css"));
    writeFileSync(given.script, shortened(given.scripts, "js"));
  });
