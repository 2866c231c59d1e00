/** One head of an attention before the others: where its plates come to stand, and which plates step back meanwhile.
 *
 *  In a fan or a stack the heads go away from the viewer, and all but the first are partly hidden. Whatever speaks of
 *  one head brings it to the first one's place, a step nearer. Side by side, heads stay where they are.
 */

import { findTensor } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import { platesOf } from "./plate-cell";
import type { Layout, Plate } from "./types";
import type { Point } from "./view";

/** One head: the name of its attention, and its number there. */
export interface HeadOf {
  readonly attention: string;
  readonly head: number;
}

export interface Front {
  /** By plate id, how far the plates of the head are moved, and the name that the first head's plates have. */
  readonly moved: ReadonlyMap<number, { readonly by: Point; readonly label: string }>;
  /** Ids of the plates of the other heads. */
  readonly others: ReadonlySet<number>;
}

/** A step from head to head is left between the first place and the one before it. */
const NEARER = 0.5;

const headAxisOf = ({ axes }: TensorInfo): number =>
  axes.findIndex((axis) => axis === "head" || axis === "kv_head");

/** The attention that a tensor within its heads belongs to; null for all others. */
export function attentionAround(graph: Graph, tensor: string): string | null {
  const attention = tensor.slice(0, tensor.search(/attn\./) + 4);
  const info = findTensor(graph, tensor);
  if (!info || attention.length < 4 || headAxisOf(info) < 0 || tensor.endsWith(".W_O")) return null;
  return findTensor(graph, `${attention}.hook_pattern`) ? attention : null;
}

/** The head in which a cell stands: of keys that several share, the first of these. */
export function headOf(graph: Graph, tensor: string, index: readonly number[]): HeadOf | null {
  const attention = attentionAround(graph, tensor);
  if (attention === null) return null;
  const info = findTensor(graph, tensor)!;
  const at = headAxisOf(info);
  return { attention, head: (index[at] ?? 0) * (info.axes[at] === "kv_head" ? groupOf(graph) : 1) };
}

const groupOf = ({ sizes }: Graph): number =>
  Math.max(1, (sizes.head ?? 1) / Math.max(1, sizes.kv_head ?? sizes.head ?? 1));

export function bringToFront(graph: Graph, layout: Layout, { attention, head }: HeadOf): Front {
  const places = platesOf(layout, `${attention}.hook_pattern`);
  const [first, second] = places;
  const group = groupOf(graph);
  const moved = new Map<number, { by: Point; label: string }>();
  const others = new Set<number>();
  const behind = first !== undefined && second !== undefined && second.z < first.z;
  const nearer = behind ? Math.round((first.z - second.z) * NEARER) : 0;
  for (const plate of layout.plates) {
    const stands = standsIn(graph, plate, attention, group);
    if (stands === null) continue;
    const mine = stands.shared ? Math.floor(head / group) * group === stands.head : stands.head === head;
    const place = places[stands.head];
    if (!mine) others.add(plate.id);
    else if (behind && place)
      moved.set(plate.id, {
        by: [first.x - place.x, first.y - place.y, first.z - place.z + nearer],
        label: platesOf(layout, plate.tensor)[0]?.label ?? plate.label,
      });
  }
  return { moved, others };
}

/** The head in which a plate stands, and whether others share it; null for plates that are in none. */
function standsIn(
  graph: Graph,
  { tensor, origin }: Plate,
  attention: string,
  group: number,
): { readonly head: number; readonly shared: boolean } | null {
  if (!tensor.startsWith(`${attention}.`) || attentionAround(graph, tensor) === null) return null;
  const info = findTensor(graph, tensor)!;
  const axis = headAxisOf(info);
  const shared = info.axes[axis] === "kv_head" && group > 1;
  return { head: (origin[axis] ?? 0) * (shared ? group : 1), shared };
}
