/** Looks for the server on this machine: which of the candidates is there and answers. */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";

import * as vscode from "vscode";

import { ownSetting } from "./configuration.ts";
import { candidates, wrongSetting, type Candidate, type Surroundings } from "./findServer.ts";
import type { Found, Missing } from "./found.ts";
import { run } from "./processes.ts";
import { chosenInterpreters } from "./pythonExtension.ts";

/** `lsp_server --version` takes a fraction of a second; the first time after an installation, Python compiles. */
const VERSION_S = 20;

/** Return the folder of the virtual environment that this extension makes. */
export function installedFolder(context: vscode.ExtensionContext): string {
  return vscode.Uri.joinPath(context.globalStorageUri, "server").fsPath;
}

/** Return the first server that answers; or why there is none, if somebody has to know. */
export async function findServer(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): Promise<Found | Missing> {
  const where = await surroundings(context);
  const wrong = wrongSetting(where);
  if (wrong !== undefined) return { problem: wrong };
  for (const candidate of candidates(where)) {
    const found = await tried(candidate, log);
    if (found !== undefined) return found;
  }
  if (where.setting === "") return { problem: "" };
  return { problem: `There is no server that works at ${where.setting} (lsp_server.server.path); the log says more.` };
}

async function surroundings(context: vscode.ExtensionContext): Promise<Surroundings> {
  const trusted = vscode.workspace.isTrusted;
  const folders = (trusted ? vscode.workspace.workspaceFolders : undefined) ?? [];
  const local = folders.filter((folder) => folder.uri.scheme === "file");
  return {
    platform: process.platform,
    home: homedir(),
    env: process.env,
    setting: ownSetting("server.path"),
    folders: local.map((folder) => folder.uri.fsPath),
    interpreters: trusted ? await chosenInterpreters(local.map((folder) => folder.uri)) : [],
    installed: installedFolder(context),
    package: ownSetting("server.package"),
  };
}

async function tried(candidate: Candidate, log: vscode.LogOutputChannel): Promise<Found | undefined> {
  try {
    await access(candidate.command, constants.X_OK);
  } catch {
    return undefined;
  }
  const { output, error } = await run(candidate.command, [...candidate.args, "--version"], VERSION_S);
  const version = /^lsp_server, version (\S+)/m.exec(output)?.[1];
  if (version !== undefined) return { ...candidate, version };
  log.warn(`${candidate.command} (${candidate.origin}) is not used: ${error === "" ? "it is another program" : error}`);
  return undefined;
}
