/** The REST calls that the page makes. Every failure becomes an `ApiError` that says what to do. */

import { asSentence } from "../format";
import type {
  Capabilities,
  ErrorBody,
  Graph,
  Intervention,
  ModelSummary,
  Models,
  Pairing,
  Pull,
  Pulls,
  RunAnswer,
  Scales,
  TensorStatistics,
  Token,
  Tokens,
} from "./contract.gen";
import { type Numbers, parseNpy } from "./npy";

export type { Capabilities, Pull } from "./contract.gen";

export const ROOT = "/api/v1";

/** A call that failed, in words for the reader. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly type: string,
    message: string,
    readonly hint: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** A lens's answer to `format=figure`: a Plotly figure. */
export interface Figure {
  readonly data: readonly Record<string, unknown>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/** A slice of a tensor: per axis an index, or first and past-the-last. */
export type Slice = readonly (number | readonly [number, number])[];

export const getCapabilities = () => json<Capabilities>("/capabilities");

export const getPulls = async (): Promise<readonly Pull[]> => (await json<Pulls>("/models/pull")).pulls;

export const startPull = async (id: string): Promise<readonly Pull[]> =>
  (await post<Pulls>("/models/pull", { id })).pulls;

export const getModels = async (): Promise<readonly ModelSummary[]> => (await json<Models>("/models")).models;

export const getGraph = (model: string) => json<Graph>(`/models/${encodeURIComponent(model)}/graph`);

/** Full colour of each kind of weight. */
export const getWeightScales = async (model: string) =>
  (await json<Scales>(`/models/${encodeURIComponent(model)}/scales`)).scales;

/** Full colour of each tensor alone: of a model's weights, or a run's activations. */
export const getTensorScales = async (of: string) => (await json<Scales>(`${of}/scales?by=tensor`)).scales;

/** Full colour of a run's activations, or of their differences to another run's, by kind or by tensor. */
export const getScales = async (run: string, query: Readonly<Record<string, string>>) =>
  (await json<Scales>(`/runs/${encodeURIComponent(run)}/scales?${new URLSearchParams(query)}`)).scales;

export const getPairing = (run: string, minus: string) =>
  json<Pairing>(`/runs/${encodeURIComponent(run)}/pairing?${new URLSearchParams({ minus })}`);

interface RunTokens {
  readonly run: string;
  readonly tokens: readonly Token[];
  readonly source: readonly Token[];
  /** The kind of text of every token that was read, of a model that tells kinds apart; else empty. */
  readonly kinds: readonly number[];
}

const runTokens = ({ id, tokens, source, token_types: kinds }: RunAnswer): RunTokens => ({
  run: id,
  tokens,
  source,
  kinds,
});

export const getWholeRun = (run: string) => json<RunAnswer>(`/runs/${encodeURIComponent(run)}`);

export const getRun = async (run: string): Promise<RunTokens> => runTokens(await getWholeRun(run));

/** A run that reads tokens as they are, with the same changes made as in another. */
export const changeAgain = (
  model: string,
  read: {
    readonly tokens: readonly number[];
    readonly target?: readonly number[];
    readonly kinds?: readonly number[];
  },
  interventions: readonly Intervention[],
) =>
  post<RunAnswer>("/runs", {
    model,
    tokens: read.tokens,
    ...(read.target ? { target_tokens: read.target } : {}),
    ...(read.kinds ? { token_types: read.kinds } : {}),
    max_new_tokens: 0,
    interventions,
  });

/** A run that reads a text, or tokens as they are, and writes nothing. */
export async function makeRun(
  model: string,
  read:
    | { readonly text: string }
    | {
        readonly tokens: readonly number[];
        readonly target?: readonly number[];
        readonly kinds?: readonly number[];
      },
): Promise<RunTokens> {
  const input =
    "text" in read
      ? { text: read.text }
      : {
          tokens: read.tokens,
          ...(read.target ? { target_tokens: read.target } : {}),
          ...(read.kinds ? { token_types: read.kinds } : {}),
        };
  return runTokens(await post<RunAnswer>("/runs", { model, ...input, max_new_tokens: 0 }));
}

/** Asks for the statistics of all numbers of a tensor; `of` is `/models/ID/weights` or `/runs/ID/activations`. */
export const getStatistics = (of: string, tensor: string, minus?: string) =>
  json<TensorStatistics>(
    `${of}/${encodeURIComponent(tensor)}/stats${minus ? `?${new URLSearchParams({ minus })}` : ""}`,
  );

/** The tokens that a model makes of a text, its prefix and suffix included. */
export async function tokenize(model: string, text: string, signal?: AbortSignal): Promise<readonly Token[]> {
  const path = `/models/${encodeURIComponent(model)}/tokenize`;
  return (await post<Tokens>(path, { text }, signal)).tokens;
}

export const getWeights = (model: string, name: string, slice: Slice, signal?: AbortSignal) =>
  numbers(`/models/${encodeURIComponent(model)}/weights/${encodeURIComponent(name)}`, slice, signal);

/** Fetches numbers of a run, or of its difference to the run `minus`. */
export const getActivations = (
  run: string,
  name: string,
  slice: Slice,
  signal?: AbortSignal,
  minus?: string,
) =>
  numbers(`/runs/${encodeURIComponent(run)}/activations/${encodeURIComponent(name)}`, slice, signal, minus);

/** The address of a lens's numbers, for a link. */
export function lensAddress(run: string, lens: string, query: Readonly<Record<string, string>>): string {
  return `${ROOT}/runs/${encodeURIComponent(run)}/lenses/${lens}?${new URLSearchParams(query)}`;
}

/** A slice as the API writes it: `0,3:9`. */
export function sliceText(slice: Slice): string {
  return slice.map((part) => (typeof part === "number" ? `${part}` : `${part[0]}:${part[1]}`)).join(",");
}

async function numbers(path: string, slice: Slice, signal?: AbortSignal, minus?: string): Promise<Numbers> {
  const less = minus === undefined ? {} : { minus };
  const query = new URLSearchParams({ format: "npy", index: sliceText(slice), ...less });
  const answer = await ask(`${path}?${query}`, signal ? { signal } : {});
  return parseNpy(await answer.arrayBuffer());
}

export async function json<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, signal ? { signal } : {})).json()) as T;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { "content-type": "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) };
  return (await (await ask(path, options)).json()) as T;
}

/** The JSON at an address of the API, such as `lensAddress` gives. */
export const getJson = <T>(address: string, signal?: AbortSignal): Promise<T> =>
  json<T>(address.slice(ROOT.length), signal);

/** A call; its answer if it went well.
 *  @throws ApiError otherwise, DOMException when given up by its signal. */
export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(ROOT + path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The server does not answer.", "Is it still running? Try again.", 0);
  }
  if (answer.ok) return answer;
  const refused = await refusal(answer);
  const run = refused.type === "forgotten_run" ? /^\/runs\/([^/?]+)/.exec(path)?.[1] : undefined;
  if (run !== undefined) tellForgotten(run);
  throw refused;
}

let tellForgotten: (run: string) => void = () => undefined;

/** Tells a listener of every run that the server turns out to have forgotten. */
export function onForgotten(listener: (run: string) => void): void {
  tellForgotten = listener;
}

async function refusal(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as ErrorBody;
    return new ApiError(error.type, asSentence(error.message), error.hint, answer.status);
  } catch {
    return new ApiError("server", `The server answered ${answer.status}.`, "Try again.", answer.status);
  }
}
