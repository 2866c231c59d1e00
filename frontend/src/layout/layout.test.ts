import { describe, expect, it } from "vitest";
import { decoderGraph, FAMILIES, familyGraph, SPECS } from "../graph/fixtures";
import { cellCount, getTensor, isTokenAxis, shapeAt } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import type { HeadArrangement } from "./head-arrangement";
import { layout } from "./layout";
import { cellPosition, plateCell, platesOf, sourceIndex, tensorIndex } from "./plate-cell";
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

const cases = [
  ...Object.entries(SPECS).map(([name, { capacity, ...spec }]) => ({
    name,
    graph: decoderGraph(spec),
    capacity,
  })),
  ...FAMILIES.map(({ name, family, spec, capacity }) => ({
    name,
    graph: familyGraph(family, spec),
    capacity,
  })),
].map((it) => ({ ...it, map: layout(it.graph, { capacity: it.capacity, aspect: 1.3 }) }));

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

/** Each step of the stream, from what is looked up to the scores: what is read by an addition goes into it, what is
 *  normalized into the norm and on. Told from the graph alone. */
function streamSteps(graph: Graph): readonly (readonly [string, string])[] {
  const wide = (tensor: TensorInfo): boolean =>
    tensor.axes.join() === "pos,d_model" || tensor.axes.join() === "pos,d_transform";
  return graph.ops
    .filter(
      ({ kind, output }) => ["add", "normalize", "affine"].includes(kind) && wide(getTensor(graph, output)),
    )
    .flatMap(({ kind, reads, output }) =>
      reads
        .filter(({ part }) => part === "input")
        .filter((_, i) => kind === "add" || i === 0)
        .map(({ tensor }) => [tensor, output] as const),
    );
}

