// Prints the files that StyLua would write otherwise; with --write it writes them.
//   node lua_format.mjs STYLUA OPTIONS [--write] FILE…     OPTIONS is a JSON object of .stylua.toml

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [library, options, ...rest] = process.argv.slice(2);
const stylua = createRequire(import.meta.url)(library);
const { column_width, indent_width } = JSON.parse(options);

// A call of formatCode takes its configuration with it.
function configuration() {
  const config = stylua.Config.new();
  config.column_width = column_width;
  config.indent_width = indent_width;
  config.indent_type = stylua.IndentType.Spaces;
  config.syntax = stylua.LuaVersion.LuaJIT;
  return config;
}

const write = rest.includes("--write");
for (const file of rest.filter((argument) => argument !== "--write")) {
  const text = readFileSync(file, "utf8");
  const formatted = stylua.formatCode(text, configuration(), undefined, stylua.OutputVerification.None);
  if (formatted !== text) {
    console.log(file);
    if (write) {
      writeFileSync(file, formatted);
    }
  }
}
