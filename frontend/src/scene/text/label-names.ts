/** Names of sections and plates: which ones a view has room for, in which words, and where they may stand.
 *
 *  From afar there are few names, and those are plain words: what is alike in every block is named once. Nearer come the
 *  short names, beside the words where there is room. */

import { plainName } from "../../layout/plain-names";
import type { Layout, Plate, Region } from "../../layout/types";
import type { LabelSubject } from "../types";
import type { LabelMesh, LabelStyle } from "./label-mesh";
import type { LabelView, Written } from "./label-view";

/** A piece of a label in one style. */
export interface Run {
  readonly text: string;
  readonly style: LabelStyle;
}

export interface Candidate {
  /** The best first; the last one is the shortest. */
  readonly wordings: readonly (readonly Run[])[];
  /** Lower left corners, or lower right ones where the words end there; the best first. */
  readonly places: readonly { readonly x: number; readonly y: number; readonly ends?: boolean }[];
  readonly weight: number;
  /** The plate that is named, which nothing may hide. */
  readonly plate: Plate | null;
  /** Whether it yields to every plate. */
  readonly mindsPlates: boolean;
  /** Pixels that all but the shortest wording may take. */
  readonly room: number;
  readonly subject: LabelSubject;
  /** Written so that it hardly shows. */
  readonly faint?: boolean;
}

const SMALLEST_PLATE = 20;
/** Kinds of tensors that are named from afar. */
const FROM_AFAR = new Set(["W_E", "W_pos", "W_U", "probabilities", "hook_resid_pre", "ln1.hook_out"]);
/** A block fills so much of the window's height where its parts get their names, and where the smallest do. */
const NEAR = 0.55;
const CLOSE = 1.2;
/** Importance of what is named as soon as one is near. */
const WORTH_NAMING = 55;
/** Importance of the most important plate. */
const MOST_OF_PLATES = 100;
/** A long wording may reach so far beyond its plate, in pixels. */
const BEYOND = 60;

const heights = new WeakMap<Layout, number>();

/** Height of the tallest block, in cells; of the whole map where there is none. */
function blockHeight(layout: Layout): number {
  let height = heights.get(layout);
  if (height === undefined) {
    const blocks = layout.regions.filter(({ kind }) => kind === "block");
    const tall = blocks.map(({ bounds: { min, max } }) => max[1] - min[1]);
    height = tall.length > 0 ? Math.max(...tall) : layout.bounds.max[1] - layout.bounds.min[1];
    heights.set(layout, height);
  }
  return height;
}

/** Which share of the window's height a block takes, where a cell has that many pixels. */
const closeness = (layout: Layout, view: LabelView, scale: number): number =>
  (scale * blockHeight(layout)) / view.height;

export const widthOf = (mesh: LabelMesh, runs: readonly Run[]): number =>
  runs.reduce((sum, { text, style }) => sum + mesh.width(text, style), 0);

// ---- sections ------------------------------------------------------------------------------------------------

/** Blocks, and what is within them when they are large, are named where the layout keeps room; the two stacks and the
 *  output over their own plates, if nothing else stands there. */
