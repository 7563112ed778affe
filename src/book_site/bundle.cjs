// Join and shorten what pages load: its input is a list of options of esbuild, one for each build.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const packages = join(process.cwd(), "node_modules");
const { buildSync } = require(join(packages, "esbuild"));

for (const options of JSON.parse(readFileSync(0, "utf8"))) {
  buildSync({
    nodePaths: [packages],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    ...options,
  });
}
