// Join and shorten what pages load: `node bundle.cjs [OPTIONS…]`, of esbuild, for each build.
const { join } = require("node:path");

const packages = join(process.cwd(), "node_modules");
const { buildSync } = require(join(packages, "esbuild"));

for (const options of JSON.parse(process.argv[2])) {
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
