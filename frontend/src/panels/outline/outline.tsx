/** The scene as a tree and a table: everything that the map draws, by keyboard and screen reader.
 *
 *  The tree (layout/outline.ts) leads from the model to a row; the table under it holds the numbers of what is chosen.
 *  Map, tree, table and inspector share one chosen cell: whoever moves it, the others follow.
 */

import { useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatCount } from "../../format";
import {
  type OutlineNode,
  outlineOf,
  pathTo,
  tableAxes,
  tableCell,
  tableSize,
  type VisibleNode,
  visibleNodes,
} from "../../layout/outline";
import type { FlightPort, PickPort } from "../../scene/ports";
import { focusedNode, openAll, openNodes, setOpen } from "../../state/outline";
import { reading } from "../../state/source";
import { graph, hovered, model, modelId, selected } from "../../state/store";
import { choose, useActions } from "../shared/actions";
import { tokenAt } from "../shared/cell-words";
import { OutlineTable } from "./outline-table";
import "./outline.css";
import type { Panel } from "../shared/panel";

export const OUTLINE_PANEL: Panel = { id: "outline", title: "Outline", Component: Outline };

export function Outline() {
  const root = useComputed(() => {
    const name = model.value?.title ?? modelId.value ?? "Model";
    return graph.value && outlineOf(graph.value, reading.value.positions, name);
  }).value;
  if (!root) return <p class="soft">The outline comes with a model.</p>;
  const cell = selected.value;
  const path = cell ? pathTo(root, cell) : [];
  const leaf = path.at(-1)?.leaf ?? null;
  return (
    <section aria-label="Outline" class="outline">
      <p class="soft note">
        Everything on the map, as a tree. Enter goes to a node on the map; its numbers are in the table below.
      </p>
      <Tree root={root} path={path} />
      {cell && leaf ? (
        <OutlineTable cell={cell} leaf={leaf} />
      ) : (
        <p class="soft note">Choose a tensor, in the tree or on the map, to read its numbers here.</p>
      )}
    </section>
  );
}

interface TreeProps {
  readonly root: OutlineNode;
  /** The nodes down to the chosen cell's row. */
  readonly path: readonly OutlineNode[];
}

function Tree({ root, path }: TreeProps) {
  const { map } = useActions();
  const list = useRef<HTMLDivElement>(null);
  useFollowing(path, list);
  const nodes = visibleNodes(root, openNodes.value);
  const shown = new Set(nodes.map(({ node }) => node.id));
  const chosen = path.filter(({ id }) => shown.has(id)).at(-1)?.id;
  const current = shown.has(focusedNode.value) ? focusedNode.value : root.id;
  const focus = (id: string | undefined) => {
    if (id === undefined) return;
    focusedNode.value = id;
    list.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = nodes.findIndex(({ node }) => node.id === current);
    const next = pressed(event.key, nodes, at, map);
    if (next === null) return;
    event.preventDefault();
    focus(next);
  };
  return (
    <div
      ref={list}
      class="tree mono"
      role="tree"
      tabIndex={-1}
      aria-label="Parts of the model"
      onKeyDown={press}
    >
      {nodes.map((one) => (
        <Item
          key={one.node.id}
          {...one}
          isCurrent={one.node.id === current}
          isChosen={one.node.id === chosen}
        />
      ))}
    </div>
  );
}

/** Acts on a key at the node at `at`: gives the id to go on to, undefined to stay, null for keys that mean nothing. */
function pressed(
  key: string,
  nodes: readonly VisibleNode[],
  at: number,
  map: (PickPort & FlightPort) | null,
): string | undefined | null {
  const { node, parent } = nodes[at]!;
  const isOpen = openNodes.value.has(node.id);
  switch (key) {
    case "ArrowDown":
      return nodes[at + 1]?.node.id;
    case "ArrowUp":
      return nodes[at - 1]?.node.id;
    case "Home":
      return nodes[0]?.node.id;
    case "End":
      return nodes.at(-1)?.node.id;
    case "ArrowRight":
      if (isOpen) return node.children()[0]?.id;
      if (node.children().length > 0) setOpen(node.id, true);
      return undefined;
    case "ArrowLeft":
      if (!isOpen) return parent?.id;
      setOpen(node.id, false);
      return undefined;
    case "Enter":
    case " ":
      visit(map, node);
      return undefined;
    default:
      return null;
  }
}

