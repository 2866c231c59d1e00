// Written by tools/contract.py (`make contract`) from the server's schemas: change those, not this file.

export type Combine = "sum" | "root" | "divisor" | "largest";

export type Direction = "backward" | "forward";

export type IndexExpression = Axis | Free | Constant | Pair | Lookup | Bucket;

export type ModelKind = "decoder" | "encoder" | "encoder_decoder";

export type OpKind =
  | "embed"
  | "add"
  | "mean"
  | "deviation"
  | "root_mean_square"
  | "normalize"
  | "affine"
  | "einsum"
  | "rotate"
  | "mask"
  | "maximum"
  | "sum_exponentials"
  | "softmax"
  | "activation"
  | "multiply";

export type Pool = "mean" | "max";

export type Reason = "complete" | "max_new_tokens" | "end_of_text" | "context" | "not_finite" | "cancelled";

export type Role = "weight" | "activation" | "probability" | "summary";

export type RunState = "queued" | "running" | "paused" | "done" | "failed";

/** A run has been made; `capacity` positions may be filled by prompt and generated tokens together. */
export interface AcceptedMessage {
  readonly type: "accepted";
  readonly request: string;
  readonly run: string;
  readonly model: string;
  readonly source: readonly Token[];
  readonly tokens: readonly Token[];
  /** the kind of text of every token; empty where a model knows one alone */
  readonly token_types: readonly number[];
  readonly capacity: number;
  readonly max_new_tokens: number;
}

/** Every frame up to this sequence number has been taken in. */
export interface AckMessage {
  readonly type: "ack";
  readonly seq: number;
}

/** A captured tensor. `derived` ones are recomputed when read. */
export interface Activation {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly axes: readonly string[];
  readonly role: Role;
  readonly derived: boolean;
}

/** Everything that can be read of a run, in the order in which it came to be. */
export interface Activations {
  readonly activations: readonly Activation[];
}

/** The index of an output axis: reading `pos` of the output's own position.
 *
 *  `divide` n reads at the index // n: heads that share keys read `head // (heads / kv_heads)`. */
export interface Axis {
  readonly axis: string;
  readonly divide: number;
}

/** The server is there; said when nothing else has been for `beat_seconds`. */
export interface BeatMessage {
  readonly type: "beat";
}

/** Two cells of a run side by side: their numbers, and where the difference comes from.
 *
 *  `pairs` are the terms that differ most, `rest` the others: together with `bias` they sum up to
 *  `result`, the numbers recomputed in float64. Terms are paired where both cells are sums of the same
 *  form; otherwise `pairs` is empty and `unpaired` says why. */
export interface Beside {
  readonly left: CellValue;
  readonly right: CellValue;
  readonly captured: Sides;
  readonly result: Sides | null;
  readonly bias: Sides | null;
  readonly pairs: readonly TermPair[];
  readonly rest: RestOfPairs | null;
  readonly unpaired: string | null;
}

/** T5's bucket of the distance key - query (Raffel et al. 2020, section 2.1; `_relative_position_bucket`).
 *
 *  Half of the buckets hold one distance each, the rest grow logarithmically up to `max_distance`; when
 *  `bidirectional`, half of all buckets are for keys that come later. */
export interface Bucket {
  readonly bucket: readonly [string, string];
  readonly buckets: number;
  readonly max_distance: number;
  readonly bidirectional: boolean;
}

/** End the run where it is; what it has computed stays readable. */
export interface CancelMessage {
  readonly type: "cancel";
  readonly run: string;
}

/** A token that may come next, under the model alone. */
export interface Candidate {
  readonly id: number;
  readonly text: string;
  readonly logit: number | null;
  readonly probability: number | null;
  /** the model's generation_config.json keeps it from being written */
  readonly forbidden: boolean;
}

/** What this server can do, and the bounds on what may be asked of it. */
export interface Capabilities {
  readonly version: string;
  readonly device: string;
  readonly dtype: string;
  /** cores that one stage of a run is computed on, as torch counts them */
  readonly threads: number;
  readonly default_model: string | null;
  readonly lenses: readonly string[];
  readonly formats: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly runs_held: number;
  readonly run_bytes: number;
}

/** One number: a cell of a tensor, and what stands in it (null: an infinity or not-a-number). */
export interface CellValue {
  readonly tensor: string;
  readonly index: readonly number[];
  readonly value: number | null;
}

/** A rectangle of one plate in float32; `row` and `col` count cells. */
export interface CellsHeader {
  readonly v: 1;
  readonly model: string;
  readonly epoch: number;
  readonly seq: number;
  readonly name: string;
  readonly index: readonly number[];
  readonly level: number;
  readonly row: number;
  readonly col: number;
  readonly offset: number;
  readonly full_shape: readonly number[];
  readonly step: number;
  readonly minus?: string;
  readonly dtype: "f16" | "f32";
  readonly shape: readonly number[];
  readonly scale: number;
  readonly type: "cells";
  readonly run: string | null;
}

/** Numbers to be printed: a rectangle of cells of one plate, sent as float32. */
export interface CellsWish {
  readonly run?: string | null;
  readonly name: string;
  readonly index?: readonly number[];
  readonly row: number;
  readonly col: number;
  readonly rows: number;
  readonly cols: number;
}

export type ClientMessage =
  | StartMessage
  | WantMessage
  | AckMessage
  | StepMessage
  | PauseMessage
  | CancelMessage;

