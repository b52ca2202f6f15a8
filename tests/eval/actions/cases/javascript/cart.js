import assert from "node:assert/strict";

const TAX_RATES = { food: 0.07, books: 0.07, other: 0.19 };

export function roundCents(amount) {
  return Math.round((amount + Number.EPSILON) * 100) / 100;
}

export function taxFor(category, net) {
  const rate = TAX_RATES[category] ?? TAX_RATES.other;
  return roundCents(net * rate);
}

export class Cart {
  constructor() {
    this.lines = new Map();
  }

  add(sku, price, quantity = 1) {
    if (quantity < 1) {
      throw new RangeError(`quantity must be positive: ${quantity}`);
    }
    const line = this.lines.get(sku);
    if (line) {
      line.quantity += quantity;
    } else {
      this.lines.set(sku, { sku, price, quantity });
    }
    return this;
  }

  remove(sku) {
    return this.lines.delete(sku);
  }

  total(discount = 0) {
    let sum = 0;
    for (const line of this.lines.values()) {
      sum += line.price * line.quantity;
    }
    return roundCents(sum * (1 - discount));
  }
}

export function bestDiscount(total, rules) {
  let best = 0;
  for (const rule of rules) {
    if (total >= rule.from && rule.discount > best) {
      best = rule.discount;
    }
  }
  return best;
}

export function receipt(cart, rules = []) {
  const discount = bestDiscount(cart.total(), rules);
  const lines = [...cart.lines.values()].map(
    (line) => `${line.quantity} x ${line.sku} ${roundCents(line.price * line.quantity).toFixed(2)}`,
  );
  lines.push(`total ${cart.total(discount).toFixed(2)}`);
  return lines.join("\n");
}

function selfTest() {
  assert.equal(roundCents(1.005), 1.01);
  assert.equal(taxFor("food", 100), 7);
  assert.equal(taxFor("toys", 100), 19);
  const cart = new Cart().add("tea", 3.5, 2).add("mug", 8).add("tea", 3.5);
  assert.equal(cart.total(), 18.5);
  assert.equal(cart.total(0.1), 16.65);
  const rules = [{ from: 10, discount: 0.05 }, { from: 15, discount: 0.1 }];
  assert.equal(bestDiscount(12, rules), 0.05);
  assert.equal(receipt(cart, rules), "3 x tea 10.50\n1 x mug 8.00\ntotal 16.65");
  assert.ok(cart.remove("mug"));
  assert.ok(!cart.remove("mug"));
  assert.throws(() => cart.add("tea", 1, 0), RangeError);
}

selfTest();
