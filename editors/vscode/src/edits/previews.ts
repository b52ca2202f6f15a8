/**
 * Edits that want to be confirmed, shown as a comparison with two buttons in the editor's title.
 *
 * VS Code's own panel for such edits shows each on one line and unticked: "Apply" there applies nothing. One
 * comparison per edit; closing it discards the edit. Edits of the server are about one file each.
 */
import * as vscode from "vscode";
import type { ApplyWorkspaceEditParams, ApplyWorkspaceEditResult } from "vscode-languageclient/node";

import type { Session } from "../session.ts";
import { onApplyEdit, oneDocument, type OneDocument } from "./applyEdit.ts";
import { Waiting } from "./waiting.ts";

const SCHEME = "codestral-lsp-edit";
const EMPTY = vscode.Uri.from({ scheme: SCHEME, path: "/new file" });
const STALE = "the code changed meanwhile: run it again";
const REFUSED = "VS Code did not change the file, which may be read-only";

/** The edits that wait. */
export class EditPreviews implements vscode.TextDocumentContentProvider {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #waiting = new Map<string, Waiting>();
  readonly onDidChange = this.#changed.event;
  #made = 0;

  constructor(session: Session) {
    session.context.subscriptions.push(
      this.#changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidChangeTextDocument((event) => { this.#follow(event); }),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => { for (const tab of closed) this.#closed(tab); }),
      vscode.commands.registerCommand("codestral-lsp.edit.apply", (uri?: vscode.Uri) => this.#at(uri)?.decide("apply")),
      vscode.commands.registerCommand("codestral-lsp.edit.discard", (uri?: vscode.Uri) => this.#at(uri)?.decide("discard")),
    );
    onApplyEdit(session.middleware, async (params, next) => {
      const label = toConfirm(params);
      const change = oneDocument(params);
      if (label === undefined || change === undefined) return next(params);
      return this.#confirmed(change, label, () => next(unmarked(params)));
    });
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#waiting.get(uri.toString())?.text ?? "";
  }

  async #confirmed(
    change: OneDocument,
    label: string,
    create: () => Promise<ApplyWorkspaceEditResult>,
  ): Promise<ApplyWorkspaceEditResult> {
    const document = change.creates ? undefined : await vscode.workspace.openTextDocument(change.uri);
    if (document !== undefined && change.version !== null && document.version !== change.version) {
      return { applied: false, failureReason: STALE };
    }
    const waiting = new Waiting(change, document);
    const shown = change.uri.with({ scheme: SCHEME, authority: "", query: String(++this.#made), fragment: "" });
    this.#waiting.set(shown.toString(), waiting);
    const back = vscode.window.activeTextEditor;
    await compare(waiting, document?.uri ?? EMPTY, shown, label);
    const decision = await waiting.decided;
    this.#waiting.delete(shown.toString());
    await close(shown);
    if (back !== undefined) await refocus(back);
    if (decision !== "apply") return decision === "stale" ? { applied: false, failureReason: STALE } : { applied: false };
    if (document === undefined) return create();
    return (await vscode.workspace.applyEdit(waiting.edit(document))) ? { applied: true } : { applied: false, failureReason: REFUSED };
  }

  #at(uri: vscode.Uri | undefined): Waiting | undefined {
    return uri === undefined ? [...this.#waiting.values()].at(-1) : this.#waiting.get(uri.toString());
  }

  #follow(event: vscode.TextDocumentChangeEvent): void {
    for (const [key, waiting] of this.#waiting) {
      if (waiting.document !== event.document || event.contentChanges.length === 0) continue;
      waiting.follow(event);
      this.#changed.fire(vscode.Uri.parse(key, true));
    }
  }

  #closed({ input }: vscode.Tab): void {
    if (input instanceof vscode.TabInputTextDiff) this.#waiting.get(input.modified.toString())?.decide("discard");
  }
}

/** Return what an edit is called that is not to be made without a yes. */
function toConfirm({ edit }: ApplyWorkspaceEditParams): string | undefined {
  return Object.values(edit.changeAnnotations ?? {}).find(({ needsConfirmation }) => needsConfirmation)?.label;
}

function unmarked(params: ApplyWorkspaceEditParams): ApplyWorkspaceEditParams {
  const annotations = Object.entries(params.edit.changeAnnotations ?? {});
  const agreed = annotations.map(([id, annotation]) => [id, { ...annotation, needsConfirmation: false }] as const);
  return { ...params, edit: { ...params.edit, changeAnnotations: Object.fromEntries(agreed) } };
}

async function compare(waiting: Waiting, before: vscode.Uri, after: vscode.Uri, title: string): Promise<void> {
  const editor = vscode.window.visibleTextEditors.find(({ document }) => document === waiting.document);
  const top = new vscode.Range(waiting.line, 0, waiting.line, 0);
  await sameLanguage(after, waiting.document);
  const options = { viewColumn: editor?.viewColumn ?? vscode.ViewColumn.Active, preview: false, selection: top };
  await vscode.commands.executeCommand("vscode.diff", before, after, title, options);
}

/** Colour the proposed text as the document is: the cell of a notebook has a name that says nothing of its language. */
async function sameLanguage(after: vscode.Uri, document: vscode.TextDocument | undefined): Promise<void> {
  if (document === undefined) return;
  const proposed = await vscode.workspace.openTextDocument(after);
  if (proposed.languageId !== document.languageId) await vscode.languages.setTextDocumentLanguage(proposed, document.languageId);
}

async function close(shown: vscode.Uri): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const own = tabs.filter(({ input }) => input instanceof vscode.TabInputTextDiff && input.modified.toString() === shown.toString());
  await vscode.window.tabGroups.close(own);
}

/** Bring the user back to where the comparison took the cursor from. */
async function refocus(editor: vscode.TextEditor): Promise<void> {
  // A cell cannot be shown without its notebook, which VS Code goes back to by itself.
  if (editor.document.isClosed || editor.document.uri.scheme === "vscode-notebook-cell") return;
  const { viewColumn, selection } = editor;
  await vscode.window.showTextDocument(editor.document, viewColumn === undefined ? { selection } : { viewColumn, selection });
}