/** Always the same index. */
export interface Constant {
  readonly constant: number;
}

/** The run is over; `top` is empty when the last token was not read again. */
export interface DoneMessage {
  readonly type: "done";
  readonly run: string;
  readonly reason: Reason;
  readonly top: readonly Candidate[];
  /** what decided between the texts of a beam search: the log-probability in nats, per token written */
  readonly beam_score: number | null;
}

/** Every answer that is not a success. */
export interface ErrorBody {
  readonly error: ErrorDetail;
}

/** What is wrong, and what to do. */
export interface ErrorDetail {
  readonly type: string;
  readonly message: string;
  readonly hint: string;
}

/** Something could not be done; the connection and everything else go on. */
export interface ErrorMessage {
  readonly type: "error";
  readonly request: string | null;
  readonly run: string | null;
  readonly error: ErrorDetail;
}

/** The operation that makes a tensor, in LaTeX and in words.
 *
 *  `latex` is the formula, `latex_values` the same with this cell's numbers in it, `term_latex` what one
 *  term is. In `latex_marked` every operand stands in `\operand{n}{…}`, n being the operand's `read`.
 *  `symbols` says which axis a letter stands for. `constants` are the operation's own: epsilon, scale,
 *  function. */
export interface ExplainedOperation {
  readonly kind: OpKind;
  readonly title: string;
  readonly equation: string;
  readonly latex: string;
  readonly latex_marked: string;
  readonly latex_values: string;
  readonly term_latex: string | null;
  readonly sentence: string;
  readonly symbols: Readonly<Record<string, string>>;
  readonly constants: Readonly<Record<string, number | string>>;
}

/** How the arithmetic of a cell is played.
 *
 *  Where there are `steps`, the input goes through them one after another. Otherwise the terms come
 *  together: `merging` says what becomes of a term's operands first (null: each is taken as it is), and
 *  `sign` stands between the operands of one term. */
export interface ExplainedPlayback {
  readonly merging: string | null;
  readonly sign: string;
  readonly steps: readonly ExplainedStep[];
}

/** One step of a cell whose number becomes another, step by step.
 *
 *  The operand whose `part` is `joins` comes in (null: none does), `sign` stands beside it, and the number
 *  `becomes` another (null: an infinity). `words` say it, without the number. */
export interface ExplainedStep {
  readonly joins: string | null;
  readonly sign: string;
  readonly becomes: number | null;
  readonly words: string;
}

/** One term: the cells it is made of, and what it comes to, scale and sign included. */
export interface ExplainedTerm {
  readonly operands: readonly CellValue[];
  readonly value: number | null;
}

/** One cell: the arithmetic that made it (`backward`), or the cells that it goes into (`forward`).
 *
 *  How the terms make the result, `combine`: `sum`: they add up to it, with `bias`; `root`: it is the root
 *  of their sum and epsilon; `divisor`: their sum divides it; `largest`: the first is it; null: the
 *  formula alone makes it. Terms come in order of size, `largest` ones in order of value; `rest` holds the
 *  others.
 *
 *  `captured` is what the run holds, `result` the same recomputed in float64 from the captured operands;
 *  `difference` is result - captured, and `agrees` whether it is at most `tolerance`. `masked` says why
 *  the cell is hidden, if it is; `changed` that an intervention made it what it is. A weight has no
 *  operation, but `lines`. */
export interface Explanation {
  readonly model: string;
  readonly run: string | null;
  readonly tensor: string;
  readonly stored_as: string;
  readonly role: Role;
  readonly index: readonly number[];
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly direction: Direction;
  readonly captured: number | null;
  readonly op: ExplainedOperation | null;
  readonly operands: readonly Operand[];
  readonly combine: Combine | null;
  readonly terms: readonly ExplainedTerm[];
  readonly rest: Rest | null;
  readonly playback: ExplainedPlayback | null;
  readonly bias: number | null;
  readonly scale: number | null;
  readonly result: number | null;
  readonly difference: number | null;
  readonly tolerance: number | null;
  readonly agrees: boolean | null;
  readonly masked: string | null;
  readonly changed: string | null;
  readonly lines: readonly Line[];
  readonly feeds: readonly Fed[];
  readonly feeds_left_out: number;
}

/** Cells of `tensor` that read the cell that was asked for, as `part` of the operation `kind`.
 *
 *  Without a run it is not known which tokens there are: `condition` then says for which of the cells it
 *  holds. */
export interface Fed {
  readonly tensor: string;
  readonly part: string;
  readonly kind: OpKind;
  readonly title: string;
  readonly axes: readonly string[];
  readonly start: readonly number[];
  readonly stop: readonly number[];
  readonly count: number;
  readonly condition: string | null;
}

export type FrameHeader = RowsHeader | TileHeader | CellsHeader;

/** A contracted axis: every index along it is read. */
export interface Free {
  readonly free: string;
}

/** A token that was chosen: its position, and how probable it was under the model and under the sampling. */
export interface GeneratedToken {
  readonly position: number;
  readonly token: Token;
  readonly probability: number | null;
  readonly sampled_probability: number | null;
}

/** All tensors and operations, in order, and the size of every axis. */
export interface Graph {
  readonly tensors: readonly GraphTensor[];
  readonly ops: readonly Op[];
  readonly sizes: Readonly<Record<string, number>>;
}

