/** What goes over the wire: the REST answers, the stream's control messages, and its binary frames.
 *  Mirrors app/api/schemas.py; docs/reference/stream.md tells the story. */

export interface ModelSummary {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly kind: string;
  readonly parameters: number;
  readonly size_bytes: number;
  readonly loaded: boolean;
  readonly bundled: boolean;
  readonly has_tokenizer: boolean;
  /** Why it reads token ids alone; empty where it has a tokenizer. */
  readonly no_tokenizer: string;
  /** Why it names no tokens and has no logits; empty where it has a language head. */
  readonly no_head: string;
  readonly positions: number;
  /** Of an encoder-decoder's source; 0 for all others. */
  readonly source_positions: number;
  /** The token that hides another, of a model that fills in. */
  readonly mask_id: number | null;
  readonly default_text: string;
  readonly default_new_tokens: number;
  /** The temperature that suits the model; null where it does not matter. */
  readonly default_temperature: number | null;
}

export interface Token {
  readonly id: number;
  /** As printed: white space kept, bytes that are no character alone as `\xe2`. */
  readonly text: string;
  /** Byte offsets in the UTF-8 text. */
  readonly start: number;
  readonly end: number;
}

export interface Candidate {
  readonly id: number;
  readonly text: string;
  readonly logit: number | null;
  readonly probability: number | null;
  /** The model's generation_config.json keeps it from being written. */
  readonly forbidden?: boolean;
}

/** What an encoder would put at a masked position. */
export interface Prediction {
  readonly position: number;
  readonly top: readonly Candidate[];
}

export interface Sampling {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly seed: number;
  /** More than one: write the text with the highest log-probability per token that so many beams find. */
  readonly beams: number;
}

/** A change made to a tensor while the model ran. */
export interface Intervention {
  readonly name: string;
  /** As a slice of the API: `:,5`; empty for all of it. */
  readonly index: string;
  readonly action: "set" | "scale" | "add";
  readonly value: number;
}

/** `GET /runs/{id}`, as far as the page reads it. */
export interface RunAnswer {
  readonly id: string;
  readonly model: string;
  readonly state: string;
  readonly reason: DoneMessage["reason"] | null;
  readonly prompt_length: number;
  readonly capacity: number;
  readonly source: readonly Token[];
  readonly tokens: readonly Token[];
  /** The kind of text of every token; empty where a model knows one alone. */
  readonly token_types: readonly number[];
  readonly generated: readonly {
    readonly position: number;
    readonly probability: number | null;
    readonly sampled_probability: number | null;
  }[];
  readonly top: readonly Candidate[];
  readonly predictions: readonly Prediction[];
  readonly interventions: readonly Intervention[];
  /** Of a beam search: the log-probability in nats, per token written, that decided between its texts. */
  readonly beam_score?: number | null;
}

export interface ApiErrorBody {
  readonly error: { readonly type: string; readonly message: string; readonly hint: string };
}

// ---- browser to server -------------------------------------------------------------------------------------

/** Start a run. It reads the prompt, then waits for `step` (or goes on writing at once, if `write`). */
export interface StartMessage {
  readonly type: "start";
  /** Chosen by the client, returned in `accepted` or in the `error`. */
  readonly request: string;
  readonly model: string;
  readonly text?: string;
  /** A second text, read together with the first. */
  readonly text_pair?: string;
  readonly tokens?: readonly number[];
  /** The kind of text of each of `tokens`. */
  readonly token_types?: readonly number[];
  /** What the text of an encoder-decoder begins with; `text` or `tokens` are its source. */
  readonly target_tokens?: readonly number[];
  readonly max_new_tokens: number;
  readonly sampling: Sampling;
  readonly write: boolean;
}

