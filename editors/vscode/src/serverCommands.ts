/** Commands about the server: which backend, pauses, statistics, keys, log, installation. */
import * as vscode from "vscode";

import { disabledLanguages, ownSetting, SECTION, turnLanguage } from "./configuration.ts";
import type { Connection } from "./connection.ts";
import { install } from "./install.ts";
import { removeKey, setKey } from "./keys.ts";
import { statistics } from "./statistics.ts";

interface Selection {
  readonly configured: readonly string[];
  readonly selected: string;
  readonly choices: readonly { readonly name: string; readonly title: string }[];
}

/** Register them; a failure is one message. */
export function registerServerCommands(connection: Connection): void {
  const { context, log } = connection;
  const commands: Record<string, () => unknown> = {
    selectBackend: () => selectBackend(connection),
    pause: () => connection.run("lsp_server.pause", { paused: true }),
    pauseForHalfAnHour: () => connection.run("lsp_server.pause", { paused: true, minutes: 30 }),
    resume: () => connection.run("lsp_server.pause", { paused: false }),
    toggleLanguage,
    statistics: statistics(connection),
    doctor: () => {
      runDoctor(connection);
    },
    showLog: () => {
      log.show();
    },
    settings: () => vscode.commands.executeCommand("workbench.action.openSettings", `@ext:${context.extension.id}`),
    restart: () => connection.restart(),
    setKey: async () => {
      await setKey(context.secrets, await configuredBackends(connection));
    },
    removeKey: () => removeKey(context.secrets),
    install: async () => {
      if (await install(context, log)) await connection.restart();
    },
    chooseServer,
  };
  for (const [name, command] of Object.entries(commands)) {
    context.subscriptions.push(
      vscode.commands.registerCommand(`codestral-lsp.${name}`, async () => {
        try {
          await command();
        } catch (error) {
          log.error(String(error));
          void vscode.window.showErrorMessage(`Codestral LSP: ${error instanceof Error ? error.message : String(error)}`);
        }
      }),
    );
  }
}

async function selectBackend(connection: Connection): Promise<void> {
  const { selected, choices } = await connection.run<Selection>("lsp_server.backends");
  const items = choices.map(({ name, title }) => ({
    label: name,
    description: title,
    iconPath: new vscode.ThemeIcon(name === selected ? "check" : "blank"),
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: "Switch the Backend",
    placeHolder: "Holds until the server ends; the setting is lsp_server.backend",
    matchOnDescription: true,
  });
  if (chosen !== undefined) await connection.run("lsp_server.selectBackend", chosen.label);
}

/** A key can be kept before there is a server; then only the backends that are known by name are offered. */
async function configuredBackends(connection: Connection): Promise<readonly string[]> {
  if (connection.phase !== "running") return [];
  return (await connection.run<Selection>("lsp_server.backends")).configured;
}

async function toggleLanguage(): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (language !== undefined) await turnLanguage(language, disabledLanguages().includes(language));
}

function runDoctor(connection: Connection): void {
  const { server } = connection;
  if (server === undefined) throw new Error("There is no server to check: install it first.");
  const folder = vscode.workspace.isTrusted ? vscode.workspace.workspaceFolders?.[0]?.uri : undefined;
  const terminal = vscode.window.createTerminal({
    name: "Codestral LSP Doctor",
    shellPath: server.command,
    shellArgs: [...server.args, "doctor"],
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  terminal.show();
}

async function chooseServer(): Promise<void> {
  const found = await vscode.window.showOpenDialog({ title: "Choose the Program lsp_server", openLabel: "Use This Server" });
  const [file] = found ?? [];
  if (file === undefined || file.fsPath === ownSetting("server.path")) return;
  await vscode.workspace
    .getConfiguration(SECTION)
    .update("server.path", file.fsPath, vscode.ConfigurationTarget.Global);
}
