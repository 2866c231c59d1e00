/** The map, answering at all its ports. What a port does is in a file of its own; `assembly.ts` puts them together. */

import type { Graph } from "../graph/types";
import type { Layout } from "../layout/types";
import { MapAssembly } from "./assembly";
import { loseContext, measureFrames, statsOf, textureBytes } from "./diagnostics";
import type { MakeOverlay } from "./overlays/overlay";
import { labelOf } from "./pointer";
import type { Diagnostics, MapView, TestedMap } from "./ports";
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
  MapOptions,
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

class AtlasMap implements MapView, Diagnostics {
  private readonly made: MapAssembly;

  constructor(canvas: HTMLCanvasElement, options: MapOptions) {
    this.made = new MapAssembly(canvas, options);
  }

  // ---- model and colours -----------------------------------------------------------------------------------

  setLayout(layout: Layout, graph: Graph): void {
    this.made.setLayout(layout, graph);
  }

  setTokens(
    tokens: readonly { readonly text: string }[],
    source: readonly { readonly text: string }[],
  ): void {
    this.made.setTokens(tokens, source);
  }

  setTheme(theme: ThemeName): void {
    this.made.setTheme(theme);
  }

  setScales(scales: (tensor: string) => number): void {
    this.made.setScales(scales);
  }

  setDifference(shown: boolean): void {
    this.made.setDifference(shown);
  }

  // ---- numbers ----------------------------------------------------------------------------------------------

  applyRows(header: RowsHeader, values: Uint16Array): void {
    this.made.numbers.applyRows(header, values);
  }

  applyTile(header: TileHeader, values: Uint16Array): void {
    this.made.numbers.applyTile(header, values);
  }

  applyCells(header: CellsHeader, values: Float32Array): void {
    this.made.numbers.applyCells(header, values);
  }

  holdsWhole(weights: number): boolean {
    return this.made.numbers.holdsWhole(weights);
  }

  clearActivations(): void {
    this.made.numbers.clearActivations();
  }

  refreshActivations(): void {
    this.made.numbers.refreshActivations();
  }

  wantedTiles(): readonly WantedTile[] {
    return this.made.numbers.wantedTiles();
  }

  wantedCells(): readonly WantedCells[] {
    return this.made.numbers.wantedCells();
  }

  get cellsHere(): boolean {
    return this.made.numbers.cellsHere;
  }

  wantedActivations(): readonly string[] {
    return this.made.numbers.wantedActivations();
  }

  onWantedChange(listener: () => void): Unsubscribe {
    return this.made.numbers.onWantedChange(listener);
  }

  valueAt(tensor: string, index: readonly number[]): number | undefined {
    return this.made.numbers.valueAt(tensor, index);
  }

  // ---- the eye ----------------------------------------------------------------------------------------------

  get aspect(): number {
    return this.made.flights.aspect;
  }

  get flying(): boolean {
    return this.made.flights.flying;
  }

  getCamera(): CameraState {
    return this.made.flights.getCamera();
  }

  setCamera(state: CameraState, animate?: boolean): void {
    this.made.flights.setCamera(state, animate);
  }

  fit(animate?: boolean): void {
    this.made.flights.fit(animate);
  }

  faceOn(animate?: boolean): void {
    this.made.flights.faceOn(animate);
  }

  nudge(by: Nudge): void {
    this.made.flights.nudge(by);
  }

  onCameraChange(listener: (state: CameraState) => void): Unsubscribe {
    return this.made.flights.onCameraChange(listener);
  }

  flyTo(target: FlightTarget, animate?: boolean): boolean {
    return this.made.flights.flyTo(target, animate);
  }

  onFlight(listener: (flight: Flight) => void): Unsubscribe {
    return this.made.flights.onFlight(listener);
  }

  // ---- cells, plates and names ------------------------------------------------------------------------------

  get layout(): Layout {
    return this.made.places.layout;
  }

  project(cell: CellPattern): { x: number; y: number } | null {
    return this.made.places.project(cell);
  }

  place(cell: CellPattern): readonly [number, number, number] | null {
    return this.made.places.place(cell);
  }

  pose(poses: ReadonlyMap<number, PlatePose>): void {
    this.made.pose(poses);
  }

  onHover(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.made.pointer.onHover(listener);
  }

  onSelect(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.made.pointer.onSelect(listener);
  }

  pick(x: number, y: number): CellHit | null {
    return this.made.pointer.pick(x, y);
  }

  select(cell: CellPattern | null): void {
    this.made.pointer.select(cell);
  }

  highlight(cells: readonly CellPattern[]): void {
    this.made.pointer.highlight(cells);
  }

  onLabel(listener: (label: MapLabel | null) => void): Unsubscribe {
    return this.made.pointer.onLabel(listener);
  }

  flyToLabel(subject: LabelSubject): void {
    this.made.flyToLabel(subject);
  }

  // ---- words, overlays and pictures -------------------------------------------------------------------------

  setTitle(title: MapTitle | null): void {
    this.made.words.setTitle(title);
  }

  setGuess(guess: string | null): void {
    this.made.words.setGuess(guess);
  }

  setTextScale(scale: number): void {
    this.made.words.setTextScale(scale);
  }

  setOccupied(boxes: readonly ScreenBox[]): void {
    this.made.words.setOccupied(boxes);
  }

  written(): readonly ScreenBox[] {
    return this.made.words.written();
  }

  addOverlay(make: MakeOverlay): Unsubscribe {
    return this.made.overlays.add(make, this.made.colours);
  }

  drawMatrix(target: HTMLCanvasElement, drawing: MatrixDrawing): boolean {
    return this.made.pictures.drawMatrix(target, drawing);
  }

  // ---- its life ---------------------------------------------------------------------------------------------

  idle(): boolean {
    return this.made.loop.idle;
  }

  whenIdle(): Promise<void> {
    return this.made.loop.whenIdle();
  }

  onContextLost(listener: (lost: boolean) => void): Unsubscribe {
    return this.made.context.told.add(listener);
  }

  // ---- for tests --------------------------------------------------------------------------------------------

  stats(): MapStats {
    return statsOf(this.made.parts, this.made.measured);
  }

  get textureBytes(): number {
    return textureBytes(this.made.parts, this.made.measured);
  }

  printed(): readonly PrintedCell[] {
    return this.made.numbers.printed();
  }

  names(): readonly MapLabel[] {
    return this.made.words.names.map(labelOf);
  }

  drawPlate(target: HTMLCanvasElement, drawing: PlateDrawing): boolean {
    const drawn = this.made.pictures.drawPlate(target, drawing);
    if (drawn) this.made.loop.schedule();
    return drawn;
  }

  benchmark(frames: number, view: BenchmarkView, bare = false): Promise<readonly number[]> {
    return measureFrames(this.made.parts, this.made.measured, frames, view, bare);
  }

  loseContext(restoreAfterMilliseconds: number): void {
    loseContext(this.made.parts, restoreAfterMilliseconds);
  }

  dispose(): void {
    this.made.dispose();
  }
}

/** Makes the map on a canvas that `makeCanvas` made.
 *  @throws NoWebGL2Error if the browser gives no WebGL2 context. */
export function createMap(canvas: HTMLCanvasElement, options: MapOptions): TestedMap {
  return new AtlasMap(canvas, options);
}
