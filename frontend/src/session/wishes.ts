/** The wish scheduler: tells the server which activations, tiles and cells the map lacks. A wish replaces the one
 *  before it and interrupts what is on its way, so it is sent only where it is worth that. */

import type { ClientMessage } from "../net/types";
import type { NumbersWanted } from "../scene/ports";
import type { CellsAddress, TileAddress } from "../scene/types";
import { comparison } from "../state/difference";
import * as state from "../state/store";

/** The map says what it lacks once the eye rests: here only what comes at the same moment is gathered. */
const WANT_DELAY = 20;
const URGENT_TILES = 8;
const FEW_TILES = 32;
/** Tiles in one wish: the rest is asked for when these have come. */
const MOST_TILES = 1500;

export class Wishes {
  #epoch = 0;
  #timer = 0;
  /** The run, names and tiles of the last wish, less the tiles that have come. */
  #asked = new Set<string>();
  /** How many of these are no tiles, but the run, names and cells to be printed. */
  #names = 0;
  /** Activations are asked for anew from their first row. */
  #anew = false;

  constructor(
    private readonly map: NumbersWanted | null,
    private readonly send: (message: ClientMessage) => void,
    /** Whether tiles need not be asked for yet: thumbnails that hold the same numbers are coming. */
    private readonly expectsThumbnails: () => boolean,
  ) {}

  /** Sends a wish soon, together with whatever else changes at this moment. */
  changed(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.now(), WANT_DELAY);
  }

  /** Forgets the last wish: the connection that it went out on is gone. */
  forget(): void {
    this.#asked.clear();
    this.#names = 0;
  }

  /** Asks for all activations again, from their first row. */
  anew(): void {
    this.forget();
    this.#anew = true;
    this.now();
  }

  /** Notes that a tile came. One wish does not name everything: the rest is asked for when little of it is left. */
  came(tile: TileAddress): void {
    if (this.#asked.delete(tileKey(tile)) && this.#tilesLeft() < FEW_TILES) this.changed();
  }

  /** Sends a wish at once, if it is worth asking. */
  now(): void {
    window.clearTimeout(this.#timer);
    const run = state.run.value;
    if (!run?.id) return;
    const activations = this.map?.wantedActivations() ?? [];
    const tiles = this.expectsThumbnails() ? [] : (this.map?.wantedTiles().slice(0, MOST_TILES) ?? []);
    const cells = this.map?.wantedCells() ?? [];
    const minus = comparison.value?.run ?? null;
    const names = [`${run.id} less ${minus}`, ...activations, ...cells.map(cellsKey)];
    if (!this.#worthAsking(names, tiles)) return;
    this.#asked = new Set([...names, ...tiles.map(tileKey)]);
    this.#names = names.length;
    this.#epoch += 1;
    this.send({
      type: "want",
      epoch: this.#epoch,
      run: run.id,
      activations,
      resend: this.#anew ? activations : [],
      minus,
      model: run.model,
      tiles: tiles.map(({ activation, ...tile }) => (activation ? { ...tile, run: run.id } : tile)),
      cells: cells.map(({ activation, ...some }) => (activation ? { ...some, run: run.id } : some)),
    });
    this.#anew = false;
  }

  /** Tiles of the last wish that have not come. */
  #tilesLeft(): number {
    return this.#asked.size - this.#names;
  }

  /** Asking again interrupts what is on its way: only for a new name, for a tile among the most wanted, or when
   *  little of the last wish is left. */
  #worthAsking(names: readonly string[], tiles: readonly TileAddress[]): boolean {
    const unknown = (tile: TileAddress) => !this.#asked.has(tileKey(tile));
    if (names.some((name) => !this.#asked.has(name)) || tiles.slice(0, URGENT_TILES).some(unknown))
      return true;
    return this.#tilesLeft() < FEW_TILES && tiles.some(unknown);
  }
}

function tileKey({ name, index, level, row, col }: TileAddress): string {
  return `${name} ${index} ${level} ${row} ${col}`;
}

function cellsKey({ name, index, row, col }: CellsAddress): string {
  return `cells ${name} ${index} ${row} ${col}`;
}
