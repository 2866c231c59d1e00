/** The page's one WebSocket: sends messages, hands on what comes, acknowledges frames, and connects again
 *  (waiting longer each time) when the server goes away. */

import { parseFrame } from "./frames";
import type { ClientMessage, Frame, ServerMessage } from "./types";

export interface StreamListener {
  /** Connected, for the first time or again: nothing that was asked for before holds any more. */
  opened(): void;
  /** The connection is lost; the next attempt comes after this many milliseconds. */
  lost(retryIn: number): void;
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
    socket.onopen = () => {
      this.#hears();
      this.#wait = FIRST_WAIT;
      this.#unacknowledged = 0;
      this.listener.opened();
    };
    socket.onmessage = (event) => {
      this.#hears();
      this.#take(event.data as string | ArrayBuffer);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lose();
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

  #lose(): void {
    this.#hears();
    window.clearTimeout(this.#ackTimer);
    const wait = this.#wait;
    this.#wait = Math.min(LONGEST_WAIT, wait * 2);
    this.listener.lost(wait);
    this.#retry = window.setTimeout(() => this.connect(), wait);
  }
}