export function regionCandidates(mesh: LabelMesh, view: LabelView, { layout }: Written): Candidate[] {
  const found: Candidate[] = [];
  const ofTwo = layout.regions.some(({ kind }) => kind === "stack");
  const first = layout.regions.find(({ kind }) => kind === "block");
  /** Blocks in view, and where their names may stand. */
  const blocks: { readonly region: Region; readonly at: ScreenPlace; readonly name: string }[] = [];
  for (const region of layout.regions) {
    const { kind } = region;
    // Shared keys and values say on their plates whose they are; the title names the model.
    if (kind === "model" || kind === "keys" || (ofTwo && kind === "embedding")) continue;
    const { min, max } = region.bounds;
    const corner = view.project(min[0], min[1], max[2]);
    if (!corner) continue;
    const [width, height] = [(max[0] - min[0]) * corner.scale, (max[1] - min[1]) * corner.scale];
    const inner = isInner(kind);
    const needed = !inner
      ? 50
      : kind !== "head" && region.layer === 0 && region.stack === first?.stack
        ? 70
        : 200;
    if (Math.max(height, width) < needed || height > view.height * (inner ? 0.9 : 2)) continue;
    const places = placesOf(mesh, view, layout, region, corner);
    if (places.length === 0) continue;
    const [at] = places;
    if (kind !== "block") found.push(candidateOf(region, places, region.name, inner ? "part" : "region"));
    else if (at && at.x > 0 && at.x < view.width && at.y > 0 && at.y < view.height)
      blocks.push({ region, at, name: region.name });
  }
  // Where there are many, only those at which a column begins are named: the rest follow from them.
  const tops = columnTops(layout);
  const told = blocks.length > MOST_BLOCKS ? blocks.filter(({ region }) => tops.has(region.id)) : blocks;
  // All in one style: by name, in smaller letters where one of them has no room for larger ones, or all by number.
  const style = (["region", "part"] as const).find((size) =>
    told.every(({ at, name }) => mesh.width(name, size) <= roomAt(at)),
  );
  for (const { region, at, name } of told) {
    const text = style || region.layer === null ? name : `${region.layer}`;
    found.push(candidateOf(region, [at], text, style ?? "region"));
  }
  return found;

  /** A block's name ends before the next one in its row begins. */
  function roomAt(own: ScreenPlace): number {
    let room = Number.POSITIVE_INFINITY;
    for (const { at } of told) {
      if (at === own || Math.abs(at.y - own.y) > mesh.height("region")) continue;
      if (at.x > own.x) room = Math.min(room, at.x - own.x - 2);
    }
    return room;
  }
}

/** So many blocks in view are all named. */
const MOST_BLOCKS = 20;

const topsOf = new WeakMap<Layout, ReadonlySet<string>>();

/** The blocks at which a column begins: each block stands below the one before it, or begins the next column. */
function columnTops(layout: Layout): ReadonlySet<string> {
  let found = topsOf.get(layout);
  if (!found) {
    const blocks = layout.regions.filter(({ kind }) => kind === "block");
    found = new Set(
      blocks
        .filter((block, at) => {
          const before = blocks[at - 1];
          return before?.stack !== block.stack || before.bounds.min[1] >= block.bounds.min[1];
        })
        .map(({ id }) => id),
    );
    topsOf.set(layout, found);
  }
  return found;
}

/** Tells whether a section lies within a block. */
const isInner = (kind: Region["kind"]): boolean => kind === "head" || kind === "attention" || kind === "mlp";

type ScreenPlace = Candidate["places"][number];

function candidateOf(
  region: Region,
  places: Candidate["places"],
  text: string,
  style: LabelStyle,
): Candidate {
  const { kind, importance, id } = region;
  return {
    wordings: [[{ text, style }]],
    places,
    weight: (isInner(kind) ? 0 : kind === "output" || kind === "embedding" ? 1000 : 2000) + importance,
    plate: null,
    mindsPlates: kind === "output" || kind === "embedding" || kind === "stack",
    room: Number.POSITIVE_INFINITY,
    subject: { region: id },
  };
}

function placesOf(
  mesh: LabelMesh,
  view: LabelView,
  layout: Layout,
  region: Region,
  corner: { readonly x: number; readonly y: number },
): Candidate["places"] {
  const beside = { x: corner.x - mesh.width(region.name, "region") - 8, y: corner.y + 22 };
  // Above the name of the plate that stands there.
  const above = { x: corner.x, y: corner.y - mesh.height("plain") };
  if (region.kind === "output") return [above];
  if (region.kind === "embedding") return [beside, above];
  if (region.kind === "stack") {
    const own = layout.regions.find(({ kind, stack }) => kind === "embedding" && stack === region.stack);
    const start = own && view.project(own.bounds.min[0], own.bounds.min[1], own.bounds.max[2]);
    if (!start) return [];
    const wide = mesh.width(region.name, "region");
    return [
      { x: start.x, y: start.y - mesh.height("plain") },
      { x: start.x - wide - 8, y: start.y + 22 },
    ];
  }
  const anchor = view.project(...region.anchor);
  if (!anchor) return [];
  if (region.kind !== "attention") return [anchor];
  // Beside the block's own name, which stands at the same place.
  const block = layout.regions.find(
    ({ kind, layer, stack }) => kind === "block" && layer === region.layer && stack === region.stack,
  );
  const shift = block && isSame(block.anchor, region.anchor) ? mesh.width(block.name, "region") + 6 : 0;
  return [{ x: anchor.x + shift, y: anchor.y }];
}

