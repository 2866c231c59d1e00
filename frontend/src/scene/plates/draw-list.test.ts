import { expect, test } from "vitest";
import { decoderGraph, SPECS } from "../../graph/fixtures";
import { layout } from "../../layout/layout";
import { benchmarkView } from "../camera/views";
import type { CameraState } from "../types";
import { Values } from "../values/values";
import { PieceList, type Tiles } from "./draw-list";
import type { PlateMesh } from "./plate-mesh";
import { Quads } from "./quads";
import { findVisible, Viewer } from "./visibility";

const VERTEX = { place: 3, cell: 2, texel: 2, bounds: 2, size: 2, look: 3 };

/** A map of GPT-2 XL with every weight's coarsest tile. */
function large(): { values: Values; home: CameraState } {
  const { capacity, ...spec } = SPECS.large as (typeof SPECS)[string];
  const graph = decoderGraph({ ...spec });
  const map = layout(graph, { capacity: { target: capacity, source: 0 }, aspect: 1.6, heads: "fan" });
  const values = new Values(76e6);
  values.setLayout(map, graph);
  for (const { source, weight, fixed, levels } of values.sheets.sheets) {
    const top = levels.at(-1);
    if (!weight || !top) continue;
    const index = fixed.filter((at) => at !== null);
    const [level, shape] = [levels.length - 1, [top.rows, top.columns]];
    const header = { name: source, index, level, row: 0, col: 0, shape, full_shape: [], scale: 1 };
    values.applyTile(header, new Uint16Array(top.rows * top.columns));
  }
  return { values, home: benchmarkView(map, "overview", 1.6) };
}

function listed(values: Values, tiles: Tiles, state: CameraState): Float32Array {
  const pieces = new Quads(VERTEX);
  const viewer = new Viewer(state, 1.6, 800);
  const { windows } = values.sheets;
  const list = new PieceList({ pieces } as unknown as PlateMesh, tiles, viewer);
  list.list(windows, findVisible(windows, viewer), viewer, new Map());
  return pieces.data.slice(0, pieces.count * 4 * pieces.stride);
}

test("the short way for plates far away lists what the long one lists", () => {
  const { values, home } = large();
  // Without known places of tiles every plate goes the long way.
  const long: Tiles = {
    frame: 0,
    absent: values.absent,
    zero: values.zero,
    tile: (...at) => values.tile(...at),
    far: values.far,
    slots: new Int32Array(values.slots.length).fill(-1),
  };
  for (const distance of [1, 0.4, 0.1]) {
    const state = { ...home, distance: home.distance * distance };
    const found = listed(values, values, state);
    expect(found.length).toBeGreaterThan(0);
    expect(found).toEqual(listed(values, long, state));
  }
});
