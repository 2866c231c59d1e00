/** A cell as text to take elsewhere: its value, a call, a few lines of Python, and the same in TransformerLens. */

import type { TensorInfo } from "../graph/types";
import { explainAddress, type Place } from "../net/explain";
import type { Cell } from "../state";

export interface Snippet {
  readonly name: string;
  readonly text: string;
}

/** What the snippets need to know beside the cell. */
export interface CopyContext {
  /** `http://host:port`, where this page came from. */
  readonly origin: string;
  readonly model: string;
  /** Of a bundled model, where its files are; of others null: TransformerLens then knows it by its name. */
  readonly bundled: boolean;
  readonly place: Place;
  readonly info: TensorInfo;
  readonly value: number | null;
  /** Ids of the tokens that were read. */
  readonly tokens: readonly number[];
}

export function snippets(cell: Cell, context: CopyContext): readonly Snippet[] {
  return [
    { name: "Value", text: context.value === null ? "" : String(context.value) },
    { name: "curl", text: curl(cell, context) },
    { name: "Python", text: python(cell, context) },
    { name: "TransformerLens", text: transformerLens(cell, context) },
  ];
}

function curl(cell: Cell, { origin, place }: CopyContext): string {
  return `curl '${origin}${explainAddress(place, cell.tensor, cell.index, "backward")}'`;
}

function python(cell: Cell, { origin, place, model, info }: CopyContext): string {
  const from = info.role === "weight" ? `models/${model}/weights` : `runs/${place.id}/activations`;
  return [
    "import io, urllib.request",
    "import numpy as np",
    "",
    `url = "${origin}/api/v1/${from}/${cell.tensor}?format=npy"`,
    `${letterOf(cell.tensor)} = np.load(io.BytesIO(urllib.request.urlopen(url).read()))`,
    `print(${letterOf(cell.tensor)}[${cell.index.join(", ")}])  # ${info.axes.join(", ")}`,
  ].join("\n");
}

/** A Python name for a tensor. */
const letterOf = (tensor: string): string =>
  tensor
    .split(".")
    .at(-1)!
    .replace(/^hook_/, "");

/** Names that TransformerLens does not have: ours say more of a norm and of a softmax than it does. */
const OURS = /\.hook_(mean|out|max|sum|attn_scores_raw|gate|resid_sum)$|^rotary_|^hook_embed_sum$/;

function transformerLens(cell: Cell, { model, bundled, info, tokens }: CopyContext): string {
  if (OURS.test(cell.tensor) || /^(mlm_head|encoder|decoder)\./.test(cell.tensor))
    return `# TransformerLens has no name for ${cell.tensor}.`;
  const index = cell.index.join(", ");
  const load = bundled ? loadBundled(model) : loadNamed(model);
  if (info.role === "weight") return [...load, "", `print(${weightPath(cell.tensor)}[${index}])`].join("\n");
  const read = [...load, "", `tokens = torch.tensor([[${tokens.join(", ")}]])`];
  if (cell.tensor === "logits") return [...read, `print(model(tokens)[0, ${index}])`].join("\n");
  if (cell.tensor === "probabilities")
    return [...read, `print(model(tokens).softmax(-1)[0, ${index}])`].join("\n");
  const result = cell.tensor.endsWith(".hook_result") ? ["model.set_use_attn_result(True)"] : [];
  // TransformerLens keeps a scale's last axis, of length one.
  const last = cell.tensor.endsWith("hook_scale") ? `${index}, 0` : index;
  return [
    ...read,
    ...result,
    "_, cache = model.run_with_cache(tokens)",
    `print(cache["${cell.tensor}"][0, ${last}])  # batch, ${info.axes.join(", ")}`,
  ].join("\n");
}

function loadNamed(model: string): readonly string[] {
  return [
    "import torch",
    "from transformer_lens import HookedTransformer",
    "",
    `model = HookedTransformer.from_pretrained_no_processing("${model}")`,
  ];
}

/** TransformerLens knows no bundled model by name, but it can be told its sizes and given its weights. */
function loadBundled(model: string): readonly string[] {
  return [
    "import torch",
    "from transformers import GPT2LMHeadModel",
    "from transformer_lens import HookedTransformer, HookedTransformerConfig",
    "from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights",
    "",
    `hf = GPT2LMHeadModel.from_pretrained("models/${model}")  # in the atlas's own folder`,
    "c = hf.config",
    "cfg = HookedTransformerConfig(",
    "    n_layers=c.n_layer, n_heads=c.n_head, d_model=c.n_embd, d_head=c.n_embd // c.n_head, d_mlp=c.n_inner,",
    '    n_ctx=c.n_positions, d_vocab=c.vocab_size, act_fn="gelu_new", eps=c.layer_norm_epsilon,',
    '    normalization_type="LN")',
    "model = HookedTransformer(cfg)",
    "model.load_and_process_state_dict(  # as they are: nothing folded, nothing centred",
    "    convert_gpt2_weights(hf, cfg), fold_ln=False, center_writing_weights=False, center_unembed=False,",
    "    fold_value_biases=False)",
  ];
}

/** `model.blocks[0].attn.W_Q`. */
function weightPath(tensor: string): string {
  const path = tensor.replace(/^blocks\.(\d+)\./, "blocks[$1].");
  if (path === "W_U" || path === "b_U") return `model.unembed.${path}`;
  if (path === "W_E") return "model.embed.W_E";
  if (path === "W_pos") return "model.pos_embed.W_pos";
  return `model.${path}`;
}
