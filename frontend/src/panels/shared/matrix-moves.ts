/** Moving over a matrix by keys: the next cell, and scrolling until it is in view.
 *
 *      cellAfter("ArrowDown", [0, 3], [2, 8])   // [1, 3]
 */

export type Place = readonly [row: number, column: number];

/** Keeps a cell within a matrix of so many rows and columns. */
export function within([row, column]: Place, [rows, columns]: Place): Place {
  return [Math.max(0, Math.min(rows - 1, row)), Math.max(0, Math.min(columns - 1, column))];
}

/** Finds the next cell for a key; null for keys that move nothing. Page Up and Page Down move by `page` rows. */
export function cellAfter(key: string, [row, column]: Place, size: Place, page = size[0]): Place | null {
  const next = (): Place | null => {
    switch (key) {
      case "ArrowLeft":
        return [row, column - 1];
      case "ArrowRight":
        return [row, column + 1];
      case "ArrowUp":
        return [row - 1, column];
      case "ArrowDown":
        return [row + 1, column];
      case "Home":
        return [row, 0];
      case "End":
        return [row, size[1] - 1];
      case "PageUp":
        return [row - page, column];
      case "PageDown":
        return [row + page, column];
      default:
        return null;
    }
  };
  const to = next();
  return to && within(to, size);
}

/** A box in the scrolled content, in CSS pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Scrolls no further than it takes to bring a box into view: beside labels that stay in place, and `gap` from the end. */
export function reveal(scroller: HTMLElement, box: Box, labels = { left: 0, top: 0 }, gap = 0): void {
  const along = (now: number, from: number, size: number, label: number, length: number) =>
    from - now < label ? from - label : from + size - now > length ? from + size - length + gap : now;
  const { scrollLeft, scrollTop, clientWidth, clientHeight } = scroller;
  scroller.scrollLeft = along(scrollLeft, box.x, box.width, labels.left, clientWidth);
  scroller.scrollTop = along(scrollTop, box.y, box.height, labels.top, clientHeight);
}
