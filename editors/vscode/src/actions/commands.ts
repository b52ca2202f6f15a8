/**
 * The commands that run actions: from the command palette, the context menu, and a list of all there are.
 *
 * Must not know what the actions are: the server has them, and the user's own ones.
 */
import * as vscode from "vscode";
import type { CodeAction, Command } from "vscode-languageclient/node";

import type { Session } from "../session.ts";
import { activePlace, type Place } from "./place.ts";

/** Commands of their own, and the action that each one runs. */
const ACTIONS = {
  "codestral-lsp.explain": "explain",
  "codestral-lsp.refactor": "refactor",
  "codestral-lsp.fix": "fix",
  "codestral-lsp.document": "document",
  "codestral-lsp.writeTests": "write_tests",
  "codestral-lsp.review": "review",
};
const RUN = "lsp_server.runAction";
const INVOKED = 1;

/** Register the commands. */
export function registerActions(session: Session): void {
  const add = (id: string, run: (place: Place) => Promise<unknown>): void => {
    session.context.subscriptions.push(vscode.commands.registerCommand(id, () => atPlace(run)));
  };
  for (const [id, action] of Object.entries(ACTIONS)) {
    add(id, (place) => session.run(RUN, { action, ...place }));
  }
  add("codestral-lsp.runAction", (place) => choose(session, place));
}

/** Run something at the cursor; an error is shown as what it says. */
export async function atPlace(run: (place: Place) => Promise<unknown>): Promise<void> {
  const place = activePlace();
  if (place === undefined) {
    void vscode.window.showInformationMessage("Codestral: open a file and stand in the code first.");
    return;
  }
  try {
    await run(place);
  } catch (error) {
    void vscode.window.showErrorMessage(`Codestral: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Return what the server offers at a place, of these kinds or of all. */
export async function offered(session: Session, place: Place, only?: string): Promise<CodeAction[]> {
  const context = { diagnostics: place.diagnostics, triggerKind: INVOKED, ...(only === undefined ? {} : { only: [only] }) };
  const params = { textDocument: { uri: place.uri }, range: place.range, context };
  const found = await session.request<(CodeAction | Command)[] | null>("textDocument/codeAction", params);
  return (found ?? []).filter(isAction);
}

/** Run an action that the server has offered. */
export async function runOffered(session: Session, action: CodeAction): Promise<void> {
  if (action.command === undefined) {
    await session.run(RUN, action.data);
  } else {
    // Through the editor's commands: some do more than the server's.
    await vscode.commands.executeCommand(action.command.command, ...((action.command.arguments ?? []) as unknown[]));
  }
}

async function choose(session: Session, place: Place): Promise<void> {
  const items = (await offered(session, place)).map((action) => ({ label: action.title, action }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage("Codestral: there is nothing to run on here: stand in some code.");
    return;
  }
  const chosen = await vscode.window.showQuickPick(items, { placeHolder: "What shall the model do here?" });
  if (chosen !== undefined) await runOffered(session, chosen.action);
}

function isAction(found: CodeAction | Command): found is CodeAction {
  return typeof (found as Command).command !== "string";
}