/** A tensor of a model's graph: what it is, and its sizes along `axes`.
 *
 *  Token axes have the context length, their upper bound. Tensors of one `kind` (all `W_Q`) share a colour
 *  scale. A tensor with `same_as` holds the very same numbers as that one, with its two axes swapped where
 *  `transposed`. `derived` ones are computed when asked for. `stack` is which of an encoder-decoder's it
 *  belongs to, `source_axes` are those of its axes that run along the source text. `learned` is false for
 *  tables that follow from a formula. */
export interface GraphTensor {
  readonly name: string;
  readonly role: Role;
  readonly axes: readonly string[];
  readonly kind: string;
  readonly layer: number | null;
  readonly same_as: string | null;
  readonly transposed: boolean;
  readonly derived: boolean;
  readonly stack: "encoder" | "decoder" | null;
  readonly source_axes: readonly string[];
  readonly learned: boolean;
  readonly shape: readonly number[];
}

/** The server is alive. */
export interface Health {
  readonly status: "ok";
  readonly version: string;
}

/** A change made while the model runs: the cells of `name` at `index` are set to, scaled by or added
 *  `value`. */
export interface Intervention {
  readonly name: string;
  readonly index?: string;
  readonly action: "set" | "scale" | "add";
  readonly value: number;
}

/** A change that was made while the model ran, as it was asked for. */
export interface InterventionAnswer {
  readonly name: string;
  readonly index: string;
  readonly action: "set" | "scale" | "add";
  readonly value: number;
}

/** A weight of a model's files that is not part of the map. */
export interface LeftOut {
  /** in the file */
  readonly name: string;
  readonly shape: readonly number[];
}

/** A lens: what it can be asked for here, how it is read and misread, and why it does not apply, if it
 *  does not. */
export interface LensInfo {
  readonly name: string;
  readonly title: string;
  readonly group: string;
  readonly applies: boolean;
  readonly reason: string | null;
  readonly reading: string;
  readonly misreadings: readonly string[];
  readonly parameters: readonly LensParameter[];
}

/** One thing that a lens can be asked for.
 *
 *  An `index` runs along an axis (`of`) of `size` entries, a `count` and a `number` lie from `least` to
 *  `most`, a `choice` is one of `choices`, a `token` is one of the vocabulary by its text or as `#id`;
 *  `empty` says what an empty one means. */
export interface LensParameter {
  readonly name: string;
  readonly title: string;
  readonly kind: "index" | "count" | "number" | "choice" | "token" | "text";
  readonly default: number | string;
  readonly of: string;
  readonly size: number;
  readonly least: number | null;
  readonly most: number | null;
  readonly choices: readonly string[];
  readonly empty: string;
}

/** Every lens. */
export interface Lenses {
  readonly lenses: readonly LensInfo[];
}

/** A lesson as the list of lessons shows it. */
export interface LessonInfo {
  readonly id: string;
  readonly course: string;
  readonly title: string;
  readonly lead: readonly ResolvedParagraph[];
  readonly minutes: number;
  readonly model: string;
  readonly kinds: readonly ModelKind[];
  readonly languages: readonly string[];
  /** steps that have no words in the language asked for */
  readonly untranslated: readonly string[];
  readonly steps: readonly StepInfo[];
}

/** A lesson that is left out, for its author. */
export interface LessonProblem {
  readonly file: string;
  readonly step: string | null;
  readonly field: string;
  readonly reason: string;
  readonly hint: string;
}

/** All lessons, course by course. */
export interface Lessons {
  readonly lessons: readonly LessonInfo[];
  readonly problems: readonly LessonProblem[];
}

/** The cells along one axis of a weight, through the cell that was asked for. */
export interface Line {
  readonly axis: string;
  readonly length: number;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly norm: number | null;
  readonly smallest: number | null;
  readonly largest: number | null;
}

/** An index that is itself a number read elsewhere: `token = tokens[pos]`. */
export interface Lookup {
  readonly lookup: string;
  readonly index: readonly Axis[];
}

/** A model with its spec and its card. */
export interface ModelDetail {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly kind: ModelKind;
  readonly parameters: number;
  readonly size_bytes: number;
  readonly loaded: boolean;
  readonly bundled: boolean;
  readonly has_tokenizer: boolean;
  /** why it reads token ids alone; empty where it has a tokenizer */
  readonly no_tokenizer: string;
  /** why it names no tokens and has no logits; empty where it has a language head */
  readonly no_head: string;
  readonly positions: number;
  /** of an encoder-decoder's source; 0 for all others */
  readonly source_positions: number;
  /** the token that hides another, of a model that fills in */
  readonly mask_id: number | null;
  readonly default_text: string;
  readonly default_new_tokens: number;
  /** what suits the model; null where it does not matter */
  readonly default_temperature: number | null;
  readonly spec: Spec;
  /** Markdown */
  readonly card: string | null;
  readonly prefix_ids: readonly number[];
  readonly suffix_ids: readonly number[];
  /** what an encoder-decoder's own text begins with */
  readonly start_ids: readonly number[];
  /** the token that ends a text, or a turn of a conversation */
  readonly end_of_text_id: number | null;
  /** every token after which writing stops */
  readonly end_ids: readonly number[];
  /** what the model's files say of its text and its writing and is not done here, each in a sentence */
  readonly not_obeyed: readonly string[];
  /** weights of its files that are not part of the map, such as a classifier's or a pooler's */
  readonly left_out: readonly LeftOut[];
  /** of its weights, once they are loaded; `v` of addresses of tiles */
  readonly fingerprint: string | null;
}

