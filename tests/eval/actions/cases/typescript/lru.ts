import assert from "node:assert/strict";

export class LruCache<K, V> {
  private readonly entries = new Map<K, V>();

  constructor(private readonly capacity: number) {
    if (capacity < 1) {
      throw new RangeError("capacity must be at least 1");
    }
  }

  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.capacity) {
      const oldest = this.entries.keys().next().value as K;
      this.entries.delete(oldest);
    }
  }

  get size(): number {
    return this.entries.size;
  }
}

export function memoize<A, R>(compute: (argument: A) => R, capacity = 100): (argument: A) => R {
  const cache = new LruCache<A, { result: R }>(capacity);
  return (argument) => {
    const known = cache.get(argument);
    if (known) return known.result;
    const result = compute(argument);
    cache.set(argument, { result });
    return result;
  };
}

export function hitRate(hits: number, misses: number): number {
  const all = hits + misses;
  return all === 0 ? 0 : hits / all;
}

export function formatBytes(bytes: number, digits: number = 1): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(digits)} ${units[unit]}`;
}

function selfTest(): void {
  const cache = new LruCache<string, number>(2);
  cache.set("a", 1);
  cache.set("b", 2);
  assert.equal(cache.get("a"), 1);
  cache.set("c", 3);
  assert.equal(cache.get("b"), undefined);
  assert.equal(cache.size, 2);
  let calls = 0;
  const square = memoize((n: number) => {
    calls++;
    return n * n;
  });
  assert.equal(square(4) + square(4), 32);
  assert.equal(calls, 1);
  assert.equal(hitRate(3, 1), 0.75);
  assert.equal(hitRate(0, 0), 0);
  assert.equal(formatBytes(512), "512 B");
  assert.equal(formatBytes(1536), "1.5 KiB");
}

selfTest();
