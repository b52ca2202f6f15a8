/** What the server has counted in this window, as a page that is made anew each time it is asked for. */
import * as vscode from "vscode";

import { showBeside } from "./answers/preview.ts";
import type { Session } from "./session.ts";

const SCHEME = "codestral-lsp-statistics";
const PAGE = vscode.Uri.from({ scheme: SCHEME, path: "/Codestral Statistics.md" });

/** Return the command that shows the page. */
export function statistics(session: Session): () => Promise<void> {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  let page = "";
  session.context.subscriptions.push(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changed.event,
      provideTextDocumentContent: () => page,
    }),
  );
  return async () => {
    ({ markdown: page } = await session.run<{ readonly markdown: string }>("lsp_server.stats"));
    changed.fire(PAGE);
    await showBeside(PAGE);
  };
}
