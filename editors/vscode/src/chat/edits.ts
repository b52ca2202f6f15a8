/**
 * How an answer gets into its chat: the many edits of the server as one step to undo.
 *
 * VS Code makes each edit of a language server a step of its own; those of an editor can go without.
 */
import * as vscode from "vscode";
import type { ApplyWorkspaceEditParams, Middleware } from "vscode-languageclient/node";

/** Knows which documents an answer is being written into. */
export interface Writing {
  isWriting(uri: string): boolean;
}

interface Piece {
  readonly uri: string;
  readonly version: number;
  readonly range: vscode.Range;
  readonly text: string;
}

/** Let the edits of an answer be one step. */
export function undoAsOne(middleware: Middleware, chats: Writing): void {
  middleware.workspace = {
    ...middleware.workspace,
    handleApplyEdit: async (params, next) => {
      const forward = (): ReturnType<typeof next> => next(params, new vscode.CancellationTokenSource().token);
      const piece = onlyPiece(params);
      if (piece === undefined || !chats.isWriting(piece.uri)) return forward();
      const editor = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === piece.uri);
      if (editor === undefined) return forward();
      if (editor.document.version !== piece.version) return { applied: false };
      const options = { undoStopBefore: false, undoStopAfter: false };
      return { applied: await editor.edit((builder) => { builder.replace(piece.range, piece.text); }, options) };
    },
  };
}

/** Return the edit if it is one, of one document at a version. */
function onlyPiece({ edit }: ApplyWorkspaceEditParams): Piece | undefined {
  const [change, ...others] = edit.documentChanges ?? [];
  if (change === undefined || others.length > 0 || !("textDocument" in change)) return undefined;
  const [piece, ...more] = change.edits;
  if (piece === undefined || more.length > 0 || !("newText" in piece) || change.textDocument.version === null) return undefined;
  const { start, end } = piece.range;
  const range = new vscode.Range(start.line, start.character, end.line, end.character);
  return { uri: vscode.Uri.parse(change.textDocument.uri).toString(), version: change.textDocument.version, range, text: piece.newText };
}
