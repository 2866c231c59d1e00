/** The page's address: which parts of the store it holds, by one list of codecs (state/codec.ts). A new part is a codec
 *  beside its feature's state, and its place in this list. */

import { minusCodec } from "./difference";
import { pinsCodec } from "./explain";
import { lensesCodec } from "./lenses";
import { lessonCodec } from "./lesson";
import { stepCodec } from "./pass";
import {
  kindsCodec,
  modelCodec,
  pairCodec,
  promptCodec,
  runCodec,
  textCodec,
  tokensCodec,
} from "./reading-codecs";
import { samplingCodec } from "./sampling-codec";
import { scaleCodec } from "./scales";
import { speedCodec } from "./speed";
import { attentionCodec, cameraCodec, headsCodec, panelCodec, selectedCodec } from "./view-codecs";

/** In the order in which an address says its parts, and in which they are taken from one. */
const CODECS = [
  modelCodec,
  samplingCodec,
  runCodec,
  speedCodec,
  cameraCodec,
  selectedCodec,
  pinsCodec,
  headsCodec,
  stepCodec,
  // After the pass, whose place a lesson's step takes.
  lessonCodec,
  scaleCodec,
  panelCodec,
  attentionCodec,
  textCodec,
  pairCodec,
  tokensCodec,
  kindsCodec,
  promptCodec,
  minusCodec,
  lensesCodec,
] as const;

type Listed = (typeof CODECS)[number];
export type Address = {
  readonly [One in Listed as One["key"]]?: ReturnType<One["read"]>;
};
type Key = keyof Address;

/** A codec of the list whose value's type is left open: the list pairs each key with its type. */
interface AnyCodec extends Omit<Listed, "read" | "write" | "take" | "key"> {
  readonly key: Key;
  read(from: URLSearchParams): unknown;
  write(value: unknown, into: URLSearchParams): void;
  readonly take?: {
    readonly when: "before" | "after";
    readonly onRetrace: boolean;
    into(value: unknown, gives: (key: string) => boolean): void;
  };
}
const codecs = CODECS as unknown as readonly AnyCodec[];

/** `?query#fragment` of an address. */
export function writeAddress(address: Address): string {
  const parts = { query: new URLSearchParams(), fragment: new URLSearchParams() };
  for (const { key, where, write } of codecs)
    if (address[key] !== undefined) write(address[key], parts[where]);
  const { query, fragment } = parts;
  return `${query.size > 0 ? `?${query}` : ""}${fragment.size > 0 ? `#${fragment}` : ""}`;
}

/** What an address says; parts that make no sense are left out. */
export function readAddress(search: string, hash: string): Address {
  const parts = { query: new URLSearchParams(search), fragment: new URLSearchParams(hash.replace(/^#/, "")) };
  return Object.fromEntries(codecs.map(({ key, where, read }) => [key, read(parts[where])]));
}

/** The address of what the page shows now. */
export const shownAddress = (): Address =>
  Object.fromEntries(codecs.map(({ key, signal }) => [key, signal.peek()]));

/** Subscribes an effect to every part that may change while one reading stays on show. */
export function followParts(): void {
  for (const { history, signal } of codecs) if (history === "replace") void signal.value;
}

/** Whether two addresses lead to the same reading, whatever they show of it. */
export const sameReading = (one: Address, other: Address): boolean =>
  codecs.every(({ history, key }) => history === "replace" || (one[key] ?? null) === (other[key] ?? null));

/** Puts what an address says into the store, as far as the codecs do that themselves. */
export function takeAddress(address: Address, when: "before" | "after" | "retrace"): void {
  const gives = (key: string) => address[key as Key] !== undefined;
  for (const { key, take } of codecs)
    if (take && (when === "retrace" ? take.onRetrace : take.when === when)) take.into(address[key], gives);
}

export { samplingLeftOut } from "./sampling-codec";
