import assert from "node:assert/strict";
import { test } from "node:test";

import { candidates, inEnvironment, wrongSetting, type Surroundings } from "../src/findServer.ts";

const LINUX: Surroundings = {
  platform: "linux",
  home: "/home/ada",
  env: { PATH: "/usr/bin:bin:/opt/bin:/usr/bin" },
  setting: "",
  folders: ["/home/ada/app"],
  interpreters: ["/envs/app/bin/python"],
  installed: "/storage/server",
  package: "codestral-lsp",
};
const WINDOWS: Surroundings = {
  ...LINUX,
  platform: "win32",
  home: "C:\\Users\\Ada",
  env: { PATH: "C:\\Tools;.;D:\\bin" },
  folders: ["C:\\work\\app"],
  interpreters: ["C:\\conda\\python.exe"],
  installed: "C:\\storage\\server",
};

test("the workspace comes before the machine, and what uv would make last", () => {
  const commands = candidates(LINUX).map(({ command, args }) => [command, ...args].join(" "));
  assert.deepEqual(commands, [
    "/home/ada/app/.venv/bin/lsp_server",
    "/home/ada/app/venv/bin/lsp_server",
    "/envs/app/bin/lsp_server",
    "/usr/bin/lsp_server",
    "/opt/bin/lsp_server",
    "/home/ada/.local/bin/lsp_server",
    "/storage/server/bin/lsp_server",
    ...["/usr/bin", "/opt/bin", "/home/ada/.local/bin"].flatMap((folder) => [
      `${folder}/uvx --offline --from codestral-lsp[local] lsp_server`,
      `${folder}/uvx --offline --from codestral-lsp lsp_server`,
    ]),
  ]);
});

test("a relative entry of PATH is no place to look at: it would be a folder of the workspace", () => {
  const found = candidates({ ...LINUX, folders: [], interpreters: [] });
  assert.ok(found.every(({ command }) => command.startsWith("/")));
});

test("Windows has programs with other names in other folders", () => {
  const commands = candidates(WINDOWS).map(({ command }) => command);
  assert.deepEqual(commands.slice(0, 6), [
    "C:\\work\\app\\.venv\\Scripts\\lsp_server.exe",
    "C:\\work\\app\\venv\\Scripts\\lsp_server.exe",
    "C:\\conda\\lsp_server.exe",
    "C:\\conda\\Scripts\\lsp_server.exe",
    "C:\\Tools\\lsp_server.exe",
    "D:\\bin\\lsp_server.exe",
  ]);
  assert.equal(inEnvironment("C:\\e", "win32", "python"), "C:\\e\\Scripts\\python.exe");
});

test("folders of uv and pipx that the environment names are looked at", () => {
  const env = { PATH: "", UV_TOOL_BIN_DIR: "/uv", PIPX_BIN_DIR: "/pipx", XDG_BIN_HOME: "relative" };
  const commands = candidates({ ...LINUX, env, folders: [], interpreters: [] }).map(({ command }) => command);
  assert.deepEqual(commands.slice(0, 3), ["/uv/lsp_server", "/pipx/lsp_server", "/home/ada/.local/bin/lsp_server"]);
});

test("the setting is the only place if it is set", () => {
  const commands = (setting: string): string[] => candidates({ ...LINUX, setting }).map(({ command }) => command);
  assert.deepEqual(commands("/opt/lsp_server"), ["/opt/lsp_server"]);
  assert.deepEqual(commands("~/bin/lsp_server"), ["/home/ada/bin/lsp_server"]);
  assert.equal(wrongSetting({ ...LINUX, setting: "~/bin/lsp_server" }), undefined);
});

test("a setting that depends on where one is, is refused with a sentence", () => {
  for (const setting of ["lsp_server", "./lsp_server", "${workspaceFolder}/lsp_server", "~other/lsp_server"]) {
    assert.match(wrongSetting({ ...LINUX, setting }) ?? "", /must be a full path/);
  }
  assert.equal(wrongSetting({ ...WINDOWS, setting: "~\\lsp_server.exe" }), undefined);
  assert.equal(wrongSetting(LINUX), undefined);
});
