/**
 * What the user sees besides ghost text and the status bar: actions, edits to look at, answers in words, chats. Wiring only.
 *
 * Called while activating, before a client is made: it adds to the session's middleware and capabilities.
 */
import { registerActions } from "./actions/commands.ts";
import { showInMenus } from "./actions/menu.ts";
import { Runs } from "./actions/runs.ts";
import { Answers } from "./answers/answers.ts";
import { registerChat } from "./chat/chats.ts";
import { EditPreviews } from "./edits/previews.ts";
import { askAfterwards } from "./ghost/afterwards.ts";
import { awaitLateCompletions } from "./ghost/lateCompletions.ts";
import type { Session } from "./session.ts";

/** Register everything; what has to be ended goes with the session's context. */
export function registerInterface(session: Session): void {
  const answers = new Answers(session);
  awaitLateCompletions(session.context, session.middleware);
  askAfterwards(session);
  showInMenus(session.middleware);
  new Runs(session, answers);
  new EditPreviews(session);
  registerActions(session);
  registerChat(session);
}
