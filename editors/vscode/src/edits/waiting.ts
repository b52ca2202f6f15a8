/** One edit that waits for the user's yes, kept in step with the text that it is for. */
import * as vscode from "vscode";

import type { OneDocument } from "./applyEdit.ts";
import { applied, moved, type Edit } from "./movedEdits.ts";

/** How it ended. */
export type Decision = "apply" | "discard" | "stale";

/** An edit of one document. */
export class Waiting {
  readonly document: vscode.TextDocument | undefined;
  readonly decided: Promise<Decision>;
  #edits: readonly Edit[];
  #decide: (decision: Decision) => void = () => undefined;

  /** `document` is undefined for a file that is to be made. */
  constructor(change: OneDocument, document: vscode.TextDocument | undefined) {
    this.document = document;
    this.#edits = change.pieces.map(({ range, text }) => ({
      start: document?.offsetAt(range.start) ?? 0,
      end: document?.offsetAt(range.end) ?? 0,
      text,
    }));
    this.decided = new Promise((resolve) => { this.#decide = resolve; });
  }

  /** The text as it would be. */
  get text(): string {
    return applied(this.document?.getText() ?? "", this.#edits);
  }

  /** The first line that would change. */
  get line(): number {
    const first = Math.min(...this.#edits.map(({ start }) => start));
    return this.document?.positionAt(first).line ?? 0;
  }

  decide(decision: Decision): void {
    this.#decide(decision);
  }

  /** Follow what happens to the document; what touches the edit makes it stale. */
  follow({ contentChanges }: vscode.TextDocumentChangeEvent): void {
    const now = moved(this.#edits, contentChanges);
    if (now === undefined) this.decide("stale");
    else this.#edits = now;
  }

  /** Return the edit for the document as it is. */
  edit(document: vscode.TextDocument): vscode.WorkspaceEdit {
    const edit = new vscode.WorkspaceEdit();
    for (const { start, end, text } of this.#edits) {
      edit.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
    }
    return edit;
  }
}
