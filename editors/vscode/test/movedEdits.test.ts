import assert from "node:assert/strict";
import { test } from "node:test";

import { applied, moved, type Change, type Edit } from "../src/edits/movedEdits.ts";

const TEXT = "one two three four";
const EDITS: readonly Edit[] = [
  { start: 4, end: 7, text: "2" },
  { start: 14, end: 14, text: "and " },
];

function changed(text: string, change: Change): string {
  return text.slice(0, change.rangeOffset) + change.text + text.slice(change.rangeOffset + change.rangeLength);
}

test("edits are made wherever they stand in the list", () => {
  assert.equal(applied(TEXT, EDITS), "one 2 three and four");
  assert.equal(applied(TEXT, EDITS.toReversed()), "one 2 three and four");
});

test("an insertion and a replacement at one place keep their order", () => {
  const edits = [{ start: 4, end: 4, text: "<" }, { start: 4, end: 7, text: "2" }];
  assert.equal(applied(TEXT, edits), "one <2 three four");
});

test("insertions at one place keep their order", () => {
  const edits = [{ start: 4, end: 4, text: "a " }, { start: 4, end: 4, text: "b " }];
  assert.equal(applied(TEXT, edits), "one a b two three four");
});

for (const [where, change] of Object.entries({
  before: { rangeOffset: 0, rangeLength: 3, text: "ONE MORE" },
  "right before": { rangeOffset: 4, rangeLength: 0, text: "a " },
  between: { rangeOffset: 8, rangeLength: 5, text: "" },
  "right behind": { rangeOffset: 7, rangeLength: 0, text: "!" },
  behind: { rangeOffset: 18, rangeLength: 0, text: " five" },
})) {
  test(`what is typed ${where} an edit stays`, () => {
    const now = moved(EDITS, [change]);
    assert.ok(now);
    const made = applied(changed(TEXT, change), now);
    assert.ok(made.includes("2"));
    assert.ok(!made.includes("two"));
    assert.ok(made.endsWith(where === "behind" ? "and four five" : "and four"));
    assert.ok(made.includes(change.text));
  });
}

test("changes of one event and of several follow each other", () => {
  const changes = [{ rangeOffset: 18, rangeLength: 0, text: "!" }, { rangeOffset: 0, rangeLength: 4, text: "" }];
  assert.deepEqual(moved(EDITS, changes), [{ start: 0, end: 3, text: "2" }, { start: 10, end: 10, text: "and " }]);
});

for (const change of [
  { rangeOffset: 5, rangeLength: 0, text: "x" },
  { rangeOffset: 2, rangeLength: 4, text: "" },
  { rangeOffset: 0, rangeLength: 18, text: "" },
  { rangeOffset: 13, rangeLength: 3, text: "" },
]) {
  test(`a change of what an edit replaces makes it stale: ${JSON.stringify(change)}`, () => {
    assert.equal(moved(EDITS, [change]), undefined);
  });
}
