/** Asking VS Code to ask for ghost text as it does after a key. Versions that do not know the arguments ask as by hand. */
import * as vscode from "vscode";

const TRIGGER = "editor.action.inlineSuggest.trigger";

/** Ask if VS Code has given up waiting for ghost text here; else nothing happens. */
export async function askIfGivenUp(): Promise<void> {
  await vscode.commands.executeCommand(TRIGGER, { explicit: false });
}

/** Ask an extension, whatever has been asked before. */
export async function askAnew(extension: string): Promise<void> {
  await vscode.commands.executeCommand(TRIGGER, { explicit: false, providerId: `${extension}:*` });
}
