/** The pool: every number the map holds, in layers of 256 x 256 half floats, with copies pooled 2, 4 and 8 cells a
 *  side for the view from afar. This side is plain memory; `PoolTexture` keeps the graphics card's copy the same.
 *
 *  A pooled cell is the root mean square of its numbers with the sign of their mean, so that a dark plate stays
 *  dark when seen from far away.
 */

import { ABSENT, decodeHalf, encodeHalf, MASKED_ZERO, MINUS_INFINITY, NOT_A_NUMBER } from "./half";
import { ALIGNMENT, LAYER_SIZE, type Slot, SlotAllocator } from "./slots";

export const LEVELS = 4;
/** Bytes of one layer with its pooled copies on the graphics card: four a cell (encode.ts). */
export const LAYER_BYTES = 4 * (256 ** 2 + 128 ** 2 + 64 ** 2 + 32 ** 2);

/** Cells of a layer that changed since they were last uploaded. */
export interface Dirty {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Layer {
  /** The numbers, then the copies pooled 2 x 2, 4 x 4 and 8 x 8. */
  readonly levels: readonly Uint16Array<ArrayBuffer>[];
  /** The tiles that lie on it. */
  readonly tiles: Set<Held>;
  /** What changed since pooled copies were last brought up to date. */
  dirty: Dirty[];
  /** The graphics card has nothing of it. */
  unsent: boolean;
}

/** A tile that is held: where, how large, and under which colour scale. */
export interface Held {
  readonly slot: Slot;
  readonly width: number;
  readonly height: number;
  /** One over the value of full colour. */
  inverse: number;
  /** Number of the last frame that drew it. */
  seen: number;
  /** There may be more in it by now: it is drawn, and asked for again. */
  stale: boolean;
  /** Of a tile of an activation: the positions that had been read when it came, or infinity when it lacked none. */
  known: number;
}

function makeLayer(): Layer {
  const levels = Array.from({ length: LEVELS }, (_, level) =>
    new Uint16Array((LAYER_SIZE >> level) ** 2).fill(ABSENT),
  );
  return { levels, tiles: new Set(), dirty: [], unsent: false };
}

function pooled(a: number, b: number, c: number, d: number): number {
  let count = 0;
  let sum = 0;
  let squares = 0;
  let masked = ABSENT;
  for (let i = 0; i < 4; i++) {
    const half = i === 0 ? a : i === 1 ? b : i === 2 ? c : d;
    if (half === ABSENT) continue;
    if (half === MINUS_INFINITY || half === MASKED_ZERO) {
      masked = half;
      continue;
    }
    const value = decodeHalf(half);
    if (Number.isNaN(value)) return NOT_A_NUMBER;
    count++;
    sum += value;
    squares += value * value;
  }
  if (count === 0) return masked;
  const size = Math.sqrt(squares / count);
  const half = encodeHalf(sum < 0 ? -size : size);
  return half === MASKED_ZERO ? 0 : half;
}

/** Brings the pooled copies of a rectangle of a layer up to date. */
function poolRectangle(layer: Layer, { left, top, right, bottom }: Dirty): void {
  for (let level = 1; level < LEVELS; level++) {
    const from = layer.levels[level - 1] as Uint16Array;
    const to = layer.levels[level] as Uint16Array;
    const size = LAYER_SIZE >> level;
    for (let y = top >> level; y <= (bottom - 1) >> level; y++) {
      for (let x = left >> level; x <= (right - 1) >> level; x++) {
        const at = y * 2 * size * 2 + x * 2;
        to[y * size + x] = pooled(
          from[at] as number,
          from[at + 1] as number,
          from[at + size * 2] as number,
          from[at + size * 2 + 1] as number,
        );
      }
    }
  }
}

const WHOLE: Dirty = { left: 0, top: 0, right: LAYER_SIZE, bottom: LAYER_SIZE };
/** So many rectangles of a layer are sent each by itself. */
const SENT_ALONE = 16;

function around(areas: readonly Dirty[]): Dirty {
  return {
    left: Math.min(...areas.map(({ left }) => left)),
    top: Math.min(...areas.map(({ top }) => top)),
    right: Math.max(...areas.map(({ right }) => right)),
    bottom: Math.max(...areas.map(({ bottom }) => bottom)),
  };
}

function holds(area: Dirty, left: number, top: number, right: number, bottom: number): boolean {
  return area.left <= left && area.top <= top && area.right >= right && area.bottom >= bottom;
}

export class Pool {
  readonly layers: Layer[] = [];
  private readonly slots: SlotAllocator;

  constructor(readonly maximumLayers: number) {
    this.slots = new SlotAllocator(maximumLayers);
  }

  get layersUsed(): number {
    return this.slots.layersUsed;
  }

  /** Room for a tile, every cell of it absent; null when the pool is full. */
  hold(width: number, height: number, inverse = 1): Held | null {
    const slot = this.slots.allocate(width, height);
    if (!slot) return null;
    while (this.layers.length < this.slots.depth) this.layers.push(makeLayer());
    const held = { slot, width, height, inverse, seen: 0, stale: false, known: Number.POSITIVE_INFINITY };
    (this.layers[slot.layer] as Layer).tiles.add(held);
    this.clear(held);
    return held;
  }

