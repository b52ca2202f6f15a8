/** The status bar item: the server at a glance, and a click for its menu. */
import * as vscode from "vscode";

import { disabledLanguages, SECTION } from "./configuration.ts";
import type { Connection } from "./connection.ts";
import { FROM_STATUS_BAR } from "./menu.ts";
import { statusText, type StatusText } from "./statusText.ts";

/** Make it; it goes with the session. */
export function registerStatusBar(connection: Connection): void {
  // At the right, left of what tells about the document (those have priorities of about 100).
  const item = vscode.window.createStatusBarItem("codestral-lsp.status", vscode.StatusBarAlignment.Right, 110);
  item.name = "Codestral LSP";
  item.command = { title: "Codestral LSP", command: "codestral-lsp.menu", arguments: [FROM_STATUS_BAR] };
  const update = (): void => {
    show(item, statusText(shown(connection)));
  };
  update();
  item.show();
  connection.context.subscriptions.push(
    item,
    connection.onChange(update),
    vscode.window.onDidChangeActiveTextEditor(update),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(SECTION)) update();
    }),
  );
}

function shown(connection: Connection): Parameters<typeof statusText>[0] {
  const document = vscode.window.activeTextEditor?.document;
  const { client } = connection;
  return {
    phase: connection.phase,
    problem: connection.problem,
    status: connection.status,
    version: connection.server?.version ?? "",
    // As the client writes it: what the server says about a document names it that way.
    uri: document && client?.code2ProtocolConverter.asUri(document.uri),
    language: document?.languageId,
    disabledLanguages: disabledLanguages(),
  };
}

const COLOURS = { warning: "statusBarItem.warningBackground", error: "statusBarItem.errorBackground" };

function show(item: vscode.StatusBarItem, { text, label, tooltip, alert }: StatusText): void {
  item.text = text;
  item.accessibilityInformation = { label, role: "button" };
  item.tooltip = new vscode.MarkdownString(tooltip.join("\n\n"));
  item.backgroundColor = alert === "none" ? undefined : new vscode.ThemeColor(COLOURS[alert]);
}
