// Make what pages load: `node bundle.cjs FROM TO` shortens our modules, and joins the editor's into one.
const { readdirSync } = require("node:fs");
const { join } = require("node:path");
const { buildSync } = require(join(process.cwd(), "node_modules/esbuild"));

const [, , from, to] = process.argv;
const shared = { minify: true, format: "esm", target: "es2022", charset: "utf8", legalComments: "none" };
const plain = readdirSync(from).filter((name) => /\.(mjs|css)$/.test(name));
buildSync({
  ...shared,
  entryPoints: plain.map((name) => join(from, name)),
  outdir: to,
  outExtension: { ".js": ".mjs" },
});
buildSync({
  ...shared,
  entryPoints: [join(from, "editor.js")],
  outfile: join(to, "editor.mjs"),
  bundle: true,
  nodePaths: [join(process.cwd(), "node_modules")],
});
