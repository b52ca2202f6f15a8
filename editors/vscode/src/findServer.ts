/**
 * Where the server may be, in the order in which it is looked for. Pure: it asks nothing of VS Code or the disk.
 *
 * The order: the setting, virtual environments of a trusted workspace, `PATH`, where uv and pipx put programs,
 * what this extension has installed, uv's cache.
 */
import { posix, win32 } from "node:path";

import { withExtra } from "./requirement.ts";

/** What the search depends on. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The setting `lsp_server.server.path`. */
  readonly setting: string;
  /** Folders of a trusted workspace; none of another. */
  readonly folders: readonly string[];
  /** Interpreters that the Python extension has chosen for them. */
  readonly interpreters: readonly string[];
  /** The virtual environment that this extension makes. */
  readonly installed: string;
  /** What the command for installing would install. */
  readonly package: string;
}

/** One way to start the server. */
export interface Candidate {
  readonly command: string;
  /** Before the server's own arguments. */
  readonly args: readonly string[];
  /** Said in the log and in messages. */
  readonly origin: string;
}

/** Names of a folder's virtual environment, the usual first. */
const ENVIRONMENTS = [".venv", "venv"];

/** Return the program of a virtual environment. */
export function inEnvironment(folder: string, platform: NodeJS.Platform, name = "lsp_server"): string {
  return platform === "win32" ? win32.join(folder, "Scripts", `${name}.exe`) : posix.join(folder, "bin", name);
}

/** Return every place to look at, without one twice; only that of the setting if there is one. */
export function candidates(where: Surroundings): Candidate[] {
  if (where.setting !== "") return [{ command: expanded(where), args: [], origin: "the setting lsp_server.server.path" }];
  const found = [...ofWorkspace(where), ...ofMachine(where), ...ofUv(where)];
  return found.filter((each, index) => found.findIndex((other) => same(each, other)) === index);
}

/** Say what is wrong with the setting, which must name one program whatever the workspace is. */
export function wrongSetting(where: Surroundings): string | undefined {
  if (where.setting === "" || paths(where).isAbsolute(expanded(where))) return undefined;
  return `lsp_server.server.path must be a full path (~ is your home folder), not ${where.setting}.`;
}

function same(one: Candidate, other: Candidate): boolean {
  return one.command === other.command && one.args.join("\0") === other.args.join("\0");
}

function paths(where: Surroundings): typeof posix {
  return where.platform === "win32" ? win32 : posix;
}

function expanded(where: Surroundings): string {
  return where.setting.replace(/^~(?=$|[\\/])/, () => where.home);
}

function ofWorkspace(where: Surroundings): Candidate[] {
  const path = paths(where);
  const name = where.platform === "win32" ? "lsp_server.exe" : "lsp_server";
  return [
    ...where.folders.flatMap((folder) =>
      ENVIRONMENTS.map((each) => ({
        command: inEnvironment(path.join(folder, each), where.platform),
        args: [],
        origin: `the virtual environment of ${folder}`,
      })),
    ),
    ...where.interpreters.flatMap((python) =>
      // Conda on Windows keeps python.exe beside the folder of the other programs.
      [path.dirname(python), ...(where.platform === "win32" ? [path.join(path.dirname(python), "Scripts")] : [])].map((folder) => ({
        command: path.join(folder, name),
        args: [],
        origin: "the environment chosen in the Python extension",
      })),
    ),
  ];
}

function ofMachine(where: Surroundings): Candidate[] {
  const path = paths(where);
  const name = where.platform === "win32" ? "lsp_server.exe" : "lsp_server";
  const tools = [where.env.UV_TOOL_BIN_DIR, where.env.PIPX_BIN_DIR, where.env.XDG_BIN_HOME, path.join(where.home, ".local", "bin")];
  return [
    ...onPath(where).map((folder) => ({ command: path.join(folder, name), args: [], origin: "PATH" })),
    ...tools
      .filter((folder) => folder !== undefined && path.isAbsolute(folder))
      .map((folder) => ({ command: path.join(folder ?? "", name), args: [], origin: "the programs of uv and pipx" })),
    { command: inEnvironment(where.installed, where.platform), args: [], origin: "the installation by this extension" },
  ];
}

/** uv runs what it has in its cache; nothing is downloaded that the user has not asked for. */
function ofUv(where: Surroundings): Candidate[] {
  const path = paths(where);
  const name = where.platform === "win32" ? "uvx.exe" : "uvx";
  const packages = [withExtra(where.package, "local"), where.package];
  return [...onPath(where), path.join(where.home, ".local", "bin")].flatMap((folder) =>
    packages.map((each) => ({
      command: path.join(folder, name),
      args: ["--offline", "--from", each, "lsp_server"],
      origin: "uvx",
    })),
  );
}

function onPath(where: Surroundings): string[] {
  const path = paths(where);
  // What is relative in PATH would be looked for in the folder that VS Code was started in.
  return (where.env.PATH ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
}
