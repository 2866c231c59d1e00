/** Which lenses stand open beside the map, with what they were asked for; how that is written into an address. */

import { computed, signal } from "@preact/signals";
import { codec } from "./codec";
import { panel } from "./store";

/** How a panel shows its lens. */
export type Face = "figure" | "text" | "table" | "notes";

/** One open panel: its lens, the parameters that were chosen (others have the lens's own defaults), its face. */
export interface OpenLens {
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  readonly face: Face;
}

/** What a page without a memory opens. */
export const FIRST_LENSES: readonly OpenLens[] = [
  { name: "next_token", query: {}, face: "figure" },
  { name: "surprisal", query: {}, face: "figure" },
];
const MOST = 12;
const FACES: readonly Face[] = ["figure", "text", "table", "notes"];

export const openLenses = signal<readonly OpenLens[]>(FIRST_LENSES);
/** Width of the dock in CSS pixels; null is the panel's own. */
export const dockWidth = signal<number | null>(null);

/** Opens a lens on top of the others; one that is open is moved there, with what it is asked for now. */
export function withLens(open: readonly OpenLens[], name: string, query = {}): readonly OpenLens[] {
  const rest = open.filter((lens) => lens.name !== name);
  return [{ name, query, face: "figure" as const }, ...rest].slice(0, MOST);
}

export function withoutLens(open: readonly OpenLens[], name: string): readonly OpenLens[] {
  return open.filter((lens) => lens.name !== name);
}

export function changedLens(
  open: readonly OpenLens[],
  name: string,
  change: Partial<Omit<OpenLens, "name">>,
): readonly OpenLens[] {
  return open.map((lens) => (lens.name === name ? { ...lens, ...change } : lens));
}

/** `logit_lens?show=entropy~surprisal!table`: a lens each, joined by `~`. */
export function writeLenses(open: readonly OpenLens[]): string {
  return open
    .map(({ name, query, face }) => {
      const asked = new URLSearchParams(query).toString().replaceAll("~", "%7E").replaceAll("!", "%21");
      return `${name}${asked ? `?${asked}` : ""}${face === "figure" ? "" : `!${face}`}`;
    })
    .join("~");
}

/** What an address or a memory says; undefined where it says nothing. Parts that make no sense are left out. */
export function readLenses(text: string | null | undefined): readonly OpenLens[] | undefined {
  if (text === null || text === undefined) return undefined;
  const seen = new Set<string>();
  const found: OpenLens[] = [];
  for (const part of text.split("~")) {
    const match = /^([a-z_]+)(?:\?([^!]*))?(?:!([a-z]+))?$/.exec(part);
    if (!match || seen.has(match[1]!)) continue;
    seen.add(match[1]!);
    const face = FACES.find((one) => one === match[3]) ?? "figure";
    found.push({ name: match[1]!, query: Object.fromEntries(new URLSearchParams(match[2] ?? "")), face });
  }
  return found.slice(0, MOST);
}

/** The lenses that are open; in the fragment, since they may name tokens. None open is said too. */
export const lensesCodec = codec({
  key: "lenses",
  where: "fragment",
  read: (from): string | undefined => from.get("lenses") ?? undefined,
  write: (text, into) => into.set("lenses", text),
  signal: computed(() => (panel.value === "lenses" ? writeLenses(openLenses.value) : undefined)),
  history: "replace",
  take: {
    when: "before",
    onRetrace: true,
    into: (text) => {
      openLenses.value = readLenses(text) ?? openLenses.value;
    },
  },
});
