/** Named parts of the map, with their bounds: what labels name and the camera flies to. */

import type { MeasuresOf } from "./columns";
import { sharedBy } from "./labels";
import type { Sheet } from "./sheet";
import type { Part, Section } from "./structure";
import type { Bounds, Plate, Region } from "./types";

type Box = Pick<Plate, "x" | "y" | "z" | "rows" | "columns">;

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

/** The whole model, its stacks where it has two, its sections, and within each block attention, heads and MLP. */
export function regionsOf(
  drawn: readonly DrawnSection[],
  bounds: Bounds,
  measuresOf: MeasuresOf,
): readonly Region[] {
  const stacks = [...new Set(drawn.map(({ stack }) => stack))].filter((stack) => stack !== null);
  return [
    {
      id: "model",
      name: "Model",
      layer: null,
      stack: null,
      kind: "model",
      bounds,
      anchor: corner(bounds),
      importance: 100,
    },
    ...stacks.map((stack) => stackRegion(drawn, stack)),
    ...drawn
      .filter(({ sheets }) => sheets.length > 0)
      .flatMap((section) =>
        section.kind === "block"
          ? blockRegions(section, measuresOf(section.stack).group)
          : [edge(section, stacks.length > 0)],
      ),
  ];
}

/** The upper left corner, in front. */
function corner({ min, max }: Bounds): Region["anchor"] {
  return [min[0], min[1], max[2]];
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function stackRegion(drawn: readonly DrawnSection[], stack: NonNullable<Section["stack"]>): Region {
  const bounds = boundsOf(drawn.filter((section) => section.stack === stack).flatMap(({ sheets }) => sheets));
  return {
    id: stack,
    name: capital(stack),
    layer: null,
    stack,
    kind: "stack",
    bounds,
    anchor: [(bounds.min[0] + bounds.max[0]) / 2, bounds.min[1], bounds.max[2]],
    importance: 99,
  };
}

function edge({ kind, stack, sheets }: DrawnSection, ofTwo: boolean): Region {
  const bounds = boundsOf(sheets);
  const word = kind === "embedding" ? "embedding" : "output";
  return {
    id: ofTwo ? `${stack}.${word}` : word,
    name: ofTwo ? `${capital(stack ?? "")} ${word}` : capital(word),
    layer: null,
    stack,
    kind: word,
    bounds,
    anchor: corner(bounds),
    importance: 98,
  };
}

function blockRegions({ layer, stack, parts, sheets }: DrawnSection, group: number): readonly Region[] {
  const prefix = stack ? `${stack}.` : "";
  const id = `${prefix}blocks.${layer}`;
  const region = (
    own: string,
    name: string,
    kind: Region["kind"],
    plates: readonly Sheet[],
    importance: number,
  ): Region => {
    const bounds = boundsOf(plates);
    return { id: own, name, layer, stack, kind, bounds, anchor: corner(bounds), importance };
  };
  const whole = region(
    id,
    stack ? `${capital(stack)} block ${layer}` : `Block ${layer}`,
    "block",
    sheets,
    96,
  );
  const found: Region[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.kind !== "attention" && part.kind !== "mlp") continue;
    const own = sheetsOf(part, parts[i - 1], sheets);
    const over = part.kind === "mlp" ? aboveMiddle(own, whole) : aboveHeads(own, whole);
    const kind = part.kind;
    const name = kind === "mlp" ? "MLP" : part.name.endsWith("cross_attn") ? "Cross-attention" : "Attention";
    found.push({ ...region(part.name, name, kind, own, 93), anchor: over });
    if (kind === "attention") found.push(...headRegions(part, own, group, region));
  }
  const first = found.find(({ kind }) => kind === "attention");
  return [{ ...whole, anchor: first?.anchor ?? whole.anchor }, ...found];
}

/** What belongs to a sub-layer: its own tensors, the norm that it reads, and what it adds. */
function sheetsOf(part: Part, before: Part | undefined, sheets: readonly Sheet[]): readonly Sheet[] {
  const norm = before?.kind === "norm" ? `${before.name}.` : null;
  return sheets.filter(
    ({ tensor }) =>
      tensor.startsWith(`${part.name}.`) ||
      tensor === part.output ||
      (norm !== null && tensor.startsWith(norm)),
  );
}

/** Heads, and the keys and values that groups of them share. */
function headRegions(
  { name }: Part,
  sheets: readonly Sheet[],
  group: number,
  region: (
    id: string,
    name: string,
    kind: Region["kind"],
    plates: readonly Sheet[],
    importance: number,
  ) => Region,
): readonly Region[] {
  const heads = new Map<number, Sheet[]>();
  const keys = new Map<number, Sheet[]>();
  for (const sheet of sheets) {
    if (sheet.head === null || sheet.bay === null) continue;
    const map = sheet.shared ? keys : heads;
    const index = sheet.head;
    const others = map.get(index);
    if (others) others.push(sheet);
    else map.set(index, [sheet]);
  }
  return [
    ...[...heads].map(([head, plates]) => region(`${name}.head.${head}`, `Head ${head}`, "head", plates, 65)),
    ...[...keys].map(([index, plates]) =>
      region(`${name}.keys.${index}`, `Keys and values of ${sharedBy(index, group)}`, "keys", plates, 64),
    ),
  ];
}

/** At the block's left, a third of a weight's height under the attention's top, which rising heads leave free. */
function aboveHeads(own: readonly Sheet[], block: Region): Region["anchor"] {
  const bounds = boundsOf(own);
  const weight = own.find(({ kind }) => kind === "W_O");
  return [block.bounds.min[0], bounds.min[1] + (weight?.rows ?? 0) / 3, bounds.max[2]];
}

/** The left half of the upper edge has the plate's own name. */
function aboveMiddle(own: readonly Sheet[], whole: Region): Region["anchor"] {
  const first = own.find(({ kind }) => kind === "W_gate" || kind === "W_in");
  return first ? [first.x + first.columns / 2, first.y, first.z] : whole.anchor;
}
