/** Which labels are shown: the most important first, and none that would touch one already there. */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Remembers what has been placed, in a coarse grid so that asking is cheap. */
export class Placement {
  private readonly cells = new Map<number, Box[]>();
  /** All that has been placed. */
  readonly boxes: Box[] = [];
  private static readonly pitch = 64;

  /** True if nothing placed touches the box and it lies inside the window. */
  isFree(box: Box, width: number, height: number): boolean {
    if (box.left < 2 || box.top < 2 || box.right > width - 2 || box.bottom > height - 2) return false;
    for (const key of this.keys(box)) {
      for (const other of this.cells.get(key) ?? []) {
        const apart =
          box.left >= other.right ||
          other.left >= box.right ||
          box.top >= other.bottom ||
          other.top >= box.bottom;
        if (!apart) return false;
      }
    }
    return true;
  }

  /** Places the box if it is free; false if it must yield. */
  place(box: Box, width: number, height: number): boolean {
    if (!this.isFree(box, width, height)) return false;
    this.take(box);
    return true;
  }

  /** Nothing comes here any more, whatever stands there. */
  take(box: Box): void {
    this.boxes.push(box);
    for (const key of this.keys(box)) {
      const list = this.cells.get(key);
      if (list) list.push(box);
      else this.cells.set(key, [box]);
    }
  }

  private keys(box: Box): number[] {
    const keys: number[] = [];
    const at = (value: number): number => Math.floor(value / Placement.pitch);
    for (let y = at(box.top); y <= at(box.bottom); y++)
      for (let x = at(box.left); x <= at(box.right); x++) keys.push(y * 4096 + x);
    return keys;
  }
}
