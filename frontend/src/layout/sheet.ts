/** From a tensor to a plate at a place: the one maker of plates, so that scale and orientation hold everywhere. */

import { findTensor, type Positions, shapeAt, storedAs } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import { importanceOf, labelOf, sharedBy } from "./labels";
import type { Measures, Strip } from "./measures";
import type { Orientation } from "./orientation";
import type { StackName } from "./structure";
import type { Plate } from "./types";

/** A plate, and what ribbons and regions need to know of it. */
export interface Sheet extends Plate {
  /** Index along the axis that parts the tensor into plates, or null. */
  readonly head: number | null;
  /** Whether a group of heads shares it: keys and values. */
  readonly shared: boolean;
  /** Whether positions run right, as in all but what has the vocabulary, neurons or keys running right. */
  readonly positionsRight: boolean;
  /** Whether it is the residual stream. */
  readonly spine: boolean;
  /** Whether bands come in from above, past what stands on the stream beside it. */
  readonly fromAbove: boolean;
  readonly section: Origin;
  /** The head among whose plates it stands. */
  readonly bay: Bay | null;
}

/** Where the plates of one head are, and the lane in which bands go to it. */
export interface Bay {
  readonly head: number;
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly z: number;
  /** Which of the heads beside each other it is, from the right. */
  readonly across: number;
  /** Where bands from the stream leave for the heads, and where those to `W_O` may begin. */
  readonly lanesTop: number;
  readonly lanesBottom: number;
}

/** Where a sheet goes, from the section's origin: on the stream, at the section's top. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly z?: number;
  readonly head?: number;
  /** The part of the axis that runs right; all of it unless given. */
  readonly strip?: Strip;
  readonly fromAbove?: boolean;
  readonly bay?: Bay;
}

/** Where a section goes: its column, the stream's x and its own top; and where what a column shares runs along it. */
export interface Origin {
  readonly stack: StackName;
  readonly column: number;
  readonly x: number;
  readonly y: number;
  /** Left of all of the column: the way down for what comes from the other stack. */
  readonly aside: number;
}

/** A drawn tensor is not the same numbers under a second name, except a transposed one, and not a heads' result
 *  that only exists when asked for (their sum is what the model computes). */
export function isDrawn(tensor: TensorInfo): boolean {
  if (tensor.same_as !== null && !tensor.transposed) return false;
  return !(tensor.derived && tensor.role === "activation");
}

/** Height and width of a plate. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** What sections are drawn on: it collects sheets, numbered in the order in which they are put down. */
export class Paper {
  readonly sheets: Sheet[] = [];
  private readonly sizes = new Map<string, Size | null>();
  /** The origin of the section being drawn, and the measures of its stack. */
  origin: Origin = { stack: null, column: 0, x: 0, y: 0, aside: 0 };

  constructor(
    readonly graph: Graph,
    readonly room: Positions,
    public measures: Measures,
    readonly orientations: ReadonlyMap<string, Orientation>,
    readonly stream: ReadonlySet<string>,
  ) {}

  /** The size of a tensor's plates (one head's, unfolded); null where it has none. */
  sizeOf(name: string): Size | null {
    let size = this.sizes.get(name);
    if (size === undefined) {
      size = this.measureOf(name);
      this.sizes.set(name, size);
    }
    return size;
  }

  private measureOf(name: string): Size | null {
    const tensor = findTensor(this.graph, name);
    if (!tensor || !isDrawn(tensor)) return null;
    const { down, right } = this.orientations.get(name)!;
    const shape = shapeAt(tensor, this.room);
    return { rows: down === null ? 1 : shape[down]!, columns: right === null ? 1 : shape[right]! };
  }

  /** Along which axis a tensor is parted into plates; null where it is one. */
  splitAxis(name: string): string | null {
    const tensor = findTensor(this.graph, name);
    const split = this.orientations.get(name)?.split ?? null;
    return tensor && split !== null ? tensor.axes[split]! : null;
  }

  /** Put down a tensor's plate (one head's, one strip's); nothing where the graph does not have the tensor. */
  put(name: string, place: Place): void {
    const tensor = findTensor(this.graph, name);
    const size = this.sizeOf(name);
    if (!tensor || !size) return;
    const { down, right, split } = this.orientations.get(name)!;
    const head = place.head ?? 0;
    const origin = tensor.axes.map(() => 0);
    if (split !== null) origin[split] = head;
    if (right !== null && place.strip) origin[right] = place.strip.start;
    const flipped = tensor.transposed;
    this.sheets.push({
      id: this.sheets.length,
      tensor: name,
      source: flipped ? storedAs(this.graph, tensor).name : name,
      role: tensor.role,
      kind: tensor.kind,
      layer: tensor.layer,
      rowAxis: flipped && down !== null ? 1 - down : down,
      columnAxis: flipped && right !== null ? 1 - right : right,
      origin: flipped ? origin.reverse() : origin,
      rows: size.rows,
      columns: place.strip?.length ?? size.columns,
      x: this.origin.x + place.x,
      y: this.origin.y + place.y,
      z: place.z ?? 0,
      label: (place.strip?.start ?? 0) === 0 ? this.labelFor(tensor, head) : "",
      importance: importanceOf(tensor),
      head: split === null ? null : head,
      shared: this.isShared(name),
      positionsRight: right !== null && tensor.axes[right] === "pos",
      spine: this.stream.has(name),
      fromAbove: place.fromAbove ?? false,
      section: this.origin,
      bay: place.bay ?? null,
    });
  }

  /** The first head's plates speak for the others; keys that a group of heads shares say whose they are. */
  private labelFor(tensor: TensorInfo, head: number): string {
    if (this.isShared(tensor.name)) return `${labelOf(tensor)} · ${sharedBy(head, this.measures.group)}`;
    return head === 0 ? labelOf(tensor) : "";
  }

  private isShared(name: string): boolean {
    return this.measures.group > 1 && this.splitAxis(name) === "kv_head";
  }
}
