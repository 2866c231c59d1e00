import { expect, test } from "vitest";
import type { Graph, TensorInfo } from "../../graph/types";
import type { Plate } from "../../layout/types";
import { makeSheets } from "./sheets";

const info = (name: string, axes: string[]): TensorInfo => ({
  ...{ name, axes, shape: axes.map(() => 1024), role: "summary", kind: name, layer: 0 },
  ...{ same_as: null, transposed: false, derived: false, stack: null, source_axes: [], learned: true },
});

const plate = (tensor: string, part: Partial<Plate>): Plate => ({
  ...{ id: 0, tensor, source: tensor, role: "summary", kind: tensor, layer: 0, rowAxis: null, columnAxis: 1 },
  ...{ origin: [0, 0], rows: 1, columns: 1024, x: 0, y: 0, z: 0, label: "", importance: 0 },
  ...part,
});

test("what spans heads comes by rows, since the server cuts tiles of one head each", () => {
  const graph: Graph = {
    tensors: [info("hook_max", ["head", "query_pos"]), info("normalized", ["pos", "d_model"])],
    ops: [],
    sizes: {},
  };
  const plates = [
    ...[0, 1, 2].map((head) => plate("hook_max", { id: head, origin: [head, 0] })),
    plate("normalized", { id: 3, rowAxis: 0, rows: 1024 }),
  ];
  // A pool with room for next to nothing: all else is seen through tiles.
  const { sheets } = makeSheets(plates, graph, { target: 1024, source: 0 }, 1);
  expect(sheets.map(({ source, streamed }) => [source, streamed])).toEqual([
    ["hook_max", true],
    ["normalized", false],
  ]);
});