/** Everything this page wants to see now, most wanted first. A later want (higher epoch) replaces it. */
export interface WantMessage {
  readonly type: "want";
  readonly epoch: number;
  readonly run: string | null;
  /** Activation names, or patterns such as `blocks.*.attn.hook_pattern`; rows already sent are not sent again. */
  readonly activations: readonly string[];
  /** Names to send again from their first row. */
  readonly resend: readonly string[];
  /** Another run of the same model: everything of `run` comes less that run's. */
  readonly minus?: string | null;
  readonly model: string | null;
  /** Nearest first. Those of an activation come once any of their numbers exist, and again when more do. */
  readonly tiles: readonly TileWish[];
  /** Numbers to be printed, sent as float32. */
  readonly cells?: readonly CellsWish[];
}

export type Pool = "mean" | "max";

/** A tile of one plate: of a weight of the wish's `model`, or of an activation of `run`. */
export interface TileWish {
  readonly run?: string | null;
  readonly name: string;
  /** The plate: the index along `head` or `kv_head`, or along all but the last two axes; [] if there is but one. */
  readonly index: readonly number[];
  readonly level: number;
  /** In tiles of 256 x 256 numbers of that level. */
  readonly row: number;
  readonly col: number;
  /** `mean`, the sign of the mean times the root mean square, if left out. */
  readonly pool?: Pool;
}

/** A rectangle of cells of one plate, at most 64 x 64; what lies outside the plate is cut off. */
export interface CellsWish {
  readonly run?: string | null;
  readonly name: string;
  readonly index: readonly number[];
  readonly row: number;
  readonly col: number;
  readonly rows: number;
  readonly cols: number;
}

export interface AckMessage {
  readonly type: "ack";
  /** Every frame up to this sequence number has been taken in. */
  readonly seq: number;
}

/** Write `count` more tokens, or until stopped when null. New sampling holds from here on. */
export interface StepMessage {
  readonly type: "step";
  readonly run: string;
  readonly count: number | null;
  readonly sampling?: Sampling;
}

export interface PauseMessage {
  readonly type: "pause";
  readonly run: string;
}

/** End the run where it is; what it has computed stays readable. */
export interface CancelMessage {
  readonly type: "cancel";
  readonly run: string;
}

export type ClientMessage =
  | StartMessage
  | WantMessage
  | AckMessage
  | StepMessage
  | PauseMessage
  | CancelMessage;

// ---- server to browser -------------------------------------------------------------------------------------

export interface AcceptedMessage {
  readonly type: "accepted";
  readonly request: string;
  readonly run: string;
  readonly model: string;
  /** What the encoder of an encoder-decoder reads; empty for all others. */
  readonly source: readonly Token[];
  readonly tokens: readonly Token[];
  /** The kind of text of every token; empty where a model knows one alone. */
  readonly token_types: readonly number[];
  /** Positions that prompt and generated tokens may fill together. */
  readonly capacity: number;
  readonly max_new_tokens: number;
}

export interface QueuedMessage {
  readonly type: "queued";
  readonly run: string;
  /** Runs ahead of this one. */
  readonly ahead: number;
}

/** Colour scales by kind of activation; `frozen` once the prompt has been read. */
export interface ScalesMessage {
  readonly type: "scales";
  readonly run: string;
  readonly scales: Readonly<Record<string, number>>;
  readonly frozen: boolean;
}

/** The prompt has been read: the distribution over what comes next. */
export interface PromptMessage {
  readonly type: "prompt";
  readonly run: string;
  readonly top: readonly Candidate[];
  readonly predictions: readonly Prediction[];
}

/** A token was chosen; `top` is the distribution that follows it, null while it has not been fed. */
export interface TokenMessage {
  readonly type: "token";
  readonly run: string;
  readonly step: number;
  readonly position: number;
  readonly token: Token;
  /** Under the model alone (temperature 1). */
  readonly probability: number;
  /** Under the sampling it was drawn from. */
  readonly sampled_probability: number;
  /** The distribution it was chosen from, under the model alone. */
  readonly top: readonly Candidate[];
}

