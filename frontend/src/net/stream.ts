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
  /** A message that could not be understood. */
  garbled(problem: string): void;
}

const ACK_FRAMES = 4;
const ACK_DELAY = 20;
const FIRST_WAIT = 400;
const LONGEST_WAIT = 8000;

export class Stream {
  #socket: WebSocket | null = null;
  #wait = FIRST_WAIT;
  #retry = 0;
  #unacknowledged = 0;
  #lastSeq = 0;
  #ackTimer = 0;

  constructor(
    private readonly address: string,
    private readonly listener: StreamListener,
  ) {}

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect(): void {
    window.clearTimeout(this.#retry);
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.#unacknowledged = 0;
      this.listener.opened();
    };
    socket.onmessage = (event) => this.#take(event.data as string | ArrayBuffer);
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
    window.clearTimeout(this.#ackTimer);
    const wait = this.#wait;
    this.#wait = Math.min(LONGEST_WAIT, wait * 2);
    this.listener.lost(wait);
    this.#retry = window.setTimeout(() => this.connect(), wait);
  }
}