/** How far two stretches of a line are apart; negative where they meet. */
function apart(a: number, aLength: number, b: number, bLength: number): number {
  return Math.max(a - b - bLength, b - a - aLength);
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
    for (const tensor of graph.tensors.filter(isDrawn)) {
      const plates = platesOf(map, tensor.name);
      const [first] = plates;
      if (!first || plates.length === 1 || tensor.axes.some((axis) => axis.endsWith("head"))) continue;
      const axis = first.columnAxis!;
      let next = 0;
      for (const { origin, columns } of plates) {
        expect(origin[axis]).toBe(next);
        next += columns;
      }
      expect(next).toBe(getTensor(graph, first.source).shape[axis]);
    }
  });

  it("turns every plate the way its axes demand", () => {
    for (const plate of map.plates) {
      const { axes, layer } = getTensor(graph, plate.source);
      const down = plate.rowAxis === null ? null : axes[plate.rowAxis]!;
      const right = plate.columnAxis === null ? null : axes[plate.columnAxis]!;
      const table = ["token_type", "bucket"].find((axis) => axes.includes(axis));
      if (axes.includes("d_vocab")) expect(right, plate.tensor).toBe("d_vocab");
      else if (axes.includes("d_mlp")) expect(right, plate.tensor).toBe("d_mlp");
      else if (axes.includes("key_pos")) expect([down, right]).toEqual(["query_pos", "key_pos"]);
      else if (axes.includes("pos")) expect(right, plate.tensor).toBe("pos");
      else if (table) expect([right, layer]).toEqual([table, null]);
      else if (right !== null)
        expect(`${down} ${right}`).toMatch(/^(d_head d_model|d_model d_head|d_transform d_model)$/);
    }
    for (const { name } of graph.tensors.filter(({ kind }) => kind === "W_Q" || kind === "W_K")) {
      const [query] = platesOf(map, name);
      expect([query!.rows, query!.columns]).toEqual([graph.sizes.d_head, graph.sizes.d_model]);
    }
    for (const { name } of graph.tensors.filter(({ kind }) => kind === "W_O")) {
      const [joining] = platesOf(map, name);
      expect([joining!.rows, joining!.columns]).toEqual([graph.sizes.d_model, graph.sizes.d_head]);
    }
  });

  it("names every tensor, and every group's keys and values", () => {
    for (const tensor of graph.tensors.filter(isDrawn)) {
      const labelled = platesOf(map, tensor.name).filter(({ label }) => label !== "");
      const perGroup = tensor.axes.includes("kv_head") && graph.sizes.kv_head! < graph.sizes.head!;
      expect(labelled.length, tensor.name).toBe(perGroup ? graph.sizes.kv_head : 1);
    }
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
    const broken = map.plates.filter(
      ({ x, y, z, rows, columns }) => ![x, y, z, rows, columns].every(Number.isInteger),
    );
    expect(broken).toEqual([]);
  });

  it("numbers plates by their place in the list, and ribbons name them", () => {
    map.plates.forEach(({ id }, i) => {
      expect(id).toBe(i);
    });
    const broken = map.ribbons.filter(
      ({ from, to, points, width }) =>
        !map.plates[from] ||
        !map.plates[to] ||
        from === to ||
        points.length < 2 ||
        !(width > 0) ||
        !points.flat().every(Number.isFinite),
    );
    expect(broken).toEqual([]);
  });

  it("leads the stream from embedding to the last norm without a break", () => {
    for (const [from, to] of streamSteps(graph)) {
      const [a, b] = [platesOf(map, from)[0]!, platesOf(map, to)[0]!];
      const joined = map.ribbons.some((ribbon) => ribbon.from === a.id && ribbon.to === b.id);
      // What stands in one row with, or right under, what it is made of needs no band.
      const [across, down] = [apart(a.x, a.columns, b.x, b.columns), apart(a.y, a.rows, b.y, b.rows)];
      const near = Math.max(across, down) < 0.2 * graph.sizes.d_model! + 12;
      const beside = a.z === b.z && Math.min(across, down) < 0 && near;
      expect(joined || beside, `${from} to ${to}`).toBe(true);
    }
  });

  it("has regions that hold what they name, within the model's", () => {
    const [model] = map.regions;
    expect(model!.bounds).toEqual(map.bounds);
    const [{ min, max }, within] = [
      map.bounds,
      (point: Point): boolean =>
        point.every((at, axis) => map.bounds.min[axis]! <= at && at <= map.bounds.max[axis]!),
    ];
    expect(min.every((least, axis) => least < max[axis]!)).toBe(true);
    const stray = map.regions.filter(({ bounds, anchor }) => ![bounds.min, bounds.max, anchor].every(within));
    expect(stray).toEqual([]);
    expect(new Set(map.regions.map(({ id }) => id)).size).toBe(map.regions.length);
  });

  it("is the same map every time", () => {
    const again = layout(graph, { capacity, aspect: 1.3 });
    expect(JSON.stringify(again) === JSON.stringify(map)).toBe(true);
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
    const shown = graph.tensors.filter(({ kind }) => kind === "W_Q" || kind === "hook_pattern");
    const few = shown.filter(({ name }, i) => i % Math.ceil(shown.length / 8) < 2 && platesOf(map, name));
    for (const { name } of few)
      for (const { x, y, z, columns } of platesOf(map, name))
        for (const across of [0.5, columns - 0.5])
          expect(hiding(map.plates, eye, [x + across, y + 0.5, z]), name).toBeUndefined();
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
      expect(map.capacity).toEqual({ target: given, source: given });
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

  it.each(["fan", "stack", "board"] as const)(
    "has its heads as a %s: nothing overlaps, nothing is left out",
    (heads) => {
      for (const { graph, capacity } of cases.filter(({ graph }) => graph.tensors.length < 400)) {
        const map = layout(graph, { capacity, aspect: 1.3, heads });
        expect(overlapping(map.plates)).toEqual([]);
        expect(map.plates.reduce((sum, { rows, columns }) => sum + rows * columns, 0)).toBe(
          graph.tensors
            .filter(isDrawn)
            .reduce((sum, tensor) => sum + cellCount(shapeAt(tensor, map.capacity)), 0),
        );
      }
    },
  );

  it("lays a board of heads flat, and a stack in less height than a fan", () => {
    const graph = decoderGraph(SPECS.small!);
    const height = (heads: HeadArrangement): number => {
      const { regions } = layout(graph, { capacity: 64, aspect: 1.3, heads });
      const { bounds } = regions.find(({ id }) => id === "blocks.3")!;
      return bounds.max[1] - bounds.min[1];
    };
    expect(height("stack")).toBeLessThan(height("fan"));
    const board = layout(graph, { capacity: 64, aspect: 1.3, heads: "board" });
    expect(board.plates.every(({ z }) => z === 0)).toBe(true);
  });

  it("has room for a thousand positions, still in view and filling the window", () => {
    const map = layout(decoderGraph(SPECS.small!), { capacity: 1024, aspect: 1.3 });
    expect(overlapping(map.plates)).toEqual([]);
    expect(platesOf(map, "blocks.0.attn.hook_pattern")[0]).toMatchObject({ rows: 1024, columns: 1024 });
    const lens = { fov: HOME_FOV, aspect: 1.3 };
    const [x, y] = extremes(map.plates.flatMap(plateCorners), homeView(map, lens), lens);
    expect(Math.max(x, y)).toBeLessThan(1);
    expect(Math.min(x, y)).toBeGreaterThan(0.6);
  });

  it("stands the keys and values of a group in the first of its heads", () => {
    const { graph, map } = cases.find(({ name }) => name === "SmolLM2")!;
    const group = graph.sizes.head! / graph.sizes.kv_head!;
    const queries = platesOf(map, "blocks.7.attn.hook_q");
    const keys = platesOf(map, "blocks.7.attn.hook_k");
    expect(keys.map(({ z }) => z)).toEqual(queries.filter((_, head) => head % group === 0).map(({ z }) => z));
    expect(keys.map(({ label }) => label)).toEqual(["k · heads 0–2", "k · heads 3–5", "k · heads 6–8"]);
    const scores = platesOf(map, "blocks.7.attn.hook_attn_scores_raw");
    for (const [head, { id }] of scores.entries()) {
      const own = map.ribbons.filter(({ to }) => to === id).map(({ from }) => map.plates[from]!);
      const read = own.find(({ tensor }) => tensor.endsWith("hook_rot_k"));
      // A head beside its keys needs no band.
      expect(read?.origin[1] ?? head / group).toBe(Math.floor(head / group));
    }
  });

  it("stands the decoder right of the encoder, each on its own stream, and leads the source across", () => {
    const { map } = cases.find(({ name }) => name === "translate")!;
    const spine = (stack: string): readonly number[] =>
      map.plates
        .filter(({ tensor, kind }) => tensor.startsWith(stack) && kind === "hook_resid_post")
        .map(({ x }) => x);
    expect(Math.max(...spine("encoder"))).toBeLessThan(Math.min(...spine("decoder")));
    const [source] = platesOf(map, "encoder.blocks.1.hook_resid_post");
    const crossed = map.ribbons
      .filter(({ from }) => from === source!.id)
      .map(({ to }) => map.plates[to]!.tensor);
    for (const layer of [0, 1, 2])
      for (const part of ["hook_k", "hook_v"])
        expect(crossed).toContain(`decoder.blocks.${layer}.cross_attn.${part}`);
    const [pattern] = platesOf(map, "decoder.blocks.0.cross_attn.hook_pattern");
    expect([pattern!.rows, pattern!.columns]).toEqual([48, 17]);
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
