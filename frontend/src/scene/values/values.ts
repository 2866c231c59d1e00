/** The numbers of one model on the map: takes in rows and tiles, says which tiles are held and which are not. */

import type { Positions } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import type { Layout } from "../../layout/types";
import { isTokenAxis, makeSheets, type Sheet, type Sheets, THUMBNAIL } from "../plates/sheets";
import type { RowsHeader, TileHeader, WantedTile } from "../types";
import { ABSENT, decodeHalf, MASKED_ZERO } from "./half";
import { type FarPlates, farPlates, packSlot } from "./lod-colour";
import { type Mask, maskOfShares } from "./masks";
import { type Held, LAYER_BYTES, Pool } from "./pool";
import { type Area, eachTile, eachTileOf, stridesOf, tileSize } from "./sheet-tiles";
import { LAYER_SIZE, layerShare } from "./slots";

/** A tile of a sheet, and how much it is wanted (more is sooner). */
export interface Rank {
  readonly sheet: Sheet;
  readonly level: number;
  readonly row: number;
  readonly column: number;
  readonly worth: number;
}

/** Share of the pool that one view may ask for, beside what is kept. */
const ROOM = 0.9;

export class Values {
  readonly pool: Pool;
  sheets: Sheets = makeSheets([], { tensors: [], ops: [], sizes: {} }, { target: 0, source: 0 });
  /** Counts changes to what is held. */
  version = 0;
  /** Number of the frame now drawn: tiles seen lately stay. */
  frame = 0;
  /** A tile with nothing in it: what is drawn where there is nothing. */
  readonly absent: Held;
  /** A tile of zeros, for faces that show no numbers. */
  readonly zero: Held;
  /** Of every plate, what it is drawn with from afar; and of every tile where it lies, packed, or -1. */
  far: FarPlates = farPlates([]);
  slots = new Int32Array(0);
  private held: (Held | null)[] = [];
  private sheetOf: Sheet[] = [];
  /** Of sheets of shares whose scores are masked, where they are. */
  private masks = new Map<Sheet, Mask>();
  private graph: Graph | null = null;
  private kept = 0;
  private extent: Positions = { target: 0, source: 0 };
  private scale: (sheet: Sheet) => number = () => 1;

  constructor(poolBytes: number) {
    this.pool = new Pool(Math.max(8, Math.floor(poolBytes / LAYER_BYTES)));
    this.absent = this.pool.hold(8, 8) as Held;
    this.zero = this.pool.hold(8, 8) as Held;
    const whole = { left: 0, top: 0, right: 8, bottom: 8 };
    this.pool.write(this.zero, whole, new Uint16Array(64), { start: 0, stride: 8, step: 1 }, 1);
  }

  /** Whether a model of so many weights fits as a whole, whatever its activations take. */
  holdsWhole(weights: number): boolean {
    return weights <= this.pool.maximumLayers * LAYER_SIZE ** 2 * 0.5;
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
    this.sheets = makeSheets(layout.plates, graph, layout.capacity, this.pool.maximumLayers);
    this.held = new Array<Held | null>(this.sheets.tiles).fill(null);
    this.slots = new Int32Array(this.sheets.tiles).fill(-1);
    this.far = farPlates(this.sheets.windows);
    this.sheetOf = [];
    this.masks = new Map();
    this.kept = 0;
    for (const sheet of this.sheets.sheets) {
      const mask = sheet.weight ? null : maskOfShares(graph, sheet);
      if (mask) this.masks.set(sheet, mask);
      const same = known.get(sheet.key);
      eachTile(sheet, (tile, level, row, column, width, height) => {
        this.sheetOf[tile] = sheet;
        if (sheet.streamed) this.kept += layerShare(width, height);
        const was = same?.levels[level];
        if (!was || row >= was.tilesDown || column >= was.tilesAcross) return;
        const held = old[was.firstTile + row * was.tilesAcross + column];
        if (held?.width !== width || held.height !== height) return;
        this.keep(tile, held);
        kept.add(held);
      });
    }
    for (const held of old) if (held && !kept.has(held)) this.pool.release(held);
    this.graph = graph;
    this.version++;
  }

  /** The value of full colour, of every sheet. */
  setScales(scale: (sheet: Sheet) => number): void {
    this.scale = scale;
    for (const sheet of this.sheets.sheets) {
      const inverse = this.inverse(sheet);
      eachTile(sheet, (tile) => {
        const held = this.held[tile];
        if (held) this.pool.setScale(held, inverse);
      });
    }
  }

  /** So many tokens have been read or written: tiles beyond them do not exist. */
  setExtent(extent: Positions): void {
    this.extent = extent;
  }

