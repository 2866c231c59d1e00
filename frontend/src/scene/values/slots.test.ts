import { expect, test } from "vitest";
import { ALIGNMENT, LAYER_SIZE, type Slot, SlotAllocator } from "./slots";

type Taken = Slot & { width: number; height: number };

function overlap(a: Taken, b: Taken): boolean {
  return (
    a.layer === b.layer &&
    a.x < b.x + b.width &&
    b.x < a.x + a.width &&
    a.y < b.y + b.height &&
    b.y < a.y + a.height
  );
}

const sizes = [
  [11, 48],
  [48, 16],
  [1, 256],
  [256, 256],
  [192, 32],
  [3, 3],
  [256, 81],
] as const;

test("slots lie on their layer, are aligned and never overlap", () => {
  const slots = new SlotAllocator(200);
  const taken: Taken[] = [];
  for (let i = 0; i < 210; i++) {
    const [width, height] = sizes[i % sizes.length] as (typeof sizes)[number];
    const slot = slots.allocate(width, height);
    if (!slot) throw new Error("full");
    expect([slot.x % ALIGNMENT, slot.y % ALIGNMENT]).toEqual([0, 0]);
    expect(slot.x + width).toBeLessThanOrEqual(LAYER_SIZE);
    expect(slot.y + height).toBeLessThanOrEqual(LAYER_SIZE);
    for (const other of taken) expect(overlap({ ...slot, width, height }, other)).toBe(false);
    taken.push({ ...slot, width, height });
  }
});

test("small plates share a layer", () => {
  const slots = new SlotAllocator(10);
  for (let i = 0; i < 50; i++) expect(slots.allocate(48, 48)).not.toBeNull();
  expect(slots.layersUsed).toBe(2);
});

test("a full pool says so, and what is given back serves another size", () => {
  const slots = new SlotAllocator(1);
  const whole = slots.allocate(256, 256) as Slot;
  expect(slots.allocate(8, 8)).toBeNull();
  slots.release(whole);
  expect(slots.layersUsed).toBe(0);
  expect(slots.allocate(8, 8)).not.toBeNull();
});
