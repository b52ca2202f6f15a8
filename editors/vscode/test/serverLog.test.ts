import assert from "node:assert/strict";
import { test } from "node:test";

import { ServerLog, type Level } from "../src/serverLog.ts";

function written(...pieces: readonly string[]): [Level, string][] {
  const lines: [Level, string][] = [];
  const log = new ServerLog((level, line) => lines.push([level, line]));
  for (const piece of pieces) log.add(piece);
  log.end();
  return lines;
}

test("records have their levels, and lose a time that the output channel adds itself", () => {
  assert.deepEqual(
    written("2026-01-02 03:04:05,678 INFO lsp_server.engine: ready\n2026-01-02 03:04:05,678 WARNING lsp_server: careful\r\n"),
    [
      ["info", "lsp_server.engine: ready"],
      ["warn", "lsp_server: careful"],
    ],
  );
});

test("a line may come in pieces, and without an end", () => {
  assert.deepEqual(written("2026-01-02 03:04:05,6", "78 ERROR a", ": b\nla", "st"), [
    ["error", "a: b"],
    ["error", "last"],
  ]);
});

test("a traceback belongs to the record before it", () => {
  assert.deepEqual(written("2026-01-02 03:04:05,678 ERROR a: b\nTraceback (most recent call last):\n  File\n").slice(1), [
    ["error", "Traceback (most recent call last):"],
    ["error", "  File"],
  ]);
});
