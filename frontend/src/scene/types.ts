/** What the map offers to the page around it. Everything else in this folder is behind this door.
 *
 *  Positions are those of the layout: x right, y down, z toward the viewer, one unit a cell. Indices are in the
 *  tensor's own axis order. Nothing here knows of sockets: values come in by `applyRows` and `applyTile`, and
 *  what is missing is asked for by `wantedTiles` and `wantedActivations`.
 */

import type { Graph, Role } from "../graph/types";
import type { Layout, Plate } from "../layout/types";
import type {
  CellsHeader as WireCellsHeader,
  RowsHeader as WireRowsHeader,
  TileHeader as WireTileHeader,
} from "../net/contract.gen";

export type ThemeName = "light" | "dark";

export interface MapOptions {
  readonly theme: ThemeName;
  /** Upper bound of the texture that holds the values, in bytes. */
  readonly poolBytes?: number;
  /** Jump instead of flying; by default what the system's settings say. */
  readonly reducedMotion?: boolean;
}

/** The browser gives no WebGL2 context: the map cannot be drawn, the rest of the page can. */
export class NoWebGL2Error extends Error {
  override readonly name = "NoWebGL2Error";
}

/** One cell under the pointer, or chosen. */
export interface CellHit {
  readonly plate: Plate;
  readonly tensor: string;
  /** In the axis order of `tensor`. */
  readonly index: readonly number[];
  /** Cell within the plate, from its upper left corner. */
  readonly row: number;
  readonly column: number;
  /** Where the ray met the plate, in layout space. */
  readonly point: readonly [number, number, number];
}

/** Cells of a tensor: along each axis one index, all (null), or those from a first up to, not including, a last. */
export interface CellPattern {
  readonly tensor: string;
  readonly index: readonly (number | null | readonly [start: number, stop: number])[];
}

/** Where the eye is: short numbers, made for the address bar. */
export interface CameraState {
  /** The point looked at, in layout space. */
  readonly target: readonly [number, number, number];
  /** From the eye to that point, in cells. */
  readonly distance: number;
  /** Degrees to the left (negative) or right of straight on. */
  readonly azimuth: number;
  /** Degrees above (positive) or below. */
  readonly elevation: number;
}

/** Rows of an activation as they arrive: what the map needs of their header. */
export type RowsHeader = Pick<WireRowsHeader, "minus" | "name" | "offset" | "shape" | "full_shape" | "scale">;

/** A 256 x 256 tile over the last two axes of a tensor; `index` fixes the axes before them. */
export type TileAddress = Pick<WireTileHeader, "name" | "index" | "level" | "row" | "col">;

/** A tile that the map lacks: of a weight, or of an activation of the run shown. */
export interface WantedTile extends TileAddress {
  readonly activation: boolean;
}

export type TileHeader = TileAddress & Pick<WireTileHeader, "minus" | "shape" | "full_shape" | "scale">;

/** A rectangle of cells of one plate of the server's: `index` is the head, where there are heads. */
export type CellsAddress = Pick<WireCellsHeader, "name" | "index" | "row" | "col">;

/** Cells whose numbers are to be printed: of a weight, or of an activation of the run shown. */
export interface WantedCells extends CellsAddress {
  readonly activation: boolean;
  readonly rows: number;
  readonly cols: number;
}

export type CellsHeader = CellsAddress & Pick<WireCellsHeader, "minus" | "run" | "shape">;

/** A number as it stands in its cell, and how many characters there is room for. */
export interface PrintedCell {
  readonly tensor: string;
  readonly index: readonly number[];
  readonly text: string;
  readonly room: number;
}

/** What stands at the head of the map: the model's name, what it is, and how many numbers it has, in several wordings,
 *  the longest first. */
export interface MapTitle {
  readonly name: string;
  readonly about: string;
  readonly numbers: readonly string[];
}

/** What a name on the map names: a plate, or a section by its id. */
export type LabelSubject = { readonly plate: number; readonly tensor: string } | { readonly region: string };

