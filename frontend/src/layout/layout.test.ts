import { describe, expect, it } from "vitest";
import { decoderGraph, SPECS } from "../graph/fixtures";
import { cellCount, getTensor, isTokenAxis, shapeAt } from "../graph/shape";
import { layout } from "./layout";
import { cellPosition, plateCell, platesOf, sourceIndex, tensorIndex } from "./plateCell";
import { isDrawn } from "./sheet";
import type { Plate } from "./types";
import {
  cameraAxes,
  cameraPosition,
  dot,
  HOME_FOV,
  homeView,
  type Point,
  plateCorners,
  viewOfBounds,
} from "./view";

const cases = Object.entries(SPECS).map(([name, { capacity, ...spec }]) => {
  const graph = decoderGraph(spec);
  return { name, graph, capacity, map: layout(graph, { capacity, aspect: 1.3 }) };
});

/** Pairs of plates that share space, found by sweeping along x. */
function overlapping(plates: readonly Plate[]): readonly string[] {
  const found: string[] = [];
  let open: Plate[] = [];
  for (const plate of [...plates].sort((a, b) => a.x - b.x)) {
    open = open.filter((other) => other.x + other.columns > plate.x);
    for (const other of open)
      if (other.y < plate.y + plate.rows && plate.y < other.y + other.rows && Math.abs(other.z - plate.z) < 1)
        found.push(`${other.tensor} and ${plate.tensor}`);
    open.push(plate);
  }
  return found;
}

