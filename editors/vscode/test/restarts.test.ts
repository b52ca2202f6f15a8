import assert from "node:assert/strict";
import { test } from "node:test";

import { Restarts } from "../src/restarts.ts";

test("a server that ends is started again, the first time at once, and the fifth time in a row no more", () => {
  const restarts = new Restarts();
  const delays = [0, 1000, 2000, 3000, 4000].map((now) => restarts.next(now));
  assert.equal(delays[0], 0);
  assert.ok(delays.slice(1, 4).every((delay, index) => delay !== undefined && delay > (delays[index] ?? 0)));
  assert.equal(delays[4], undefined);
  assert.equal(restarts.count, 5);
});

test("ends that lie far apart do not count together", () => {
  const restarts = new Restarts();
  const hour = 3_600_000;
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((hours) => restarts.next(hours * hour)), [0, 0, 0, 0, 0, 0]);
});

test("a start by hand begins anew", () => {
  const restarts = new Restarts();
  for (const now of [0, 1, 2, 3, 4]) restarts.next(now);
  restarts.reset();
  assert.equal(restarts.next(5), 0);
});
