/**
 * How an answer gets into its chat: the many edits of the server as one step to undo.
 *
 * VS Code makes each edit of a language server a step of its own; those of a text editor can go without.
 */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { onApplyEdit, oneDocument } from "./applyEdit.ts";

/** Knows which documents an answer is being written into. */
export interface Writing {
  isWriting(uri: string): boolean;
  /** Tell whether nothing has been written yet, and take note of the first edit. */
  begins(uri: string): boolean;
}

/** Let the edits of an answer be one step. */
export function undoAsOne(middleware: Middleware, chats: Writing): void {
  onApplyEdit(middleware, async (params, next) => {
    const change = oneDocument(params);
    if (change === undefined || !chats.isWriting(change.uri.toString())) return next(params);
    const editor = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === change.uri.toString());
    if (editor === undefined) return next(params);
    if (editor.document.version !== change.version) return { applied: false };
    const replace = (builder: vscode.TextEditorEdit): void => {
      for (const { range, text } of change.pieces) builder.replace(range, text);
    };
    const undoStopBefore = chats.begins(change.uri.toString());
    return { applied: await editor.edit(replace, { undoStopBefore, undoStopAfter: false }) };
  });
}
