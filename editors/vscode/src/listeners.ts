/** Handlers of notifications that outlive a client: each client knows one handler per method. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";

type Handler = (params: unknown) => void;

/** Handlers by method. */
export class Listeners {
  readonly #handlers = new Map<string, Set<Handler>>();

  /** Handle a method from now on; `client` is the one that runs. */
  add(method: string, handler: Handler, client: LanguageClient | undefined): vscode.Disposable {
    let handlers = this.#handlers.get(method);
    if (handlers === undefined) {
      handlers = new Set();
      this.#handlers.set(method, handlers);
      if (client !== undefined) this.#attach(client, method, handlers);
    }
    handlers.add(handler);
    return new vscode.Disposable(() => handlers.delete(handler));
  }

  /** Let a new client call the handlers. */
  attach(client: LanguageClient): void {
    for (const [method, handlers] of this.#handlers) this.#attach(client, method, handlers);
  }

  #attach(client: LanguageClient, method: string, handlers: ReadonlySet<Handler>): void {
    client.onNotification(method, (params: unknown) => {
      for (const handler of handlers) handler(params);
    });
  }
}
