/** The numbers of one model on the map: takes in rows and tiles, says which tiles are held and which are not. */

import type { Graph } from "../graph/types";
import type { Layout } from "../layout/types";
import { ABSENT, decodeHalf } from "./half";
import { type Held, LAYER_BYTES, Pool } from "./pool";
import { tableEntry } from "./pool_texture";
import { isTokenAxis, makeSheets, type Sheet, type Sheets } from "./sheets";
import { LAYER_SIZE, layerShare } from "./slots";
import type { RowsHeader, TileAddress, TileHeader } from "./types";

/** A tile of a weight's sheet, and how much it is wanted (more is sooner). */
export interface Rank {
  readonly sheet: Sheet;
  readonly row: number;
  readonly column: number;
  readonly worth: number;
}

const tileSize = (whole: number, tile: number): number => Math.min(LAYER_SIZE, whole - tile * LAYER_SIZE);

function strides(shape: readonly number[]): number[] {
  const steps = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    steps[axis] = (steps[axis + 1] as number) * (shape[axis + 1] as number);
  return steps;
}

export class Values {
  readonly pool: Pool;
  sheets: Sheets = makeSheets([], { tensors: [], ops: [], sizes: {} }, { target: 0, source: 0 });
  table = new Uint32Array(0);
  tableChanged = true;
  private held: (Held | null)[] = [];
  private graph: Graph | null = null;
  /** Worth of each tile when last ranked; what is worth least makes room. */
  private worth = new Map<number, number>();
  private activationShare = 0;

  constructor(poolBytes: number) {
    this.pool = new Pool(Math.max(8, Math.floor(poolBytes / LAYER_BYTES)));
  }

  get tilesHeld(): number {
    return this.held.reduce((count, held) => count + (held ? 1 : 0), 0);
  }

  /** New plates. Tiles of the same tensors of the same graph are kept, if they still have their size. */
  setLayout(layout: Layout, graph: Graph): void {
    const before = this.graph === graph ? this.sheets.sheets : [];
    const old = this.held;
    const kept = new Set<Held>();
    const known = new Map(before.map((sheet) => [sheet.key, sheet]));
    this.sheets = makeSheets(layout.plates, graph, layout.capacity);
    this.held = new Array<Held | null>(this.sheets.tiles).fill(null);
    this.worth.clear();
    this.activationShare = 0;
    for (const sheet of this.sheets.sheets) {
      const same = known.get(sheet.key);
      this.eachTile(sheet, (tile, row, column, width, height) => {
        if (!sheet.weight) this.activationShare += layerShare(width, height);
        if (!same || row >= same.tilesDown || column >= same.tilesAcross) return;
        const held = old[same.firstTile + row * same.tilesAcross + column];
        if (held?.width !== width || held.height !== height) return;
        this.held[tile] = held;
        kept.add(held);
      });
    }
    for (const held of old) if (held && !kept.has(held)) this.pool.release(held);
    this.graph = graph;
    this.writeTable();
  }

  clearActivations(): void {
    for (const sheet of this.sheets.sheets) {
      if (sheet.weight) continue;
      this.eachTile(sheet, (tile) => {
        const held = this.held[tile];
        if (held) this.pool.clear(held);
      });
    }
  }

  /** Rows of an activation go to every sheet of it: one a head, where it has heads. */
  applyRows({ name, offset, shape, scale }: RowsHeader, values: Uint16Array): void {
    const source = this.sheets.holder(name);
    const info = this.sheets.tensor(source);
    if (!info) return;
    const token = info.axes.findIndex((axis) => axis === "pos" || axis === "query_pos");
    const steps = strides(shape);
    for (const sheet of this.sheets.bySource.get(source) ?? []) {
      let start = 0;
      for (const [axis, index] of sheet.fixed.entries()) {
        if (index !== null) start += (axis === token ? index - offset : index) * (steps[axis] as number);
      }
      const along = (axis: number | null): [number, number, number] =>
        axis === null
          ? [0, 1, 0]
          : [axis === token ? offset : 0, shape[axis] as number, steps[axis] as number];
      const [top, rows, stride] = along(sheet.rowAxis);
      const [left, columns, step] = along(sheet.columnAxis);
      this.write(sheet, { top, left, rows, columns }, values, { start, stride, step }, scale);
      // A new row of scores has fewer keys than there is room for: the rest is not computed.
      if (isTokenAxis(info.axes[sheet.columnAxis]) && sheet.columnAxis !== token)
        this.writeAbsent(sheet, top, rows, left + columns);
    }
  }

