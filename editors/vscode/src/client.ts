/**
 * The language client: what it is told about the editor, and what it must not say to the user.
 *
 * Loaded when a server has been found. Must not know how one is found or when it is started again.
 */
import type { ChildProcess } from "node:child_process";

import type * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  type ClientCapabilities,
  type LanguageClientOptions,
  type Middleware,
} from "vscode-languageclient/node";

import { DOCUMENTS } from "./documents.ts";

/** What a client is made of. */
export interface Parts {
  readonly log: vscode.LogOutputChannel;
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly middleware: Middleware;
  /** Start the server process; its stderr is read by whoever started it. */
  spawn(): Promise<ChildProcess>;
  /** Called once, when the connection is lost without having been ended. */
  closed(): void;
}

/** A client without notifications about failed requests: they are in the log, and the status bar tells the rest. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Make a client; every start of the server needs a new one. */
export function createClient(parts: Parts): LanguageClient {
  const options: LanguageClientOptions = {
    documentSelector: DOCUMENTS,
    outputChannel: parts.log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    middleware: parts.middleware,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        parts.closed();
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    },
    stdioOptions: { stdout: () => undefined, stderr: () => undefined },
  };
  // The id is that of the settings section: `lsp_server.trace.server` is the client's own.
  const client = new QuietClient("lsp_server", "Codestral LSP", () => parts.spawn(), options);
  client.registerFeature({
    fillClientCapabilities: (capabilities: ClientCapabilities) => {
      capabilities.experimental = { ...(capabilities.experimental as object | undefined), ...parts.capabilities };
    },
    initialize: () => undefined,
    getState: () => ({ kind: "static" }),
    clear: () => undefined,
  });
  return client;
}
