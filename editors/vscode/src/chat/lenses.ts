/** What stands above the turns and the code blocks of a chat: send, stop, answer again, apply. */
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

  constructor(range: vscode.Range, uri: string) {
    super(range);
    this.uri = uri;
  }
}

/** Serves the lenses of chats. */
export class ChatLenses implements vscode.CodeLensProvider {
  readonly #session: Session;
  readonly #chats: ChatDocuments;
  readonly onDidChangeCodeLenses: vscode.Event<void>;

  constructor(session: Session, chats: ChatDocuments) {
    this.#session = session;
    this.#chats = chats;
    this.onDidChangeCodeLenses = chats.onChange;
    session.context.subscriptions.push(vscode.languages.registerCodeLensProvider({ language: "markdown" }, this));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!this.#chats.has(document)) return [];
    const { turns, blocks } = outline(document.getText().split(/\r\n|\r|\n/));
    const last = turns.at(-1);
    const at = (line: number): vscode.Range => new vscode.Range(line, 0, line, 0);
    const lens = (line: number, title: string, command: string): vscode.CodeLens =>
      new vscode.CodeLens(at(line), { title, command: `codestral-lsp.chat.${command}`, arguments: [document.uri] });
    if (this.#chats.isWriting(document.uri.toString())) {
      return last === undefined ? [] : [lens(last.line, "$(debug-stop) Stop", "stop")];
    }
    const found: vscode.CodeLens[] = blocks.map(({ line }) => new BlockLens(at(line), document.uri.toString()));
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
    lens.command =
      apply === undefined ? NOTHING : { title: `$(check) ${apply.title}`, command: APPLY, arguments: [{ uri: lens.uri, position }] };
    return lens;
  }
}
