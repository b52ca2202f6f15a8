/**
 * What was typed while no model could answer: asked about when one can, if the user is still there.
 *
 * VS Code asks after each key and not again; a server that starts or loads has had nothing to say then.
 */
import * as vscode from "vscode";

import type { Session } from "../session.ts";
import { askAnew } from "./ask.ts";

/** How long before a model begins to load the key was pressed that made it load. */
const JUST_MS = 2000;

/** The last text that was typed. */
interface Typed {
  readonly at: number;
  readonly document: vscode.TextDocument;
  readonly version: number;
  /** The cursor is inside of it, or at its end: closing brackets come by themselves. */
  readonly range: vscode.Range;
}

/** Ask as soon as a model answers. */
export function askAfterwards(session: Session): void {
  let typed: Typed | undefined;
  let before = answers(session);
  session.context.subscriptions.push(
    vscode.workspace.onDidChangeTextDocument((event) => {
      if (event.contentChanges.length === 0 || event.document !== vscode.window.activeTextEditor?.document) return;
      typed = lastTyped(event);
    }),
    session.onChange(() => {
      const now = answers(session);
      if (now === before) return;
      before = now;
      if (now && typed !== undefined && isThere(typed)) void askAnew(session.context.extension.id);
      if (!now && typed !== undefined && performance.now() - typed.at > JUST_MS) typed = undefined;
    }),
  );
}

function answers({ phase, status }: Session): boolean {
  return phase === "running" && (status?.state === "ready" || status?.state === "fallback");
}

function lastTyped({ document, contentChanges, reason }: vscode.TextDocumentChangeEvent): Typed | undefined {
  const [change] = contentChanges;
  if (change === undefined || contentChanges.length > 1 || reason !== undefined) return undefined;
  const end = document.positionAt(change.rangeOffset + change.text.length);
  return { at: performance.now(), document, version: document.version, range: new vscode.Range(change.range.start, end) };
}

function isThere({ document, version, range }: Typed): boolean {
  const editor = vscode.window.activeTextEditor;
  return (
    vscode.window.state.focused &&
    editor?.document === document &&
    document.version === version &&
    editor.selection.isEmpty &&
    range.contains(editor.selection.active)
  );
}
