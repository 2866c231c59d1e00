/** The page's conversation with the server: one stream, and the parts that speak over it. The opener shows a model,
 *  the run controller reads, the writer goes on, and the feed brings the map its numbers. Everything that they learn
 *  goes into the store. */

import { onForgotten } from "../net/rest";
import { type Lost, Stream } from "../net/stream";
import type { ModelPort, NumbersSink, NumbersWanted } from "../scene/ports";
import type { NumbersSource } from "../sources/port";
import { ServerStream } from "../sources/server-stream";
import { server } from "../state/source";
import * as state from "../state/store";
import { Feed } from "./feed";
import { MadeSource } from "./made-source";
import { type Input, Opener } from "./opener";
import { Patience } from "./patience";
import { Picture } from "./picture";
import { RunControl } from "./run-control";
import { serverSources } from "./server-sources";
import type { Writer } from "./writer";

export class Session {
  readonly #stream: Stream;
  readonly #patience = new Patience();
  readonly #picture: Picture;
  readonly #feed: Feed;
  readonly #runs: RunControl;
  readonly #made: MadeSource;
  readonly #opener: Opener;

  constructor(
    address: string,
    map: (ModelPort & NumbersSink & NumbersWanted) | null,
    /** Width over height of the map's window. */
    aspect: () => number,
  ) {
    const send = this.#send.bind(this);
    this.#picture = new Picture(map, aspect, () => this.wantsChanged());
    this.#feed = new Feed(map, () => this.#picture.expectsThumbnails);
    const [picture, feed, patience] = [this.#picture, this.#feed, this.#patience];
    this.#runs = new RunControl({ map, picture, feed, patience, send });
    this.#made = new MadeSource(this.#runs, picture, feed);
    this.#opener = new Opener(this.#runs, picture, this.#made);
    const shown = () => ({ model: state.modelId.value, run: state.run.value?.id ?? null });
    const numbers = new ServerStream(send, shown);
    server.value = serverSources(numbers);
    this.#stream = new Stream(address, {
      opened: () => this.#opened(),
      lost: (_, why) => this.#lost(why),
      message: (message) => this.#runs.hear(message),
      frame: (frame) => {
        if (numbers.take(frame)) patience.end();
      },
      silent: (silent) => {
        state.serverSilent.value = silent;
      },
      garbled: (problem) => {
        const message = `The stream sent something unreadable: ${problem}`;
        state.pageProblem.value = { message, hint: "Reload the page." };
      },
    });
  }

  #send(message: Parameters<Stream["send"]>[0]): void {
    this.#stream.send(message);
  }

  connect(): void {
    onForgotten((run) => this.#runs.makeAgain(run));
    this.#stream.connect();
  }

  /** Tries again what has failed: the connection, or the run. */
  retry(): void {
    state.waitingFor.value = null;
    if (this.#stream.open) this.#runs.restart();
    else this.#stream.retry();
  }

  /** Shows a model and a run on the given input, or on its default text. */
  open(id: string, input: Input = {}): Promise<void> {
    return this.#opener.open(id, input);
  }

  /** Shows a source of its own in place of the server's, until a model is opened. */
  show(source: NumbersSource): void {
    this.#made.show(source);
  }

  /** Reads a text, or token ids for a model without a tokenizer; false where it is refused at once. */
  read(text: string): boolean {
    return this.#runs.read(text);
  }

  /** Hides the token at a position behind the model's mask, or shows it again, and reads the text anew. */
  toggleMask(at: number): void {
    this.#runs.toggleMask(at);
  }

  /** The writer's controls. */
  get writer(): Pick<Writer, "write" | "step" | "pause" | "stop" | "paceChanged"> {
    return this.#runs.writer;
  }

  /** Asks for all activations of the run anew: other numbers of it are to be shown. */
  refresh(): void {
    this.#runs.refresh();
  }

  /** The camera or the layout changed: tells the server what is in view, once it rests. */
  wantsChanged(): void {
    this.#feed.changed();
  }

  /** Heads are to stand another way: shows the same numbers in other places. */
  rearrange(): void {
    if (this.#picture.rearrange()) this.wantsChanged();
  }

  #opened(): void {
    state.connection.value = "open";
    this.#runs.restart();
  }

  #lost(why: Lost): void {
    state.lostTo.value = why;
    this.#runs.connectionLost();
    state.connection.value = "lost";
    this.#patience.end();
  }
}