/** A model that can be run. */
export interface ModelSummary {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly kind: ModelKind;
  readonly parameters: number;
  readonly size_bytes: number;
  readonly loaded: boolean;
  readonly bundled: boolean;
  readonly has_tokenizer: boolean;
  /** why it reads token ids alone; empty where it has a tokenizer */
  readonly no_tokenizer: string;
  /** why it names no tokens and has no logits; empty where it has a language head */
  readonly no_head: string;
  readonly positions: number;
  /** of an encoder-decoder's source; 0 for all others */
  readonly source_positions: number;
  /** the token that hides another, of a model that fills in */
  readonly mask_id: number | null;
  readonly default_text: string;
  readonly default_new_tokens: number;
  /** what suits the model; null where it does not matter */
  readonly default_temperature: number | null;
}

/** Every model, the default one first. */
export interface Models {
  readonly models: readonly ModelSummary[];
}

/** A slice of a tensor. Values that are not finite are null, and counted. */
export interface Numbers {
  readonly name: string;
  readonly axes: readonly string[];
  readonly full_shape: readonly number[];
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly derived: boolean;
  readonly nan: number;
  readonly infinite: number;
  readonly values: unknown;
}

/** One operation: its kind, the tensor it makes, the cells it reads, and its constants. */
export interface Op {
  readonly kind: OpKind;
  readonly output: string;
  readonly reads: readonly Read[];
  readonly title: string;
  readonly equation: string;
  readonly layer: number | null;
  readonly constants: Readonly<Record<string, number | string>>;
  readonly stack: "encoder" | "decoder" | null;
}

/** What an operation reads of one tensor for one cell: the box of cells `start <= index < stop`.
 *
 *  `read` is its place among the operation's reads, in the graph and in `latex_marked`. `part` says what
 *  it is to the operation: `input`, `bias`, `gain`, `mean`, `scale`, `maximum`, `sum`, `row`, `partner`,
 *  `cosine`, `sine`. `index_text` prints the graph's index expressions. `stored_as` is the tensor whose
 *  numbers these are, where two names share them; `transposed` when its two axes are swapped. `values` are
 *  those of the box, row by row, where there are at most `terms` of them. */
export interface Operand {
  readonly read: number;
  readonly part: string;
  readonly tensor: string;
  readonly role: Role;
  readonly axes: readonly string[];
  readonly start: readonly number[];
  readonly stop: readonly number[];
  readonly count: number;
  readonly index_text: string;
  readonly stored_as: string;
  readonly transposed: boolean;
  readonly values: readonly (number | null)[] | null;
}

/** An operation of a model, its place among all of them in the order of computing, and the tensor that it
 *  makes.
 *
 *  The fields are those of an explained operation (`app/runs/explanation.py`), which also has a cell's
 *  numbers. */
export interface Operation {
  readonly number: number;
  readonly output: string;
  readonly kind: OpKind;
  readonly title: string;
  readonly equation: string;
  readonly latex: string;
  readonly latex_marked: string;
  readonly term_latex: string | null;
  readonly sentence: string;
  readonly symbols: Readonly<Record<string, string>>;
  readonly constants: Readonly<Record<string, number | string>>;
}

/** One operation, or all of one kind: the largest difference, absolute and relative to max(1, largest
 *  reference), and where it is. */
export interface OperationParity {
  readonly kind: OpKind;
  readonly output: string;
  readonly operations: number;
  readonly cells: number;
  readonly difference: number;
  readonly relative: number;
}

/** A stretch of a model's operations, and how many there are in all. */
export interface Operations {
  readonly ops: readonly Operation[];
  readonly count: number;
}

/** The partner of an index among the first `size`: i and i + size/2 (`half`), or 2i and 2i + 1
 *  (`interleaved`). */
export interface Pair {
  readonly pair: string;
  readonly size: number;
  readonly layout: "half" | "interleaved";
}

/** For each position that a run may fill, the other run's that it is compared with; null for none. */
export interface Pairing {
  readonly run: string;
  readonly minus: string;
  readonly pairs: readonly (number | null)[];
  readonly source_pairs: readonly (number | null)[];
}

/** A model against the float64 recomputation of its graph, operation by operation, on one fixed input.
 *
 *  Every operation is recomputed from its captured inputs, so that errors do not add up along the way.
 *  `not_finite` names the tensors whose infinities or not-a-numbers differ from the reference. */
export interface Parity {
  readonly model: string;
  readonly dtype: string;
  readonly device: string;
  readonly text: string | null;
  readonly tokens: readonly number[];
  readonly source_tokens: readonly number[];
  readonly operations: number;
  readonly cells: number;
  readonly difference: number;
  readonly relative: number;
  readonly worst: OperationParity | null;
  readonly kinds: readonly OperationParity[];
  readonly not_finite: readonly string[];
  readonly seconds: number;
}

/** A report that is not done yet: how many operations have been compared, of how many. */
export interface ParityProgress {
  readonly model: string;
  readonly state: "computing";
  readonly done: number;
  readonly operations: number;
}

/** Stop after the token in progress. */
export interface PauseMessage {
  readonly type: "pause";
  readonly run: string;
}

/** The run waits; `top` is what may come next. */
export interface PausedMessage {
  readonly type: "paused";
  readonly run: string;
  readonly top: readonly Candidate[];
}

/** Cells of a tensor: an index for each axis, null for all along it; a part of the model has no indices. */
export interface Place {
  readonly tensor: string;
  readonly index: readonly (number | null)[];
}