describe.each(cases)("the map of $name", ({ graph, capacity, map }) => {
  it("has no two plates in one place", () => {
    expect(overlapping(map.plates)).toEqual([]);
  });

  it("shows every number of every tensor exactly once", () => {
    for (const tensor of graph.tensors) {
      const cells = platesOf(map, tensor.name).reduce((sum, { rows, columns }) => sum + rows * columns, 0);
      const expected = isDrawn(tensor) ? cellCount(shapeAt(tensor, capacity)) : 0;
      expect(cells, tensor.name).toBe(expected);
    }
  });

  it("parts a tensor into plates that share no cell and leave none out", () => {
    for (const plates of [platesOf(map, "W_E"), platesOf(map, "logits"), platesOf(map, "W_U")]) {
      const axis = plates[0]!.columnAxis!;
      let next = 0;
      for (const { origin, columns } of plates) {
        expect(origin[axis]).toBe(next);
        next += columns;
      }
      expect(next).toBe(graph.sizes.d_vocab);
    }
  });

  it("turns every plate the way its axes demand", () => {
    for (const plate of map.plates) {
      const { axes } = getTensor(graph, plate.source);
      const down = plate.rowAxis === null ? null : axes[plate.rowAxis]!;
      const right = plate.columnAxis === null ? null : axes[plate.columnAxis]!;
      if (axes.includes("d_vocab")) expect(right, plate.tensor).toBe("d_vocab");
      else if (axes.includes("d_mlp")) expect(right, plate.tensor).toBe("d_mlp");
      else if (axes.includes("key_pos")) expect([down, right]).toEqual(["query_pos", "key_pos"]);
      else if (axes.includes("pos")) expect(right, plate.tensor).toBe("pos");
      else if (right !== null) expect(`${down} ${right}`).toMatch(/^(d_head d_model|d_model d_head)$/);
    }
    const [query] = platesOf(map, "blocks.0.attn.W_Q");
    expect([query!.rows, query!.columns]).toEqual([graph.sizes.d_head, graph.sizes.d_model]);
    const [joining] = platesOf(map, "blocks.0.attn.W_O");
    expect([joining!.rows, joining!.columns]).toEqual([graph.sizes.d_model, graph.sizes.d_head]);
  });

  it("shows the same numbers whichever way a cell is asked for", () => {
    for (const plate of map.plates.slice(0, 900)) {
      for (const [row, column] of [
        [0, 0],
        [plate.rows - 1, 0],
        [plate.rows >> 1, plate.columns - 1],
      ] as const) {
        const index = tensorIndex(plate, row, column);
        expect(plateCell(map, plate.tensor, index)).toEqual({ plate, row, column });
        expect(cellPosition(map, plate.tensor, index)).toEqual([
          plate.x + column + 0.5,
          plate.y + row + 0.5,
          plate.z,
        ]);
        const shape = getTensor(graph, plate.source).shape;
        sourceIndex(plate, row, column).forEach((i, axis) => {
          expect(i).toBeGreaterThanOrEqual(0);
          expect(i).toBeLessThan(shape[axis]!);
        });
      }
    }
  });

  it("has whole cells on whole places, so that digits stay sharp", () => {
    for (const { x, y, z, rows, columns } of map.plates)
      expect([x, y, z, rows, columns].every(Number.isInteger)).toBe(true);
  });

  it("numbers plates by their place in the list, and ribbons name them", () => {
    map.plates.forEach(({ id }, i) => {
      expect(id).toBe(i);
    });
    for (const { from, to, points, width } of map.ribbons) {
      expect(map.plates[from]).toBeDefined();
      expect(map.plates[to]).toBeDefined();
      expect(from).not.toBe(to);
      expect(points.length).toBeGreaterThan(1);
      expect(width).toBeGreaterThan(0);
      expect(points.flat().every(Number.isFinite)).toBe(true);
    }
  });

  it("leads the stream from embedding to the last norm without a break", () => {
    const next = new Map(
      map.ribbons.map(({ from, to }) => [
        `${map.plates[from]!.tensor} ${map.plates[to]!.tensor}`,
        map.plates[to]!.tensor,
      ]),
    );
    const layers = new Set(graph.tensors.flatMap(({ layer }) => (layer === null ? [] : [layer])));
    let stream = "blocks.0.hook_resid_pre";
    for (const layer of layers)
      for (const part of ["hook_resid_mid", "hook_resid_post"]) {
        const after = `blocks.${layer}.${part}`;
        expect(next.get(`${stream} ${after}`)).toBe(after);
        stream = after;
      }
    expect(next.get(`${stream} ln_final.hook_normalized`)).toBeDefined();
  });

  it("has regions that hold what they name, within the model's", () => {
    const [model] = map.regions;
    expect(model!.bounds).toEqual(map.bounds);
    for (const { bounds, name } of map.regions)
      for (const axis of [0, 1, 2] as const) {
        expect(bounds.min[axis], name).toBeGreaterThanOrEqual(map.bounds.min[axis]);
        expect(bounds.max[axis], name).toBeLessThanOrEqual(map.bounds.max[axis]);
        expect(bounds.min[axis], name).toBeLessThan(bounds.max[axis]);
      }
    for (const { anchor, name } of map.regions)
      for (const axis of [0, 1, 2] as const) {
        expect(anchor[axis], name).toBeGreaterThanOrEqual(map.bounds.min[axis]);
        expect(anchor[axis], name).toBeLessThanOrEqual(map.bounds.max[axis]);
      }
  });

  it("is the same map every time", () => {
    expect(layout(graph, { capacity, aspect: 1.3 })).toEqual(map);
  });

  it.each([0.6, 1, 1.6])("is seen whole from home, and fills the window, at aspect %d", (aspect) => {
    const fitted = layout(graph, { capacity, aspect });
    const lens = { fov: HOME_FOV, aspect };
    const [x, y] = extremes(fitted.plates.flatMap(plateCorners), homeView(fitted, lens), lens);
    expect(Math.max(x, y)).toBeLessThan(1);
    expect(Math.max(x, y)).toBeGreaterThan(0.85);
    expect(Math.min(x, y)).toBeGreaterThan(0.4);
  });

  it("shows of every head the upper edge of its weights, and its pattern, from home", () => {
    const eye = cameraPosition(homeView(map, { fov: HOME_FOV, aspect: 1.3 }));
    const blocks = Math.max(...graph.tensors.map(({ layer }) => layer ?? 0));
    for (const layer of new Set([0, blocks >> 1, blocks]))
      for (const part of ["W_Q", "hook_pattern"])
        for (const { x, y, z, columns } of platesOf(map, `blocks.${layer}.attn.${part}`))
          for (const across of [0.5, columns - 0.5])
            expect(hiding(map.plates, eye, [x + across, y + 0.5, z]), `${layer} ${part}`).toBeUndefined();
  });

  it("is seen from in front of every plate", () => {
    const view = homeView(map, { fov: HOME_FOV, aspect: 1.3 });
    expect(cameraPosition(view)[2]).toBeGreaterThan(map.bounds.max[2]);
  });
});

