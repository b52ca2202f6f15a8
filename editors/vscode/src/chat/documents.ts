/**
 * Which open documents are chats, and into which ones an answer is being written: for menus, keys and lenses.
 *
 * Owns the context keys. They hold uris as objects: VS Code spells those of a remote window in its own way.
 */
import * as vscode from "vscode";

import { startsChat } from "./outline.ts";

const CHATS = "codestral-lsp.chats";
const WRITING = "codestral-lsp.writing";

/** The chats that are open. */
export class ChatDocuments {
  readonly #chats = new Map<string, vscode.TextDocument>();
  readonly #writing = new Map<string, vscode.Uri>();
  readonly #begun = new Set<string>();
  readonly #changed = new vscode.EventEmitter<void>();
  /** Fires when an answer begins or ends. */
  readonly onChange = this.#changed.event;

  constructor(context: vscode.ExtensionContext) {
    context.subscriptions.push(
      this.#changed,
      vscode.workspace.onDidOpenTextDocument((document) => { this.#look(document); }),
      vscode.workspace.onDidCloseTextDocument((document) => { this.#forget(document); }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.some((change) => change.range.start.line === 0)) this.#look(document);
      }),
    );
    for (const document of vscode.workspace.textDocuments) this.#look(document);
  }

  has(document: vscode.TextDocument): boolean {
    return this.#chats.has(document.uri.toString());
  }

  isWriting(uri: string): boolean {
    return this.#writing.has(uri);
  }

  /** Tell whether nothing of the answer has been written yet, and take note of the first edit. */
  begins(uri: string): boolean {
    const first = !this.#begun.has(uri);
    this.#begun.add(uri);
    return first;
  }

  /** Return the chat that is in view, the active editor first. */
  visible(): vscode.TextDocument | undefined {
    const shown = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
    return shown.map((editor) => editor?.document).find((document) => document !== undefined && this.has(document));
  }

  /** Do something during which an answer is written into a chat. */
  async whileWriting<T>(uri: string, work: () => Promise<T>): Promise<T> {
    this.#writing.set(uri, vscode.Uri.parse(uri, true));
    this.#tell();
    try {
      return await work();
    } finally {
      this.#writing.delete(uri);
      this.#begun.delete(uri);
      this.#tell();
    }
  }

  #look(document: vscode.TextDocument): void {
    const known = this.has(document);
    if (document.languageId === "markdown" && startsChat(document.lineAt(0).text)) {
      this.#chats.set(document.uri.toString(), document);
    } else {
      this.#chats.delete(document.uri.toString());
    }
    if (known !== this.has(document)) this.#tell();
  }

  #forget(document: vscode.TextDocument): void {
    if (this.#chats.delete(document.uri.toString())) this.#tell();
  }

  #tell(): void {
    const chats = [...this.#chats.values()].map(({ uri }) => uri);
    void vscode.commands.executeCommand("setContext", CHATS, chats);
    void vscode.commands.executeCommand("setContext", WRITING, [...this.#writing.values()]);
    this.#changed.fire();
  }
}
