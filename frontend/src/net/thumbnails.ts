/** The thumbnails of a model: every plate of its weights in at most 32 x 32 numbers, in one answer (docs/reference/tiles.md). */

import { ask } from "./rest";
import type { ThumbnailsHeader } from "./types";

/** A thumbnail is the one tile of a plate's coarsest level. */
export interface Thumbnail {
  readonly name: string;
  readonly index: readonly number[];
  readonly level: number;
  readonly row: 0;
  readonly col: 0;
  readonly shape: readonly [number, number];
  readonly full_shape: readonly number[];
  readonly scale: number;
  /** Half floats, row by row. */
  readonly values: Uint16Array;
}

export async function getThumbnails(model: string): Promise<readonly Thumbnail[]> {
  const answer = await ask(`/models/${encodeURIComponent(model)}/thumbnails`);
  return parseThumbnails(await answer.arrayBuffer());
}

/** @throws RangeError when the file is of another version, or ends too soon. */
export function parseThumbnails(file: ArrayBuffer): readonly Thumbnail[] {
  const start = file.byteLength < 4 ? Number.POSITIVE_INFINITY : 4 + new DataView(file).getUint32(0, true);
  if (start > file.byteLength) throw new RangeError("the thumbnails end within their header");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, start - 4))) as ThumbnailsHeader;
  if (header.v !== 1) throw new RangeError(`the thumbnails are of version ${header.v}, not 1`);
  return header.plates.map(({ name, index, level, rows, cols, offset, scale }) => {
    if (start + offset + 2 * rows * cols > file.byteLength)
      throw new RangeError(`the thumbnails end before those of ${name}`);
    const values = new Uint16Array(file, start + offset, rows * cols);
    return { name, index, level, row: 0, col: 0, shape: [rows, cols], full_shape: [], scale, values };
  });
}