/** The run waits: after the prompt, after `pause`, or after the steps asked for. `top` is what may come next. */
export interface PausedMessage {
  readonly type: "paused";
  readonly run: string;
  readonly top: readonly Candidate[];
}

export interface DoneMessage {
  readonly type: "done";
  readonly run: string;
  readonly reason: "complete" | "max_new_tokens" | "end_of_text" | "context" | "not_finite" | "cancelled";
  readonly top: readonly Candidate[];
  /** Of a beam search: the log-probability in nats, per token written, that decided between its texts. */
  readonly beam_score?: number | null;
}

export interface ErrorMessage {
  readonly type: "error";
  readonly request: string | null;
  readonly run: string | null;
  readonly error: ApiErrorBody["error"];
}

/** The server is there; said when nothing else has been for some seconds (`beat_seconds` of the capabilities). */
export interface BeatMessage {
  readonly type: "beat";
}

export type ServerMessage =
  | AcceptedMessage
  | QueuedMessage
  | ScalesMessage
  | PromptMessage
  | TokenMessage
  | PausedMessage
  | DoneMessage
  | ErrorMessage
  | BeatMessage;

// ---- frames ------------------------------------------------------------------------------------------------

/** Header of a binary frame. `rows`: new rows of an activation, from `offset` along its `pos` or `query_pos`
 *  axis. `tile`: 256 x 256 numbers of one plate, or fewer at its edges. `cells`: a rectangle of one plate in float32,
 *  whose `row` and `col` count cells. */
export interface FrameHeader {
  readonly v: 1;
  readonly type: "rows" | "tile" | "cells";
  readonly run: string | null;
  /** Of a difference: the run taken away. Plus infinity then stands where there is no partner. */
  readonly minus?: string;
  readonly model: string | null;
  readonly epoch: number;
  readonly seq: number;
  readonly name: string;
  /** The plate: indices along the leading axes; empty for `rows`, which carry all of them. */
  readonly index: readonly number[];
  readonly level: number;
  readonly row: number;
  readonly col: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly full_shape: readonly number[];
  /** Of tiles. */
  readonly pool?: Pool;
  /** `f32` for `cells`. */
  readonly dtype: "f16" | "f32";
  /** The numbers are the payload times this; 1 unless half precision could not hold them. */
  readonly scale: number;
  readonly step: number;
}

export interface Frame {
  readonly header: FrameHeader;
  /** Half floats as their bits, ready for a half-float texture. */
  readonly values: Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

/** Header of the file of thumbnails, framed as a frame is; half floats follow it. */
export interface ThumbnailsHeader {
  readonly v: 1;
  readonly type: "thumbnails";
  readonly model: string;
  /** The `v` of addresses of tiles, which are then cached for ever. */
  readonly fingerprint: string;
  readonly pool: Pool;
  readonly dtype: "f16";
  /** In the order of the graph; what is the same tensor under two names is listed under both. */
  readonly plates: readonly {
    readonly name: string;
    readonly index: readonly number[];
    /** Of the thumbnail: the plate's, divided by 2^level and rounded up. */
    readonly rows: number;
    readonly cols: number;
    readonly level: number;
    /** Bytes from the start of the half floats. */
    readonly offset: number;
    readonly scale: number;
  }[];
}

/** `GET /runs/{id}/pairing`: for each position that a run may fill the other run's that it is compared with. */
export interface Pairing {
  readonly run: string;
  readonly minus: string;
  readonly pairs: readonly (number | null)[];
  readonly source_pairs: readonly (number | null)[];
}

/** `GET …/stats`: of all numbers of a tensor. The first five are of the finite ones, null where there is none. */
export interface TensorStatistics {
  readonly name: string;
  readonly shape: readonly number[];
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly deviation: number | null;
  /** The 99.5th of |x|, exactly. */
  readonly percentile: number | null;
  /** The share of numbers that are zero. */
  readonly zeros: number;
  readonly nan: number;
  readonly infinite: number;
}
