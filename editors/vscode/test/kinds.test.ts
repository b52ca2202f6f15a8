import assert from "node:assert/strict";
import { test } from "node:test";

import { shownKind } from "../src/actions/kinds.ts";

test("our source actions are shown where VS Code hides source actions, others stay what they are", () => {
  assert.equal(shownKind("source.codestral.explain"), "codestral.explain");
  for (const kind of ["refactor.rewrite.codestral.simplify", "quickfix.codestral.fix", "source.organizeImports", ""]) {
    assert.equal(shownKind(kind), kind);
  }
});