  /** More rows have been computed: tiles of activations that lacked some when they came are asked for anew. */
  markStale(): void {
    for (const sheet of this.sheets.sheets) {
      if (sheet.weight || sheet.streamed) continue;
      eachTile(sheet, (tile) => {
        const held = this.held[tile];
        if (held && held.known < this.extent.target) held.stale = true;
      });
    }
    this.version++;
  }

  /** Positions that had been read when a tile came; infinity if none of its cells waits for another position. */
  private knownOf(sheet: Sheet, { level, row, col, full_shape }: TileHeader): number {
    const axes = this.sheets.tensor(sheet.source)?.axes ?? [];
    const known = (axis: number | null, tile: number, size: number): number => {
      const read = axis !== null && isTokenAxis(axes[axis]) ? full_shape[axis] : undefined;
      const end = Math.min(size, (tile + 1) * LAYER_SIZE * 2 ** level);
      return read === undefined || end <= read ? Number.POSITIVE_INFINITY : read;
    };
    return Math.min(known(sheet.rowAxis, row, sheet.rows), known(sheet.columnAxis, col, sheet.columns));
  }

  private exists(sheet: Sheet, level: number, row: number, column: number): boolean {
    if (sheet.weight) return true;
    const info = this.sheets.tensor(sheet.source);
    const beyond = (axis: number | null, tile: number): boolean => {
      const name = info && axis !== null ? info.axes[axis] : undefined;
      if (!isTokenAxis(name)) return false;
      const count = info?.source_axes.includes(name ?? "") ? this.extent.source : this.extent.target;
      return tile * LAYER_SIZE * 2 ** level >= count;
    };
    return !beyond(sheet.rowAxis, row) && !beyond(sheet.columnAxis, column);
  }

  private inverse(sheet: Sheet): number {
    const scale = this.scale(sheet);
    return scale > 0 ? 1 / scale : 1;
  }

  /** The tile, if it is held. */
  tile(sheet: Sheet, level: number, row: number, column: number): Held | null {
    const at = sheet.levels[level];
    return at ? (this.held[at.firstTile + row * at.tilesAcross + column] ?? null) : null;
  }

  clearActivations(): void {
    for (const sheet of this.sheets.sheets) {
      if (sheet.weight) continue;
      eachTile(sheet, (tile) => {
        const held = this.held[tile];
        if (!held) return;
        if (sheet.streamed) this.pool.clear(held);
        else this.release(tile, held);
      });
    }
    this.version++;
  }

  /** Rows of an activation go to every sheet of it: one a head, where it has heads. */
  applyRows({ name, offset, shape, scale, minus }: RowsHeader, values: Uint16Array): void {
    const source = this.sheets.holder(name);
    const info = this.sheets.tensor(source);
    if (!info) return;
    const token = info.axes.findIndex((axis) => axis === "pos" || axis === "query_pos");
    const steps = stridesOf(shape);
    for (const sheet of this.sheets.bySource.get(source) ?? []) {
      if (!sheet.streamed) continue;
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
      const area = { level: 0, top, left, rows, columns };
      this.write(sheet, area, values, { start, stride, step }, scale, minus !== undefined);
      // A new row of scores has fewer keys than there is room for: the rest is not computed.
      if (isTokenAxis(info.axes[sheet.columnAxis]) && sheet.columnAxis !== token)
        this.writeAbsent(sheet, top, rows, left + columns);
    }
  }

  /** A tile. One of a level that is not in use, or that finds the pool full of what is in view, is dropped. */
  applyTile(header: TileHeader, values: Uint16Array): void {
    const { name, index, level, row, col, shape, scale, minus } = header;
    for (const sheet of this.sheets.bySource.get(this.sheets.holder(name)) ?? []) {
      if (sheet.streamed || !sheet.levels[level]) continue;
      const leading = sheet.fixed.filter((at) => at !== null);
      if (!leading.every((at, i) => at === index[i])) continue;
      const columns = shape[shape.length - 1] ?? 1;
      const rows = shape.length > 1 ? (shape[shape.length - 2] ?? 1) : 1;
      // An index longer than the leading axes names one row of the sheet.
      const top = (index[leading.length] ?? 0) + row * LAYER_SIZE;
      const area = { level, top, left: col * LAYER_SIZE, rows, columns };
      this.write(sheet, area, values, { start: 0, stride: columns, step: 1 }, scale, minus !== undefined);
      const held = sheet.weight ? null : this.tile(sheet, level, row, col);
      if (held) held.known = this.knownOf(sheet, header);
    }
  }

