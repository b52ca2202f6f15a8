/**
 * What the parts of the extension share: the server, its status, and the log.
 *
 * Owns the words; `connection.ts` implements them. The language client is imported as a type only, so that
 * activation does not wait for it.
 */
import type * as vscode from "vscode";
import type { LanguageClient, Middleware } from "vscode-languageclient/node";

/** The parameters of `$/lsp_server/status`, see editors/README.md. */
export interface ServerStatus {
  readonly selected: string;
  readonly backend: string;
  readonly destination: string;
  readonly state: "starting" | "loading" | "ready" | "fallback" | "failed";
  readonly message: string;
  readonly uri: string;
  readonly withheld: readonly string[];
  readonly paused?: boolean;
  readonly busy?: boolean;
  readonly model?: string;
}

/** Where the server process is in its life. */
export type Phase = "searching" | "starting" | "running" | "missing" | "stopped" | "crashed";

/** One window's connection with its server. */
export interface Session {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;

  readonly phase: Phase;
  /** What the server said last; undefined while it does not run. */
  readonly status: ServerStatus | undefined;
  /** Fires when `phase` or `status` changes. */
  readonly onChange: vscode.Event<void>;
  /** The client of the running server; another one after each start. */
  readonly client: LanguageClient | undefined;

  /** Experimental capabilities told to the server; add to them while registering. */
  readonly capabilities: Record<string, boolean>;
  /** Middleware of the language client; add to it while registering. */
  readonly middleware: Middleware;
  /** Handle a notification of this server and of all that follow it. */
  onNotification<T>(method: string, handler: (params: T) => void): vscode.Disposable;

  /** Run a command of the server (`lsp_server.…`), waiting for a start under way; rejects with a sentence for users. */
  run<T>(command: string, ...args: readonly unknown[]): Promise<T>;
  /** Send a request, waiting for a start under way. */
  request<T>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<T>;
  /** End the server and start it, looking for it anew. */
  restart(): Promise<void>;
}
