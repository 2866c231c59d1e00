/** What one may ask of the map, a port for each purpose. A panel or a part of the session names the ports it needs; the
 *  map is all of them at once (`MapView`). What only tests and `window.__atlas` ask for is in `Diagnostics`.
 *
 *  Nothing here knows of sockets: numbers come in by `NumbersSink`, and `NumbersWanted` says which are missing.
 *
 *      function visit(map: FlightPort | null, tensor: string): void {
 *        map?.flyTo({ tensor });
 *      }
 */

import type { Graph } from "../graph/types";
import type { Layout } from "../layout/types";
import type { MakeOverlay } from "./overlays/overlay";
import type {
  BenchmarkView,
  CameraState,
  CellHit,
  CellPattern,
  CellsHeader,
  Flight,
  FlightTarget,
  LabelSubject,
  MapLabel,
  MapStats,
  MapTitle,
  MatrixDrawing,
  Nudge,
  PlateDrawing,
  PlatePose,
  PrintedCell,
  RowsHeader,
  ScreenBox,
  ThemeName,
  TileHeader,
  Unsubscribe,
  WantedCells,
  WantedTile,
} from "./types";

/** Which model is drawn, and the text it reads. */
export interface ModelPort {
  /** Draws a new model, or makes more room. Values that still apply (same tensor, same index) are kept, others freed. */
  setLayout(layout: Layout, graph: Graph): void;
  /** Sets the texts of the tokens by position; they are drawn along `pos` axes near the eye. */
  setTokens(tokens: readonly { readonly text: string }[], source: readonly { readonly text: string }[]): void;
}

/** Takes the numbers as they arrive from the server. Half floats are given as their bits. */
export interface NumbersSink {
  /** Takes rows of an activation; those of tensors that have no plate are ignored. */
  applyRows(header: RowsHeader, values: Uint16Array): void;
  applyTile(header: TileHeader, values: Uint16Array): void;
  /** Takes numbers in full single precision, to be printed in their cells. */
  applyCells(header: CellsHeader, values: Float32Array): void;
  /** Tells whether a model of so many weights is held number for number; of a larger one, what is in view is. */
  holdsWhole(weights: number): boolean;
  /** Begins a new run: every activation cell becomes "not computed yet"; weights stay. */
  clearActivations(): void;
  /** The run has computed more: tiles of its activations are wanted anew (what streams in by rows is not). */
  refreshActivations(): void;
}

/** Which numbers the map lacks. */
export interface NumbersWanted {
  /** Lists tiles that are not here, most important first, no more than the pool has room for. */
  wantedTiles(): readonly WantedTile[];
  /** Lists cells in sight that are large enough for their numbers, and whose numbers are not here or may become more. */
  wantedCells(): readonly WantedCells[];
  /** False while numbers that exist are wanted and not here. */
  readonly cellsHere: boolean;
  /** Lists the activations drawn whose rows are kept, by name, the most visible first. The others come by tiles. */
  wantedActivations(): readonly string[];
  /** Calls back when what is wanted may have changed (camera at rest, new layout, tiles came in or were given up). */
  onWantedChange(listener: () => void): Unsubscribe;
}

/** Single numbers that the map holds. */
export interface ValuesPort {
  /** Reads the number held for a cell (half precision); undefined while it is not here. */
  valueAt(tensor: string, index: readonly number[]): number | undefined;
}

/** The colours of the map. */
export interface ColoursPort {
  setTheme(theme: ThemeName): void;
  /** Sets |value| of full colour of each tensor, by its name. */
  setScales(scales: (tensor: string) => number): void;
  /** Says that activations are differences: all of them have a sign, and the colours of signed activations. */
  setDifference(shown: boolean): void;
}

/** Where the eye is, and small moves of it. */
export interface CameraPort {
  /** The window's width over its height. */
  readonly aspect: number;
  getCamera(): CameraState;
  /** Moves the eye; tells no listener of `onFlight`. */
  setCamera(state: CameraState, animate?: boolean): void;
  /** Frames the whole model, nothing cut off. */
  fit(animate?: boolean): void;
  /** Turns straight on, so that cells are squares: the whole map where the eye is about as far, or what it looks at. */
  faceOn(animate?: boolean): void;
  nudge(by: Nudge): void;
  onCameraChange(listener: (state: CameraState) => void): Unsubscribe;
}

/** Ways through the map that somebody asks for. */
export interface FlightPort {
  /** Flies to a target; false where nothing is drawn of it. */
  flyTo(target: FlightTarget, animate?: boolean): boolean;
  /** Calls back when somebody sets out for a place: by `flyTo`, by an animated `fit`, by a double-click. */
  onFlight(listener: (flight: Flight) => void): Unsubscribe;
  /** True on the way. */
  readonly flying: boolean;
}

