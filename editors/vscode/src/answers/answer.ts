/** An answer in words: what is known of it while it comes, and the Markdown that shows it. Pure. */

/** The parameters of `$/lsp_server/partial`. */
export interface Partial {
  readonly token: number | string;
  /** The document that it is about. */
  readonly uri: string;
  readonly action: string;
  readonly title: string;
  /** All that was said so far, as Markdown that loads nothing. */
  readonly text: string;
  /** An answer in words; else it becomes an edit. */
  readonly answer: boolean;
  readonly done: boolean;
  readonly state?: "answered" | "stopped" | "failed";
  readonly message?: string;
  readonly notes?: readonly string[];
}

/** Names of files may be long, tabs may not. */
const LONGEST_NAME = 80;

/** Return the Markdown of an answer as far as it has come, and how it ended. */
export function markdown(partial: Partial): string {
  const parts = [`# ${partial.title}`];
  if (partial.text.trim() !== "") parts.push(partial.text.trim());
  const below = [...ending(partial), ...(partial.notes ?? []).map((note) => `*${literally(note)}*`)];
  if (below.length > 0) parts.push("---", ...below);
  return `${parts.join("\n\n")}\n`;
}

/** Return the name that an answer has in its tab. */
export function fileName(title: string): string {
  const name = title
    .replace(/[\\/:*?"<>|#%\p{Cc}]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  return `${Array.from(name).slice(0, LONGEST_NAME).join("") || "Answer"}.md`;
}

function ending({ done, text, state, message }: Partial): string[] {
  if (!done) return text.trim() === "" ? ["*Waiting for the model…*"] : [];
  if (state === "failed") return [`**Failed:** ${literally(message ?? "the reason is in the log")}`];
  return state === "stopped" ? ["*Stopped.*"] : [];
}

/** Return text as Markdown that shows just that. */
function literally(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]()<>#!|~]/g, "\\$&");
}
