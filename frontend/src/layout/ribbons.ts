/** Ribbons: bands that show where data goes, one for every read of the graph that the eye could not tell by itself.
 *
 *  Nothing here knows an operation. A read becomes a band from the plate read to the plate made; plates that are
 *  neighbours need none, nor do gains, biases and summaries. A band leaves and meets a plate across its positions:
 *  by the top or bottom where positions run right, by the side where they run down. Bands that would run over each
 *  other are drawn once and branch, or they would pile up into an opaque mass.
 */

import type { Graph, Op, Read } from "../graph/types";
import { streamWidth } from "./columns";
import type { Measures } from "./measures";
import { branchIn, elbow, headsIn, headsOut, type Path, rounded, straight, throughStream } from "./paths";
import type { Sheet } from "./sheet";
import type { Ribbon } from "./types";

interface Connection {
  readonly from: Sheet;
  readonly to: Sheet;
  /** How many bands like it stand side by side, and which one it is. */
  readonly rank: number;
  readonly of: number;
}

/** All ribbons of a map. */
export function ribbonsOf(graph: Graph, plates: readonly Sheet[], measures: Measures): readonly Ribbon[] {
  const sheets = sheetsByTensor(plates);
  const added = addedToStream(graph, sheets);
  const seen = new Set<string>();
  const trunks = new Map<string, Sheet>();
  const ribbons: Ribbon[] = [];
  for (const op of graph.ops)
    for (const read of op.reads) {
      const pair = `${read.tensor} ${op.output}`;
      if (read.part !== "input" || seen.has(pair)) continue;
      seen.add(pair);
      const connections = connectionsOf(op, read, sheets);
      connections.forEach((connection, i) => {
        const beside = { previous: connections[i - 1], next: connections[i + 1], trunks };
        const path = pathOf(connection, beside, measures, added);
        if (path) ribbons.push(ribbonFrom(connection, path, measures));
      });
    }
  return ribbons;
}

function sheetsByTensor(plates: readonly Sheet[]): ReadonlyMap<string, readonly Sheet[]> {
  const sheets = new Map<string, Sheet[]>();
  for (const sheet of plates) {
    const others = sheets.get(sheet.tensor);
    if (others) others.push(sheet);
    else sheets.set(sheet.tensor, [sheet]);
  }
  return sheets;
}

/** Stream plates that flow on into another stream plate: others branch off that band. */
function addedToStream(graph: Graph, sheets: ReadonlyMap<string, readonly Sheet[]>): ReadonlySet<string> {
  const isStream = (name: string): boolean => sheets.get(name)?.[0]?.spine ?? false;
  return new Set(
    graph.ops
      .filter(({ output }) => isStream(output))
      .flatMap(({ reads }) => reads.map(({ tensor }) => tensor)),
  );
}

/** Which plates of a tensor read go to which plates of the tensor made. */
function connectionsOf(
  op: Op,
  read: Read,
  sheets: ReadonlyMap<string, readonly Sheet[]>,
): readonly Connection[] {
  const from = sheets.get(read.tensor) ?? [];
  const to = meeting(op, read, sheets);
  if (from.length === 0 || to.length === 0 || to[0]!.role === "summary") return [];
  const among = Math.max(from.length, to.length);
  if (from.length === to.length) return from.map((it, i) => ({ from: it, to: to[i]!, rank: i, of: among }));
  if (from.length === 1) return to.map((it, i) => ({ from: from[0]!, to: it, rank: i, of: among }));
  // The heads' square is one shape: one band leaves it. The strips of a folded axis each send theirs.
  const sending = from[0]!.head === null ? from : from.slice(-1);
  return sending.map((it, i) => ({ from: it, to: to[0]!, rank: i, of: sending.length }));
}

/** Where what is read goes: to what is made, or, when it is parted by head and what is made is not, to the weight
 *  that joins the heads. */
function meeting(op: Op, read: Read, sheets: ReadonlyMap<string, readonly Sheet[]>): readonly Sheet[] {
  const from = sheets.get(read.tensor) ?? [];
  const to = sheets.get(op.output) ?? [];
  const parted = (list: readonly Sheet[] | undefined): boolean => (list?.[0]?.head ?? null) !== null;
  if (!parted(from) || parted(to) || from[0]!.role === "weight") return to;
  const weight = op.reads.map(({ tensor }) => sheets.get(tensor)).find((it) => it?.[0]?.role === "weight");
  return weight && parted(weight) ? weight : to;
}

/** The bands that a band may share its way with. */
interface Beside {
  readonly previous: Connection | undefined;
  readonly next: Connection | undefined;
  /** Per plate read and head, the plate that the first band into that head went to. */
  readonly trunks: Map<string, Sheet>;
}

function pathOf(
  connection: Connection,
  { previous, next, trunks }: Beside,
  measures: Measures,
  added: ReadonlySet<string>,
): Path | null {
  const { from, to, rank, of } = connection;
  if (from.spine) return throughStream(from, to, measures, added.has(from.tensor));
  if (from.head === null && to.head !== null) {
    const key = `${from.id} ${to.head}`;
    const trunk = trunks.get(key);
    if (trunk) return branchIn(trunk, to, measures);
    trunks.set(key, to);
    return headsIn(from, to, (rank + 0.5) / of, measures);
  }
  if (from.head !== null && to.role === "weight") return headsOut(from, to, (rank + 1) / (of + 1), measures);
  if (areNeighbours(from, to, measures)) return null;
  return straight(from, to) ?? elbow(from, to, previous?.to, next?.from);
}

/** Whether two plates face each other so closely that a band between them would say nothing. */
function areNeighbours(a: Sheet, b: Sheet, { narrow, hair }: Measures): boolean {
  const apart = (aStart: number, aLength: number, bStart: number, bLength: number): number =>
    Math.max(aStart - bStart - bLength, bStart - aStart - aLength);
  const across = apart(a.x, a.columns, b.x, b.columns);
  const down = apart(a.y, a.rows, b.y, b.rows);
  const face = Math.min(across, down) < 0;
  return a.z === b.z && face && Math.max(across, down) <= 2 * (narrow + hair + 1);
}

/** The heads' bands together are as wide as the stream that they part. */
function ribbonFrom({ from, to, of }: Connection, points: Path, measures: Measures): Ribbon {
  const stream = streamWidth(measures);
  const byHead = from.head !== null || to.head !== null;
  const whole = from.role === "weight" ? stream / 2 : stream;
  const width = byHead ? stream / of : whole;
  return { from: from.id, to: to.id, points: rounded(points, width), width, role: from.role };
}