/** The cells that are pointed at, chosen and lit. */
export interface PickPort {
  onHover(listener: (cell: CellHit | null) => void): Unsubscribe;
  onSelect(listener: (cell: CellHit | null) => void): Unsubscribe;
  /** Finds the cell at a point of the canvas, in CSS pixels. */
  pick(x: number, y: number): CellHit | null;
  /** Outlines a cell as chosen; does not call the `onSelect` listeners. */
  select(cell: CellPattern | null): void;
  /** Lights up cells (whole rows, columns, plates by null indices). Replaces what was lit. */
  highlight(cells: readonly CellPattern[]): void;
}

/** Where plates and cells stand. */
export interface PlacesPort {
  /** What is drawn. */
  readonly layout: Layout;
  /** Finds where the middle of a cell is on the canvas, in CSS pixels; null if it has no plate or is behind the eye. */
  project(cell: CellPattern): { readonly x: number; readonly y: number } | null;
  /** Finds where the middle of a cell stands, or comes to rest, in layout space; null if it has no plate. */
  place(cell: CellPattern): readonly [number, number, number] | null;
}

/** How plates stand while a story is told with them. */
export interface PosePort {
  /** Moves and dims plates, by their ids; plates not named stand as the layout has them. Labels, pointer, marks
   *  and, in dimming, ribbons follow. Where one of them has a way to go they glide there, unless motion is not wanted. */
  pose(poses: ReadonlyMap<number, PlatePose>): void;
}

/** The words on the map. */
export interface WordsPort {
  /** Sets what stands at the head of the map while one sees all of it; null for nothing. */
  setTitle(title: MapTitle | null): void;
  /** Sets what the model says comes next, in words; null for nothing. */
  setGuess(guess: string | null): void;
  /** Sets how large all words on the map are, from 1 to 2. */
  setTextScale(scale: number): void;
}

/** The names on the map, under the pointer. */
export interface NamesPort {
  /** Calls back when the pointer is over a name; null when it leaves. */
  onLabel(listener: (label: MapLabel | null) => void): Unsubscribe;
  /** Flies to what a name names. */
  flyToLabel(subject: LabelSubject): void;
}

/** Which parts of the canvas are taken: words of the map and pieces of the page keep out of each other's way. */
export interface RoomPort {
  /** Sets the rectangles that the page covers: no word stands there. */
  setOccupied(boxes: readonly ScreenBox[]): void;
  /** Lists where words of the map stand, and what the page has put over it. */
  written(): readonly ScreenBox[];
}

/** Something of one's own on the map. */
export interface OverlayPort {
  /** Draws an overlay before plates and behind labels (see `Overlay`). Call the result to take it away. */
  addOverlay(make: MakeOverlay): Unsubscribe;
}

/** Matrices elsewhere on the page. */
export interface MatrixPort {
  /** Draws any matrix as if it were a plate straight on. False while the map cannot draw. */
  drawMatrix(target: HTMLCanvasElement, drawing: MatrixDrawing): boolean;
}

/** Whether the map has come to rest. */
export interface RestPort {
  /** Nothing to draw, upload or fly. Says nothing about what is still on its way from the server. */
  idle(): boolean;
  whenIdle(): Promise<void>;
}

/** The map from its making to its end. */
export interface LifePort {
  /** Calls back when the graphics context is lost (true) or back (false); the map restores the values by itself. */
  onContextLost(listener: (lost: boolean) => void): Unsubscribe;
  dispose(): void;
}

/** All that the page may ask of the map. */
export interface MapView
  extends ModelPort,
    NumbersSink,
    NumbersWanted,
    ValuesPort,
    ColoursPort,
    CameraPort,
    FlightPort,
    PickPort,
    PlacesPort,
    PosePort,
    WordsPort,
    NamesPort,
    RoomPort,
    OverlayPort,
    MatrixPort,
    RestPort,
    LifePort {}

/** What tests, the bench and `window.__atlas` ask of the map, and no panel does. */
export interface Diagnostics {
  stats(): MapStats;
  /** Bytes of textures that hold values, as counted when they were made. */
  readonly textureBytes: number;
  /** Lists the numbers that are printed in their cells now. */
  printed(): readonly PrintedCell[];
  /** Lists the names that stand on the map now. */
  names(): readonly MapLabel[];
  /** Draws one plate straight on, with the map's own shader, into another canvas. False when it has no plate. */
  drawPlate(target: HTMLCanvasElement, drawing: PlateDrawing): boolean;
  /** Measures the milliseconds of each frame while panning, ended by reading back a pixel; with `bare`, of plates in one
   *  plain colour, which is what the rest is to be compared with. Leaves the camera as it was. */
  benchmark(frames: number, view: BenchmarkView, bare?: boolean): Promise<readonly number[]>;
  /** Takes the graphics context away, as a driver may. */
  loseContext(restoreAfterMilliseconds: number): void;
}

/** The map with what tests may ask. */
export type TestedMap = MapView & Diagnostics;
