/** What the pointer meets: cells of plates and names, hovered and chosen; and the hands that move the eye. */

import { add, type Vec3 } from "./camera/camera";
import { Controls, type Movable } from "./camera/controls";
import type { FrameRenderer } from "./frame-renderer";
import { Listeners } from "./listeners";
import type { Parts } from "./parts";
import type { Marks } from "./plates/highlights";
import { pickPlate } from "./plates/picking";
import { cellIndex } from "./plates/sheets";
import type { PickPort } from "./ports";
import type { PlacedLabel } from "./text/label-view";
import type { MapWords } from "./text/map-words";
import type { CellHit, CellPattern, MapLabel, Unsubscribe } from "./types";

/** What happens at a click. */
export interface Clicks {
  /** A name was clicked. */
  name(label: PlacedLabel): void;
  /** A cell was clicked twice. */
  twice(hit: CellHit): void;
  schedule(): void;
}

export class Pointer implements PickPort {
  readonly controls: Controls;
  /** Where it was last, in CSS pixels of the canvas; null before it came. */
  at: { readonly x: number; readonly y: number } | null = null;
  private named: PlacedLabel | null = null;
  private readonly names = new Listeners<MapLabel | null>();

  constructor(
    private readonly parts: Parts,
    private readonly frame: FrameRenderer,
    private readonly words: MapWords,
    private readonly marks: Marks,
    private readonly clicks: Clicks,
  ) {
    this.controls = new Controls(this.movable());
  }

  onHover(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.marks.hovers.add(listener);
  }

  onSelect(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.marks.selections.add(listener);
  }

  onLabel(listener: (label: MapLabel | null) => void): Unsubscribe {
    return this.names.add(listener);
  }

  pick(x: number, y: number): CellHit | null {
    const { eye, values } = this.parts;
    const way = eye.ray(x, y);
    const hit = pickPlate(this.frame.seen(), eye.place, way);
    if (!hit) return null;
    const at = add(eye.place, way, hit.distance);
    return {
      plate: hit.plate,
      tensor: hit.plate.tensor,
      index: cellIndex(values.sheets, hit.plate, hit.row, hit.column),
      row: hit.row,
      column: hit.column,
      point: [at[0], -at[1], at[2]],
    };
  }

  select(cell: CellPattern | null): void {
    this.marks.choose(cell);
  }

  highlight(cells: readonly CellPattern[]): void {
    this.marks.light(cells);
  }

  /** Points at nothing, as when what was there is gone. */
  leave(): void {
    this.point(null);
    this.pointAtName(null);
  }

  /** Points at no cell. */
  leaveCell(): void {
    this.point(null);
  }

  /** Points at a name, or at none. */
  pointAtName(label: PlacedLabel | null): void {
    if (label) this.parts.canvas.style.cursor = "pointer";
    if (sameLabel(label, this.named)) return;
    this.named = label;
    this.names.tell(label && labelOf(label));
  }

  /** A name that stands on the map no more is not pointed at either. */
  forgetGoneName(): void {
    if (this.named && !this.words.names.some((label) => sameLabel(label, this.named))) this.pointAtName(null);
  }

  private movable(): Movable {
    const { canvas, eye } = this.parts;
    return {
      canvas,
      get: () => eye.state,
      move: (state) => eye.moveTo(state),
      pointAt: (x, y) => this.pointAt(x, y),
      smooth: () => !eye.jumps(),
      hover: (x, y) => this.hover(x, y),
      leave: () => this.leave(),
      click: (x, y, finger) => this.click(x, y, finger),
      doubleClick: (x, y) => {
        const hit = this.pick(x, y);
        if (hit) this.clicks.twice(hit);
      },
      schedule: () => this.clicks.schedule(),
    };
  }

  private hover(x: number, y: number): void {
    this.at = { x, y };
    if (this.parts.eye.flying || this.controls.moving) return;
    const label = this.words.at(x, y);
    this.point(label ? null : this.pick(x, y));
    this.pointAtName(label);
  }

  private click(x: number, y: number, finger: boolean): void {
    const hit = this.pick(x, y);
    const label = this.words.at(x, y);
    // Names are small for a finger, and lie over plates on a small window: what is under them is meant.
    if (label && !(finger && hit)) {
      this.clicks.name(label);
      return;
    }
    this.select(hit && { tensor: hit.tensor, index: hit.index });
    this.marks.selections.tell(hit);
  }

  private point(hit: CellHit | null): void {
    this.parts.canvas.style.cursor = hit ? "crosshair" : "grab";
    this.marks.hover(hit);
  }

  /** The point of a plate there, in world space, else the point at the distance looked at. */
  private pointAt(x: number, y: number): Vec3 {
    const hit = this.pick(x, y);
    if (hit) return [hit.point[0], -hit.point[1], hit.point[2]];
    const { eye } = this.parts;
    return add(eye.place, eye.ray(x, y), eye.state.distance);
  }
}

/** A placed name as the page sees it. */
export const labelOf = ({ text, subject, box }: PlacedLabel): MapLabel => ({ text, subject, ...box });

const sameLabel = (a: PlacedLabel | null, b: PlacedLabel | null): boolean =>
  a?.text === b?.text && JSON.stringify(a?.subject) === JSON.stringify(b?.subject);