const isSame = (a: Region["anchor"], b: Region["anchor"]): boolean => a.every((at, axis) => at === b[axis]);

// ---- plates --------------------------------------------------------------------------------------------------

export function plateCandidates(view: LabelView, { layout, visible, sheets }: Written): Candidate[] {
  const found: Candidate[] = [];
  const once = new Map<string, { plate: Plate; corner: { x: number; y: number; scale: number } }>();
  for (const { plate } of visible) {
    if (plate.label === "") continue;
    const corner = view.project(plate.x, plate.y, plate.z);
    if (!corner || Math.max(plate.rows, plate.columns) * corner.scale < SMALLEST_PLATE) continue;
    const near = closeness(layout, view, corner.scale);
    if (near < NEAR) {
      if (!FROM_AFAR.has(plate.kind)) continue;
      const key = `${plate.kind} ${sheets.tensor(plate.tensor)?.stack}`;
      const other = once.get(key);
      if (!other || plate.id < other.plate.id) once.set(key, { plate, corner });
    } else if (plate.importance >= WORTH_NAMING || near >= CLOSE) {
      const candidate = plateCandidate(view, sheets, plate, corner);
      if (candidate) found.push(candidate);
    }
  }
  for (const { plate, corner } of once.values()) {
    const candidate = plateCandidate(view, sheets, plate, corner);
    if (candidate)
      found.push({
        ...candidate,
        // What everything reads and adds to comes before the tables that begin it.
        weight: plate.kind === "hook_resid_pre" ? MOST_OF_PLATES : candidate.weight,
        wordings: afar(candidate.wordings, plate),
        places: [...candidate.places, ...beside(view, plate)],
      });
  }
  return found;
}

function plateCandidate(
  view: LabelView,
  sheets: Written["sheets"],
  plate: Plate,
  corner: { readonly x: number; readonly y: number; readonly scale: number },
): Candidate | null {
  // A plate that begins left of the window is named at the window's edge.
  const end = view.project(plate.x + plate.columns, plate.y, plate.z);
  const cut = corner.x < 3;
  if (cut && (!end || end.x < 60)) return null;
  const along = cut && end ? (3 - corner.x) / (end.x - corner.x) : 0;
  return {
    wordings: wordingsOf(sheets, plate),
    places: [{ x: Math.max(3, corner.x), y: end && cut ? corner.y + (end.y - corner.y) * along : corner.y }],
    weight: plate.importance,
    plate,
    mindsPlates: false,
    room: plate.columns * corner.scale + BEYOND,
    subject: { plate: plate.id, tensor: plate.tensor },
  };
}

/** Plain words with the short name beside them, and the short name alone. */
function wordingsOf(sheets: Written["sheets"], plate: Plate): Candidate["wordings"] {
  const info = sheets.tensor(plate.tensor);
  const short: Run = { text: plate.label, style: "plate" };
  if (!info) return [[short]];
  const plain: Run = { text: plainName(info), style: "plain" };
  const said = plain.text.split(" ").includes(plate.label);
  return said ? [[plain], [short]] : [[plain, { text: plate.label, style: "quiet" }], [plain], [short]];
}

/** On the right of a plate, and on its left, at its upper edge. */
function beside(view: LabelView, plate: Plate): Candidate["places"] {
  const start = view.project(plate.x, plate.y, plate.z);
  const end = view.project(plate.x + plate.columns, plate.y, plate.z);
  if (!start || !end) return [];
  const right = { x: end.x + 3, y: end.y + 18 };
  // On the left of the stream stands what it was made of.
  return plate.role === "weight" ? [right, { x: start.x - 3, y: start.y + 18, ends: true }] : [right];
}

/** From afar a weight keeps its short name, which books use; the rest are words alone. */
function afar(wordings: Candidate["wordings"], plate: Plate): Candidate["wordings"] {
  const [full = []] = wordings;
  const [plain] = full;
  if (!plain) return wordings;
  const words = [plain];
  if (plate.role !== "weight") return [words];
  const symbol = plate.label.split(" = ")[0]!;
  return [[plain, { text: symbol, style: "quiet" }], words];
}
