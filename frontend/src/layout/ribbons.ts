/** Ribbons: bands that show where data goes, one for every read of the graph that the eye could not tell by itself.
 *
 *  Nothing here knows an operation. A read becomes a band from the plate read to the plate made; plates that are
 *  neighbours need none, nor do gains, biases and summaries. A band leaves and meets a plate across its positions:
 *  by the top or bottom where positions run right, by the side where they run down. Bands that would run over each
 *  other are drawn once and branch, or they would pile up into an opaque mass.
 */

import type { Graph, Op, Read } from "../graph/types";
import { type MeasuresOf, streamWidth } from "./columns";
import type { Measures } from "./measures";
import {
  type Bus,
  branchIn,
  elbow,
  headsIn,
  headsOut,
  intoStream,
  memoryIn,
  overTheTop,
  type Path,
  rounded,
  roundTheSide,
  straight,
  throughStream,
} from "./paths";
import type { Sheet } from "./sheet";
import type { Ribbon } from "./types";

interface Connection {
  readonly from: Sheet;
  readonly to: Sheet;
  /** How many bands like it stand side by side, and which one it is. */
  readonly rank: number;
  readonly of: number;
  /** Whether what is made goes on from the stream, which the band then joins. */
  readonly joins: boolean;
}

/** A band's way, and how wide it is. */
interface Stroke {
  readonly path: Path;
  readonly width: number;
}

/** What has been drawn so far that later bands may share. */
interface Drawn {
  /** Per plate read and head, the plate that the first band into that head went to. */
  readonly intoHeads: Map<string, Sheet>;
  /** Per plate read, the plate that the last band down from it turned off to. */
  readonly turnedOff: Map<number, Sheet>;
  /** Per plate read by the other stack, how far its band has come. */
  readonly buses: Map<number, Bus>;
}