/** The run that a step looks at, and whether to show its difference to the run without interventions. */
export interface Plan {
  readonly run: PlannedRun;
  /** the interventions follow from the run without them: ask again with that run */
  readonly undecided: boolean;
  readonly minus: boolean;
}

/** An intervention, as `POST /runs` takes it. */
export interface PlannedChange {
  readonly name: string;
  readonly index: string;
  readonly action: "set" | "scale" | "add";
  readonly value: number;
}

/** A run as `POST /runs` and the stream's `start` take it; of `sampling` only what differs from the
 *  defaults. */
export interface PlannedRun {
  readonly model: string;
  readonly text: string | null;
  readonly tokens: readonly number[] | null;
  readonly text_pair: string | null;
  readonly max_new_tokens: number;
  readonly sampling: Readonly<Record<string, number>>;
  readonly interventions: readonly PlannedChange[];
}

/** One plate in a file of thumbnails.
 *
 *  `rows` and `cols` are the thumbnail's: the plate's, divided by 2^level and rounded up. `offset` counts
 *  bytes from the start of the payload; the numbers are the payload times `scale`. */
export interface PlateThumbnail {
  readonly name: string;
  readonly index: readonly number[];
  readonly rows: number;
  readonly cols: number;
  readonly level: number;
  readonly offset: number;
  readonly scale: number;
}

/** What an encoder would put at a masked position. */
export interface Prediction {
  readonly position: number;
  readonly top: readonly Candidate[];
}

/** The prompt has been read: what may come next. */
export interface PromptMessage {
  readonly type: "prompt";
  readonly run: string;
  readonly top: readonly Candidate[];
  readonly predictions: readonly Prediction[];
}

/** A model that this server can get for itself, and how far that is. */
export interface Pull {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly licence: string;
  /** what is fetched */
  readonly size_bytes: number;
  readonly state: "offered" | "pulling" | "done" | "failed";
  readonly doing: string;
  readonly bytes: number;
  readonly total: number;
  /** what went wrong */
  readonly message: string;
  readonly hint: string;
}

/** Which model to get. */
export interface PullQuestion {
  readonly id: string;
}

/** Every model that can be pulled. */
export interface Pulls {
  readonly pulls: readonly Pull[];
}

/** A run takes turns with `ahead` others. */
export interface QueuedMessage {
  readonly type: "queued";
  readonly run: string;
  readonly ahead: number;
}

/** One tensor read by an operation: what it is to the operation, and at which cells.
 *
 *  `where` says for which output cells anything is read: comparisons joined by ` and `, each one of `axis
 *  <= axis`, `axis > axis - N`, `axis < N`. */
export interface Read {
  readonly tensor: string;
  readonly index: readonly IndexExpression[];
  readonly part: string;
  readonly where: string | null;
}

/** T5's learned bias per head and bucket of distance (Raffel et al. 2020, section 2.1). */
export interface Relative {
  readonly buckets: number;
  readonly max_distance: number;
}

/** A question, and its key. */
export interface ResolvedCheck {
  readonly kind: "number" | "token" | "choice" | "true-or-false" | "cell";
  readonly words: readonly ResolvedParagraph[];
  readonly key: number;
  readonly within: number;
  readonly choices: readonly ResolvedParagraph[];
  readonly offered: readonly number[];
  readonly labels: readonly string[];
  readonly row: Place | null;
}

/** What ends the step when the reader has done it. */
export interface ResolvedDo {
  readonly words: readonly ResolvedParagraph[];
  readonly selected: Place | null;
  readonly hovered: Place | null;
  readonly zoomed_to: Place | null;
  readonly panel: string | null;
  readonly wrote: number | null;
  readonly changed_text: boolean;
  readonly played: "pass" | "cell" | null;
  readonly column: boolean;
}

/** A question that readers ask, and its answer. */
export interface ResolvedFaq {
  readonly question: string;
  readonly answer: readonly ResolvedParagraph[];
}