/** A name on the map, and where it stands on the canvas, in CSS pixels. */
export interface MapLabel {
  readonly text: string;
  readonly subject: LabelSubject;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface PlateDrawing {
  readonly tensor: string;
  /** Indices of the axes that are neither the plate's rows nor its columns, in the tensor's axis order: a head. */
  readonly index: readonly number[];
  /** How many rows and columns to draw, from the first; all by default. */
  readonly rows?: number;
  readonly columns?: number;
}

/** Any matrix, as numbers, and the part of it that comes onto the picture. */
export interface MatrixDrawing {
  readonly rows: number;
  readonly columns: number;
  /** Half floats as their bits, row by row. */
  readonly values: Uint16Array;
  readonly role: Role;
  /** |value| of full colour. */
  readonly full: number;
  /** Pixels a cell, and the cell in the upper left corner, which need not begin there. */
  readonly size: number;
  readonly left: number;
  readonly top: number;
}

export interface MapStats {
  readonly drawCalls: number;
  readonly plateDrawCalls: number;
  readonly plates: number;
  readonly platesDrawn: number;
  readonly labels: number;
  /** Numbers printed in cells. */
  readonly digits: number;
  readonly ribbons: number;
  readonly textureBytes: number;
  readonly layers: number;
  readonly layersUsed: number;
  readonly tilesHere: number;
  readonly tilesWanted: number;
  /** Pieces of weights that the last frame drew without any number. */
  readonly weightsMissing: number;
  /** Time the last frame took on the CPU. */
  readonly frameMilliseconds: number;
  readonly framesDrawn: number;
}

export type BenchmarkView = "overview" | "tilted" | "block" | "plate" | "cells";

/** Where to fly: all plates of a tensor; the cells at `index` (null along an axis is all of it), close by where that
 *  is one cell; the plate on which a cell stands; or a region by its id or name. */
export type FlightTarget =
  | { readonly tensor: string; readonly index?: readonly (number | null)[] }
  | { readonly plateOf: { readonly tensor: string; readonly index: readonly number[] } }
  | { readonly region: string };

/** A way through the map that somebody asked for: where it began and where it leads. */
export interface Flight {
  readonly from: CameraState;
  readonly to: CameraState;
}

/** A small move of the eye, as keys make it. */
export type Nudge =
  /** Shares of the window, right and down. */
  | { readonly pan: readonly [number, number] }
  /** Degrees, about the middle of the window. */
  | { readonly turn: readonly [azimuth: number, elevation: number] }
  /** What the distance to the middle is multiplied by. */
  | { readonly zoom: number };

/** How a plate stands while a story is told with it. */
export interface PlatePose {
  /** From its place in the layout: right, down, toward the viewer, in cells. */
  readonly offset?: readonly [number, number, number];
  /** From 0 to 1: mixed toward the paper. */
  readonly dim?: number;
  /** What is written beside it meanwhile. */
  readonly label?: string;
}

export type Unsubscribe = () => void;

export interface MapView {
  /** What is shown, and the window's width over its height. */
  readonly layout: Layout;
  readonly aspect: number;
  /** A new model, or more room. Values that still apply (same tensor, same index) are kept, others freed. */
  setLayout(layout: Layout, graph: Graph): void;
  /** Token texts by position, drawn along `pos` axes near the eye. */
  setTokens(tokens: readonly { readonly text: string }[], source: readonly { readonly text: string }[]): void;
  /** What stands at the head of the map while one sees all of it; null for nothing. */
  setTitle(title: MapTitle | null): void;
  /** What the model says comes next, in words; null for nothing. */
  setGuess(guess: string | null): void;
  /** How large all words on the map are, from 1 to 2. */
  setTextScale(scale: number): void;
  /** Rectangles of the canvas, in CSS pixels, that the page covers: no word stands there. */
  setOccupied(boxes: readonly { left: number; top: number; right: number; bottom: number }[]): void;
  /** The names that stand on the map now. */
  names(): readonly MapLabel[];
  /** Where words of the map stand, and what the page has put over it, in CSS pixels of the canvas. */
  written(): readonly { left: number; top: number; right: number; bottom: number }[];
  /** The pointer is over a name; null when it leaves. */
  onLabel(listener: (label: MapLabel | null) => void): Unsubscribe;
  /** To what a name names. */
  flyToLabel(subject: LabelSubject): void;
  /** Half floats as their bits. Rows of tensors that have no plate are ignored. */
  applyRows(header: RowsHeader, values: Uint16Array): void;
  applyTile(header: TileHeader, values: Uint16Array): void;
  /** Whether a model of so many weights is held number for number; of a larger one, what is in view is. */
  holdsWhole(weights: number): boolean;
  /** Numbers in full single precision, to be printed. */
  applyCells(header: CellsHeader, values: Float32Array): void;
  /** A new run: every activation cell becomes "not computed yet"; weights stay. */
  clearActivations(): void;
  /** |value| of full colour of each tensor, by its name. */
  setScales(scales: (tensor: string) => number): void;
  setTheme(theme: ThemeName): void;
  /** Activations are differences: all of them have a sign, and the colours of signed activations. */
  setDifference(shown: boolean): void;

