import assert from "node:assert/strict";
import { test } from "node:test";

import { holding, setSettings, type Inspection } from "../src/setSettings.ts";

function sent(values: Record<string, Inspection & { readonly defaultValue?: unknown }>): unknown {
  return setSettings(Object.keys(values), (key) => values[key]);
}

test("what nobody has set is not sent, so that the configuration file counts", () => {
  assert.deepEqual(sent({ "completion.max_tokens": { defaultValue: 160 }, backend: { defaultValue: "auto" } }), {});
});

test("what somebody has set becomes a tree", () => {
  const values = { backend: { globalValue: "mistral" }, "local.slots": { globalValue: 1 }, "local.threads": { globalValue: 0 } };
  assert.deepEqual(sent(values), { backend: "mistral", local: { slots: 1, threads: 0 } });
});

test("the narrower place wins, false and empty values too", () => {
  assert.deepEqual(
    sent({
      "completion.enabled": { globalValue: true, workspaceValue: false },
      "completion.disabled_languages": { globalValue: ["c"], workspaceValue: ["c"], workspaceFolderValue: [] },
    }),
    { completion: { enabled: false, disabled_languages: [] } },
  );
});

test("a table of names is sent as it is", () => {
  const backends = { "gpu.box": { type: "openai" } };
  assert.deepEqual(sent({ backends: { globalValue: backends } }), { backends });
});

test("the extension's own settings are not the server's", () => {
  assert.deepEqual(sent({ "server.path": { globalValue: "/x" }, "trace.server": { globalValue: "verbose" } }), {});
});

test("null is nothing set, and a setting that is not known is left out", () => {
  assert.deepEqual(setSettings(["backend", "log_level"], (key) => (key === "backend" ? { globalValue: null } : undefined)), {});
});

test("an option stands in the setting of its name, or in that of a table around it", () => {
  const keys = ["backend", "backends", "completion.timeout_ms"];
  assert.equal(holding(keys, "completion.timeout_ms"), "completion.timeout_ms");
  assert.equal(holding(keys, "backends.gpu.modle"), "backends");
  assert.equal(holding(keys, "backendish"), undefined);
  assert.equal(holding(keys, ""), undefined);
});
