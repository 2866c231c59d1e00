import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Lost, Stream } from "./stream";

class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 0;
  binaryType = "";
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { code: number }) => {};

  constructor() {
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.made[FakeSocket.made.length - 1] as FakeSocket;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  close(code: number) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

const lost: [number, Lost][] = [];
let healthy = true;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("fetch", async () => {
    if (!healthy) throw new TypeError("no server");
    return { ok: true };
  });
  FakeSocket.made = [];
  lost.length = 0;
  new Stream("ws://atlas", {
    opened: () => {},
    lost: (wait, why) => lost.push([wait, why]),
    message: () => {},
    frame: () => {},
    silent: () => {},
    garbled: () => {},
  }).connect();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a server without room is asked again more and more seldom, though it accepts each time", () => {
  for (const wait of [400, 800, 1600, 3200, 6400, 8000, 8000]) {
    FakeSocket.last.open();
    FakeSocket.last.close(1013);
    expect(lost.at(-1)).toEqual([wait, "full"]);
    vi.advanceTimersByTime(wait);
  }
  // A word from it is what ends the waiting.
  FakeSocket.last.open();
  FakeSocket.last.onmessage({ data: "{}" });
  FakeSocket.last.close(1006);
  expect(lost.at(-1)).toEqual([400, "away"]);
});

test("a server that answers but refuses the stream is told from one that is away", async () => {
  healthy = true;
  FakeSocket.last.close(1006);
  expect(lost.at(-1)?.[1]).toBe("away");
  await vi.advanceTimersByTimeAsync(0);
  expect(lost.at(-1)?.[1]).toBe("refused");
  healthy = false;
  await vi.advanceTimersByTimeAsync(400);
  FakeSocket.last.close(1006);
  await vi.advanceTimersByTimeAsync(0);
  expect(lost.at(-1)?.[1]).toBe("away");
});
