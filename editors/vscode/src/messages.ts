/** What the server tells by itself, and what can be done about it. The server decides what is told, and how often. */
import * as vscode from "vscode";

import { openSetting, SECTION, settingsOf } from "./configuration.ts";
import type { Session } from "./session.ts";
import { holding } from "./setSettings.ts";

/** The parameters of `$/lsp_server/message`, see editors/README.md. */
interface Told {
  /** A `MessageType` of the protocol. */
  readonly type: number;
  readonly message: string;
  /** The option that is wrong in the editor's settings; empty if none is. */
  readonly setting: string;
}

const ERROR = 1;
const WARNING = 2;

/** Show messages from now on. */
export function showMessages(session: Session): void {
  session.capabilities.lspServerMessages = true;
  session.context.subscriptions.push(
    session.onNotification<Told>("$/lsp_server/message", (told) => void show(session, told)),
  );
}

async function show({ context, log }: Session, { type, message, setting }: Told): Promise<void> {
  const [settings, showLog] = ["Open Settings", "Show Log"];
  const key = holding(settingsOf(context), setting);
  const text = setting !== "" && message.startsWith(setting) ? `${SECTION}.${message}` : message;
  const buttons = key === undefined ? [showLog] : [settings, showLog];
  const answer = await shownAs(type)(`Codestral LSP: ${text}`, ...buttons);
  if (answer === settings && key !== undefined) await openSetting(key);
  if (answer === showLog) log.show();
}

function shownAs(type: number): (message: string, ...buttons: string[]) => Thenable<string | undefined> {
  if (type === ERROR) return vscode.window.showErrorMessage;
  return type === WARNING ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
}