interface ItemProps extends VisibleNode {
  readonly isCurrent: boolean;
  readonly isChosen: boolean;
}

function Item({ node, level, place, siblings, isCurrent, isChosen }: ItemProps) {
  const { map } = useActions();
  const hasChildren = node.children().length > 0;
  const isOpen = openNodes.value.has(node.id);
  const { name, detail } = wordsOf(node);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it takes the keys
    <div
      role="treeitem"
      data-node={node.id}
      tabIndex={isCurrent ? 0 : -1}
      aria-level={level}
      aria-posinset={place}
      aria-setsize={siblings}
      aria-expanded={hasChildren ? isOpen : undefined}
      aria-selected={isChosen}
      class={isChosen ? "on" : undefined}
      style={{ "--level": level - 1 }}
      onClick={() => {
        focusedNode.value = node.id;
        visit(map, node);
      }}
      onFocus={() => {
        focusedNode.value = node.id;
      }}
    >
      <span
        class="twist"
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation();
          focusedNode.value = node.id;
          if (hasChildren) setOpen(node.id, !isOpen);
        }}
      >
        {hasChildren ? (isOpen ? "▾" : "▸") : ""}
      </span>
      {name}
      {detail && <span class="soft"> {detail}</span>}
    </div>
  );
}

/** Names a node: a tensor with its size, a row with its axis and token. */
function wordsOf({ name, leaf, rows }: OutlineNode): { readonly name: string; readonly detail: string } {
  if (!leaf) return { name, detail: "" };
  if (!rows)
    return {
      name,
      detail: leaf.shape
        .filter((_, axis) => axis !== leaf.head?.axis)
        .map(formatCount)
        .join(" × "),
    };
  const { row } = tableAxes(leaf);
  const axis = leaf.tensor.axes[row];
  if (axis === undefined) return { name: "all", detail: "" };
  const token = rows[1] - rows[0] === 1 ? tokenAt(leaf.tensor, row, rows[0]) : "";
  return { name: `${axis} ${name}`, detail: token };
}

/** Goes to what a node names on the map; of numbers the first is chosen, or the one chosen already if it is among them. */
function visit(map: (PickPort & FlightPort) | null, node: OutlineNode): void {
  hovered.value = null;
  if (!node.leaf) {
    map?.flyTo({ region: node.region ?? node.id });
    return;
  }
  const { rows, columns } = tableSize(node.leaf);
  if (rows === 0 || columns === 0) return;
  const before = selected.value;
  if (before && node.holds(before)) {
    map?.flyTo({ plateOf: before });
    return;
  }
  const cell = tableCell(node.leaf, node.rows?.[0] ?? 0, 0);
  choose(map, cell);
  map?.flyTo({ plateOf: cell });
}

/** When a cell is chosen elsewhere, its branch opens and comes into view. */
function useFollowing(path: readonly OutlineNode[], list: { readonly current: HTMLElement | null }): void {
  const leaf = path.find((node) => node.leaf);
  useEffect(() => {
    if (!leaf) return;
    openAll(path.slice(0, path.indexOf(leaf)).map(({ id }) => id));
    const hasFocus = list.current?.contains(document.activeElement);
    if (!hasFocus) focusedNode.value = leaf.id;
    // Once the branch has been drawn.
    requestAnimationFrame(() => {
      list.current
        ?.querySelector(`[data-node="${CSS.escape(leaf.id)}"]`)
        ?.scrollIntoView({ block: "nearest" });
    });
  }, [leaf?.id]);
}
