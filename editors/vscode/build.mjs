// Bundles the extension into one file. The language client is in it, but is not run before it is needed.
import { build } from "esbuild";

await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.cjs",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20", // that of VS Code 1.91
  external: ["vscode"],
  minify: process.argv.includes("--minify"),
  sourcemap: !process.argv.includes("--minify"),
  legalComments: "none", // the licences of what is bundled: dist/licences.txt
  logLevel: "warning",
});
