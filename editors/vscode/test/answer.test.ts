import assert from "node:assert/strict";
import { test } from "node:test";

import { fileName, markdown, type Partial } from "../src/answers/answer.ts";

const RUNNING: Partial = {
  token: "t", uri: "file:///a.py", action: "explain", title: "Explain function f", text: "It adds.\n", answer: true, done: false,
};

test("an answer that is being written is its title and its text", () => {
  assert.equal(markdown(RUNNING), "# Explain function f\n\nIt adds.\n");
});

test("before the first word it says that it waits", () => {
  assert.equal(markdown({ ...RUNNING, text: "" }), "# Explain function f\n\n---\n\n*Waiting for the model…*\n");
});

test("a whole answer has its notes below", () => {
  const whole = markdown({ ...RUNNING, done: true, state: "answered", notes: ["Not shown to the model: .env"] });
  assert.equal(whole, "# Explain function f\n\nIt adds.\n\n---\n\n*Not shown to the model: .env*\n");
});

test("a stopped answer keeps what came, and says so", () => {
  assert.equal(markdown({ ...RUNNING, done: true, state: "stopped" }), "# Explain function f\n\nIt adds.\n\n---\n\n*Stopped.*\n");
});

test("why an answer failed is shown as it is, not as Markdown", () => {
  const failed = markdown({ ...RUNNING, text: "", done: true, state: "failed", message: "No key:\n![x](http://h/) <b>" });
  assert.ok(failed.endsWith("**Failed:** No key: \\!\\[x\\]\\(http://h/\\) \\<b\\>\n"), failed);
});

test("a title is the name of a file on every system", () => {
  assert.equal(fileName('Explain a/b\\c: "x"?\n<y>'), "Explain a b c x y.md");
  assert.equal(fileName("///"), "Answer.md");
  assert.equal(fileName("é🎉".repeat(80)).length, 80 / 2 + 80 + ".md".length);
});
