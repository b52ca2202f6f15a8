/** The two messages about the server that pop up: it is not there, or it keeps ending. Each once per cause. */
import * as vscode from "vscode";

import type { Connection } from "./connection.ts";
import type { Phase } from "./session.ts";

const WALKTHROUGH = "codestral-lsp.codestral-lsp#start";

/** Tell of trouble from now on. */
export function tellOfTrouble(connection: Connection): void {
  let before: Phase = connection.phase;
  connection.context.subscriptions.push(
    connection.onChange(() => {
      const { phase } = connection;
      if (phase === before) return;
      before = phase;
      if (phase === "missing") void offerServer(connection.problem);
      if (phase === "crashed") void offerRestart(connection);
    }),
  );
}

async function offerServer(problem: string): Promise<void> {
  const [install, choose, help] = ["Install…", "Choose…", "How to Begin"];
  const message = problem === "" ? "Codestral LSP needs its server, lsp_server, which was not found on this machine." : problem;
  const answer = await vscode.window.showWarningMessage(message, install, choose, help);
  if (answer === install) await vscode.commands.executeCommand("codestral-lsp.install");
  if (answer === choose) await vscode.commands.executeCommand("codestral-lsp.chooseServer");
  if (answer === help) await vscode.commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH, false);
}

async function offerRestart(connection: Connection): Promise<void> {
  const [restart, log] = ["Restart", "Show Log"];
  const answer = await vscode.window.showErrorMessage(`Codestral LSP: ${connection.problem}`, restart, log);
  if (answer === restart) await connection.restart();
  if (answer === log) connection.log.show();
}
