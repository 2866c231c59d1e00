/** A cell as text to take elsewhere: its value, a call, a few lines of Python, and the same in TransformerLens. */

import { findTensor } from "../../graph/shape";
import type { Graph, TensorInfo } from "../../graph/types";
import { explainAddress, type Place } from "../../net/explain";
import type { Cell } from "../../state/store";

export interface Snippet {
  readonly name: string;
  readonly text: string;
}

/** What the snippets need to know beside the cell. */
export interface CopyContext {
  /** `http://host:port`, where this page came from. */
  readonly origin: string;
  readonly model: string;
  /** Whether its files lie in the atlas's own `models` folder. */
  readonly bundled: boolean;
  /** `decoder`, `encoder` or `encoder_decoder`. */
  readonly kind: string;
  readonly graph: Graph;
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

/** The row that the cell stands in, and the cell of it: a whole tensor may be hundreds of megabytes. */
function python(cell: Cell, { origin, place, model, info }: CopyContext): string {
  const from = info.role === "weight" ? `models/${model}/weights` : `runs/${place.id}/activations`;
  const row = [...cell.index.slice(0, -1), ":"].join(",");
  return [
    "import io, urllib.request",
    "import numpy as np",
    "",
    `url = "${origin}/api/v1/${from}/${cell.tensor}?index=${row}&format=npy"`,
    "row = np.load(io.BytesIO(urllib.request.urlopen(url).read()))",
    `print(row[${cell.index.at(-1)}])  # ${cell.tensor}[${cell.index.join(", ")}]: ${info.axes.join(", ")}`,
  ].join("\n");
}

// ---- TransformerLens -------------------------------------------------------------------------------------------

/** Names that TransformerLens 4 does not have: ours say more of a norm and of a softmax than it does. */
const OURS = /\.hook_(mean|max|sum|attn_scores_raw|gate|resid_sum)$|^rotary_(cos|sin)$/;
/** Of encoders it knows nothing before and after the blocks, */
const OURS_OF_ENCODERS =
  /^(ln_embed|mlm_head)\.|^W_token_type$|^hook_(token_type_embed|embed_sum)$|\.hook_result$/;
/** and by these names it means other numbers than the model's own description: behind a norm, before a scale. */
const OTHERWISE_OF_ENCODERS = /^hook_embed$|\.hook_(attn_scores|attn_out|resid_mid)$/;

function transformerLens(cell: Cell, { model, bundled, kind, graph, info, tokens }: CopyContext): string {
  const { tensor } = cell;
  const none = withoutTransformerLens(tensor, kind, graph);
  if (none) return `# ${none} The Python lines above bring the number.`;
  const load = [
    "import torch",
    "from transformer_lens.model_bridge import TransformerBridge",
    "",
    bundled
      ? `model = TransformerBridge.boot_transformers("models/${model}")  # in the atlas's own folder`
      : `model = TransformerBridge.boot_transformers("${model}")  # the model's folder or its name on the hub`,
    "model.enable_compatibility_mode(no_processing=True)  # nothing folded, nothing centred",
  ];
  if (info.role === "weight")
    return [...load, `print(${weightPath(tensor)}[${cell.index.join(", ")}].item())`].join("\n");
  const read = [...load, `tokens = torch.tensor([[${tokens.join(", ")}]])`];
  const at = cell.index.join(", ");
  if (tensor === "logits") return [...read, `print(model(tokens)[0, ${at}].item())`].join("\n");
  if (tensor === "probabilities")
    return [...read, `print(model(tokens).softmax(-1)[0, ${at}].item())`].join("\n");
  const result = tensor.endsWith(".hook_result") ? ["model.set_use_attn_result(True)"] : [];
  const [where, axes] = placeInCache(cell, info);
  return [
    ...read,
    ...result,
    "_, cache = model.run_with_cache(tokens)",
    `print(cache["${tensor}"][0, ${where}].item())  # ${axes}`,
  ].join("\n");
}

/** Why TransformerLens cannot give the number of a tensor; null where it can. */
function withoutTransformerLens(tensor: string, kind: string, graph: Graph): string | null {
  if (kind === "encoder_decoder")
    return "TransformerLens names the parts of models with an encoder and a decoder in another way.";
  const nothing = `TransformerLens has no name for ${tensor}.`;
  if (OURS.test(tensor)) return nothing;
  // A parallel block with two norms is GPT-NeoX's, whose turned queries and keys it does not show.
  const parallel = findTensor(graph, "blocks.0.ln2.w") && !findTensor(graph, "blocks.0.hook_resid_mid");
  if (parallel && /\.hook_rot_[qk]$/.test(tensor)) return nothing;
  if (kind !== "encoder") return null;
  if (OURS_OF_ENCODERS.test(tensor)) return nothing;
  return OTHERWISE_OF_ENCODERS.test(tensor) ? `By ${tensor} TransformerLens means other numbers.` : null;
}

/** Where a cell is in TransformerLens's cache, behind the batch: a scale keeps its last axis, of length one, and norms
 *  of queries and keys have the heads first. */
function placeInCache({ tensor, index }: Cell, { axes }: TensorInfo): readonly [string, string] {
  const swapped = /\.[qk]_norm\./.test(tensor);
  const order = axes.map((_, at) => (swapped && at < 2 ? 1 - at : at));
  const scale = tensor.endsWith("hook_scale");
  return [
    [...order.map((at) => index[at]), ...(scale ? [0] : [])].join(", "),
    ["batch", ...order.map((at) => axes[at]), ...(scale ? ["1"] : [])].join(", "),
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
