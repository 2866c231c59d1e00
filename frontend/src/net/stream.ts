/** The page's one WebSocket: sends messages, hands on what comes, acknowledges frames, and connects again
 *  (waiting longer each time) when the server goes away. */

import { parseFrame } from "./frames";
import type { ClientMessage, Frame, ServerMessage } from "./types";

/** The server is away; it has no room for another stream; or it answers and refuses the stream all the same. */
export type Lost = "away" | "full" | "refused";

export interface StreamListener {
  /** Connected, for the first time or again: nothing that was asked for before holds any more. */
  opened(): void;
  /** The connection is lost, and why; the next attempt comes after this many milliseconds. */
  lost(retryIn: number, why: Lost): void;
  message(message: ServerMessage): void;
  frame(frame: Frame): void;
  /** Nothing at all has come for long, though a connected server says something every other second; false: it has. */
  silent(silent: boolean): void;
  /** A message that could not be understood. */
  garbled(problem: string): void;
}

const ACK_FRAMES = 4;
const ACK_DELAY = 20;
const FIRST_WAIT = 400;
const LONGEST_WAIT = 8000;
/** Milliseconds without a word after which the server is said to be silent. */
const SILENCE = 5000;
const LISTEN_EVERY = 1000;
/** The code with which the server closes when all its streams are taken (RFC 6455's registry: try again later). */
const TRY_AGAIN_LATER = 1013;

export class Stream {
  #socket: WebSocket | null = null;
  #wait = FIRST_WAIT;
  #retry = 0;
  #unacknowledged = 0;
  #lastSeq = 0;
  #ackTimer = 0;
  #heard = 0;
  #silent = false;

  constructor(
    private readonly address: string,
    private readonly listener: StreamListener,
  ) {
    window.setInterval(() => this.#listen(), LISTEN_EVERY);
  }

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect(): void {
    window.clearTimeout(this.#retry);
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#heard = performance.now();
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#hears();
      this.#unacknowledged = 0;
      this.listener.opened();
    };
    socket.onmessage = (event) => {
      this.#hears();
      // Not when it opens: a server without room accepts a connection to say so, and closes it.
      this.#wait = FIRST_WAIT;
      this.#take(event.data as string | ArrayBuffer);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      this.#lose(event.code === TRY_AGAIN_LATER ? "full" : "away");
      if (!opened) void this.#askWhy(socket);
    };
  }

  /** Connects at once instead of waiting for the next attempt. */
  retry(): void {
    if (!this.open) this.connect();
  }

  /** Sends; false when there is no connection (whoever asks again does so when `opened`). */
  send(message: ClientMessage): boolean {
    if (!this.open) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  #hears(): void {
    this.#heard = performance.now();
    if (!this.#silent) return;
    this.#silent = false;
    this.listener.silent(false);
  }

  /** A page that was hidden has not listened: it counts from when it is looked at again. */
  #listen(): void {
    const waits = this.open || this.#socket?.readyState === WebSocket.CONNECTING;
    if (document.hidden || !waits) this.#heard = performance.now();
    else if (!this.#silent && performance.now() - this.#heard > SILENCE) {
      this.#silent = true;
      this.listener.silent(true);
    }
  }

  #take(data: string | ArrayBuffer): void {
    try {
      if (typeof data === "string") this.listener.message(JSON.parse(data) as ServerMessage);
      else {
        const frame = parseFrame(data);
        this.listener.frame(frame);
        this.#acknowledge(frame.header.seq);
      }
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      this.listener.garbled(error.message);
    }
  }

  #acknowledge(seq: number): void {
    this.#lastSeq = seq;
    this.#unacknowledged += 1;
    window.clearTimeout(this.#ackTimer);
    if (this.#unacknowledged >= ACK_FRAMES) this.#sendAck();
    else this.#ackTimer = window.setTimeout(() => this.#sendAck(), ACK_DELAY);
  }

  #sendAck(): void {
    this.#unacknowledged = 0;
    this.send({ type: "ack", seq: this.#lastSeq });
  }

  /** A browser does not say why a connection was refused: a server that answers otherwise refused it itself. */
  async #askWhy(refused: WebSocket): Promise<void> {
    const answers = await fetch("/api/v1/health").then(
      (answer) => answer.ok,
      () => false,
    );
    if (answers && refused === this.#socket && !this.open) this.listener.lost(this.#wait, "refused");
  }

  #lose(why: Lost): void {
    this.#hears();
    window.clearTimeout(this.#ackTimer);
    const wait = this.#wait;
    this.#wait = Math.min(LONGEST_WAIT, wait * 2);
    this.listener.lost(wait, why);
    this.#retry = window.setTimeout(() => this.connect(), wait);
  }
}
