import assert from "node:assert/strict";
import { test } from "node:test";

import { withExtra } from "../src/requirement.ts";

test("the extra goes where pip wants it", () => {
  const cases = {
    "codestral-lsp": "codestral-lsp[local]",
    "codestral-lsp==0.1.0": "codestral-lsp[local]==0.1.0",
    "codestral-lsp >= 0.1, < 1": "codestral-lsp[local]>= 0.1, < 1",
    "codestral-lsp[llm]": "codestral-lsp[llm,local]",
    "codestral-lsp[local]~=0.1": "codestral-lsp[local]~=0.1",
    "codestral-lsp @ https://example.org/codestral_lsp.whl": "codestral-lsp[local] @ https://example.org/codestral_lsp.whl",
    "/home/ada/codestral-lsp": "/home/ada/codestral-lsp[local]",
    "C:\\src\\codestral-lsp": "C:\\src\\codestral-lsp[local]",
    "./codestral_lsp-0.1.0-py3-none-any.whl": "./codestral_lsp-0.1.0-py3-none-any.whl[local]",
    "/home/ada/codestral-lsp[local]": "/home/ada/codestral-lsp[local]",
  };
  for (const [given, wanted] of Object.entries(cases)) assert.equal(withExtra(given, "local"), wanted);
});
