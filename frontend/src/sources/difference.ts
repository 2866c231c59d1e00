/** The second source: one run less another. The server pairs their positions and subtracts; weights are the same in
 *  both, and what is explained is the run's own arithmetic. */

import type { ReadonlySignal } from "@preact/signals";
import { getTensor } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import type { Direction } from "../net/explain";
import type { Numbers } from "../net/npy";
import { getActivations, type Slice } from "../net/rest";
import { getTile, type Tile } from "../net/tiles";
import type {
  NumbersSource,
  SourceCell,
  SourceScales,
  SourceText,
  Subscriber,
  Subscription,
  TilePlace,
} from "./port";
import type { ServerRun } from "./server-run";
import type { ServerStream } from "./server-stream";

export class Difference implements NumbersSource {
  readonly graph: Graph;
  readonly text: ReadonlySignal<SourceText>;
  private readonly ids: { readonly run: string; readonly minus: string };

  constructor(
    /** The run that is shown, and the one that is taken from it. */
    readonly own: ServerRun,
    readonly other: ServerRun,
    readonly scales: ReadonlySignal<SourceScales>,
    private readonly stream: ServerStream,
  ) {
    this.ids = { run: idOf(own), minus: idOf(other) };
    this.graph = own.graph;
    this.text = own.text;
  }

  get key(): string {
    return `${this.own.key} less ${this.ids.minus}`;
  }

  isHere(tensor: TensorInfo): boolean {
    return this.own.isHere(tensor);
  }

  keyOf(tensor: TensorInfo): string {
    return tensor.role === "weight" ? this.own.keyOf(tensor) : this.key;
  }

  subscribe(sink: Subscriber): Subscription {
    return this.stream.subscribe({ model: this.own.known.model, ...this.ids }, sink);
  }

  tile(tensor: string, head: number, place: TilePlace, signal: AbortSignal): Promise<Tile> {
    return getTile(this.ids.run, tensor, head, place, signal, this.ids.minus);
  }

  cells(
    tensor: string,
    start: readonly number[],
    stop: readonly number[],
    signal?: AbortSignal,
  ): Promise<Numbers> {
    if (getTensor(this.graph, tensor).role === "weight") return this.own.cells(tensor, start, stop, signal);
    const slice: Slice = start.map((at, axis): [number, number] => [at, stop[axis]!]);
    return getActivations(this.ids.run, tensor, slice, signal, this.ids.minus);
  }

  inWords(operation: number) {
    return this.own.inWords(operation);
  }

  explain(cell: SourceCell, direction: Direction, signal: AbortSignal) {
    return this.own.explain(cell, direction, signal);
  }
}

function idOf({ known }: ServerRun): string {
  if (known.run === null) throw new RangeError("a model alone has nothing to be compared with");
  return known.run;
}
