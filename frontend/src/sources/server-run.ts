/** The first source: a model on the server, and a run of it where there is one. Activations come over the stream, and
 *  what is asked for by itself comes by REST. */

import type { ReadonlySignal } from "@preact/signals";
import { getTensor } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import { type Direction, getExplanation, type Place } from "../net/explain";
import type { Numbers } from "../net/npy";
import { getActivations, getWeights, type Slice } from "../net/rest";
import { getTile, type Tile } from "../net/tiles";
import { operationInWords } from "./operations";
import type {
  NumbersSource,
  SourceCell,
  SourceScales,
  SourceText,
  Subscriber,
  Subscription,
  TilePlace,
} from "./port";
import type { ServerStream } from "./server-stream";

/** Holds all that the page knows of a run beside its numbers. */
export interface RunKnown {
  readonly graph: Graph;
  readonly model: string;
  /** Null where the model alone is known: it has its weights. */
  readonly run: string | null;
  readonly text: ReadonlySignal<SourceText>;
  readonly scales: ReadonlySignal<SourceScales>;
  /** Tells whether the pass has come to an activation. */
  readonly hasCome: (tensor: TensorInfo) => boolean;
}

const NOTHING_COMES: Subscription = { changed: () => undefined, stop: () => undefined };

export class ServerRun implements NumbersSource {
  readonly graph: Graph;
  readonly text: ReadonlySignal<SourceText>;
  readonly scales: ReadonlySignal<SourceScales>;

  constructor(
    readonly known: RunKnown,
    private readonly stream: ServerStream,
  ) {
    this.graph = known.graph;
    this.text = known.text;
    this.scales = known.scales;
  }

  get key(): string {
    const { kind, id } = this.place;
    return `${kind}/${id}`;
  }

  /** Says where the server has it. */
  get place(): Place {
    const { model, run } = this.known;
    return run === null ? { kind: "models", id: model } : { kind: "runs", id: run };
  }

  isHere(tensor: TensorInfo): boolean {
    return tensor.role === "weight" || (this.known.run !== null && this.known.hasCome(tensor));
  }

  keyOf({ role }: TensorInfo): string {
    return role === "weight" ? `models/${this.known.model}` : this.key;
  }

  subscribe(sink: Subscriber): Subscription {
    const { model, run } = this.known;
    return run === null ? NOTHING_COMES : this.stream.subscribe({ model, run, minus: null }, sink);
  }

  tile(tensor: string, head: number, place: TilePlace, signal: AbortSignal): Promise<Tile> {
    return getTile(this.#run(), tensor, head, place, signal);
  }

  cells(
    tensor: string,
    start: readonly number[],
    stop: readonly number[],
    signal?: AbortSignal,
  ): Promise<Numbers> {
    const isWeight = getTensor(this.graph, tensor).role === "weight";
    const slice: Slice = start.map((at, axis): [number, number] => [at, stop[axis]!]);
    return isWeight
      ? getWeights(this.known.model, tensor, slice, signal)
      : getActivations(this.#run(), tensor, slice, signal);
  }

  inWords(operation: number) {
    return operationInWords(this.known.model, operation);
  }

  explain({ tensor, index }: SourceCell, direction: Direction, signal: AbortSignal) {
    return getExplanation(this.place, tensor, index, direction, signal);
  }

  #run(): string {
    if (this.known.run === null) throw new RangeError("a model alone has no activations");
    return this.known.run;
  }
}
