/**
 * Answers in words, shown beside the code by VS Code's Markdown preview while the model writes them.
 *
 * Each is a virtual document; the preview draws it anew when it changes, keeps its place, and runs no scripts.
 * Closing it stops the model. Must not know what was asked.
 */
import * as vscode from "vscode";

import type { Session } from "../session.ts";
import { fileName, markdown, type Partial } from "./answer.ts";
import { showBeside } from "./preview.ts";

export const SCHEME = "codestral-lsp-answer";
/** The context key that lists the answers that are being written. */
const RUNNING = "codestral-lsp.answering";
/** Of what an editor may ask for again: tabs that were in the background. */
const KEPT = 50;
/**
 * When an answer is sent to its preview again, counted from its opening. What comes while the preview loads is lost,
 * and nothing tells when it has loaded: that may take seconds, and the answer be whole by then.
 */
const AGAIN_MS = [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000];
const GONE = "This answer is not kept: ask again.\n";

interface Answer {
  readonly uri: vscode.Uri;
  partial: Partial;
  /** How often it was sent again; what has not changed would not be sent. */
  again: number;
}

/** The answers of this window. */
export class Answers implements vscode.TextDocumentContentProvider {
  readonly #session: Session;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #answers = new Map<string, Answer>();
  readonly onDidChange = this.#changed.event;
  #made = 0;

  constructor(session: Session) {
    this.#session = session;
    session.capabilities.lspServerAnswers = true;
    session.context.subscriptions.push(
      this.#changed,
      session.onNotification("$/lsp_server/partial", (partial: Partial) => { this.#take(partial); }),
      session.onChange(() => { if (session.phase !== "running") this.#lost(); }),
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      // What came while it was being opened was not shown: changes of unknown documents are ignored.
      vscode.workspace.onDidOpenTextDocument(({ uri }) => { if (uri.scheme === SCHEME) this.#changed.fire(uri); }),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => { for (const tab of closed) this.#closed(tab); }),
      vscode.commands.registerCommand("codestral-lsp.answer.stop", (uri?: vscode.Uri) => this.#stop(this.#at(uri))),
      vscode.commands.registerCommand("codestral-lsp.answer.copy", (uri?: vscode.Uri) => this.#copy(this.#at(uri))),
      vscode.commands.registerCommand("codestral-lsp.answer.ask", (uri?: vscode.Uri) => this.#ask(this.#at(uri))),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    const answer = this.#answers.get(uri.toString());
    return answer === undefined ? GONE : markdown(answer.partial) + (answer.again % 2 === 0 ? "" : "\n");
  }

  /** Tell whether the run with this token is shown here. */
  shows(token: number | string): boolean {
    return [...this.#answers.values()].some(({ partial }) => partial.token === token);
  }

  #take(partial: Partial): void {
    if (!partial.answer) return;
    const known = [...this.#answers.values()].find((answer) => answer.partial.token === partial.token);
    const uri = known?.uri ?? this.#named(partial);
    if (known === undefined) {
      const answer = { uri, partial, again: 0 };
      this.#answers.set(uri.toString(), answer);
      this.#prune();
      void showBeside(uri);
      for (const delay of AGAIN_MS) setTimeout(() => { this.#sendAgain(answer); }, delay);
    } else {
      known.partial = partial;
    }
    this.#changed.fire(uri);
    if (known === undefined || partial.done) this.#tellRunning();
  }

  /** Return a name of its own: of a name that it has shown before, VS Code's preview draws what it has drawn. */
  #named({ title, action }: Partial): vscode.Uri {
    return vscode.Uri.from({ scheme: SCHEME, path: `/${fileName(title)}`, query: `${action} ${++this.#made}` });
  }

  #sendAgain(answer: Answer): void {
    answer.again++;
    this.#changed.fire(answer.uri);
  }

  #at(uri: vscode.Uri | undefined): Answer | undefined {
    return uri === undefined ? [...this.#answers.values()].at(-1) : this.#answers.get(uri.toString());
  }

  async #stop(answer: Answer | undefined): Promise<void> {
    if (answer === undefined || answer.partial.done) return;
    await this.#session.run("lsp_server.stopAction", { action: answer.partial.action, uri: answer.partial.uri });
  }

  async #copy(answer: Answer | undefined): Promise<void> {
    if (answer !== undefined) await vscode.env.clipboard.writeText(answer.partial.text);
  }

  /** Open a chat about the code that the answer is about. */
  async #ask(answer: Answer | undefined): Promise<void> {
    if (answer === undefined) return;
    const uri = vscode.Uri.parse(answer.partial.uri, true);
    const editor = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    await vscode.window.showTextDocument(uri, editor?.viewColumn === undefined ? {} : { viewColumn: editor.viewColumn });
    await vscode.commands.executeCommand("codestral-lsp.chat.ask");
  }

  #closed(tab: vscode.Tab): void {
    if (!(tab.input instanceof vscode.TabInputCustom) && !(tab.input instanceof vscode.TabInputText)) return;
    const { uri } = tab.input;
    if (uri.scheme === SCHEME && !isOpen(uri)) void this.#stop(this.#answers.get(uri.toString()));
  }

  /** A server that is gone finishes nothing. */
  #lost(): void {
    for (const answer of this.#answers.values()) {
      if (answer.partial.done) continue;
      answer.partial = { ...answer.partial, done: true, state: "failed", message: "The server has ended." };
      this.#changed.fire(answer.uri);
    }
    this.#tellRunning();
  }

  #tellRunning(): void {
    const running = [...this.#answers.values()].filter(({ partial }) => !partial.done);
    void vscode.commands.executeCommand("setContext", RUNNING, running.map(({ uri }) => uri));
  }

  #prune(): void {
    for (const [key, { partial }] of this.#answers) {
      if (this.#answers.size <= KEPT) return;
      if (partial.done) this.#answers.delete(key);
    }
  }
}

function isOpen(uri: vscode.Uri): boolean {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.some(({ input }) => input instanceof vscode.TabInputCustom && input.uri.toString() === uri.toString());
}
