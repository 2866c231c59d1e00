import { afterEach, expect, test } from "vitest";
import { decoderGraph, SPECS } from "../graph/fixtures";
import { ServerStream } from "../sources/server-stream";
import { askedRun, type Phase } from "../state/run";
import { server } from "../state/source";
import * as state from "../state/store";
import { placeOf } from "./explanations";
import { serverSources } from "./server-sources";

const token = (id: number) => ({ id, text: `t${id}`, start: 0, end: 0 });

server.value = serverSources(
  new ServerStream(
    () => undefined,
    () => ({ model: "sort", run: "r" }),
  ),
);

/** A run of three tokens. */
function show(phase: Phase): void {
  state.graph.value = decoderGraph(SPECS.sort!);
  state.modelId.value = "sort";
  const asked = askedRun("1", "sort", 4);
  state.run.value = { ...asked, id: "r", tokens: [token(0), token(1), token(2)], capacity: 7, phase };
  state.reached.value = -1;
}

afterEach(() => {
  state.graph.value = null;
  state.modelId.value = null;
  state.run.value = null;
  state.reached.value = -1;
});

const early = { tensor: "blocks.0.attn.hook_q", index: [1, 0, 0] };
const late = { tensor: "blocks.2.attn.hook_q", index: [1, 0, 0] };
const beyond = { tensor: "blocks.0.attn.hook_q", index: [5, 0, 0] };

test("while a text is read, only what the pass has come to is asked for", () => {
  show("reading");
  expect(placeOf(early)).toBeNull();
  state.reach("blocks.0.attn.hook_z");
  expect(placeOf(early)).toEqual({ kind: "runs", id: "r" });
  expect(placeOf(late)).toBeNull();
  expect(placeOf({ tensor: "blocks.2.attn.W_Q", index: [0, 0, 0] })).not.toBeNull();
});

test("once it has been read, everything that the text reaches is", () => {
  show("paused");
  expect(placeOf(late)).toEqual({ kind: "runs", id: "r" });
  expect(placeOf(beyond)).toBeNull();
});
