/**
 * How runs of a model show: an edit that is being written as a notification that can be cancelled, all else
 * where VS Code puts it, in the status bar. Answers and chats have places of their own.
 */
import * as vscode from "vscode";
import type { WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport } from "vscode-languageclient/node";

import type { Session } from "../session.ts";

type Token = number | string;
type Step = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

/** The title of the progress of a chat's answer. */
const CHAT = "Chat";

/** Between two states of a notification: one that changes with each word cannot be read. */
const CALM_MS = 2000;

/** Knows which runs are shown elsewhere. */
export interface Elsewhere {
  shows(token: Token): boolean;
}

interface Bar {
  report(message: string | undefined): void;
  end(): void;
}

/** The notifications that are open. */
export class Runs {
  readonly #session: Session;
  readonly #bars = new Map<Token, Bar>();

  constructor(session: Session, elsewhere: Elsewhere) {
    this.#session = session;
    session.middleware.handleWorkDoneProgress = (token, step: Step, next) => {
      if (step.kind === "begin" && step.cancellable === true && step.title !== CHAT && !elsewhere.shows(token)) {
        this.#bars.set(token, this.#opened(token, step.title));
      }
      const bar = this.#bars.get(token);
      if (bar === undefined) {
        next(token, calm(step));
      } else if (step.kind === "end") {
        this.#bars.delete(token);
        bar.end();
      } else {
        bar.report(calm(step).message);
      }
    };
    session.context.subscriptions.push(session.onChange(() => { if (session.phase !== "running") this.#endAll(); }));
  }

  #opened(token: Token, title: string): Bar {
    let progress: vscode.Progress<{ message?: string }> | undefined;
    let latest: string | undefined;
    let shown: string | undefined;
    let end = (): void => undefined;
    const show = (): void => {
      if (latest === shown || latest === undefined) return;
      shown = latest;
      progress?.report({ message: latest });
    };
    const ended = new Promise<void>((resolve) => { end = resolve; });
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    void vscode.window.withProgress(options, async (made, cancelled) => {
      progress = made;
      show();
      const timer = setInterval(show, CALM_MS);
      cancelled.onCancellationRequested(() => {
        void this.#session.client?.sendNotification("window/workDoneProgress/cancel", { token });
      });
      await ended;
      clearInterval(timer);
    });
    return { report: (message) => { latest = message ?? latest; }, end };
  }

  /** A server that is gone ends nothing. */
  #endAll(): void {
    for (const bar of this.#bars.values()) bar.end();
    this.#bars.clear();
  }
}

/** Leave out the last words of what the model has written, which the server puts after a dot: they only flicker. */
function calm<T extends Step>(step: T): T {
  return step.message === undefined ? step : { ...step, message: step.message.split(" · ")[0] };
}
