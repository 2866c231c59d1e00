/** Where something is in the model, from the outside in: the sections that a plate belongs to. Pure. */

import type { TensorInfo } from "../graph/types";
import type { Bounds, Layout, Plate, Region } from "./types";

const DEPTH: Readonly<Record<Region["kind"], number>> = {
  model: 0,
  stack: 1,
  block: 2,
  embedding: 2,
  output: 2,
  attention: 3,
  mlp: 3,
  head: 4,
  keys: 4,
};

/** The sections around a plate, the whole model first. */
export function regionsAround(layout: Layout, tensor: TensorInfo, plate: Plate): readonly Region[] {
  const found = layout.regions.filter((region) => holds(region, tensor, plate));
  const ordered = found.sort((a, b) => DEPTH[a.kind] - DEPTH[b.kind]);
  // A stack's embedding and output may reach around each other: each level has one section.
  return ordered.filter((region, at) => at === 0 || DEPTH[region.kind] !== DEPTH[ordered[at - 1]!.kind]);
}

function holds(region: Region, tensor: TensorInfo, plate: Plate): boolean {
  const { kind, layer, stack, id, bounds } = region;
  if (kind === "model") return true;
  if (kind === "stack") return stack === tensor.stack;
  if (layer !== tensor.layer || (stack !== null && tensor.stack !== null && stack !== tensor.stack))
    return false;
  if (kind === "head" || kind === "keys")
    return id === `${partOf(tensor.name)}.${kind}.${headOf(tensor, plate)}`;
  if (kind === "block") return true;
  // The stream goes past attention and MLP: it is no part of them.
  const within = kind === "embedding" || kind === "output" || !/hook_resid/.test(tensor.name);
  return tensor.name.startsWith(`${id}.`) || (within && encloses(bounds, plate));
}

const partOf = (name: string): string => name.split(".").slice(0, -1).join(".");

/** The head that a plate is of, or the group of heads that shares it; null where it is of none. */
function headOf({ axes }: TensorInfo, plate: Plate): number | null {
  const along = axes.findIndex((axis) => axis === "head" || axis === "kv_head");
  return along < 0 ? null : (plate.origin[along] ?? null);
}

function encloses({ min, max }: Bounds, { x, y, columns, rows }: Plate): boolean {
  return x >= min[0] && y >= min[1] && x + columns <= max[0] && y + rows <= max[1];
}

/** The smallest sections around a point of the map where no plate is, by their place on the map. */
export function regionsAt(layout: Layout, x: number, y: number): readonly Region[] {
  const found = layout.regions
    .filter(({ kind }) => DEPTH[kind] < 4)
    .filter(({ bounds: { min, max } }) => x >= min[0] && x <= max[0] && y >= min[1] && y <= max[1])
    .sort((a, b) => DEPTH[a.kind] - DEPTH[b.kind]);
  return found.filter((region, at) => at === 0 || DEPTH[region.kind] !== DEPTH[found[at - 1]!.kind]);
}
