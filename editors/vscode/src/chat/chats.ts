/** Chats: their commands, where they open, and that they are saved. What is in them is for the server. */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { atPlace, offered, runOffered } from "../actions/commands.ts";
import type { Place } from "../actions/place.ts";
import { undoAsOne } from "../edits/undoAsOne.ts";
import type { Session } from "../session.ts";
import { addSelection } from "./attach.ts";
import { ChatDocuments } from "./documents.ts";
import { ChatLenses } from "./lenses.ts";

const OPEN = "lsp_server.openChat";
const ANSWERING = ["lsp_server.chat.send", "lsp_server.chat.regenerate"];
const KIND = "source.codestral.chat";

interface Target {
  readonly uri: string;
}

/** Register all that chats need. */
export function registerChat(session: Session): void {
  const chats = new ChatDocuments(session.context);
  new ChatLenses(session, chats);
  undoAsOne(session.middleware, chats);
  trackAnswers(session.middleware, chats);
  openBeside(session.middleware, chats);
  const add = (id: string, run: (uri?: vscode.Uri) => Promise<unknown>): void => {
    session.context.subscriptions.push(vscode.commands.registerCommand(`codestral-lsp.${id}`, run));
  };
  const inChat = (command: string) => async (uri?: vscode.Uri) => {
    const chat = uri ?? chats.visible()?.uri;
    if (chat !== undefined) await vscode.commands.executeCommand(command, { uri: chat.toString() });
  };
  add("chat.send", inChat("lsp_server.chat.send"));
  add("chat.regenerate", inChat("lsp_server.chat.regenerate"));
  add("chat.stop", inChat("lsp_server.chat.stop"));
  add("chat.apply", () => atPlace(({ uri, range }) => session.run("lsp_server.chat.apply", { uri, position: range.start })));
  add("chat.open", () => guarded(() => session.run(OPEN)));
  add("chat.ask", () => atPlace((place) => ask(session, place)));
  add("chat.addSelection", () => atPlace((place) => addSelection(session, chats, place)));
}

/** Open a chat about what is selected, or about what the cursor is in. */
async function ask(session: Session, place: Place): Promise<void> {
  const { uri, range } = place;
  const selected = range.start.line !== range.end.line || range.start.character !== range.end.character;
  const entry = selected ? undefined : (await offered(session, place, KIND)).find((it) => it.command?.command === OPEN);
  if (entry !== undefined) await runOffered(session, entry);
  else await session.run(OPEN, ...(selected ? [{ uri, range }] : []));
}

/** Know when an answer is written, whoever asked for it; save the chat with it. */
function trackAnswers(middleware: Middleware, chats: ChatDocuments): void {
  middleware.executeCommand = async (command, args: unknown[], next) => {
    if (!ANSWERING.includes(command)) return next(command, args) as Promise<unknown>;
    const target = args[0] as Target;
    const answer = async (): Promise<unknown> => next(command, [{ ...target, wait: true }]) as Promise<unknown>;
    if (chats.isWriting(target.uri)) return answer();
    const result = await chats.whileWriting(target.uri, answer);
    const chat = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === target.uri);
    if (chat?.isDirty === true && !chat.isUntitled) await chat.save();
    return result;
  };
}

/** Show a chat that the server has made beside the code, where the last chat is. */
function openBeside(middleware: Middleware, chats: ChatDocuments): void {
  middleware.window = {
    ...middleware.window,
    showDocument: async (params, _token, next) => {
      const uri = vscode.Uri.parse(params.uri, true);
      if (params.takeFocus !== true || uri.scheme !== "file" || params.selection === undefined) return next(params, _token);
      const document = await vscode.workspace.openTextDocument(uri);
      if (!chats.has(document)) return next(params, _token);
      const { start, end } = params.selection;
      const selection = new vscode.Range(start.line, start.character, end.line, end.character);
      await vscode.window.showTextDocument(document, { viewColumn: column(chats), selection });
      return { success: true };
    },
  };
}

function column(chats: ChatDocuments): vscode.ViewColumn {
  const shown = vscode.window.visibleTextEditors.find(({ document }) => chats.has(document));
  return shown?.viewColumn ?? vscode.ViewColumn.Beside;
}

async function guarded(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    void vscode.window.showErrorMessage(`Codestral: ${error instanceof Error ? error.message : String(error)}`);
  }
}
