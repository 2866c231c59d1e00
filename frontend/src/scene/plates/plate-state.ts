/** The plates as they stand: the layout's, moved and dimmed by whoever tells a story with them. What is drawn, what
 *  the pointer meets and where labels go all follow from here. */

import type { Graph } from "../../graph/types";
import { shownAs } from "../../layout/display-name";
import type { Layout, Plate } from "../../layout/types";
import type { Vec3 } from "../camera/camera";
import type { CellPattern, PlatePose } from "../types";
import type { Values } from "../values/values";
import { Cover } from "./occlusion";
import type { PlateMesh } from "./plate-mesh";
import { type CellRectangle, patternOnPlate, type Window } from "./sheets";

export const EMPTY: Layout = {
  plates: [],
  ribbons: [],
  regions: [],
  bounds: { min: [0, 0, 0], max: [1, 1, 1] },
  capacity: { target: 0, source: 0 },
};

/** A rectangle of cells on a plate as it stands. */
export interface Place {
  readonly plate: Plate;
  readonly rectangle: CellRectangle;
}

export class Stage {
  layout = EMPTY;
  graph: Graph | null = null;
  /** Of every plate, where it stands and where its numbers are; what is drawn speaks of plates by their place here. */
  windows: readonly Window[] = [];
  private numbers = new Map<number, number>();
  private posed = new Map<number, PlatePose>();
  private cover = new Cover([]);
  /** Plates that do not stand where the layout put them, by their ids. */
  private moved = new Map<number, Plate>();
  private scales: (tensor: string) => number = () => 1;
  /** How far a plate is mixed toward the paper, by its place in `windows`. */
  readonly dims = new Map<number, number>();

  constructor(
    private readonly values: Values,
    private readonly plates: PlateMesh,
  ) {}

  setLayout(layout: Layout, graph: Graph): void {
    this.layout = layout;
    this.graph = graph;
    this.values.setLayout(layout, graph);
    this.windows = this.values.sheets.windows;
    this.numbers = new Map(this.windows.map(({ plate }, number) => [plate.id, number]));
    this.plates.setPlates(this.windows.length);
    this.cover = new Cover(layout.plates);
    this.setScales(this.scales);
    this.pose(this.posed);
  }

  /** Place of a plate in `windows`; -1 for one that is not there. */
  numberOf(plateId: number): number {
    return this.numbers.get(plateId) ?? -1;
  }

  setScales(scales: (tensor: string) => number): void {
    this.scales = scales;
    this.values.setScales((sheet) => scales(sheet.source));
  }

  /** How plates stand, by their ids. */
  get poses(): ReadonlyMap<number, PlatePose> {
    return this.posed;
  }

  /** Moves and dims plates; those not named stand where the layout put them, undimmed. */
  pose(poses: ReadonlyMap<number, PlatePose>): void {
    const { windows } = this.values.sheets;
    const posed: Window[] = [...windows];
    this.dims.clear();
    this.moved = new Map();
    for (const [id, { offset = [0, 0, 0], dim = 0, label }] of poses) {
      const number = this.numberOf(id);
      const window = windows[number];
      if (!window) continue;
      if (dim > 0) this.dims.set(number, dim);
      if (offset.every((way) => way === 0)) continue;
      const { x, y, z } = window.plate;
      const plate: { -readonly [Key in keyof Plate]: Plate[Key] } = {
        ...window.plate,
        x: x + offset[0],
        y: y + offset[1],
        z: z + offset[2],
      };
      if (label !== undefined) plate.label = label;
      posed[number] = { ...window, plate };
      this.moved.set(id, plate);
    }
    this.posed = new Map(poses);
    // What is remembered of the layout's own windows holds while nothing is moved.
    this.windows = this.moved.size > 0 ? posed : windows;
  }

  /** True if a ray (world space) meets another plate before it comes to this one. */
  hides(plate: Plate, eye: Vec3, way: Vec3): boolean {
    return this.cover.before(plate.z + 0.5, eye, way, this.moved);
  }

  /** True if a ray (world space) meets any plate. */
  meets(eye: Vec3, way: Vec3): boolean {
    return this.cover.before(Number.NEGATIVE_INFINITY, eye, way, this.moved);
  }

  /** Every plate on which cells of a pattern lie, and where. A tensor without plates is found under its other name. */
  *places(cell: CellPattern): Generator<Place> {
    const shown = this.graph && shownAs(this.layout, this.graph, cell.tensor);
    if (!shown) return;
    const index = shown.turned ? [...cell.index].reverse() : cell.index;
    for (const { plate } of this.values.sheets.byTensor.get(shown.tensor) ?? []) {
      const rectangle = patternOnPlate(this.values.sheets, plate, index);
      if (rectangle) yield { plate: this.windows[this.numberOf(plate.id)]?.plate ?? plate, rectangle };
    }
  }

  find(cell: CellPattern): Place | null {
    for (const place of this.places(cell)) return place;
    return null;
  }
}