  /** A tile of a weight. One that nobody wants any more, or that finds the pool full, is dropped. */
  applyTile({ name, index, level, row, col, shape, scale }: TileHeader, values: Uint16Array): void {
    if (level !== 0) return;
    for (const sheet of this.sheets.bySource.get(this.sheets.holder(name)) ?? []) {
      const leading = sheet.fixed.filter((at) => at !== null);
      if (!leading.every((at, i) => at === index[i])) continue;
      const columns = shape[shape.length - 1] ?? 1;
      const rows = shape.length > 1 ? (shape[shape.length - 2] ?? 1) : 1;
      // An index longer than the leading axes names one row of the sheet.
      const top = (index[leading.length] ?? 0) + row * LAYER_SIZE;
      const area = { top, left: col * LAYER_SIZE, rows, columns };
      this.write(sheet, area, values, { start: 0, stride: columns, step: 1 }, scale);
    }
  }

  /** Weight tiles not here, the most wanted first, as many as there is room for. */
  wanted(ranks: Rank[]): TileAddress[] {
    ranks.sort((a, b) => b.worth - a.worth);
    this.worth.clear();
    let room =
      this.pool.maximumLayers * 0.98 - Math.min(this.activationShare, this.pool.maximumLayers * 0.75);
    const missing: TileAddress[] = [];
    for (const { sheet, row, column, worth } of ranks) {
      const tile = sheet.firstTile + row * sheet.tilesAcross + column;
      if (this.worth.has(tile)) continue;
      room -= layerShare(tileSize(sheet.columns, column), tileSize(sheet.rows, row));
      if (room < 0) break;
      this.worth.set(tile, worth);
      if (this.held[tile]) continue;
      const index = sheet.fixed.filter((at) => at !== null);
      missing.push({ name: sheet.source, index, level: 0, row, col: column });
    }
    return missing;
  }

  valueAt(tensor: string, index: readonly number[]): number | undefined {
    const window = this.sheets.byTensor.get(tensor)?.[0];
    const turned = window !== undefined && this.sheets.swapped(window.plate);
    const at = turned ? [...index].reverse() : index;
    const source = this.sheets.holder(turned ? window.plate.source : tensor);
    for (const sheet of this.sheets.bySource.get(source) ?? []) {
      if (sheet.fixed.some((fixed, axis) => fixed !== null && fixed !== at[axis])) continue;
      const row = sheet.rowAxis === null ? 0 : (at[sheet.rowAxis] ?? 0);
      const column = at[sheet.columnAxis] ?? 0;
      const tile = sheet.firstTile + (row >> 8) * sheet.tilesAcross + (column >> 8);
      const held = row < sheet.rows && column < sheet.columns ? this.held[tile] : null;
      const half = held ? this.pool.read(held, row & 255, column & 255) : ABSENT;
      return half === ABSENT ? undefined : decodeHalf(half);
    }
    return undefined;
  }

  eachTile(
    sheet: Sheet,
    visit: (tile: number, row: number, column: number, width: number, height: number) => void,
  ): void {
    for (let row = 0; row < sheet.tilesDown; row++)
      for (let column = 0; column < sheet.tilesAcross; column++)
        visit(
          sheet.firstTile + row * sheet.tilesAcross + column,
          row,
          column,
          tileSize(sheet.columns, column),
          tileSize(sheet.rows, row),
        );
  }

