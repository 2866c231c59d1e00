/** The scene as a tree: model › block › attention › head › tensor › row, for keyboards and screen readers.
 *
 *  The tree follows from the names and axes of the graph's tensors alone, so it holds for every family, and every
 *  number of the model stands in exactly one leaf. Children are made when somebody opens their parent.
 *
 *      const root = outlineOf(graph, { target: 6, source: 0 }, "sort");
 *      pathTo(root, { tensor: "blocks.1.attn.hook_pattern", index: [2, 5, 0] }).map(({ name }) => name);
 *      // ["sort", "Block 1", "Attention", "Head 2", "pattern", "5"]
 */

import { type Positions, shapeAt } from "../graph/shape";
import type { Graph, TensorInfo } from "../graph/types";
import { labelOf, sharedBy } from "./labels";

/** A tensor, or one head of it. */
export interface Leaf {
  readonly tensor: TensorInfo;
  /** Sizes along the tensor's axes, as far as the text has been read. */
  readonly shape: readonly number[];
  /** The axis that parts it into heads, and which head; null where it has no heads. */
  readonly head: { readonly axis: number; readonly index: number } | null;
}

export interface OutlineNode {
  /** Unique within the tree, and the same after the text has grown. */
  readonly id: string;
  readonly name: string;
  /** A region of the map (layout/regions.ts) that this node names; null for what is none. */
  readonly region: string | null;
  /** The numbers that this node stands for; null for a group of tensors. */
  readonly leaf: Leaf | null;
  /** The rows of `leaf`, from the first up to, not including, the last; null for all of them. */
  readonly rows: readonly [start: number, stop: number] | null;
  /** Whether a cell lies under this node. */
  readonly holds: (cell: CellName) => boolean;
  /** Empty for a single row. */
  readonly children: () => readonly OutlineNode[];
}

export interface CellName {
  readonly tensor: string;
  readonly index: readonly number[];
}

/** More children than this are parted into ranges, so that no level is longer. */
const MOST = 64;

/** The axes of a leaf's table, as indices into the tensor's axes: its rows and its columns, -1 for a single row. */
export function tableAxes({ tensor, head }: Leaf): { readonly row: number; readonly column: number } {
  const flat = tensor.axes.map((_, axis) => axis).filter((axis) => axis !== head?.axis);
  return { row: flat.at(-2) ?? -1, column: flat.at(-1) ?? -1 };
}

/** Rows and columns of a leaf's table. */
export function tableSize(leaf: Leaf): { readonly rows: number; readonly columns: number } {
  const { row, column } = tableAxes(leaf);
  return { rows: leaf.shape[row] ?? 1, columns: leaf.shape[column] ?? 1 };
}

/** The cell at a row and column of a leaf's table, in the tensor's own axis order. */
export function tableCell(leaf: Leaf, row: number, column: number): CellName {
  const axes = tableAxes(leaf);
  const index = leaf.tensor.axes.map((_, axis) => {
    if (axis === leaf.head?.axis) return leaf.head.index;
    return axis === axes.row ? row : axis === axes.column ? column : 0;
  });
  return { tensor: leaf.tensor.name, index };
}

/** The tree of a model whose text has so many positions. */
export function outlineOf(graph: Graph, positions: Positions, name: string): OutlineNode {
  const children = () => {
    const sections = sectionsOf(graph);
    const firsts = sections.filter(
      ({ stack }, i) => stack === null || sections.findIndex((other) => other.stack === stack) === i,
    );
    return firsts.map((first) => {
      const { stack } = first;
      if (stack === null) return sectionNode(first, graph, positions);
      const own = sections.filter((section) => section.stack === stack);
      const tensors = own.flatMap((section) => section.tensors);
      return group(stack, capital(stack), among(tensors), () =>
        own.map((section) => sectionNode(section, graph, positions)),
      );
    });
  };
  return group("model", name, among(graph.tensors), children);
}

