/** The menus of code actions: what they hide is shown, and nothing runs while a file is saved. */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { shownKind } from "./kinds.ts";

/** Put the server's actions where users look for them. */
export function showInMenus(middleware: Middleware): void {
  middleware.provideCodeActions = async (document, range, context, token, next) => {
    if (isSaving(context)) return [];
    const found = await next(document, range, context, token);
    for (const action of found ?? []) {
      if (!(action instanceof vscode.CodeAction)) continue;
      runAsCommand(action);
      if (context.only === undefined && action.kind !== undefined) action.kind = withValue(shownKind(action.kind.value));
    }
    return found;
  };
  middleware.resolveCodeAction = (action) => action;
}

/**
 * Tell whether VS Code asks what to run while it saves (`editor.codeActionsOnSave`): it asks by itself for
 * one kind, and applies all that it gets. A model never writes into a file for that.
 */
function isSaving(context: vscode.CodeActionContext): boolean {
  return context.triggerKind === vscode.CodeActionTriggerKind.Automatic && context.only !== undefined;
}

/** Let an edit come as one that the server asks to apply: those are shown first, and can be stopped. */
function runAsCommand(action: vscode.CodeAction & { data?: unknown }): void {
  if (action.command !== undefined || action.data === undefined) return;
  action.command = { title: action.title, command: "lsp_server.runAction", arguments: [action.data] };
}

function withValue(kind: string): vscode.CodeActionKind {
  return kind.split(".").reduce((parent, part) => parent.append(part), vscode.CodeActionKind.Empty);
}