/** A lens with the parameters to ask it with. */
export interface ResolvedLens {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A moment on the timeline. */
export interface ResolvedMoment {
  readonly track: "pass" | "cell";
  readonly at: Place | null;
  readonly progress: number;
  readonly play: boolean;
}

/** A paragraph, or an item of a list. */
export interface ResolvedParagraph {
  readonly spans: readonly ResolvedSpan[];
  readonly item: boolean;
}

/** A guess and the truth that the run holds; `shares` are the probabilities of `offered`. */
export interface ResolvedPredict {
  readonly kind: "token" | "number" | "cell" | "order";
  readonly words: readonly ResolvedParagraph[];
  readonly truth: readonly number[];
  readonly offered: readonly number[];
  readonly labels: readonly string[];
  readonly row: Place | null;
  readonly shares: readonly number[];
  readonly low: number;
  readonly high: number;
}

/** What a step shows; null is as the step before left it. */
export interface ResolvedSee {
  readonly home: boolean;
  readonly camera: Place | null;
  readonly select: Place | null;
  readonly panel: string | null;
  readonly lens: ResolvedLens | null;
  readonly column: number | null;
  readonly moment: ResolvedMoment | null;
  /** beginnings of the names of tensors that are not dimmed */
  readonly only: readonly string[] | null;
  readonly heads: "fan" | "stack" | "board" | null;
}

/** A piece of a paragraph; a live `number` has its value and its format, or is words in `text`. */
export interface ResolvedSpan {
  readonly kind: "text" | "emphasis" | "code" | "formula" | "number" | "words";
  readonly text: string;
  readonly number: number | null;
  /** decimals, % or %1, token, words, plain; empty: as the page sees fit */
  readonly format: string;
  readonly place: Place | null;
}

/** A step of a lesson, resolved for one run. A step that does not apply says why and has nothing else. */
export interface ResolvedStep {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  readonly covers: readonly string[];
  readonly applies: boolean;
  readonly reason: string | null;
  readonly body: readonly ResolvedParagraph[];
  readonly see: ResolvedSee | null;
  readonly predict: ResolvedPredict | null;
  readonly do: ResolvedDo | null;
  readonly check: ResolvedCheck | null;
  readonly hints: readonly (readonly ResolvedParagraph[])[];
  readonly faq: readonly ResolvedFaq[];
}

/** The terms that are not listed: how many, and their sum. */
export interface Rest {
  readonly count: number;
  readonly sum: number | null;
}

/** The pairs that are not listed: how many, and what they sum up to on either side. */
export interface RestOfPairs {
  readonly count: number;
  readonly left: number | null;
  readonly right: number | null;
  readonly difference: number | null;
}

/** Rotary positions (Su et al. 2021, eq. 34): which dimensions turn, how fast, and what stretches them.
 *
 *  The first `dims` of a head's dimensions turn in pairs; `pairs` says whether dimension i goes with i +
 *  dims/2 (`half`, Hugging Face's order) or with its neighbour (`interleaved`, the paper's). `factor` and
 *  the fields after it belong to the scaling kinds: `linear` divides every frequency, `llama3` only the
 *  slow ones, `yarn` (Peng et al. 2023, section 3) interpolates between the two, `dynamic` changes nothing
 *  within `original`. */
export interface Rotary {
  readonly dims: number;
  readonly base: number;
  readonly pairs: "half" | "interleaved";
  readonly scaling: "none" | "linear" | "dynamic" | "llama3" | "yarn";
  readonly factor: number;
  readonly original: number;
  readonly low_frequency: number;
  readonly high_frequency: number;
  readonly beta_fast: number;
  readonly beta_slow: number;
  readonly attention_factor: number;
}

/** Rows of an activation: `shape` of them, from `offset` along its `pos` or `query_pos` axis.
 *
 *  `index` is empty, for rows carry all plates. The numbers are the payload times `scale`, which is 1
 *  unless half precision could not hold them. `minus` is there only of a difference: the run that is taken
 *  away; plus infinity then stands where there is no partner. */
export interface RowsHeader {
  readonly v: 1;
  readonly model: string;
  readonly epoch: number;
  readonly seq: number;
  readonly name: string;
  readonly index: readonly number[];
  readonly level: number;
  readonly row: number;
  readonly col: number;
  readonly offset: number;
  readonly full_shape: readonly number[];
  readonly step: number;
  readonly minus?: string;
  readonly dtype: "f16" | "f32";
  readonly shape: readonly number[];
  readonly scale: number;
  readonly type: "rows";
  readonly run: string;
}

/** A run: where it stands, what it read and wrote, what comes next, and what can be read of it. */
export interface RunAnswer {
  readonly id: string;
  readonly model: string;
  readonly state: RunState;
  readonly reason: Reason | null;
  readonly prompt_length: number;
  readonly capacity: number;
  /** what the encoder of an encoder-decoder read */
  readonly source: readonly Token[];
  readonly tokens: readonly Token[];
  /** the kind of text of every token; empty where a model knows one alone */
  readonly token_types: readonly number[];
  readonly generated: readonly GeneratedToken[];
  readonly top: readonly Candidate[];
  /** what an encoder would put at each masked position */
  readonly predictions: readonly Prediction[];
  /** what was changed while the model ran */
  readonly interventions: readonly InterventionAnswer[];
  readonly activations: readonly Activation[];
  /** what decided between the texts of a beam search: the log-probability in nats, per token written */
  readonly beam_score: number | null;
  /** the first tensor with a not-a-number, if any */
  readonly first_non_finite: string | null;
  readonly bytes: number;
}

/** A run to make. Either `text`, which gets the model's prefix, or `tokens`, which are taken as they are.
 *
 *  An encoder-decoder reads them as its source; `target_tokens` are what its own text begins with. */
export interface RunQuestion {
  readonly model: string;
  readonly text?: string | null;
  readonly tokens?: readonly number[] | null;
  /** a second text, read together with `text` */
  readonly text_pair?: string | null;
  /** the kind of each of `tokens`: 0, 1 and so on */
  readonly token_types?: readonly number[] | null;
  readonly target_tokens?: readonly number[] | null;
  readonly max_new_tokens?: number;
  readonly sampling?: Sampling;
  readonly interventions?: readonly Intervention[];
  readonly capture?: "all";
  readonly wait?: boolean;
}

/** How the next token is chosen. Temperature 0 is greedy, as is any below 0.000001.
 *
 *  `top_k` 0 and `top_p` 1 keep every token.
 *
 *  More than one of `beams` writes the text with the highest log-probability per token that so many beams
 *  find, whatever the rest says; a model's own length penalty changes the "per token". */
export interface Sampling {
  readonly temperature?: number;
  readonly top_k?: number;
  readonly top_p?: number;
  readonly seed?: number;
  readonly beams?: number;
}

/** Colour scales by kind of tensor, or by tensor: the 99.5th percentile of |x|, from evenly spaced
 *  samples. */
export interface Scales {
  readonly scales: Readonly<Record<string, number>>;
}

/** Colour scales by kind of activation; `frozen` once the prompt has been read. */
export interface ScalesMessage {
  readonly type: "scales";
  readonly run: string;
  readonly scales: Readonly<Record<string, number>>;
  readonly frozen: boolean;
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

/** A number of one cell, the same of another, and the first less the second. */
export interface Sides {
  readonly left: number | null;
  readonly right: number | null;
  readonly difference: number | null;
}

/** Sizes and choices of a transformer. The defaults are GPT-2's.
 *
 *  Every size counts cells along the axis of the same name: `d_model` numbers make one residual vector.
 *  `positions` is the context length, the most tokens that can be read at once; `source_positions` is that
 *  of an encoder-decoder's source. `layers` are the decoder's (or the only stack's), `encoder_layers` the
 *  encoder's of an encoder-decoder.
 *
 *  Norms: `norm` layer (with mean and bias) or rms (neither); `norm_bias` false drops a layer norm's bias;
 *  `norm_offset` is added to every gain (Gemma: 1); `norm_place` before or after each sub-layer;
 *  `final_norm` after the last block; `embedding_norm` right after the embeddings (BERT); `query_key_norm`
 *  an RMS norm of each head's queries and keys (Qwen3).
 *
 *  Attention: `kv_heads` keys and values are shared by `heads / kv_heads` queries each; `attention_scale`
 *  multiplies the scores (None: 1 / sqrt(d_head)), and with `scale_by_layer` a block's scores are also
 *  divided by its number, counted from one; `window` is how far back a query may look (0: all the way), in
 *  the layers `windowed` (empty: all).
 *
 *  MLP: `gated` multiplies the activation by a second linear map. `parallel` blocks add attention and MLP
 *  to the same residual vector; with `shared_norm` both read one norm.
 *
 *  Output: `head_transform` puts a dense layer, the activation and a norm before the unembedding (BERT);
 *  `unembed_bias` and `unembed_scale` apply to the logits. Without a `head` there are no logits: the model
 *  is a body whose last hidden states another head reads, one that is not drawn here (a classifier, or
 *  none). */
export interface Spec {
  readonly layers: number;
  readonly heads: number;
  readonly d_model: number;
  readonly d_head: number;
  readonly d_mlp: number;
  readonly d_vocab: number;
  readonly positions: number;
  readonly activation: "gelu_new" | "gelu" | "relu" | "silu";
  readonly norm_epsilon: number;
  readonly tied: boolean;
  readonly kind: ModelKind;
  readonly encoder_layers: number;
  readonly source_positions: number;
  readonly kv_heads: number;
  readonly norm: "layer" | "rms";
  readonly norm_place: "pre" | "post";
  readonly norm_bias: boolean;
  readonly norm_offset: number;
  readonly final_norm: boolean;
  readonly embedding_norm: boolean;
  readonly query_key_norm: boolean;
  readonly position_kind: "learned" | "sinusoidal" | "rotary" | "relative";
  readonly sinusoid_pairs: "concatenated" | "interleaved";
  readonly rotary: Rotary | null;
  readonly relative: Relative | null;
  readonly embedding_scale: number;
  readonly token_types: number;
  readonly qkv_bias: boolean;
  readonly attention_bias: boolean;
  readonly mlp_bias: boolean;
  readonly attention_scale: number | null;
  readonly scale_by_layer: boolean;
  readonly window: number;
  readonly windowed: readonly number[];
  readonly gated: boolean;
  readonly parallel: boolean;
  readonly shared_norm: boolean;
  readonly head_transform: boolean;
  readonly unembed_bias: boolean;
  readonly unembed_scale: number;
  readonly head: boolean;
}

/** Start a run. It reads the prompt, then waits for `step`, or goes on writing at once if `write`. */
export interface StartMessage {
  readonly model: string;
  readonly text?: string | null;
  readonly tokens?: readonly number[] | null;
  /** a second text, read together with `text` */
  readonly text_pair?: string | null;
  /** the kind of each of `tokens`: 0, 1 and so on */
  readonly token_types?: readonly number[] | null;
  readonly target_tokens?: readonly number[] | null;
  readonly max_new_tokens?: number;
  readonly sampling?: Sampling;
  readonly interventions?: readonly Intervention[];
  readonly capture?: "all";
  readonly type: "start";
  readonly request: string;
  readonly write?: boolean;
}

/** A step as the table of contents lists it. */
export interface StepInfo {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  readonly covers: readonly string[];
}

/** Write `count` more tokens, or until stopped when null. */
export interface StepMessage {
  readonly type: "step";
  readonly run: string;
  readonly count?: number | null;
  readonly sampling?: Sampling | null;
}

/** Of all numbers of a tensor; the first five are of the finite ones, and null where there is none. */
export interface TensorStatistics {
  readonly name: string;
  readonly shape: readonly number[];
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly deviation: number | null;
  /** the 99.5th percentile of |x|, exactly */
  readonly percentile: number | null;
  /** the share of numbers that are zero */
  readonly zeros: number;
  readonly nan: number;
  readonly infinite: number;
}

/** A term of one cell and the term that stands in its place in another. */
export interface TermPair {
  readonly left: ExplainedTerm;
  readonly right: ExplainedTerm;
  readonly difference: number | null;
}

/** What a file of thumbnails begins with; half floats follow.
 *
 *  `fingerprint` is the `v` of addresses of tiles, which are then cached for ever. `plates` come in the
 *  order of the graph; what is the same tensor under two names is listed under both. */
export interface ThumbnailsHeader {
  readonly v: 1;
  readonly type: "thumbnails";
  readonly model: string;
  readonly fingerprint: string;
  readonly pool: Pool;
  readonly dtype: "f16";
  readonly plates: readonly PlateThumbnail[];
}

/** A tile of one plate, of a weight (`run` is null) or of an activation: at most 256 x 256 pooled numbers.
 *
 *  `index` is the plate among the leading axes; `row` and `col` count tiles of that `level`. */
export interface TileHeader {
  readonly v: 1;
  readonly model: string;
  readonly epoch: number;
  readonly seq: number;
  readonly name: string;
  readonly index: readonly number[];
  readonly level: number;
  readonly row: number;
  readonly col: number;
  readonly offset: number;
  readonly full_shape: readonly number[];
  readonly step: number;
  readonly minus?: string;
  readonly dtype: "f16" | "f32";
  readonly shape: readonly number[];
  readonly scale: number;
  readonly type: "tile";
  readonly run: string | null;
  readonly pool: Pool;
}

/** A tile of one plate: of a weight of the wish's `model`, or of an activation of `run`. */
export interface TileWish {
  readonly run?: string | null;
  readonly name: string;
  readonly index?: readonly number[];
  readonly level?: number;
  readonly pool?: Pool;
  readonly row: number;
  readonly col: number;
}

/** A token: its id, how it prints, and its byte offsets in the UTF-8 text. */
export interface Token {
  readonly id: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A token was chosen; `top` is the distribution it was chosen from, under the model alone. */
export interface TokenMessage {
  readonly type: "token";
  readonly run: string;
  readonly step: number;
  readonly position: number;
  readonly token: Token;
  readonly probability: number | null;
  readonly sampled_probability: number | null;
  readonly top: readonly Candidate[];
}

/** Text to split. */
export interface TokenizeQuestion {
  readonly text: string;
}

/** Text as the model reads it, its prefix included. */
export interface Tokens {
  readonly tokens: readonly Token[];
}

/** Everything this page wants to see now, most wanted first; replaces the wish of an earlier epoch. */
export interface WantMessage {
  readonly type: "want";
  readonly epoch: number;
  readonly run?: string | null;
  readonly activations?: readonly string[];
  readonly resend?: readonly string[];
  /** another run: everything of `run` comes less that run's */
  readonly minus?: string | null;
  readonly model?: string | null;
  readonly tiles?: readonly TileWish[];
  readonly cells?: readonly CellsWish[];
}

/** Bounds on what the server takes, by shape and field. Whole numbers have inclusive bounds alone;
 *  `exclusiveMinimum` and `exclusiveMaximum` are of real numbers. */
export const BOUNDS = {
  AckMessage: {
    seq: { minimum: 0, maximum: 9007199254740991 },
  },
  CancelMessage: {
    run: { maxLength: 200 },
  },
  CellsWish: {
    run: { maxLength: 200 },
    name: { maxLength: 200 },
    index: { maxItems: 4 },
    row: { minimum: 0, maximum: 2147483647 },
    col: { minimum: 0, maximum: 2147483647 },
    rows: { minimum: 1, maximum: 64 },
    cols: { minimum: 1, maximum: 64 },
  },
  Intervention: {
    name: { maxLength: 200 },
    index: { maxLength: 400 },
  },
  PauseMessage: {
    run: { maxLength: 200 },
  },
  PullQuestion: {
    id: { maxLength: 200 },
  },
  RunQuestion: {
    model: { maxLength: 200 },
    tokens: { items: { minimum: 0, maximum: 2147483647 } },
    token_types: { items: { minimum: 0, maximum: 2147483647 } },
    target_tokens: { items: { minimum: 0, maximum: 2147483647 } },
    max_new_tokens: { minimum: 0, maximum: 2147483647 },
  },
  Sampling: {
    temperature: { minimum: 0, maximum: 100 },
    top_k: { minimum: 0, maximum: 2147483647 },
    top_p: { exclusiveMinimum: 0, maximum: 1 },
    seed: { minimum: 0, maximum: 9007199254740991 },
    beams: { minimum: 1, maximum: 16 },
  },
  StartMessage: {
    model: { maxLength: 200 },
    tokens: { items: { minimum: 0, maximum: 2147483647 } },
    token_types: { items: { minimum: 0, maximum: 2147483647 } },
    target_tokens: { items: { minimum: 0, maximum: 2147483647 } },
    max_new_tokens: { minimum: 0, maximum: 2147483647 },
    request: { maxLength: 200 },
  },
  StepMessage: {
    run: { maxLength: 200 },
    count: { minimum: 1, maximum: 2147483647 },
  },
  TileWish: {
    run: { maxLength: 200 },
    name: { maxLength: 200 },
    index: { maxItems: 4 },
    level: { minimum: 0, maximum: 32 },
    row: { minimum: 0, maximum: 2147483647 },
    col: { minimum: 0, maximum: 2147483647 },
  },
  WantMessage: {
    epoch: { minimum: 0, maximum: 9007199254740991 },
    run: { maxLength: 200 },
    activations: { items: { maxLength: 200 } },
    resend: { items: { maxLength: 200 } },
    minus: { maxLength: 200 },
    model: { maxLength: 200 },
  },
} as const;