/** The nodes from the root to the row of a cell; shorter where the cell has no row yet, empty where it is nowhere. */
export function pathTo(root: OutlineNode, cell: CellName): readonly OutlineNode[] {
  const path: OutlineNode[] = [];
  let node: OutlineNode | undefined = root.holds(cell) ? root : undefined;
  while (node) {
    path.push(node);
    node = node.children().find((child) => child.holds(cell));
  }
  return path;
}

export interface VisibleNode {
  readonly node: OutlineNode;
  readonly parent: OutlineNode | null;
  /** From 1, as screen readers count. */
  readonly level: number;
  readonly place: number;
  readonly siblings: number;
}

/** The nodes that stand open, from top to bottom. */
export function visibleNodes(root: OutlineNode, open: ReadonlySet<string>): readonly VisibleNode[] {
  const found: VisibleNode[] = [];
  const visit = (nodes: readonly OutlineNode[], parent: OutlineNode | null, level: number) => {
    for (const [i, node] of nodes.entries()) {
      found.push({ node, parent, level, place: i + 1, siblings: nodes.length });
      if (open.has(node.id)) visit(node.children(), node, level + 1);
    }
  };
  visit([root], null, 1);
  return found;
}

// ---- groups --------------------------------------------------------------------------------------------------

interface OutlineSection {
  readonly id: string;
  readonly name: string;
  readonly stack: TensorInfo["stack"];
  readonly tensors: readonly TensorInfo[];
}

/** Embedding, blocks and output, of each stack, in the graph's order. */
function sectionsOf(graph: Graph): readonly OutlineSection[] {
  const found = new Map<string, OutlineSection & { tensors: TensorInfo[] }>();
  const blocksSeen = new Set<TensorInfo["stack"]>();
  const firstBlock = graph.tensors.findIndex(({ layer }) => layer !== null);
  for (const [i, tensor] of graph.tensors.entries()) {
    const { layer, stack } = tensor;
    if (layer !== null) blocksSeen.add(stack);
    const isAfter = stack === null ? i > firstBlock : blocksSeen.has(stack);
    const word = layer !== null ? `blocks.${layer}` : isAfter ? "output" : "embedding";
    const name = layer !== null ? `Block ${layer}` : capital(word);
    const id = stack === null ? word : `${stack}.${word}`;
    const known = found.get(id);
    if (known) known.tensors.push(tensor);
    else found.set(id, { id, name, stack, tensors: [tensor] });
  }
  return [...found.values()];
}

function sectionNode(section: OutlineSection, graph: Graph, positions: Positions): OutlineNode {
  const groupSize = (graph.sizes.head ?? 1) / (graph.sizes.kv_head ?? graph.sizes.head ?? 1);
  const children = () => {
    const owners = new Map<string, TensorInfo[]>();
    for (const tensor of section.tensors) {
      // A tensor of the block itself stands alone, in the graph's order between the sub-layers.
      const owner = ownerOf(tensor, section.id) || tensor.name;
      owners.set(owner, [...(owners.get(owner) ?? []), tensor]);
    }
    return [...owners].flatMap(([owner, tensors]) => {
      if (owner === tensors[0]!.name) return [tensorNode(tensors[0]!, positions, null)];
      const parts = () => partNodes(owner, tensors, positions, groupSize);
      return [group(owner, ownerName(owner), among(tensors), parts)];
    });
  };
  return group(section.id, section.name, among(section.tensors), children);
}

/** The sub-layer that a tensor belongs to, such as `blocks.3.attn`; empty for what stands in the block itself. */
function ownerOf({ name, layer }: TensorInfo, section: string): string {
  const owner = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  if (owner === section || owner === "encoder" || owner === "decoder" || owner === "") return "";
  // A stream that enters the first block may carry the block's name without being one of its tensors.
  return layer === null && /(^|\.)blocks\.\d+$/.test(owner) ? "" : owner;
}

const OWNERS: Readonly<Record<string, string>> = {
  attn: "Attention",
  cross_attn: "Cross-attention",
  mlp: "MLP",
  ln_final: "Final norm",
  ln_embed: "Norm of the embedding",
  mlm_head: "Masked-token head",
};

