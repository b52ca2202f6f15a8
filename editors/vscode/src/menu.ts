/** The menu behind the status bar item: the commands that fit the moment. */
import * as vscode from "vscode";

import { disabledLanguages } from "./configuration.ts";
import type { Connection } from "./connection.ts";

interface Entry extends vscode.QuickPickItem {
  /** Without the extension's name in front. */
  readonly command: string;
}

/** Commands that open something to go on in; after the others, and without one, the user goes on typing. */
const LEAVES_TEXT = new Set(["statistics", "doctor", "showLog", "settings", "setKey", "install", "chooseServer"]);
/** What the status bar says of itself: a click on it takes the focus from the text, and nothing gives it back. */
export const FROM_STATUS_BAR = "statusBar";
const INSTALL: Entry = { label: "$(cloud-download) Install the Server…", command: "install" };

/** Register the command that shows it. */
export function registerMenu(connection: Connection): void {
  const show = async (from?: string): Promise<void> => {
    const chosen = await vscode.window.showQuickPick(entries(connection), { title: "Codestral LSP" });
    const goesOn = chosen === undefined || !LEAVES_TEXT.has(chosen.command);
    if (goesOn && from === FROM_STATUS_BAR) await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup");
    if (chosen !== undefined) await vscode.commands.executeCommand(`codestral-lsp.${chosen.command}`);
  };
  connection.context.subscriptions.push(vscode.commands.registerCommand("codestral-lsp.menu", show));
}

function entries(connection: Connection): Entry[] {
  return [
    ...(connection.phase === "running" ? whileRunning(connection) : []),
    ...(connection.phase === "missing" ? whileMissing() : []),
    { label: "$(output) Show Log", command: "showLog" },
    { label: "$(key) Set an API Key…", command: "setKey" },
    { label: "$(gear) Settings", command: "settings" },
    { label: "$(refresh) Restart the Server", command: "restart" },
  ];
}

function whileRunning({ status }: Connection): Entry[] {
  const language = vscode.window.activeTextEditor?.document.languageId;
  const off = language !== undefined && disabledLanguages().includes(language);
  const pauses: Entry[] = [
    { label: "$(debug-pause) Pause Completions", command: "pause" },
    { label: "$(clock) Pause Completions for Half an Hour", command: "pauseForHalfAnHour" },
  ];
  return [
    { label: "$(arrow-swap) Switch the Backend…", description: status?.backend ?? "", command: "selectBackend" },
    ...(status?.paused === true ? [{ label: "$(play) Resume Completions", command: "resume" }] : pauses),
    ...(language === undefined
      ? []
      : [{ label: `$(circle-slash) Turn Completions ${off ? "On" : "Off"} for ${language}`, command: "toggleLanguage" }]),
    // The server may have been installed without what the user wants now.
    ...(status?.state === "failed" ? [INSTALL] : []),
    { label: "$(graph) Statistics", command: "statistics" },
    { label: "$(pulse) Check the Installation (Doctor)", command: "doctor" },
  ];
}

function whileMissing(): Entry[] {
  return [
    INSTALL,
    { label: "$(folder-opened) Choose the Server…", command: "chooseServer" },
  ];
}
