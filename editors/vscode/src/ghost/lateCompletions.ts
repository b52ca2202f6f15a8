/**
 * Ghost text that takes longer than VS Code waits for it.
 *
 * While a word is typed, `editor.quickSuggestions` at `offWhenInlineCompletions` (the default of newer versions)
 * gives ghost text 750 ms, then opens the menu of suggestions and cancels the request. It asks again only for
 * what continues an entry of that menu, or after the next key. A local model may need longer: its answer is
 * awaited all the same, and shown if nothing has happened meanwhile.
 */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { askAnew, askIfGivenUp } from "./ask.ts";
import { Place } from "./place.ts";

type Items = vscode.InlineCompletionItem[] | vscode.InlineCompletionList | null | undefined;
type Provide = NonNullable<Middleware["provideInlineCompletionItems"]>;

/** VS Code counts from the key on, in another process: on a busy machine an answer of this age may reach it too late. */
const MAYBE_LATE_MS = 100;
/** Until an answer is on its way; what is sent after it arrives after it. */
const SENT_MS = 20;

/** A request that VS Code made by itself. */
interface Asked {
  readonly place: Place;
  readonly own: vscode.CancellationTokenSource;
  readonly answer: Promise<Items>;
}

/** Show late ghost text, too. */
export function awaitLateCompletions(context: vscode.ExtensionContext, middleware: Middleware): void {
  const late = new LateCompletions(context.extension.id);
  middleware.provideInlineCompletionItems = (...request) => late.provide(...request);
  context.subscriptions.push(
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => { if (contentChanges.length > 0) late.look(document); }),
    vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => { late.look(textEditor.document); }),
    vscode.window.onDidChangeActiveTextEditor(() => { late.look(); }),
  );
}

class LateCompletions {
  readonly #extension: string;
  #asked: Asked | undefined;
  #late: { readonly place: Place; readonly items: Items } | undefined;

  constructor(extension: string) {
    this.#extension = extension;
  }

  /** Forget what was asked at a place that the user has left; of `document`, or any. */
  look(document?: vscode.TextDocument): void {
    const isLeft = (place: Place | undefined): boolean =>
      place !== undefined && (document === undefined || document === place.document) && !place.isCurrent;
    if (isLeft(this.#asked?.place) || isLeft(this.#late?.place)) this.#forget();
  }

  readonly provide: Provide = async (document, position, asked, token, next) => {
    const late = this.#late;
    if (asked.selectedCompletionInfo !== undefined) {
      // The server answers from what it knows then.
      if (this.#asked?.place.isAt(document, position) === true) await unlessCancelled(this.#asked.answer, token);
      return token.isCancellationRequested ? undefined : next(document, position, asked, token);
    }
    this.#forget();
    if (late?.place.isAt(document, position) === true) return late.items;
    if (asked.triggerKind !== vscode.InlineCompletionTriggerKind.Automatic) return next(document, position, asked, token);
    const own = new vscode.CancellationTokenSource();
    const answer = Promise.resolve(next(document, position, asked, own.token));
    return this.#awaited({ place: new Place(document, position), own, answer }, token);
  };

  /** Return the answer, or show it later if VS Code has given up; while the user stays there the model works on. */
  async #awaited(asked: Asked, token: vscode.CancellationToken): Promise<Items> {
    this.#asked = asked;
    const begun = performance.now();
    try {
      const items = await asked.answer;
      const givenUp = token.isCancellationRequested;
      const maybeLate = performance.now() - begun > MAYBE_LATE_MS && mayGiveUp(asked.place.document);
      if (this.#asked === asked && (givenUp || maybeLate) && count(items) > 0 && asked.place.isCurrent) {
        this.#offer(asked.place, items, givenUp);
      }
      return givenUp ? undefined : items;
    } finally {
      if (this.#asked === asked) this.#asked = undefined;
    }
  }

  #offer(place: Place, items: Items, givenUp: boolean): void {
    const late = { place, items };
    this.#late = late;
    if (givenUp) void askAnew(this.#extension);
    else setTimeout(() => { if (this.#late === late) void askIfGivenUp(); }, SENT_MS);
  }

  #forget(): void {
    this.#asked?.own.cancel();
    this.#asked = this.#late = undefined;
  }
}

async function unlessCancelled(answer: Promise<Items>, token: vscode.CancellationToken): Promise<void> {
  const cancelled = new Promise<void>((resolve) => token.onCancellationRequested(() => { resolve(); }));
  await Promise.race([answer.then(() => undefined, () => undefined), cancelled]);
}

/** Tell whether VS Code waits for ghost text, and not for long, before it suggests. */
function mayGiveUp(document: vscode.TextDocument): boolean {
  const value = vscode.workspace.getConfiguration("editor", document).get<boolean | string | object>("quickSuggestions", false);
  return JSON.stringify(value).includes("offWhenInlineCompletions");
}

function count(items: Items): number {
  return (Array.isArray(items) ? items : items?.items)?.length ?? 0;
}
