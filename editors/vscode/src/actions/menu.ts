/** The menus of code actions: what they hide is shown, and nothing runs while a file is saved. */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { shownKind } from "./kinds.ts";

/** Put the server's actions where users look for them. */
export function showInMenus(middleware: Middleware): void {
  middleware.provideCodeActions = async (document, range, context, token, next) => {
    if (isSaving(context)) return [];
    const found = await next(document, range, context, token);
    if (context.only !== undefined) return found;
    for (const action of found ?? []) {
      if (action instanceof vscode.CodeAction && action.kind !== undefined) {
        action.kind = withValue(shownKind(action.kind.value));
      }
    }
    return found;
  };
  // An action with a command runs as that: there is nothing for the server to resolve.
  middleware.resolveCodeAction = (action, token, next) => (action.command === undefined ? next(action, token) : action);
}

/**
 * Tell whether VS Code asks what to run while it saves (`editor.codeActionsOnSave`): it asks by itself for
 * one kind, and applies all that it gets. A model never writes into a file for that.
 */
function isSaving(context: vscode.CodeActionContext): boolean {
  return context.triggerKind === vscode.CodeActionTriggerKind.Automatic && context.only !== undefined;
}

function withValue(kind: string): vscode.CodeActionKind {
  return kind.split(".").reduce((parent, part) => parent.append(part), vscode.CodeActionKind.Empty);
}