/** All ribbons of a map. */
export function ribbonsOf(graph: Graph, plates: readonly Sheet[], measuresOf: MeasuresOf): readonly Ribbon[] {
  const sheets = sheetsByTensor(plates);
  const flowing = flowsOn(graph, sheets);
  const drawn: Drawn = { intoHeads: new Map(), turnedOff: new Map(), buses: new Map() };
  return graph.ops.flatMap((op) => {
    const inputs = op.reads.filter(({ part }) => part === "input");
    const joins = sheets.get(inputs[0]?.tensor ?? "")?.[0]?.spine ?? false;
    const connections = inputs.flatMap((read) => connectionsOf(op, read, sheets, joins));
    return connections.flatMap((connection, i) =>
      strokesOf(connection, connections[i + 1], drawn, measuresOf, flowing).map(
        ({ path, width }): Ribbon => ({
          from: connection.from.id,
          to: connection.to.id,
          points: rounded(path, width),
          width,
          role: connection.from.role,
        }),
      ),
    );
  });
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
function flowsOn(graph: Graph, sheets: ReadonlyMap<string, readonly Sheet[]>): ReadonlySet<string> {
  const isStream = (name: string): boolean => sheets.get(name)?.[0]?.spine ?? false;
  return new Set(
    graph.ops
      .filter(({ kind, output }) => kind === "add" && isStream(output))
      .flatMap(({ reads }) => reads.map(({ tensor }) => tensor)),
  );
}

/** Which plates of a tensor read go to which plates of the tensor made. */
function connectionsOf(
  op: Op,
  read: Read,
  sheets: ReadonlyMap<string, readonly Sheet[]>,
  joins: boolean,
): readonly Connection[] {
  const from = sheets.get(read.tensor) ?? [];
  const to = meeting(op, read, sheets);
  if (from.length === 0 || to.length === 0 || to[0]!.role === "summary") return [];
  const of = Math.max(from.length, to.length);
  const parted = from[0]!.head !== null && to[0]!.head !== null;
  // Of keys and values that several heads share, each goes to all the heads of its group.
  if (parted || from.length === to.length)
    return to.map((it, rank) => ({
      from: from[Math.floor((rank * from.length) / to.length)]!,
      to: it,
      rank,
      of,
      joins,
    }));
  if (from.length === 1) return to.map((it, rank) => ({ from: from[0]!, to: it, rank, of, joins }));
  // The heads' square is one shape: one band leaves it. The strips of a folded axis each send theirs.
  const sending = from[0]!.head === null ? from : from.slice(-1);
  return sending.map((it, rank) => ({ from: it, to: to[0]!, rank, of: sending.length, joins }));
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

function strokesOf(
  connection: Connection,
  next: Connection | undefined,
  drawn: Drawn,
  measuresOf: MeasuresOf,
  flowing: ReadonlySet<string>,
): readonly Stroke[] {
  const { from, to } = connection;
  const measures = measuresOf(to.section.stack);
  const stream = streamWidth(measures);
  const width = widthOf(connection, measures);
  if (from.section.stack !== to.section.stack)
    return acrossStacks(connection, drawn, measuresOf, width).filter(({ path }) => path.length > 1);
  const one = (path: Path | null): readonly Stroke[] => (path ? [{ path, width }] : []);
  if (from.head === null && to.bay) return one(intoHead(connection, drawn, measures));
  if (from.spine) {
    const before = flowing.has(from.tensor) ? undefined : drawn.turnedOff.get(from.id);
    drawn.turnedOff.set(from.id, to);
    return one(throughStream(from, to, measures, flowing.has(from.tensor), before));
  }
  if (from.bay && to.role === "weight")
    return one(headsOut(from, to, (connection.rank + 1) / (connection.of + 1), measures));
  if (areNeighbours(from, to, measures)) return [];
  if (!from.positionsRight && !to.positionsRight && !to.bay && isAbove(from, to))
    return one(roundTheSide(from, to, measures));
  const facing = straight(from, to);
  if (facing) return one(facing);
  if (to.spine && connection.joins) return one(intoStream(from, to, measures, stream));
  const turned = from.positionsRight ? drawn.turnedOff.get(from.id) : undefined;
  if (from.positionsRight && !to.positionsRight) drawn.turnedOff.set(from.id, to);
  return one(elbow(from, to, turned, next?.to === to ? next.from : undefined));
}

function isAbove(from: Sheet, to: Sheet): boolean {
  return from.x === to.x && from.columns === to.columns && from.y + from.rows <= to.y;
}

/** Into a head: to the first of its plates on the heads' own way, and on from there to the next. */
function intoHead({ from, to, rank, of }: Connection, { intoHeads }: Drawn, measures: Measures): Path {
  const key = `${from.id} ${to.bay?.head}`;
  const trunk = intoHeads.get(key);
  if (trunk) return branchIn(trunk, to, measures);
  intoHeads.set(key, to);
  return headsIn(from, to, (rank + 0.5) / of, measures);
}

/** From one stack to the other: into heads along a band that runs down beside all of them, else over the top. */
function acrossStacks(
  { from, to, rank }: Connection,
  { buses, intoHeads }: Drawn,
  measuresOf: MeasuresOf,
  width: number,
): readonly Stroke[] {
  const measures = measuresOf(to.section.stack);
  const [source, broad] = [measuresOf(from.section.stack), streamWidth(measuresOf(from.section.stack))];
  if (!to.bay) return rank === 0 ? [{ path: overTheTop(from, to, source, broad), width }] : [];
  const key = `${from.id} ${to.bay.head}`;
  const entered = intoHeads.has(key);
  intoHeads.set(key, to);
  const { trunk, branch, bus } = memoryIn(from, to, to.bay, entered, buses.get(from.id), measures, source);
  buses.set(from.id, bus);
  return [
    { path: trunk, width: broad },
    { path: branch, width },
  ];
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
function widthOf({ from, to, of }: Connection, measures: Measures): number {
  const stream = streamWidth(measures);
  if (from.bay || to.bay) return stream / measures.heads;
  if (from.head !== null || to.head !== null) return stream / of;
  return from.role === "weight" ? stream / 2 : stream;
}
