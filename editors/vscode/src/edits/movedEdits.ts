/** Edits of a text that goes on changing while they wait. Pure; offsets are UTF-16 code units, as VS Code counts. */

/** Replaces what is from `start` to `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What somebody did to the text; VS Code's `TextDocumentContentChangeEvent`. */
export interface Change {
  readonly rangeOffset: number;
  readonly rangeLength: number;
  readonly text: string;
}

/** Return a text with edits made; they do not overlap. */
export function applied(text: string, edits: readonly Edit[]): string {
  // What is inserted at one place has to keep its order, so the last of it goes in first.
  const fromTheEnd = edits.toReversed().toSorted((one, other) => other.start - one.start || other.end - one.end);
  return fromTheEnd.reduce((made, edit) => made.slice(0, edit.start) + edit.text + made.slice(edit.end), text);
}

/** Return edits for the text after changes, made one after the other; undefined if one touches what an edit replaces. */
export function moved(edits: readonly Edit[], changes: readonly Change[]): readonly Edit[] | undefined {
  let now: readonly Edit[] | undefined = edits;
  for (const change of changes) now = now && movedBy(now, change);
  return now;
}

function movedBy(edits: readonly Edit[], change: Change): readonly Edit[] | undefined {
  const end = change.rangeOffset + change.rangeLength;
  const by = change.text.length - change.rangeLength;
  const found: Edit[] = [];
  for (const edit of edits) {
    if (end <= edit.start) found.push({ ...edit, start: edit.start + by, end: edit.end + by });
    else if (change.rangeOffset >= edit.end) found.push(edit);
    else return undefined;
  }
  return found;
}
