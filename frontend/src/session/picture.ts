/** The picture that the map is given before any activation: the layout of the model for the text read, the words
 *  along its axes, and the thumbnails of a model too large to be held whole. */

import { withCharacters } from "../characters";
import { layout } from "../layout/layout";
import { ApiError } from "../net/rest";
import { getThumbnails, type Thumbnail } from "../net/thumbnails";
import type { ModelSummary } from "../net/types";
import type { ModelPort, NumbersSink } from "../scene/ports";
import { type LaidOut, sameLayout } from "../state/laid-out";
import * as state from "../state/store";

/** So long thumbnails are waited for before their numbers are asked for as tiles. */
const THUMBNAIL_PATIENCE = 1000;

/** What a picture is made for: a run, or the text of another source. */
export interface Pictured {
  readonly model: string;
  /** Positions that the plates have room for. */
  readonly capacity: number;
  readonly tokens: Words;
  readonly source: Words;
}

type Words = readonly { readonly text: string }[];

export class Picture {
  #of: Pictured | null = null;
  /** What the layout shown was made for. */
  #drawn: LaidOut | null = null;
  /** Thumbnails of the model's weights, once they are here. */
  #thumbnails: readonly Thumbnail[] = [];
  /** While they are expected: what they hold need not come twice. */
  #expecting: Promise<unknown> | null = null;

  constructor(
    private readonly map: (ModelPort & NumbersSink) | null,
    /** Width over height of the map's window. */
    private readonly aspect: () => number,
    /** Called when thumbnails are waited for no more. */
    private readonly waitsNoMore: () => void,
  ) {}

  /** Whether thumbnails are on their way: tiles with the same numbers need not be asked for. */
  get expectsThumbnails(): boolean {
    return this.#expecting !== null;
  }

  /** Shows the room that a text needs, all of its activations not computed yet. */
  begin(of: Pictured): void {
    if (!state.graph.value || !this.map) return;
    this.#layOut(of);
    this.map.clearActivations();
    this.nameTokens(of);
    state.laidOut.value = this.#drawn;
  }

  /** Makes room for what came to a text. */
  grow(of: Pictured): void {
    if (!state.graph.value || !this.map) return;
    this.#layOut(of);
    this.nameTokens(of);
    state.laidOut.value = this.#drawn;
  }

  /** Lays the same numbers out another way. False while there are none. */
  rearrange(): boolean {
    if (!this.#of || !this.#drawn) return false;
    this.#layOut(this.#of);
    state.laidOut.value = this.#drawn;
    return true;
  }

  /** Writes the tokens along the axes of the map. */
  nameTokens({ tokens, source }: Pick<Pictured, "tokens" | "source">): void {
    this.map?.setTokens(named(tokens), named(source));
  }

  #layOut(of: Pictured): void {
    this.#of = of;
    const graph = state.graph.value;
    const heads = state.heads.value;
    const capacity = { target: of.capacity, source: of.source.length };
    const drawn: LaidOut = { model: of.model, capacity, heads };
    if (!graph || !this.map || sameLayout(drawn, this.#drawn)) return;
    this.map.setLayout(layout(graph, { capacity, aspect: this.aspect(), heads }), graph);
    this.#drawn = drawn;
    this.#showThumbnails();
  }

  /** Fetches the first picture of a model too large to be held whole: all its plates in one answer, beside its graph. */
  fetchThumbnails(model: ModelSummary): void {
    this.#thumbnails = [];
    this.#expecting = null;
    if (!this.map || this.map.holdsWhole(model.parameters)) return;
    const coming = getThumbnails(model.id).catch((error: unknown) => {
      // Without them the same numbers come as tiles.
      if (error instanceof ApiError || error instanceof RangeError) return [];
      throw error;
    });
    this.#expecting = coming;
    const expectNoMore = () => {
      if (this.#expecting !== coming) return;
      this.#expecting = null;
      this.waitsNoMore();
    };
    void coming.then((thumbnails) => {
      if (state.modelId.value !== model.id) return;
      this.#thumbnails = thumbnails;
      if (this.#drawn?.model === model.id) this.#showThumbnails();
      expectNoMore();
    });
    // Those of a large model that nobody has looked at before have to be made first, which takes a while.
    window.setTimeout(expectNoMore, THUMBNAIL_PATIENCE);
  }

  #showThumbnails(): void {
    for (const thumbnail of this.#thumbnails) this.map?.applyTile(thumbnail, thumbnail.values);
  }
}

/** Tokens with bytes that are no whole character written as the characters that they make together. */
function named(tokens: Words): Words {
  const called = withCharacters(tokens.map(({ text }) => text));
  return tokens.map(({ text }, at) => ({ text: called[at] ?? text }));
}
