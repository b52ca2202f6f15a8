/**
 * What stands above the turns and the code blocks of a chat: send, stop, answer again, apply.
 *
 * Their commands have no arguments: VS Code keeps those until the next lenses come, which is at each change of the
 * text; what is clicked meanwhile would fail with "Actual command not found".
 */
import * as vscode from "vscode";
import type { CodeAction } from "vscode-languageclient/node";

import { offered } from "../actions/commands.ts";
import type { Session } from "../session.ts";
import type { ChatDocuments } from "./documents.ts";
import { outline } from "./outline.ts";

const APPLY = "lsp_server.chat.apply";
const NOTHING = { title: "", command: "" };

/** A lens that the server knows more about. */
class BlockLens extends vscode.CodeLens {
  readonly uri: string;
  /** Of the block in its chat, from 0. */
  readonly number: number;

  constructor(range: vscode.Range, uri: string, number: number) {
    super(range);
    this.uri = uri;
    this.number = number;
  }
}

/** Serves the lenses of chats. */
export class ChatLenses implements vscode.CodeLensProvider {
  readonly #session: Session;
  readonly #chats: ChatDocuments;
  /** The command for the first block, for the second one, and so on. */
  readonly #commands: string[] = [];
  readonly onDidChangeCodeLenses: vscode.Event<void>;

  constructor(session: Session, chats: ChatDocuments) {
    this.#session = session;
    this.#chats = chats;
    this.onDidChangeCodeLenses = chats.onChange;
    session.context.subscriptions.push(vscode.languages.registerCodeLensProvider({ language: "markdown" }, this));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!this.#chats.has(document)) return [];
    const { turns, blocks } = parts(document);
    const last = turns.at(-1);
    const at = (line: number): vscode.Range => new vscode.Range(line, 0, line, 0);
    const lens = (line: number, title: string, command: string): vscode.CodeLens =>
      new vscode.CodeLens(at(line), { title, command: `codestral-lsp.chat.${command}` });
    if (this.#chats.isWriting(document.uri.toString())) {
      return last === undefined ? [] : [lens(last.line, "$(debug-stop) Stop", "stop")];
    }
    const found: vscode.CodeLens[] = blocks.map(({ line }, number) => new BlockLens(at(line), document.uri.toString(), number));
    if (last?.role === "You") found.push(lens(last.line, "$(send) Send", "send"));
    const answer = turns.findLast(({ role }) => role === "Model");
    const isLatest = answer !== undefined && turns.indexOf(answer) >= turns.length - 2;
    if (isLatest) found.push(lens(answer.line, "$(refresh) Answer again", "regenerate"));
    return found;
  }

  /** Ask the server which file a block is for; a block without one has nothing above it. */
  async resolveCodeLens(lens: vscode.CodeLens): Promise<vscode.CodeLens> {
    if (!(lens instanceof BlockLens)) return lens;
    const position = { line: lens.range.start.line, character: 0 };
    const place = { uri: lens.uri, version: 0, range: { start: position, end: position }, diagnostics: [] };
    const actions = await offered(this.#session, place, "source.codestral.chat");
    const apply = actions.find((action: CodeAction) => action.command?.command === APPLY);
    lens.command = apply === undefined ? NOTHING : { title: `$(check) ${apply.title}`, command: this.#command(lens.number) };
    return lens;
  }

  #command(number: number): string {
    for (let next = this.#commands.length; next <= number; next++) {
      const id = `codestral-lsp.chat.apply.${next}`;
      this.#session.context.subscriptions.push(vscode.commands.registerCommand(id, () => this.#apply(next)));
      this.#commands.push(id);
    }
    return this.#commands[number] ?? "";
  }

  /** Apply a block of the chat that was clicked into. */
  async #apply(number: number): Promise<void> {
    const chat = this.#chats.visible();
    const block = chat === undefined ? undefined : parts(chat).blocks[number];
    if (chat === undefined || block === undefined) return;
    const position = { line: block.line, character: 0 };
    await vscode.commands.executeCommand(APPLY, { uri: chat.uri.toString(), position });
  }
}

function parts(chat: vscode.TextDocument): ReturnType<typeof outline> {
  return outline(chat.getText().split(/\r\n|\r|\n/));
}
