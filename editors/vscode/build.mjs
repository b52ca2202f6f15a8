// Bundles the extension, and beside it the language client, which is not even read while VS Code activates the
// extension. The licences of what is bundled go into a file of their own.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

import { build } from "esbuild";

const clientBeside = {
  name: "client-beside",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/client\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./client.cjs", external: true } : undefined,
    );
  },
};
const minify = process.argv.includes("--minify");
const { metafile } = await build({
  entryPoints: ["src/extension.ts", "src/client.ts"],
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  plugins: [clientBeside],
  supported: { "dynamic-import": false }, // `require` instead: it knows the module `vscode`
  platform: "node",
  format: "cjs",
  target: "node20", // that of VS Code 1.91
  external: ["vscode"],
  minify,
  sourcemap: !minify,
  metafile: true,
  legalComments: "none", // they are in dist/licences.txt
  logLevel: "warning",
});

const packages = new Set(Object.keys(metafile.inputs).map((path) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
const licences = [...packages].filter(Boolean).sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf-8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf-8").trim()}\n`;
});
writeFileSync("dist/licences.txt", licences.join(`\n${"-".repeat(80)}\n\n`));
