/** Where tiles go in the pool: an allocator of rectangles on square layers.
 *
 *  A layer is cut into equal slots, as many across and down as the rectangle's size allows, so that small plates
 *  share a layer, freeing leaves no fragments, and an emptied layer serves any size again.
 */

export const LAYER_SIZE = 256;
/** Slots start on multiples of this, so that the pooled copies (2, 4 and 8 cells a side) never mix two plates. */
export const ALIGNMENT = 8;

export interface Slot {
  readonly layer: number;
  readonly x: number;
  readonly y: number;
}

interface LayerPlan {
  readonly across: number;
  readonly down: number;
  readonly free: number[];
}

const slotsAlong = (size: number): number =>
  Math.floor(LAYER_SIZE / (Math.ceil(Math.min(size, LAYER_SIZE) / ALIGNMENT) * ALIGNMENT));

const slotSize = (slots: number): number => Math.floor(LAYER_SIZE / slots / ALIGNMENT) * ALIGNMENT;

/** Share of a layer that a rectangle takes. */
export function layerShare(width: number, height: number): number {
  return 1 / (slotsAlong(width) * slotsAlong(height));
}

export class SlotAllocator {
  private readonly plans: (LayerPlan | null)[] = [];
  private readonly open = new Map<string, Set<number>>();

  constructor(readonly maximumLayers: number) {}

  /** Layers that have ever been used: how deep the texture must be. */
  get depth(): number {
    return this.plans.length;
  }

  get layersUsed(): number {
    return this.plans.reduce((count, plan) => count + (plan ? 1 : 0), 0);
  }

  /** A place for `width` x `height` cells (at most a layer each way), or null when the pool is full. */
  allocate(width: number, height: number): Slot | null {
    const across = slotsAlong(width);
    const down = slotsAlong(height);
    const key = `${across}x${down}`;
    const layers = this.open.get(key) ?? new Set<number>();
    this.open.set(key, layers);
    const [layer = this.openLayer(across, down, layers)] = layers;
    if (layer === null) return null;
    const plan = this.plans[layer] as LayerPlan;
    const place = plan.free.pop() as number;
    if (plan.free.length === 0) layers.delete(layer);
    return {
      layer,
      x: (place % across) * slotSize(across),
      y: Math.floor(place / across) * slotSize(down),
    };
  }

  release(slot: Slot): void {
    const plan = this.plans[slot.layer];
    if (!plan) return;
    plan.free.push(
      Math.round(slot.y / slotSize(plan.down)) * plan.across + Math.round(slot.x / slotSize(plan.across)),
    );
    const layers = this.open.get(`${plan.across}x${plan.down}`);
    if (plan.free.length === plan.across * plan.down) {
      layers?.delete(slot.layer);
      this.plans[slot.layer] = null;
    } else layers?.add(slot.layer);
  }

  private openLayer(across: number, down: number, layers: Set<number>): number | null {
    let layer = this.plans.indexOf(null);
    if (layer < 0) layer = this.plans.length;
    if (layer >= this.maximumLayers) return null;
    const count = across * down;
    this.plans[layer] = { across, down, free: Array.from({ length: count }, (_, i) => count - 1 - i) };
    layers.add(layer);
    return layer;
  }
}
