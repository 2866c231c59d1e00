/** The page's address: which parts of the store it holds, read and written by pure functions. The text and the
 *  tokens stand in the fragment, which a browser never sends to a server. */

import type { Sampling } from "../net/types";
import { HEAD_ARRANGEMENTS, type HeadArrangement } from "./heads";
import { readSpeed, writeSpeed } from "./speed";

export interface Address {
  readonly model?: string | undefined;
  readonly text?: string | undefined;
  /** A run that the server held when the address was written, made over REST. */
  readonly run?: string | undefined;
  /** Everything read and written so far, verbatim; absent where the text alone says it. */
  readonly tokens?: readonly number[] | undefined;
  /** How many of `tokens` are the reader's own. */
  readonly prompt?: number | undefined;
  readonly sampling?: Sampling | undefined;
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
  if (address.sampling) {
    query.set("temperature", `${address.sampling.temperature}`);
    query.set("top_k", `${address.sampling.top_k}`);
    query.set("top_p", `${address.sampling.top_p}`);
    query.set("seed", `${address.sampling.seed}`);
    if (address.sampling.beams > 1) query.set("beams", `${address.sampling.beams}`);
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
  if (address.tokens && address.tokens.length > 0) {
    fragment.set("tokens", address.tokens.join("_"));
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
  const prompt = wholeNumbers(fragment.get("prompt"))?.[0];
  const camera = query.get("camera")?.split("_").map(Number);
  return {
    model: query.get("model") ?? undefined,
    text: fragment.get("text") ?? undefined,
    run: query.get("run") || undefined,
    tokens,
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

function readSampling(query: URLSearchParams): Sampling | undefined {
  const text = ["temperature", "top_k", "top_p", "seed"].map((name) => query.get(name));
  if (text.some((value) => value === null || value.trim() === "")) return undefined;
  const [temperature, top_k, top_p, seed] = text.map(Number) as [number, number, number, number];
  const sampling = { temperature, top_k, top_p, seed, beams: Number(query.get("beams") ?? 1) };
  return samplingProblem(sampling) === null ? sampling : undefined;
}

/** What is wrong with a sampling, or null. The server checks the same. */
export function samplingProblem(sampling: Sampling): string | null {
  const { temperature, top_k, top_p, seed, beams } = sampling;
  if (!(temperature >= 0 && temperature <= 10))
    return "Temperature goes from 0 (always the likeliest) to 10.";
  if (!(Number.isInteger(top_k) && top_k >= 0)) return "Top-k is a whole number; 0 keeps every token.";
  if (!(top_p > 0 && top_p <= 1)) return "Top-p is above 0 and at most 1; 1 keeps every token.";
  if (!(Number.isSafeInteger(seed) && seed >= 0 && seed < 2 ** 31))
    return "The seed is a whole number from 0 to 2,147,483,647.";
  if (!(Number.isInteger(beams) && beams >= 1 && beams <= 16))
    return "Beams are a whole number from 1 to 16.";
  return null;
}

function wholeNumbers(text: string | null): number[] | undefined {
  if (text === null || text === "") return undefined;
  const numbers = text.split("_").map(Number);
  return numbers.every((number) => Number.isInteger(number) && number >= 0) ? numbers : undefined;
}
