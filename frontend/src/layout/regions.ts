/** Named parts of the map, with their bounds: what labels name and the camera flies to. */

import type { PlacedSection } from "./columns";
import type { Piece } from "./sheet";
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

/** The whole model, its sections, and within each block attention, heads and MLP. */
export function regionsOf(placed: readonly PlacedSection[]): readonly Region[] {
  const all = placed.flatMap(({ pieces }) => pieces);
  return [
    { name: "Model", layer: null, kind: "model", bounds: boundsOf(all), importance: 100 },
    ...placed.flatMap((section) => (section.kind === "block" ? blockRegions(section) : [edge(section)])),
  ];
}

function edge(section: PlacedSection): Region {
  const kind = section.kind === "embedding" ? "embedding" : "output";
  const name = kind === "embedding" ? "Embedding" : "Output";
  return { name, layer: null, kind, bounds: boundsOf(section.pieces), importance: 98 };
}

function blockRegions({ layer, pieces }: PlacedSection): readonly Region[] {
  const within = (...parts: readonly string[]): readonly Piece[] =>
    pieces.filter(({ tensor }) => parts.some((part) => tensor.startsWith(`blocks.${layer}.${part}`)));
  const byHead = new Map<number, Piece[]>();
  for (const piece of pieces)
    if (piece.head !== null && !piece.tensor.endsWith("W_O"))
      byHead.set(piece.head, [...(byHead.get(piece.head) ?? []), piece]);
  const region = (name: string, kind: Region["kind"], plates: readonly Piece[], importance: number): Region => ({
    name,
    layer,
    kind,
    bounds: boundsOf(plates),
    importance,
  });
  return [
    region(`Block ${layer}`, "block", pieces, 96),
    region("Attention", "attention", within("ln1", "attn", "hook_attn_out"), 93),
    region("MLP", "mlp", within("ln2", "mlp", "hook_mlp_out"), 93),
    ...[...byHead].map(([head, plates]) => region(`Head ${head}`, "head", plates, 65)),
  ];
}
