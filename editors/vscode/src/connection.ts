/**
 * The one server of this window: found, started, watched, started again, stopped. Implements `Session`.
 *
 * Starts and stops stand in a queue, one after the other. A client that has lost its server is never used again.
 */
import type { ChildProcess } from "node:child_process";

import * as vscode from "vscode";
import type { LanguageClient, Middleware } from "vscode-languageclient/node";

import { isFound, type Found, type Missing } from "./found.ts";
import { Listeners } from "./listeners.ts";
import { Restarts } from "./restarts.ts";
import type { Phase, ServerStatus, Session } from "./session.ts";

/** What the connection needs of others; each is imported when it is used. */
export interface Surroundings {
  find(): Promise<Found | Missing>;
  launch(server: Found): Promise<ChildProcess>;
}

const STATUS = "$/lsp_server/status";
/** What VS Code allows an extension for its end is five seconds. */
const STOP_MS = 2000;

/** One process at a time, and the client that talks with it. */
export class Connection implements Session {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly capabilities: Record<string, boolean> = { lspServerStatus: true };
  readonly middleware: Middleware = {};
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onChange = this.#changed.event;
  readonly #listeners = new Listeners();
  readonly #restarts = new Restarts();
  readonly #surroundings: Surroundings;
  #phase: Phase = "searching";
  #problem = "";
  #status: ServerStatus | undefined;
  #client: LanguageClient | undefined;
  #server: Found | undefined;
  #child: ChildProcess | undefined;
  #queue: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel, surroundings: Surroundings) {
    this.context = context;
    this.log = log;
    this.#surroundings = surroundings;
    this.onNotification<ServerStatus>(STATUS, (status) => {
      this.#status = status;
      this.#changed.fire();
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Why there is no server, in a sentence, where that is known. */
  get problem(): string {
    return this.#problem;
  }

  get status(): ServerStatus | undefined {
    return this.#status;
  }

  get client(): LanguageClient | undefined {
    return this.#client;
  }

  /** The server that was found last. */
  get server(): Found | undefined {
    return this.#server;
  }

  onNotification<T>(method: string, handler: (params: T) => void): vscode.Disposable {
    return this.#listeners.add(method, handler as (params: unknown) => void, this.#client);
  }

  async request<T>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<T> {
    await this.#queue;
    if (this.#client === undefined) throw new Error(absent(this.#phase));
    // An undefined token would be sent as a second parameter.
    return token === undefined
      ? this.#client.sendRequest<T>(method, params)
      : this.#client.sendRequest<T>(method, params, token);
  }

  async run<T>(command: string, ...args: readonly unknown[]): Promise<T> {
    return this.request("workspace/executeCommand", { command, arguments: args });
  }

  start(): Promise<void> {
    return this.#enqueue(() => this.#start());
  }

  stop(): Promise<void> {
    return this.#enqueue(() => this.#stop("stopped"));
  }

  restart(): Promise<void> {
    this.#restarts.reset();
    return this.#enqueue(async () => {
      await this.#stop("searching");
      await this.#start();
    });
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(job).catch((error: unknown) => {
      this.log.error(error instanceof Error ? error : String(error));
    });
    return this.#queue;
  }

  #become(phase: Phase): void {
    this.#phase = phase;
    if (phase !== "running") this.#status = undefined;
    this.#changed.fire();
  }

  async #start(): Promise<void> {
    if (this.#client !== undefined) return;
    clearTimeout(this.#timer);
    this.#become("searching");
    const found = await this.#surroundings.find();
    this.#problem = isFound(found) ? "" : found.problem;
    this.#server = isFound(found) ? found : undefined;
    if (!isFound(found)) {
      this.#become("missing");
      return;
    }
    this.#become("starting");
    this.log.info(`Starting ${found.command}, version ${found.version} (${found.origin}).`);
    await this.#connect(found);
  }

  async #connect(server: Found): Promise<void> {
    const { createClient } = await import("./client.ts");
    const client = createClient({
      log: this.log,
      capabilities: this.capabilities,
      middleware: this.middleware,
      spawn: async () => (this.#child = await this.#surroundings.launch(server)),
      closed: () => {
        this.#lost(client);
      },
    });
    this.#client = client;
    this.#listeners.attach(client);
    try {
      await client.start();
      if (this.#client === client) this.#become("running");
    } catch (error) {
      this.log.error(`The server did not start: ${String(error)}`);
      this.#lost(client);
    }
  }

  /** Called by whoever notices first; a second call finds that the client is another one. */
  #lost(client: LanguageClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    void discard(client, this.#child);
    const delay = this.#restarts.next(Date.now());
    this.#problem = `The server ended ${this.#restarts.count} times within three minutes and is not started again.`;
    this.#become(delay === undefined ? "crashed" : "starting");
    if (delay !== undefined) this.#timer = setTimeout(() => void this.start(), delay);
  }

  async #stop(phase: Phase): Promise<void> {
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    this.#become(phase);
    if (client !== undefined) await discard(client, this.#child);
  }
}

async function discard(client: LanguageClient, child: ChildProcess | undefined): Promise<void> {
  await client.dispose(STOP_MS).catch(() => undefined); // it says so when it does not run any more
  // A process that has heard `exit`, or the end of its input, needs a moment.
  setTimeout(() => child?.kill(), STOP_MS).unref();
}

function absent(phase: Phase): string {
  if (phase === "missing") return "The server of Codestral LSP is not installed.";
  if (phase === "crashed") return "The server of Codestral LSP does not run. Restart it from the status bar.";
  return "The server of Codestral LSP is being started. Try again in a moment.";
}
