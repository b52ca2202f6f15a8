import assert from "node:assert/strict";
import { test } from "node:test";

import { link, outline, startsChat } from "../src/chat/outline.ts";

const CHAT = `# Chat

> system: You help.

## You

Like this:

\`\`\`markdown
## Model
\`\`\`

## Model

\`\`\`python a.py
x = 1
\`\`\`
And:
~~~~
\`\`\`
~~~~

## You

`.split("\n");

test("a chat is recognised by its first line", () => {
  for (const line of ["# Chat", "\ufeff# chat", "# Chat about x"]) assert.ok(startsChat(line), line);
  for (const line of ["", "# Chats", "## Chat", "Chat", " # Chat"]) assert.ok(!startsChat(line), line);
});

test("turns are found, but not in what the user shows as code", () => {
  const turns = outline(CHAT).turns.map(({ role, line, empty }) => [role, line, empty]);
  assert.deepEqual(turns, [["You", 4, false], ["Model", 12, false], ["You", 22, true]]);
});

test("only the model's blocks are blocks", () => {
  assert.deepEqual(outline(CHAT).blocks, [{ line: 14, end: 16 }, { line: 18, end: 20 }]);
});

test("a block that is still being written is none, and the next turn ends it", () => {
  const { turns, blocks } = outline(["## Model", "```python", "x", "## You", "```"]);
  assert.deepEqual(turns.map(({ role }) => role), ["Model", "You"]);
  assert.deepEqual(blocks, []);
});

test("a link names the lines twice: for people and for the server", () => {
  assert.equal(link("src/a [b].py", "file:///w/a (1)/a%5Bb%5D.py", 3, 9), "[src/a b.py:3-9](file:///w/a%20%281%29/a%5Bb%5D.py#L3-L9)");
});
