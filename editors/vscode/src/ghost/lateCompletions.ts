/**
 * Ghost text that takes longer than VS Code waits for it.
 *
 * While a word is typed, `editor.quickSuggestions` at `offWhenInlineCompletions` (the default of newer versions)
 * gives ghost text 750 ms, then opens the menu of suggestions instead and cancels the request, even if
 * that menu stays empty. It asks no more until the next key. A local model may need longer: its answer is
 * awaited all the same, and shown if nothing has happened meanwhile.
 */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

type Items = vscode.InlineCompletionItem[] | vscode.InlineCompletionList | null | undefined;

/** A place in a version of a document. */
class Place {
  readonly #document: vscode.TextDocument;
  readonly #version: number;
  readonly #position: vscode.Position;

  constructor(document: vscode.TextDocument, position: vscode.Position) {
    this.#document = document;
    this.#version = document.version;
    this.#position = position;
  }

  isAt(document: vscode.TextDocument, position: vscode.Position): boolean {
    return document === this.#document && document.version === this.#version && position.isEqual(this.#position);
  }

  /** Tell whether the user is still there. */
  get isCurrent(): boolean {
    const editor = vscode.window.activeTextEditor;
    return editor?.selection.isEmpty === true && this.isAt(editor.document, editor.selection.active);
  }
}

/** Show late ghost text, too. */
export function awaitLateCompletions(context: vscode.ExtensionContext, middleware: Middleware): void {
  let waiting: vscode.CancellationTokenSource | undefined;
  let late: { readonly place: Place; readonly items: Items } | undefined;
  const forget = (): void => {
    waiting?.cancel();
    waiting = late = undefined;
  };
  context.subscriptions.push(
    vscode.workspace.onDidChangeTextDocument(({ contentChanges }) => { if (contentChanges.length > 0) forget(); }),
    vscode.window.onDidChangeTextEditorSelection(forget),
    vscode.window.onDidChangeActiveTextEditor(forget),
  );
  middleware.provideInlineCompletionItems = async (document, position, asked, token, next) => {
    const ready = late;
    forget();
    if (ready?.place.isAt(document, position) === true) return ready.items;
    const byItself = asked.triggerKind === vscode.InlineCompletionTriggerKind.Automatic;
    if (!byItself || asked.selectedCompletionInfo !== undefined) return next(document, position, asked, token);
    const place = new Place(document, position);
    const own = new vscode.CancellationTokenSource();
    const cancelled = token.onCancellationRequested(() => { waiting = own; });
    try {
      const items = await next(document, position, asked, own.token);
      if (!token.isCancellationRequested) return items;
      if (waiting !== own || count(items) === 0 || !place.isCurrent) return undefined;
      waiting = undefined;
      late = { place, items };
      await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
      return undefined;
    } finally {
      cancelled.dispose();
    }
  };
}

function count(items: Items): number {
  return (Array.isArray(items) ? items : items?.items)?.length ?? 0;
}
