/** The map's numbers as the session sees them: takes in what comes, says what is missing. */

import type { FrameLoop } from "../frame-loop";
import type { FrameRenderer } from "../frame-renderer";
import { Listeners } from "../listeners";
import type { Parts } from "../parts";
import type { NumbersSink, NumbersWanted, ValuesPort } from "../ports";
import type {
  CellsHeader,
  PrintedCell,
  RowsHeader,
  TileHeader,
  Unsubscribe,
  WantedCells,
  WantedTile,
} from "../types";
import type { Digits } from "./digits";
import { rankTiles, wantedActivations } from "./tile-priority";

export class NumberPort implements NumbersSink, NumbersWanted, ValuesPort {
  readonly wants = new Listeners<void>();
  private ranked: { readonly key: string; readonly tiles: readonly WantedTile[] } = { key: "", tiles: [] };

  /** `pointer` says where the pointer was last. */
  constructor(
    private readonly parts: Parts,
    private readonly frame: FrameRenderer,
    private readonly loop: FrameLoop,
    private readonly pointer: () => { readonly x: number; readonly y: number } | null,
  ) {}

  applyRows(header: RowsHeader, values: Uint16Array): void {
    this.parts.values.applyRows(header, values);
    this.loop.schedule();
  }

  applyTile(header: TileHeader, values: Uint16Array): void {
    this.parts.values.applyTile(header, values);
    this.loop.schedule();
  }

  applyCells(header: CellsHeader, values: Float32Array): void {
    this.parts.digits.apply(header, values);
    this.loop.schedule();
  }

  holdsWhole(weights: number): boolean {
    return this.parts.values.holdsWhole(weights);
  }

  clearActivations(): void {
    this.parts.values.clearActivations();
    this.parts.digits.clearActivations();
    this.loop.schedule();
  }

  refreshActivations(): void {
    this.parts.values.markStale();
    this.loop.rest();
  }

  wantedTiles(): readonly WantedTile[] {
    const { values, stage, eye } = this.parts;
    const { visibility, viewer, frames } = this.frame;
    const key = `${values.version} ${frames}`;
    if (this.ranked.key === key) return this.ranked.tiles;
    const { clientWidth, clientHeight } = eye.window;
    const { x, y } = this.pointer() ?? { x: clientWidth / 2, y: clientHeight / 2 };
    const project = (...at: [number, number, number]) => this.frame.onScreen(...at);
    const ranks = rankTiles(stage.windows, visibility, viewer, { x, y, project });
    this.ranked = { key, tiles: values.wanted(ranks) };
    return this.ranked.tiles;
  }

  wantedCells(): readonly WantedCells[] {
    return this.cells().cells;
  }

  get cellsHere(): boolean {
    return !this.cells().missing;
  }

  wantedActivations(): readonly string[] {
    return wantedActivations(this.parts.stage.windows, this.frame.visibility);
  }

  onWantedChange(listener: () => void): Unsubscribe {
    return this.wants.add(listener);
  }

  valueAt(tensor: string, index: readonly number[]): number | undefined {
    return this.parts.values.valueAt(tensor, index);
  }

  printed(): readonly PrintedCell[] {
    return this.parts.digits.printed();
  }

  private cells(): ReturnType<Digits["wanted"]> {
    return this.parts.digits.wanted((plate, x, y) => {
      const at = this.frame.onScreen(x, y, plate.z);
      return at !== null && this.frame.isHidden(plate, at.x, at.y);
    });
  }
}