  /** Tiles that are not here, most important first, no more than the pool has room for. */
  wantedTiles(): readonly WantedTile[];
  /** Cells in sight that are large enough for their numbers, and whose numbers are not here or may become more. */
  wantedCells(): readonly WantedCells[];
  /** False while numbers that exist are wanted and not here. */
  readonly cellsHere: boolean;
  /** The numbers that are printed now. */
  printed(): readonly PrintedCell[];
  /** The run has computed more: tiles of its activations are wanted anew (what streams in by rows is not). */
  refreshActivations(): void;
  /** Names of the activations drawn whose rows are kept, the most visible first. The others come by tiles. */
  wantedActivations(): readonly string[];
  /** What is wanted may have changed (camera at rest, new layout, tiles came in or were given up). */
  onWantedChange(listener: () => void): Unsubscribe;

  onHover(listener: (cell: CellHit | null) => void): Unsubscribe;
  onSelect(listener: (cell: CellHit | null) => void): Unsubscribe;
  /** The cell at a point of the canvas, in CSS pixels. */
  pick(x: number, y: number): CellHit | null;
  /** Outline a cell as chosen; does not call the `onSelect` listeners. */
  select(cell: CellPattern | null): void;
  /** Light up cells (whole rows, columns, plates by null indices). Replaces what was lit. */
  highlight(cells: readonly CellPattern[]): void;
  /** Move and dim plates, by their ids; plates not named stand as the layout has them. Labels, pointer, marks
   *  and, in dimming, ribbons follow. Where one of them has a way to go they glide there, unless motion is not wanted. */
  pose(poses: ReadonlyMap<number, PlatePose>): void;
  /** Where the middle of a cell is on the canvas, in CSS pixels; null if it has no plate or is behind the eye. */
  project(cell: CellPattern): { readonly x: number; readonly y: number } | null;

  /** Where the middle of a cell stands, or comes to rest, in layout space; null if it has no plate. */
  place(cell: CellPattern): readonly [number, number, number] | null;

  getCamera(): CameraState;
  setCamera(state: CameraState, animate?: boolean): void;
  /** Frame the whole model, nothing cut off. */
  fit(animate?: boolean): void;
  /** Straight on, so that cells are squares: the whole map where the eye is about as far, or what it looks at. */
  faceOn(animate?: boolean): void;
  /** False where nothing is drawn of the target. */
  flyTo(target: FlightTarget, animate?: boolean): boolean;
  /** Somebody sets out for a place: by `flyTo`, by an animated `fit`, by a double-click. `setCamera` tells nobody. */
  onFlight(listener: (flight: Flight) => void): Unsubscribe;
  /** True on the way. */
  readonly flying: boolean;
  nudge(by: Nudge): void;
  onCameraChange(listener: (state: CameraState) => void): Unsubscribe;

  /** Draws one plate straight on, with the map's own shader, into another canvas. False when it has no plate. */
  drawPlate(target: HTMLCanvasElement, drawing: PlateDrawing): boolean;
  /** Draws any matrix as if it were a plate straight on. False while the map cannot draw. */
  drawMatrix(target: HTMLCanvasElement, drawing: MatrixDrawing): boolean;
  /** The number the map holds for a cell (half precision); undefined while it is not here. */
  valueAt(tensor: string, index: readonly number[]): number | undefined;

  /** Nothing to draw, upload or fly. Says nothing about what is still on its way from the server. */
  idle(): boolean;
  whenIdle(): Promise<void>;
  stats(): MapStats;
  /** Bytes of textures that hold values, as counted when they were made. */
  readonly textureBytes: number;
  /** Milliseconds of each frame while panning, ended by reading back a pixel; with `bare`, of plates in one plain colour, which is
   *  what the rest is to be compared with. Leaves the camera as it was. */
  benchmark(frames: number, view: BenchmarkView, bare?: boolean): Promise<readonly number[]>;
  /** The graphics context was lost (true) or is back (false); values are restored by the map itself. */
  onContextLost(listener: (lost: boolean) => void): Unsubscribe;
  /** Takes the context away, as a driver may: for tests. */
  loseContext(restoreAfterMilliseconds: number): void;
  dispose(): void;
}
