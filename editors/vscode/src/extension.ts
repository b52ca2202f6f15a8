/** Activation: wiring only. What takes time happens after `activate` has returned. */
import * as vscode from "vscode";

import { SECTION, sendSettings } from "./configuration.ts";
import { Connection } from "./connection.ts";
import { registerInterface } from "./interface.ts";
import { onKeys, storedKeys } from "./keys.ts";
import { launch } from "./launch.ts";
import { registerMenu } from "./menu.ts";
import { showMessages } from "./messages.ts";
import { findServer } from "./search.ts";
import { registerServerCommands } from "./serverCommands.ts";
import type { Session } from "./session.ts";
import { registerStatusBar } from "./statusBar.ts";
import { tellOfTrouble } from "./trouble.ts";

/** What tests and other extensions get. */
export interface Api {
  readonly session: Session;
  /** How long the processor worked for `activate`, in milliseconds: what other programs do meanwhile is not counted. */
  readonly activationMs: number;
}

let connection: Connection | undefined;

/** Register everything and start the server in the background. */
export function activate(context: vscode.ExtensionContext): Api {
  const begun = process.cpuUsage();
  const log = vscode.window.createOutputChannel("Codestral LSP", { log: true });
  const made = new Connection(context, log, {
    find: () => findServer(context, log),
    launch: async (server) => launch(server, await storedKeys(context.secrets), log),
  });
  connection = made;
  context.subscriptions.push(log);
  sendSettings(made.middleware, context);
  registerStatusBar(made);
  registerMenu(made);
  registerServerCommands(made);
  tellOfTrouble(made);
  showMessages(made);
  registerInterface(made);
  restartWhenNeeded(made);
  void made.start();
  const { user, system } = process.cpuUsage(begun);
  const activationMs = (user + system) / 1000;
  log.debug(`Activated within ${activationMs.toFixed(1)} ms.`);
  return { session: made, activationMs };
}

/** Stop the server. */
export async function deactivate(): Promise<void> {
  await connection?.stop();
}

/** What a server is started with cannot change while it runs. */
function restartWhenNeeded(made: Connection): void {
  const { context } = made;
  context.subscriptions.push(
    onKeys(context.secrets, () => void made.restart()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.server.path`)) void made.restart();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      // Programs of the workspace count from now on; a server that runs stays.
      if (made.phase === "missing") void made.restart();
    }),
  );
}
