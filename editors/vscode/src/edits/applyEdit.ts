/** `workspace/applyEdit`: several parts of the extension look at an edit before VS Code makes it. */
import * as vscode from "vscode";
import type { ApplyWorkspaceEditParams, ApplyWorkspaceEditResult, Middleware } from "vscode-languageclient/node";

type Next = (params: ApplyWorkspaceEditParams) => Promise<ApplyWorkspaceEditResult>;
type Handler = (params: ApplyWorkspaceEditParams, next: Next) => Promise<ApplyWorkspaceEditResult>;

/** Let a handler have a look at edits before those that were added earlier. */
export function onApplyEdit(middleware: Middleware, handler: Handler): void {
  const earlier = middleware.workspace?.handleApplyEdit;
  middleware.workspace = {
    ...middleware.workspace,
    handleApplyEdit: (params, last) => {
      const never = new vscode.CancellationTokenSource().token;
      const next: Next = async (edit) => {
        const result = await (earlier === undefined ? last(edit, never) : earlier(edit, last));
        if (result instanceof Error) throw result;
        return result;
      };
      return handler(params, next);
    },
  };
}

/** One text, or one new file: what the server's edits are. */
export interface OneDocument {
  readonly uri: vscode.Uri;
  /** Of the document that the edit is for; null if it was not open. */
  readonly version: number | null;
  readonly creates: boolean;
  readonly pieces: readonly { readonly range: vscode.Range; readonly text: string }[];
}

/** Return an edit if it is about one document alone. */
export function oneDocument({ edit }: ApplyWorkspaceEditParams): OneDocument | undefined {
  const operations = edit.documentChanges ?? [];
  const changes = operations.filter((operation) => "textDocument" in operation);
  const creations = operations.filter((operation) => "kind" in operation && operation.kind === "create");
  const [change] = changes;
  if (change === undefined || changes.length > 1 || creations.length + 1 !== operations.length) return undefined;
  if (creations.some(({ uri }) => uri !== change.textDocument.uri)) return undefined;
  const pieces = change.edits.flatMap((piece) => {
    if (!("newText" in piece)) return [];
    const { start, end } = piece.range;
    return [{ range: new vscode.Range(start.line, start.character, end.line, end.character), text: piece.newText }];
  });
  if (pieces.length !== change.edits.length) return undefined;
  const uri = vscode.Uri.parse(change.textDocument.uri, true);
  return { uri, version: change.textDocument.version, creates: creations.length > 0, pieces };
}
