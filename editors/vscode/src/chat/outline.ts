/** Where a chat document has what: its turns, and the code blocks of the model. Pure; the server owns the format. */

export interface Outline {
  readonly turns: readonly Turn[];
  readonly blocks: readonly Block[];
}

export interface Turn {
  readonly role: "You" | "Model";
  /** Of the heading, from 0. */
  readonly line: number;
  /** Whether anything stands under it. */
  readonly empty: boolean;
}

/** A fenced code block in a turn of the model. */
export interface Block {
  readonly line: number;
  /** Of the closing fence, or of the last line. */
  readonly end: number;
}

/** Tell whether a document may be a chat, from its first line: this is asked of each document that opens. */
export function startsChat(firstLine: string): boolean {
  return /^\ufeff?# chat\b/i.test(firstLine);
}

/** Take a chat apart. */
export function outline(lines: readonly string[]): Outline {
  const turns: { role: "You" | "Model"; line: number; empty: boolean }[] = [];
  const blocks: Block[] = [];
  let fence: { readonly marks: string; readonly line: number } | undefined;
  lines.forEach((text, line) => {
    const turn = turns.at(-1);
    const heading = /^## (You|Model)[ \t]*$/.exec(text)?.[1];
    // In what the user writes, a heading in code is code; the model's text never has one.
    if (heading !== undefined && (fence === undefined || turn?.role === "Model")) {
      fence = undefined;
      turns.push({ role: heading === "You" ? "You" : "Model", line, empty: true });
      return;
    }
    if (turn === undefined) return;
    if (text.trim() !== "") turn.empty = false;
    const marks = /^\s*(`{3,}|~{3,})/.exec(text)?.[1];
    if (fence === undefined) {
      if (marks !== undefined) fence = { marks, line };
    } else if (marks?.startsWith(fence.marks) === true && text.trim() === marks) {
      if (turn.role === "Model") blocks.push({ line: fence.line, end: line });
      fence = undefined;
    }
  });
  return { turns, blocks };
}

/** Return a link to lines of a file (from 1), as the server reads it. */
export function link(name: string, uri: string, first: number, last: number): string {
  const label = name.replace(/[[\]]/g, "");
  const escaped = uri.replace(/[\s()<>]/g, (it) => `%${it.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `[${label}:${first}-${last}](${escaped}#L${first}-L${last})`;
}
