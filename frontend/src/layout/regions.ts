/** Named parts of the map, with their bounds: what labels name and the camera flies to. */

import type { Section } from "./sections";
import type { Sheet } from "./sheet";
import type { Bounds, Plate, Region } from "./types";

type Box = Pick<Plate, "x" | "y" | "z" | "rows" | "columns">;

/** What of a block belongs to its sub-layers, by the third part of a tensor's name. */
const ATTENTION = ["ln1", "attn", "hook_attn_out"];
const MLP = ["ln2", "mlp", "hook_mlp_out"];

/** The box around plates; each is one cell deep, behind its front face. */
export function boundsOf(plates: Iterable<Box>): Bounds {
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const { x, y, z, rows, columns } of plates) {
    min[0] = Math.min(min[0], x);
    min[1] = Math.min(min[1], y);
    min[2] = Math.min(min[2], z - 1);
    max[0] = Math.max(max[0], x + columns);
    max[1] = Math.max(max[1], y + rows);
    max[2] = Math.max(max[2], z);
  }
  return { min, max };
}

/** The sheets of one section. */
export interface DrawnSection extends Section {
  readonly sheets: readonly Sheet[];
}

/** The whole model, its sections, and within each block attention, heads and MLP. */
export function regionsOf(drawn: readonly DrawnSection[], bounds: Bounds): readonly Region[] {
  return [
    { name: "Model", layer: null, kind: "model", bounds, anchor: corner(bounds), importance: 100 },
    ...drawn.flatMap((section) => (section.kind === "block" ? blockRegions(section) : [edge(section)])),
  ];
}

/** The upper left corner, in front. */
function corner({ min, max }: Bounds): Region["anchor"] {
  return [min[0], min[1], max[2]];
}

function edge({ kind, sheets }: DrawnSection): Region {
  const bounds = boundsOf(sheets);
  if (kind === "embedding")
    return { name: "Embedding", layer: null, kind, bounds, anchor: corner(bounds), importance: 98 };
  return { name: "Output", layer: null, kind: "output", bounds, anchor: corner(bounds), importance: 98 };
}

function blockRegions({ layer, sheets }: DrawnSection): readonly Region[] {
  const attention: Sheet[] = [];
  const mlp: Sheet[] = [];
  const heads = new Map<number, Sheet[]>();
  for (const sheet of sheets) {
    const part = sheet.tensor.split(".")[2]!;
    if (ATTENTION.includes(part)) attention.push(sheet);
    if (MLP.includes(part)) mlp.push(sheet);
    if (sheet.head !== null && sheet.kind !== "W_O") {
      const head = heads.get(sheet.head);
      if (head) head.push(sheet);
      else heads.set(sheet.head, [sheet]);
    }
  }
  const region = (
    name: string,
    kind: Region["kind"],
    plates: readonly Sheet[],
    importance: number,
  ): Region => {
    const bounds = boundsOf(plates);
    return { name, layer, kind, bounds, anchor: corner(bounds), importance };
  };
  const whole = region(`Block ${layer}`, "block", sheets, 96);
  const [weight] = mlp.filter(({ kind }) => kind === "W_in");
  const overHeads = weight ? aboveHeads(whole.anchor, weight) : whole.anchor;
  const overMlp = weight ? aboveMiddle(weight) : whole.anchor;
  return [
    { ...whole, anchor: overHeads },
    { ...region("Attention", "attention", attention, 93), anchor: overHeads },
    { ...region("MLP", "mlp", mlp, 93), anchor: overMlp },
    ...[...heads].map(([head, plates]) => region(`Head ${head}`, "head", plates, 65)),
  ];
}

/** The upper left corner of a block, a third of a weight's height down, which rising heads leave free. */
function aboveHeads(top: Region["anchor"], weight: Sheet): Region["anchor"] {
  return [Math.min(top[0], weight.x), top[1] + weight.rows / 3, top[2]];
}

/** The left half of the upper edge has the plate's own name. */
function aboveMiddle(weight: Sheet): Region["anchor"] {
  return [weight.x + weight.columns / 2, weight.y, weight.z];
}
