/** Numbers of the server that come over the stream: says what a sink lacks as a wish, and hands it the frames that
 *  answer it. The server knows one wish at a time: a new one replaces the one before and interrupts what is on its way,
 *  so it is sent only where it is worth that. */

import type { ClientMessage, Frame } from "../net/types";
import type { CellsAddress, Subscriber, Subscription, TileAddress, WantedTile } from "./port";

/** The sink says what it lacks once the eye rests: here only what comes at the same moment is gathered. */
const WANT_DELAY = 20;
const URGENT_TILES = 8;
const FEW_TILES = 32;
/** Tiles in one wish: the rest is asked for when these have come. */
const MOST_TILES = 1500;

/** Names the numbers that are wanted: a run's, less another's where `minus` names one. */
export interface Streamed {
  readonly model: string;
  readonly run: string;
  readonly minus: string | null;
}

/** Names all that the page shows just now; frames of anything else are dropped. */
export interface ShownNow {
  readonly model: string | null;
  readonly run: string | null;
}

export class ServerStream {
  #epoch = 0;
  #wishes: Wishes | null = null;

  constructor(
    private readonly send: (message: ClientMessage) => void,
    private readonly shown: () => ShownNow,
  ) {}

  /** Begins to fill a sink; whoever was filled before is left. */
  subscribe(of: Streamed, sink: Subscriber): Subscription {
    const isShown = () => this.shown().run === of.run;
    const wishes = new Wishes(of, sink, isShown, (wish) => this.#wish(wish));
    this.#wishes?.stop();
    this.#wishes = wishes;
    wishes.now();
    return {
      changed: () => wishes.changed(),
      stop: () => {
        wishes.stop();
        if (this.#wishes === wishes) this.#wishes = null;
      },
    };
  }

  /** Hands a frame to whoever is filled; false where it is of something that is not shown any more. */
  take(frame: Frame): boolean {
    const wishes = this.#wishes;
    if (!wishes || !this.#isShown(frame.header, wishes.of)) return false;
    wishes.take(frame);
    return true;
  }

  #isShown(header: Frame["header"], { minus }: Streamed): boolean {
    const { model, run } = this.shown();
    if (header.run === null) return header.type !== "rows" && header.model === model;
    // Numbers of the run alone and differences never mix.
    return header.run === run && (header.minus ?? null) === minus;
  }

  #wish(wish: Wish): void {
    this.#epoch += 1;
    this.send({ type: "want", epoch: this.#epoch, ...wish });
  }
}

type Wish = Omit<Extract<ClientMessage, { type: "want" }>, "type" | "epoch">;

/** The wishes of one subscription. */
class Wishes {
  #timer = 0;
  /** Names, cells and tiles of the last wish, less the tiles that have come. */
  #asked = new Set<string>();
  /** Counts those of these that are no tiles. */
  #names = 0;
  /** The first wish asks for activations from their first row, whatever of them was sent before. */
  #isFirst = true;

  constructor(
    readonly of: Streamed,
    private readonly sink: Subscriber,
    /** While another run is asked for nothing more of this one is. */
    private readonly isShown: () => boolean,
    private readonly send: (wish: Wish) => void,
  ) {}

  /** Sends a wish soon, together with whatever else changes at this moment. */
  changed(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.now(), WANT_DELAY);
  }

  stop(): void {
    window.clearTimeout(this.#timer);
  }

  take(frame: Frame): void {
    const { header } = frame;
    if (header.type === "cells") this.sink.applyCells(header, singles(frame));
    else if (header.type === "tile") {
      // One wish does not name everything: the rest is asked for when little of it is left.
      if (this.#asked.delete(tileKey(header)) && this.#tilesLeft() < FEW_TILES) this.changed();
      this.sink.applyTile(header, halfFloats(frame));
    } else this.sink.applyRows(header, halfFloats(frame));
  }

  /** Sends a wish at once, if it is worth asking. */
  now(): void {
    window.clearTimeout(this.#timer);
    if (!this.isShown()) return;
    const { model, run, minus } = this.of;
    const activations = this.sink.wantedActivations();
    const tiles = this.sink.wantedTiles().slice(0, MOST_TILES);
    const cells = this.sink.wantedCells();
    const names = [...activations, ...cells.map(cellsKey)];
    if (!this.#isWorthAsking(names, tiles)) return;
    this.#asked = new Set([...names, ...tiles.map(tileKey)]);
    this.#names = names.length;
    const resend = this.#isFirst ? activations : [];
    this.#isFirst = false;
    const ofRun = <Part extends { readonly activation: boolean }>({ activation, ...part }: Part) =>
      activation ? { ...part, run } : part;
    this.send({
      run,
      activations,
      resend,
      minus,
      model,
      tiles: tiles.map(ofRun),
      cells: cells.map(ofRun),
    });
  }

  /** Tiles of the last wish that have not come. */
  #tilesLeft(): number {
    return this.#asked.size - this.#names;
  }

  /** Asking again interrupts what is on its way: only for a new name, for a tile among the most wanted, or when
   *  little of the last wish is left. */
  #isWorthAsking(names: readonly string[], tiles: readonly WantedTile[]): boolean {
    const unknown = (tile: TileAddress) => !this.#asked.has(tileKey(tile));
    if (this.#isFirst || names.some((name) => !this.#asked.has(name))) return true;
    if (tiles.slice(0, URGENT_TILES).some(unknown)) return true;
    return this.#tilesLeft() < FEW_TILES && tiles.some(unknown);
  }
}

function tileKey({ name, index, level, row, col }: TileAddress): string {
  return `${name} ${index} ${level} ${row} ${col}`;
}

function cellsKey({ name, index, row, col }: CellsAddress): string {
  return `cells ${name} ${index} ${row} ${col}`;
}

/** The numbers of a frame that is printed, which come in full single precision. */
function singles(frame: Frame): Float32Array {
  if (frame.values instanceof Float32Array) return frame.values;
  throw new RangeError(`${frame.header.name} came as ${frame.header.dtype}, not as float32`);
}

/** The stream sends half floats; anything else is a mistake that has to show. */
function halfFloats(frame: Frame): Uint16Array {
  if (frame.values instanceof Uint16Array) return frame.values;
  throw new RangeError(`${frame.header.name} came as ${frame.header.dtype}, not as half floats`);
}
