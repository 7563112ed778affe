// Make what pages load of the figures: `node figures.cjs FROM TO NAME…` joins and shortens modules.
const { join } = require("node:path");
const { buildSync } = require(join(process.cwd(), "node_modules/esbuild"));

const [, , from, to, ...names] = process.argv;
const build = (entry, outfile, options) =>
  buildSync({
    ...{ minify: true, target: "es2022", charset: "utf8", legalComments: "none" },
    ...{ entryPoints: [join(from, entry)], outfile: join(to, outfile), ...options },
  });
for (const name of names) {
  build(`${name}.css`, `${name}/${name}.css`);
  build(`${name}.mjs`, `${name}/${name}.mjs`, { bundle: true, format: "esm" });
  build(`${name}.mjs`, `${name}_classic.js`, {
    ...{ bundle: true, format: "iife", globalName: `${name}Figures` },
  });
}