  release(held: Held): void {
    this.layers[held.slot.layer]?.tiles.delete(held);
    this.slots.release(held.slot);
  }

  /** Another colour scale for a tile. */
  setScale(held: Held, inverse: number): void {
    if (held.inverse === inverse) return;
    held.inverse = inverse;
    const area = { left: 0, top: 0, right: held.width, bottom: held.height };
    this.touch(this.layers[held.slot.layer] as Layer, held.slot, area);
  }

  /** Makes every cell of a tile absent, and those around it that share its pooled cells. */
  clear({ slot, width, height }: Held): void {
    const roundUp = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    this.fill(slot, { left: 0, top: 0, right: roundUp(width), bottom: roundUp(height) }, ABSENT);
  }

  private fill(slot: Slot, area: Dirty, half: number): void {
    const layer = this.layers[slot.layer] as Layer;
    for (let level = 0; level < LEVELS; level++) {
      const values = layer.levels[level] as Uint16Array;
      const size = LAYER_SIZE >> level;
      for (let y = (slot.y + area.top) >> level; y < (slot.y + area.bottom) >> level; y++) {
        const start = y * size;
        values.fill(half, start + ((slot.x + area.left) >> level), start + ((slot.x + area.right) >> level));
      }
    }
    this.touch(layer, slot, area);
  }

  /** Copies cells into a tile. `source` is read from `start`, `stride` from row to row and `step` from column to
   *  column; positive infinity becomes not-a-number, since its pattern means "not here", unless it says just that. */
  write(
    held: Held,
    area: Dirty,
    source: Uint16Array,
    { start, stride, step }: { start: number; stride: number; step: number },
    scale: number,
    infinityIsAbsent = false,
  ): void {
    const infinity = infinityIsAbsent ? ABSENT : NOT_A_NUMBER;
    const layer = this.layers[held.slot.layer] as Layer;
    const values = layer.levels[0] as Uint16Array;
    for (let y = area.top; y < area.bottom; y++) {
      let to = (held.slot.y + y) * LAYER_SIZE + held.slot.x + area.left;
      let from = start + (y - area.top) * stride;
      for (let x = area.left; x < area.right; x++) {
        const half = source[from] as number;
        const scaled = scale === 1 ? half : encodeHalf(decodeHalf(half) * scale);
        values[to++] = scaled === ABSENT ? infinity : scaled === MASKED_ZERO ? 0 : scaled;
        from += step;
      }
    }
    this.touch(layer, held.slot, area);
  }

  /** Makes cells of a tile absent. */
  writeAbsent(held: Held, area: Dirty): void {
    const layer = this.layers[held.slot.layer] as Layer;
    const values = layer.levels[0] as Uint16Array;
    for (let y = area.top; y < area.bottom; y++) {
      const start = (held.slot.y + y) * LAYER_SIZE + held.slot.x;
      values.fill(ABSENT, start + area.left, start + area.right);
    }
    this.touch(layer, held.slot, area);
  }

  /** Zeros of a rectangle of a tile, written just now, are masked where `masked` says so of their row and column. */
  maskZeros(held: Held, area: Dirty, masked: (row: number, column: number) => boolean): void {
    const layer = this.layers[held.slot.layer] as Layer;
    const values = layer.levels[0] as Uint16Array;
    for (let row = area.top; row < area.bottom; row++) {
      const first = (held.slot.y + row) * LAYER_SIZE + held.slot.x;
      for (let column = area.left; column < area.right; column++)
        if (values[first + column] === 0 && masked(row, column)) values[first + column] = MASKED_ZERO;
    }
  }

  read(held: Held, row: number, column: number): number {
    const layer = this.layers[held.slot.layer] as Layer;
    return (layer.levels[0] as Uint16Array)[
      (held.slot.y + row) * LAYER_SIZE + held.slot.x + column
    ] as number;
  }

  /** Rectangles that changed, pooled copies brought up to date. Each tile is pooled alone, since that is what takes time;
   *  where many of a layer changed they are sent as one rectangle. */
  takeDirty(): { readonly index: number; readonly layer: Layer; readonly area: Dirty }[] {
    const changed: { index: number; layer: Layer; area: Dirty }[] = [];
    for (const [index, layer] of this.layers.entries()) {
      if (layer.dirty.length === 0 && !layer.unsent) continue;
      for (const area of layer.dirty) poolRectangle(layer, area);
      const areas = layer.unsent
        ? [WHOLE]
        : layer.dirty.length > SENT_ALONE
          ? [around(layer.dirty)]
          : layer.dirty;
      for (const area of areas) changed.push({ index, layer, area });
      layer.dirty = [];
      layer.unsent = false;
    }
    return changed;
  }

  /** Uploads everything again: the graphics card has forgotten it. */
  touchAll(): void {
    for (const layer of this.layers) layer.unsent = true;
  }

  private touch(layer: Layer, slot: Slot, area: Dirty): void {
    const left = slot.x + area.left;
    const top = slot.y + area.top;
    const right = slot.x + area.right;
    const bottom = slot.y + area.bottom;
    const last = layer.dirty.at(-1);
    if (last && holds(last, left, top, right, bottom)) return;
    layer.dirty.push({ left, top, right, bottom });
  }
}
