/** Starts the server process. Owns its environment and its stderr; keys reach it here and nowhere else. */
import { spawn, type ChildProcess } from "node:child_process";
import { homedir } from "node:os";

import type * as vscode from "vscode";

import type { Candidate } from "./findServer.ts";
import { ServerLog } from "./serverLog.ts";

/** Takes a JSON object, backend name -> key; the server takes it out of its environment. */
const KEYS_VARIABLE = "LSP_SERVER_KEYS";

/** Start it; rejects if the program cannot be run. */
export async function launch(
  server: Candidate,
  keys: Readonly<Record<string, string>>,
  log: vscode.LogOutputChannel,
): Promise<ChildProcess> {
  const given = Object.keys(keys).length > 0 ? { [KEYS_VARIABLE]: JSON.stringify(keys) } : {};
  const child = spawn(server.command, [...server.args, "--stdio"], {
    // Not a folder of the workspace: programs look into the one they are started in.
    cwd: homedir(),
    env: { ...process.env, PYTHONUTF8: "1", ...given },
    windowsHide: true,
  });
  const lines = new ServerLog((level, line) => {
    log[level](line);
  });
  child.stderr.setEncoding("utf-8").on("data", (piece: string) => {
    lines.add(piece);
  });
  child.once("close", (code, signal) => {
    lines.end();
    log.info(`The server has ended (${signal ?? `status ${code ?? "unknown"}`}).`);
  });
  // After the process has ended, its pipe does not take what is still on its way.
  child.stdin.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve).once("error", reject);
  });
  return child;
}