/** A plate that stands between the eye and a point. */
function hiding(plates: readonly Plate[], eye: Point, point: Point): Plate | undefined {
  return plates.find(({ x, y, z, rows, columns }) => {
    if (z <= point[2]) return false;
    const t = (z - eye[2]) / (point[2] - eye[2]);
    const [atX, atY] = [eye[0] + (point[0] - eye[0]) * t, eye[1] + (point[1] - eye[1]) * t];
    return x < atX && atX < x + columns && y < atY && atY < y + rows;
  });
}

/** How far toward the sides, and toward the upper and lower edges of the window, points come: 1 is the edge. */
function extremes(
  points: readonly (readonly [number, number, number])[],
  view: ReturnType<typeof homeView>,
  { fov, aspect }: { readonly fov: number; readonly aspect: number },
): readonly [number, number] {
  const eye = cameraPosition(view);
  const axes = cameraAxes(view.azimuth, view.elevation);
  const slope = Math.tan((fov * Math.PI) / 360);
  let [across, down] = [0, 0];
  for (const point of points) {
    const from = [point[0] - eye[0], point[1] - eye[1], point[2] - eye[2]] as const;
    const away = -dot(from, axes.toward);
    across = Math.max(across, Math.abs(dot(from, axes.right)) / (away * slope * aspect));
    down = Math.max(down, Math.abs(dot(from, axes.down)) / (away * slope));
  }
  return [across, down];
}

describe("the map of any decoder", () => {
  it("has room for the capacity asked for, and never for more than the context", () => {
    const graph = decoderGraph(SPECS.stories!);
    for (const [asked, given] of [
      [1, 1],
      [100, 100],
      [5000, 256],
    ]) {
      const map = layout(graph, { capacity: asked!, aspect: 1 });
      expect(map.capacity).toBe(given);
      expect(platesOf(map, "hook_embed")[0]!.columns).toBe(given);
      expect(platesOf(map, "W_pos")[0]!.columns).toBe(256);
      expect(overlapping(map.plates)).toEqual([]);
    }
  });

  it("may be of the smallest model there is", () => {
    const spec = { layers: 1, heads: 1, d_model: 4, d_head: 4, d_mlp: 16, d_vocab: 1000, positions: 1024 };
    const map = layout(decoderGraph(spec), { capacity: 1024, aspect: 1 });
    expect(overlapping(map.plates)).toEqual([]);
    expect(platesOf(map, "W_pos").reduce((sum, { columns }) => sum + columns, 0)).toBe(1024);
  });

  it("wraps into more columns in a wide window than in a tall one", () => {
    const graph = decoderGraph(SPECS.small!);
    const width = (aspect: number): number => layout(graph, { capacity: 64, aspect }).bounds.max[0];
    expect(width(2)).toBeGreaterThan(width(0.5));
  });

  it("draws a tied unembedding from the numbers of the embedding", () => {
    const map = layout(decoderGraph(SPECS.stories!), { capacity: 8, aspect: 1 });
    const [plate] = platesOf(map, "W_U");
    expect(plate).toMatchObject({ source: "W_E", rowAxis: 1, columnAxis: 0, label: "W_U = W_E transposed" });
    expect(tensorIndex(plate!, 3, 5)).toEqual([3, 5]);
    expect(sourceIndex(plate!, 3, 5)).toEqual([5, 3]);
  });

  it("refuses a tensor that it has no place for, by name", () => {
    const graph = decoderGraph(SPECS.odd!);
    const stray = { ...graph.tensors[0]!, name: "W_stray" };
    expect(() =>
      layout({ ...graph, tensors: [...graph.tensors, stray] }, { capacity: 8, aspect: 1 }),
    ).toThrow("W_stray");
  });

  it("is seen part by part, too", () => {
    const { map } = cases[0]!;
    const head = map.regions.find(({ kind }) => kind === "head")!;
    const lens = { fov: HOME_FOV, aspect: 1.3 };
    expect(viewOfBounds(head.bounds, lens).distance).toBeLessThan(homeView(map, lens).distance);
  });
});

it("positions are token axes", () => {
  expect(["pos", "query_pos", "key_pos", "d_model"].map(isTokenAxis)).toEqual([true, true, true, false]);
});
