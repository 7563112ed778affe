// Make what pages load: `node bundle.cjs FROM TO` writes one file for each moment at which it is loaded.
const { join } = require("node:path");
const { buildSync } = require(join(process.cwd(), "node_modules/esbuild"));

const [, , from, to] = process.argv;
const files = ["live.mjs", "live.css", "pressed.mjs", "worker.mjs", "editor.js"];
buildSync({
  entryPoints: files.map((name) => join(from, name)),
  outdir: to,
  outExtension: { ".js": ".mjs" },
  nodePaths: [join(process.cwd(), "node_modules")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
});
