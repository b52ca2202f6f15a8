import assert from "node:assert/strict";
import { test } from "node:test";

import type { ServerStatus } from "../src/session.ts";
import { statusText, type Shown } from "../src/statusText.ts";

const READY: ServerStatus = {
  selected: "auto",
  backend: "local",
  destination: "this machine",
  state: "ready",
  message: "",
  uri: "",
  withheld: [],
  paused: false,
  busy: false,
  model: "codestral",
};

function shown(status: Partial<ServerStatus> = {}, around: Partial<Shown> = {}): ReturnType<typeof statusText> {
  return statusText({
    phase: "running",
    problem: "",
    status: { ...READY, ...status },
    version: "0.1.0",
    uri: "file:///a.py",
    language: "python",
    disabledLanguages: [],
    ...around,
  });
}

test("a server at rest shows its backend; the model is in the tooltip and in what is read aloud", () => {
  const { text, label, tooltip, alert } = shown();
  assert.equal(text, "$(sparkle) local");
  assert.equal(label, "Codestral LSP, local, codestral");
  assert.ok(tooltip.includes("Model: codestral"));
  assert.equal(alert, "none");
});

test("one sees that it works, is paused, off for this language, or loads", () => {
  assert.equal(shown({ busy: true }).text, "$(loading~spin) local");
  assert.equal(shown({ paused: true, busy: true }).text, "$(debug-pause) local: paused");
  assert.equal(shown({}, { disabledLanguages: ["python"] }).text, "$(circle-slash) local: off for python");
  assert.equal(shown({ state: "loading", message: "Downloading: 42 % of 491 MB" }).text, "$(loading~spin) local: loading 42 %");
  assert.equal(shown({ state: "loading", message: "Loading the model" }).text, "$(loading~spin) local: loading");
});

test("a failure is an error even while paused, and says why", () => {
  const { text, tooltip, alert } = shown({ state: "failed", message: "There is no key.", paused: true });
  assert.equal(text, "$(error) local: does not work");
  assert.equal(alert, "error");
  assert.ok(tooltip.includes("There is no key\\."));
});

test("what was kept back is told for the document in front only", () => {
  const withheld = { uri: "file:///a.py", withheld: ["2 keys"] };
  assert.equal(shown(withheld).text, "$(shield) local");
  assert.ok(shown(withheld).tooltip.includes("- 2 keys"));
  assert.equal(shown(withheld, { uri: "file:///b.py" }).text, "$(sparkle) local");
});

test("names are text, not Markdown", () => {
  assert.ok(shown({ model: "a_b*[x](command:y)" }).tooltip.includes("Model: a\\_b\\*\\[x\\]\\(command:y\\)"));
});

test("without a server one sees why", () => {
  const missing = shown({}, { phase: "missing", status: undefined, problem: "It is not there." });
  assert.equal(missing.text, "$(warning) Codestral: server not found");
  assert.equal(missing.alert, "warning");
  assert.ok(missing.tooltip.includes("It is not there\\."));
  assert.equal(shown({}, { phase: "crashed", status: undefined }).alert, "error");
  assert.match(shown({}, { status: undefined }).text, /starting/);
});
