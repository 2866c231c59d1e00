/** Tiles of a run's activations by REST: 256 x 256 numbers of one plate at one level (docs/reference/tiles.md). */

import { ask } from "./rest";

export const TILE_SIZE = 256;

export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Half floats as their bits; the numbers are these times `scale`. */
  readonly values: Uint16Array;
  readonly scale: number;
}

/** Fetches a tile of a run, or of its difference to the run `minus`.
 *  @throws ApiError when there is no such tile (yet), DOMException when given up by `signal`. */
export async function getTile(
  run: string,
  tensor: string,
  head: number,
  { level, row, column }: { readonly level: number; readonly row: number; readonly column: number },
  signal: AbortSignal,
  minus?: string,
): Promise<Tile> {
  const less = minus === undefined ? {} : { minus };
  const query = new URLSearchParams({ head: `${head}`, ...less });
  const path = `/runs/${encodeURIComponent(run)}/activations/${encodeURIComponent(tensor)}/tiles`;
  const answer = await ask(`${path}/${level}/${row}/${column}?${query}`, { signal });
  const [rows = 0, columns = 0] = (answer.headers.get("x-atlas-shape") ?? "").split(",").map(Number);
  const scale = Number(answer.headers.get("x-atlas-scale") ?? 1);
  return { rows, columns, values: new Uint16Array(await answer.arrayBuffer()), scale };
}
