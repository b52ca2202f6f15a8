/** Puts a link to the selected lines into a chat that is in view, or into a new one. */
import * as vscode from "vscode";

import type { Place } from "../actions/place.ts";
import type { Session } from "../session.ts";
import type { ChatDocuments } from "./documents.ts";
import { link, outline } from "./outline.ts";

/** Attach the selection of the active editor; without one, the line of the cursor. */
export async function addSelection(session: Session, chats: ChatDocuments, place: Place): Promise<void> {
  const chat = chats.visible();
  if (chat === undefined || chat.uri.toString() === place.uri) {
    await session.run("lsp_server.openChat", { uri: place.uri, range: place.range });
    return;
  }
  const { start, end } = place.range;
  const wholeLines = end.character === 0 && end.line > start.line;
  const name = vscode.workspace.asRelativePath(vscode.Uri.parse(place.uri, true), false);
  const attached = link(name, place.uri, start.line + 1, end.line + (wholeLines ? 0 : 1));
  const edit = new vscode.WorkspaceEdit();
  const last = chat.lineAt(chat.lineCount - 1).range.end;
  edit.insert(chat.uri, last, questionFor(chat, attached));
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(chat, { viewColumn: columnOf(chat), selection: endOf(chat) });
}

/** Return what to put at the end of a chat: the link, under a heading of the user's. */
function questionFor(chat: vscode.TextDocument, attached: string): string {
  const { turns } = outline(chat.getText().split(/\r\n|\r|\n/));
  const ownLine = chat.lineAt(chat.lineCount - 1).isEmptyOrWhitespace ? "" : "\n";
  return turns.at(-1)?.role === "You" ? `${ownLine}${attached}\n` : `${ownLine}\n## You\n\n${attached}\n`;
}

function columnOf(chat: vscode.TextDocument): vscode.ViewColumn {
  const editor = vscode.window.visibleTextEditors.find(({ document }) => document === chat);
  return editor?.viewColumn ?? vscode.ViewColumn.Beside;
}

function endOf(chat: vscode.TextDocument): vscode.Range {
  const { end } = chat.lineAt(chat.lineCount - 1).range;
  return new vscode.Range(end, end);
}
