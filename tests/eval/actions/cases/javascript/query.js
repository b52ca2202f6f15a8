import assert from "node:assert/strict";

/** Characters that stay as they are in a slug. */
const KEPT = /[^a-z0-9]+/g;

export function parseQuery(text) {
  const result = {};
  const start = text.startsWith("?") ? 1 : 0;
  for (const pair of text.slice(start).split("&")) {
    if (pair === "") continue;
    const [key, value = ""] = pair.split("=");
    const name = decodeURIComponent(key);
    const decoded = decodeURIComponent(value.replaceAll("+", " "));
    if (name in result) {
      result[name].push(decoded);
    } else {
      result[name] = [decoded];
    }
  }
  return result;
}

export function buildQuery(parameters) {
  const pairs = [];
  for (const [key, values] of Object.entries(parameters)) {
    for (const value of values) {
      pairs.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
    }
  }
  return pairs.length > 0 ? "?" + pairs.join("&") : "";
}

export function slugify(title, maxLength = 40) {
  const slug = title.toLowerCase().replace(KEPT, "-").replace(/^-+|-+$/g, "");
  return slug.slice(0, maxLength).replace(/-+$/, "");
}

export function chunk(items, size) {
  if (size < 1) {
    throw new RangeError("size must be at least 1");
  }
  const chunks = [];
  for (let index = 0; index < items.length; index += size) {
    chunks.push(items.slice(index, index + size));
  }
  return chunks;
}

export function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) {
      group.push(item);
    } else {
      groups.set(key, [item]);
    }
  }
  return groups;
}

function selfTest() {
  assert.deepEqual(parseQuery("?a=1&b=x+y&a=2"), { a: ["1", "2"], b: ["x y"] });
  assert.equal(buildQuery({ a: ["1", "2"], b: ["x y"] }), "?a=1&a=2&b=x%20y");
  assert.equal(buildQuery({}), "");
  assert.equal(slugify("  Hello, World! "), "hello-world");
  assert.equal(slugify("one two three", 8), "one-two");
  assert.deepEqual(chunk([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.throws(() => chunk([1], 0), RangeError);
  assert.deepEqual(groupBy([1, 2, 3], (n) => n % 2).get(1), [1, 3]);
}

selfTest();