function ownerName(owner: string): string {
  const leaf = owner.split(".").at(-1)!;
  return OWNERS[leaf] ?? (leaf.startsWith("ln") ? `Norm ${leaf}` : capital(leaf.replaceAll("_", " ")));
}

/** Of a sub-layer: its heads with their tensors, the keys and values that heads share, and what has no heads. */
function partNodes(
  owner: string,
  tensors: readonly TensorInfo[],
  positions: Positions,
  groupSize: number,
): readonly OutlineNode[] {
  const byHead = (axisName: "head" | "kv_head"): readonly OutlineNode[] => {
    const own = tensors.filter(({ axes }) => axes.includes(axisName));
    if (own.length === 0) return [];
    const count = own[0]!.shape[own[0]!.axes.indexOf(axisName)]!;
    const word = axisName === "head" ? "head" : "keys";
    return Array.from({ length: count }, (_, index) => {
      const name = axisName === "head" ? `Head ${index}` : `Keys and values of ${sharedBy(index, groupSize)}`;
      const id = `${owner}.${word}.${index}`;
      const nodes = own.map((tensor) =>
        tensorNode(tensor, positions, { axis: tensor.axes.indexOf(axisName), index }),
      );
      return group(
        id,
        name,
        (cell) => nodes.some((node) => node.holds(cell)),
        () => nodes,
      );
    });
  };
  const others = tensors.filter(({ axes }) => !axes.includes("head") && !axes.includes("kv_head"));
  return [
    ...byHead("head"),
    ...byHead("kv_head"),
    ...others.map((tensor) => tensorNode(tensor, positions, null)),
  ];
}

/** Whether a cell's tensor is one of these. */
function among(tensors: readonly TensorInfo[]): OutlineNode["holds"] {
  const names = new Set(tensors.map(({ name }) => name));
  return ({ tensor }) => names.has(tensor);
}

/** A group's id is also that of the region that the map has for it, if it has one. */
function group(
  id: string,
  name: string,
  holds: OutlineNode["holds"],
  make: () => readonly OutlineNode[],
): OutlineNode {
  return { id, name, region: id, leaf: null, rows: null, holds, children: once(make) };
}

// ---- numbers -------------------------------------------------------------------------------------------------

function tensorNode(tensor: TensorInfo, positions: Positions, head: Leaf["head"]): OutlineNode {
  const leaf: Leaf = { tensor, head, shape: shapeAt(tensor, positions) };
  const id = head ? `${tensor.name}/${head.index}` : tensor.name;
  const holds = ({ tensor: name, index }: CellName) =>
    name === tensor.name && (head === null || index[head.axis] === head.index);
  const { rows } = tableSize(leaf);
  const children = once(() => rowNodes(leaf, id, 0, rows));
  return { id, name: labelOf(tensor), region: null, leaf, rows: null, holds, children };
}

/** Rows one by one, or ranges of them where there are many. */
function rowNodes(leaf: Leaf, id: string, start: number, stop: number): readonly OutlineNode[] {
  let step = 1;
  while (Math.ceil((stop - start) / step) > MOST) step *= MOST;
  const { row } = tableAxes(leaf);
  return Array.from({ length: Math.ceil((stop - start) / step) }, (_, i) => {
    const first = start + i * step;
    const last = Math.min(stop, first + step);
    const within = `${id}/${first}-${last}`;
    return {
      id: within,
      name: last - first === 1 ? String(first) : `${first} to ${last - 1}`,
      region: null,
      leaf,
      rows: [first, last] as const,
      holds: ({ tensor, index }: CellName) => {
        const at = index[row] ?? 0;
        const isHead = leaf.head === null || index[leaf.head.axis] === leaf.head.index;
        return tensor === leaf.tensor.name && isHead && at >= first && at < last;
      },
      children: once(() => (last - first > 1 ? rowNodes(leaf, within, first, last) : [])),
    };
  });
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