  private write(
    sheet: Sheet,
    area: { top: number; left: number; rows: number; columns: number },
    values: Uint16Array,
    { start, stride, step }: { start: number; stride: number; step: number },
    scale: number,
  ): void {
    this.eachTileOf(sheet, area, (tile, row, column, inTile) => {
      const held = this.hold(tile, sheet, row, column);
      if (!held) return;
      const down = row * LAYER_SIZE + inTile.top - area.top;
      const right = column * LAYER_SIZE + inTile.left - area.left;
      const from = start + down * stride + right * step;
      this.pool.write(held, inTile, values, { start: from, stride, step }, scale);
    });
  }

  private writeAbsent(sheet: Sheet, top: number, rows: number, left: number): void {
    this.eachTileOf(
      sheet,
      { top, rows, left, columns: sheet.columns - left },
      (tile, _row, _column, inTile) => {
        const held = this.held[tile];
        if (held) this.pool.writeAbsent(held, inTile);
      },
    );
  }

  /** Cuts a rectangle of a sheet along its tiles; what lies outside the sheet is left out. */
  private eachTileOf(
    sheet: Sheet,
    area: { top: number; left: number; rows: number; columns: number },
    visit: (
      tile: number,
      row: number,
      column: number,
      inTile: { left: number; top: number; right: number; bottom: number },
    ) => void,
  ): void {
    const bottom = Math.min(sheet.rows, area.top + area.rows);
    const right = Math.min(sheet.columns, area.left + area.columns);
    for (let row = area.top >> 8; row * LAYER_SIZE < bottom; row++) {
      for (let column = area.left >> 8; column * LAYER_SIZE < right; column++) {
        visit(sheet.firstTile + row * sheet.tilesAcross + column, row, column, {
          top: Math.max(0, area.top - row * LAYER_SIZE),
          left: Math.max(0, area.left - column * LAYER_SIZE),
          bottom: Math.min(LAYER_SIZE, bottom - row * LAYER_SIZE),
          right: Math.min(LAYER_SIZE, right - column * LAYER_SIZE),
        });
      }
    }
  }

  private hold(tile: number, sheet: Sheet, row: number, column: number): Held | null {
    const here = this.held[tile];
    if (here) return here;
    const width = tileSize(sheet.columns, column);
    const height = tileSize(sheet.rows, row);
    let held = this.pool.hold(width, height);
    if (!held && this.makeRoom(sheet.weight ? (this.worth.get(tile) ?? 0) : Number.POSITIVE_INFINITY))
      held = this.pool.hold(width, height);
    if (!held) return null;
    this.held[tile] = held;
    this.setEntry(tile, held);
    return held;
  }

  /** Gives up the weight tiles that are worth less than this, cheapest first, until a layer's worth is free. */
  private makeRoom(than: number): boolean {
    const candidates: { tile: number; worth: number }[] = [];
    for (const sheet of this.sheets.sheets)
      if (sheet.weight)
        this.eachTile(sheet, (tile) => {
          const worth = this.worth.get(tile) ?? 0;
          if (this.held[tile] && worth < than) candidates.push({ tile, worth });
        });
    candidates.sort((a, b) => a.worth - b.worth);
    let freed = 0;
    for (const { tile } of candidates) {
      const held = this.held[tile] as Held;
      this.pool.release(held);
      this.held[tile] = null;
      this.setEntry(tile, null);
      freed += layerShare(held.width, held.height);
      if (freed >= 4) break;
    }
    return freed > 0;
  }

  private setEntry(tile: number, held: Held | null): void {
    this.table[tile] = held ? tableEntry(held.slot.layer, held.slot.x, held.slot.y) : 0;
    this.tableChanged = true;
  }

  private writeTable(): void {
    this.table = new Uint32Array(this.sheets.tiles);
    for (const [tile, held] of this.held.entries()) this.setEntry(tile, held);
    this.tableChanged = true;
  }
}
