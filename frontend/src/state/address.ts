/** The page's address: which parts of the store it holds, read and written by pure functions. The text and the
 *  tokens stand in the fragment, which a browser never sends to a server. */

import { HEAD_ARRANGEMENTS, type HeadArrangement } from "../layout/head-arrangement";
import type { Sampling } from "../net/types";
import { problemOf, SAMPLING_FIELDS, type SamplingField } from "./sampling";
import { readSpeed, writeSpeed } from "./speed";

export interface Address {
  readonly model?: string | undefined;
  readonly text?: string | undefined;
  /** A second text that was read together with the first. */
  readonly pair?: string | undefined;
  /** A run that the server held when the address was written, made over REST. */
  readonly run?: string | undefined;
  /** Everything read and written so far, verbatim; absent where the text alone says it. */
  readonly tokens?: readonly number[] | undefined;
  /** The kind of text of each of `tokens`, where a model tells kinds apart. */
  readonly kinds?: readonly number[] | undefined;
  /** How many of `tokens` are the reader's own. */
  readonly prompt?: number | undefined;
  /** As much of it as the address says. */
  readonly sampling?: Partial<Sampling> | undefined;
  /** Tokens a second, as state/speed.ts writes them; nothing for as fast as it goes. */
  readonly speed?: number | undefined;
  readonly camera?: readonly number[] | undefined;
  readonly selected?: { readonly tensor: string; readonly index: readonly number[] } | undefined;
  readonly panel?: string | undefined;
  /** The cells pinned, as state/explain.ts writes them. */
  readonly pins?: string | undefined;
  /** How heads stand in the map; a fan where nothing is said. */
  readonly heads?: HeadArrangement | undefined;
  /** Where stepping through the pass stands, as state/pass.ts writes it. */
  readonly step?: string | undefined;
  /** How full colour is chosen, as state/scales.ts writes it. */
  readonly scale?: string | undefined;
  /** Part, layer, head, stage and view of the attention panel, as state/attention.ts writes them. */
  readonly attention?: string | undefined;
  /** What is taken from the run shown, by its tokens; in the fragment, since these are a text. */
  readonly minus?: string | undefined;
  /** The lenses that are open, as state/lenses.ts writes them; in the fragment, since they may name tokens. */
  readonly lenses?: string | undefined;
}

/** `?query#fragment` of an address. */
export function writeAddress(address: Address): string {
  const query = new URLSearchParams();
  if (address.model) query.set("model", address.model);
  for (const name of SAMPLING_FIELDS) {
    const value = address.sampling?.[name];
    if (value !== undefined && !(name === "beams" && value === 1)) query.set(name, `${value}`);
  }
  if (address.run) query.set("run", address.run);
  if (address.speed !== undefined) query.set("speed", writeSpeed(address.speed));
  if (address.camera) query.set("camera", address.camera.join("_"));
  if (address.selected)
    query.set("select", `${address.selected.tensor}[${address.selected.index.join("_")}]`);
  if (address.pins) query.set("pins", address.pins);
  if (address.heads && address.heads !== "fan") query.set("heads", address.heads);
  if (address.step) query.set("step", address.step);
  if (address.scale) query.set("scale", address.scale);
  if (address.panel) query.set("panel", address.panel);
  if (address.attention) query.set("attention", address.attention);
  const fragment = new URLSearchParams();
  if (address.text !== undefined) fragment.set("text", address.text);
  if (address.pair) fragment.set("pair", address.pair);
  if (address.tokens && address.tokens.length > 0) {
    fragment.set("tokens", address.tokens.join("_"));
    if (address.kinds?.some((kind) => kind > 0)) fragment.set("kinds", address.kinds.join("_"));
    if (address.prompt !== undefined) fragment.set("prompt", `${address.prompt}`);
  }
  if (address.minus !== undefined) fragment.set("minus", address.minus);
  if (address.lenses !== undefined) fragment.set("lenses", address.lenses);
  return `${query.size > 0 ? `?${query}` : ""}${fragment.size > 0 ? `#${fragment}` : ""}`;
}

/** What an address says; parts that make no sense are left out. */
export function readAddress(search: string, hash: string): Address {
  const query = new URLSearchParams(search);
  const fragment = new URLSearchParams(hash.replace(/^#/, ""));
  const selected = /^([\w.]+)\[([\d_]*)\]$/.exec(query.get("select") ?? "");
  const tokens = wholeNumbers(fragment.get("tokens"));
  const kinds = wholeNumbers(fragment.get("kinds"));
  const prompt = wholeNumbers(fragment.get("prompt"))?.[0];
  const camera = query.get("camera")?.split("_").map(Number);
  return {
    model: query.get("model") ?? undefined,
    text: fragment.get("text") ?? undefined,
    pair: fragment.get("pair") || undefined,
    run: query.get("run") || undefined,
    tokens,
    kinds: kinds?.length === tokens?.length ? kinds : undefined,
    prompt: prompt !== undefined && tokens && prompt <= tokens.length ? prompt : undefined,
    sampling: readSampling(query),
    speed: readSpeed(query.get("speed")) ?? undefined,
    camera: camera?.every(Number.isFinite) ? camera : undefined,
    selected: selected ? { tensor: selected[1]!, index: wholeNumbers(selected[2]!) ?? [] } : undefined,
    step: query.get("step") ?? undefined,
    panel: query.get("panel") ?? undefined,
    pins: query.get("pins") ?? undefined,
    heads: HEAD_ARRANGEMENTS.find((name) => name === query.get("heads")),
    scale: query.get("scale") ?? undefined,
    attention: query.get("attention") ?? undefined,
    minus: fragment.get("minus") ?? undefined,
    lenses: fragment.get("lenses") ?? undefined,
  };
}

/** As much of the sampling as is said; nothing where any of it would be refused, as `samplingLeftOut` tells. */
function readSampling(query: URLSearchParams): Partial<Sampling> | undefined {
  const given = SAMPLING_FIELDS.filter((name) => query.has(name));
  if (given.length === 0 || given.some((name) => problemOf(name, said(query, name)) !== null))
    return undefined;
  return Object.fromEntries(given.map((name) => [name, said(query, name)]));
}

/** What an address says of a field of the sampling; not a number where that is none. */
function said(query: URLSearchParams, name: SamplingField): number {
  const text = query.get(name)?.trim() ?? "";
  return text === "" ? Number.NaN : Number(text);
}

/** Why the sampling that an address asks for is left out, in words; null where it is not. */
export function samplingLeftOut(search: string): string | null {
  const query = new URLSearchParams(search);
  const problems = SAMPLING_FIELDS.flatMap((name) => {
    const problem = query.has(name) ? problemOf(name, said(query, name)) : null;
    return problem === null ? [] : [`${name}=${query.get(name)}. ${problem}`];
  });
  return problems.length > 0 ? `The sampling in the address is left out: ${problems.join(" ")}` : null;
}

function wholeNumbers(text: string | null): number[] | undefined {
  if (text === null || text === "") return undefined;
  const numbers = text.split("_").map(Number);
  return numbers.every((number) => Number.isInteger(number) && number >= 0) ? numbers : undefined;
}