  /** Tiles not here, the most wanted first, as many as there is room for. */
  wanted(ranks: Rank[]): WantedTile[] {
    ranks.sort((a, b) => b.worth - a.worth);
    const asked = new Set<number>();
    let room = this.pool.maximumLayers * ROOM - this.kept;
    const missing: WantedTile[] = [];
    for (const { sheet, level, row, column } of ranks) {
      const at = sheet.levels[level];
      if (!at) continue;
      const tile = at.firstTile + row * at.tilesAcross + column;
      if (asked.has(tile)) continue;
      room -= layerShare(tileSize(at.columns, column), tileSize(at.rows, row));
      if (room < 0) break;
      asked.add(tile);
      const held = this.held[tile];
      if ((held && !held.stale) || !this.exists(sheet, level, row, column)) continue;
      const index = sheet.fixed.filter((fixed) => fixed !== null);
      missing.push({ name: sheet.source, activation: !sheet.weight, index, level, row, col: column });
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
      const inside = row < sheet.rows && column < sheet.columns;
      const half = inside ? this.halfAt(sheet, row, column) : ABSENT;
      if (half === MASKED_ZERO) return 0;
      return half === ABSENT ? undefined : decodeHalf(half);
    }
    return undefined;
  }

  /** Whether a cell of a sheet is a share that is zero because its score is masked. */
  isMasked(sheet: Sheet, row: number, column: number): boolean {
    return this.masks.get(sheet)?.(row, column, 1) ?? false;
  }

  /** The half float of a cell of a sheet, as far as it is held. */
  halfAt(sheet: Sheet, row: number, column: number): number {
    const held = this.tile(sheet, 0, row >> 8, column >> 8);
    return held ? this.pool.read(held, row & 255, column & 255) : ABSENT;
  }

  private write(
    sheet: Sheet,
    area: Area,
    values: Uint16Array,
    { start, stride, step }: { start: number; stride: number; step: number },
    scale: number,
    infinityIsAbsent: boolean,
  ): void {
    eachTileOf(sheet, area, (tile, row, column, inTile) => {
      const held = this.hold(tile, sheet, area.level, row, column);
      if (!held) return;
      held.stale = false;
      const down = row * LAYER_SIZE + inTile.top - area.top;
      const right = column * LAYER_SIZE + inTile.left - area.left;
      const from = start + down * stride + right * step;
      this.pool.write(held, inTile, values, { start: from, stride, step }, scale, infinityIsAbsent);
      const mask = this.masks.get(sheet);
      if (!mask) return;
      const size = 2 ** area.level;
      const [top, left] = [row * LAYER_SIZE, column * LAYER_SIZE];
      this.pool.maskZeros(held, inTile, (r, c) => mask((top + r) * size, (left + c) * size, size));
    });
  }

  private writeAbsent(sheet: Sheet, top: number, rows: number, left: number): void {
    const area = { level: 0, top, rows, left, columns: sheet.columns - left };
    eachTileOf(sheet, area, (tile, _row, _column, inTile) => {
      const held = this.held[tile];
      if (held) this.pool.writeAbsent(held, inTile);
    });
  }

  private hold(tile: number, sheet: Sheet, level: number, row: number, column: number): Held | null {
    const here = this.held[tile];
    if (here) return here;
    const at = sheet.levels[level];
    if (!at) return null;
    const [width, height] = [tileSize(at.columns, column), tileSize(at.rows, row)];
    const inverse = this.inverse(sheet);
    let held = this.pool.hold(width, height, inverse);
    if (!held && this.makeRoom()) held = this.pool.hold(width, height, inverse);
    if (!held) return null;
    held.seen = this.frame;
    this.keep(tile, held);
    this.version++;
    return held;
  }

  private keep(tile: number, held: Held): void {
    this.held[tile] = held;
    this.slots[tile] = packSlot(held.slot);
  }

  private release(tile: number, held: Held): void {
    this.pool.release(held);
    this.held[tile] = null;
    this.slots[tile] = -1;
  }

  /** Gives up the tiles not seen for longest, until a few layers' worth is free. What streams in by itself, what is
   *  in view, and thumbnails (which every view falls back on) stay. */
  private makeRoom(): boolean {
    const candidates: { tile: number; held: Held }[] = [];
    for (const [tile, held] of this.held.entries()) {
      if (!held || held.seen >= this.frame - 1) continue;
      const sheet = this.sheetOf[tile] as Sheet;
      const top = sheet.levels.at(-1)!;
      const thumbnail = tile === top.firstTile && Math.max(top.rows, top.columns) <= THUMBNAIL;
      if (!sheet.streamed && !thumbnail) candidates.push({ tile, held });
    }
    candidates.sort((a, b) => a.held.seen - b.held.seen);
    let freed = 0;
    for (const { tile, held } of candidates) {
      this.release(tile, held);
      freed += layerShare(held.width, held.height);
      if (freed >= 4) break;
    }
    if (freed > 0) this.version++;
    return freed > 0;
  }
}
