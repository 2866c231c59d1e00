/** Maps learners' words to places of the page: tensors of the map, lenses, the writer's fields. */

import type { Graph, TensorInfo } from "../graph/types";
import { importanceOf, labelOf } from "../layout/labels";
import { plainName, sentence } from "../layout/plain-names";
import type { Find } from "./types";

type Place =
  | { readonly tensors: (tensor: TensorInfo) => boolean }
  | { readonly lens: string; readonly title: string }
  | { readonly field: string; readonly title: string };

interface Entry {
  readonly asked: readonly string[];
  readonly places: readonly Place[];
  /** One line of meaning, where the tensors' own does not say it. */
  readonly meaning?: string;
}

const leaf =
  (...names: readonly string[]) =>
  ({ name }: TensorInfo): boolean =>
    names.includes(name.split(".").at(-1) ?? "");
const isNorm = ({ name }: TensorInfo): boolean => /(^|\.)(ln\w*|\w+_norm)\.hook_out$/.test(name);

const MEASURES: Place = { lens: "head_measures", title: "Measures of heads" };
const BOARD: Place = { lens: "attention_board", title: "Attention of every head" };

const GLOSSARY: readonly Entry[] = [
  {
    asked: ["layer norm", "layernorm", "layer normalization", "rms norm", "rmsnorm", "norm", "normalization"],
    places: [{ tensors: isNorm }],
  },
  { asked: ["softmax"], places: [{ tensors: leaf("hook_pattern") }, { tensors: leaf("probabilities") }] },
  {
    asked: ["induction", "induction head", "induction heads", "duplicate token head"],
    places: [MEASURES, BOARD],
    meaning:
      "An induction head looks at what followed the same token earlier, so that a text can be continued as before; every head is measured for it.",
  },
  {
    asked: ["previous token head", "entropy", "attention entropy", "head measures"],
    places: [MEASURES],
    meaning:
      "How widely each head looks, how far back, and what it gives to the first and the previous token.",
  },
  {
    asked: ["residual stream", "skip connection", "residual connection", "running sum"],
    places: [{ tensors: leaf("hook_resid_pre", "hook_resid_post") }],
  },
  {
    asked: ["positional encoding", "position embedding", "rotary", "rope"],
    places: [{ tensors: leaf("W_pos", "rotary_cos", "W_rel") }],
  },
  { asked: ["token embedding", "word embedding", "embedding matrix"], places: [{ tensors: leaf("W_E") }] },
  {
    asked: ["feed forward", "feedforward", "ffn", "neuron", "neurons"],
    places: [{ tensors: leaf("hook_post") }, { lens: "neurons", title: "Strongest neurons" }],
  },
  {
    asked: ["activation function", "gelu", "relu", "silu", "nonlinearity"],
    places: [{ tensors: leaf("hook_post") }],
  },
  { asked: ["causal mask", "mask", "attention mask"], places: [{ tensors: leaf("hook_attn_scores") }] },
  {
    asked: ["attention weights", "attention map", "attention matrix"],
    places: [{ tensors: leaf("hook_pattern") }],
  },
  { asked: ["context vector", "attention output"], places: [{ tensors: leaf("hook_z", "hook_attn_out") }] },
  {
    asked: ["probability", "probabilities", "prediction", "next token"],
    places: [{ tensors: leaf("probabilities") }, { lens: "next_token", title: "Likeliest tokens" }],
  },
  {
    asked: ["logit lens"],
    places: [{ lens: "logit_lens", title: "Logit lens" }],
    meaning: "What the model would answer if it stopped after each block.",
  },
  {
    asked: ["attribution", "direct logit attribution", "contributions", "why this token"],
    places: [{ lens: "contributions", title: "Parts of a logit" }],
    meaning: "What each part of the model adds to the score of a token.",
  },
  {
    asked: ["surprisal", "perplexity", "loss", "cross entropy"],
    places: [{ lens: "surprisal", title: "Surprisal" }],
    meaning: "How unexpected each token of the text was to the model, in bits.",
  },
  {
    asked: ["rollout", "attention rollout", "attention flow"],
    places: [{ lens: "rollout", title: "Attention rollout" }],
    meaning: "Patterns of all blocks multiplied: a guess at which token reaches which.",
  },
  {
    asked: ["similar words", "nearest neighbours", "nearest neighbors", "neighbours", "similarity"],
    places: [{ lens: "neighbours", title: "Neighbours" }],
    meaning: "The tokens whose vectors point the most nearly the same way.",
  },
  {
    asked: ["temperature"],
    places: [{ field: "temperature", title: "temperature" }, { tensors: leaf("logits") }],
    meaning:
      "What the token scores are divided by before they become shares: the lower, the surer the likeliest token is drawn.",
  },
  {
    asked: ["top-k", "top k", "topk"],
    places: [{ field: "top_k", title: "top-k" }],
    meaning: "The next token is drawn among this many of the likeliest.",
  },
  {
    asked: ["top-p", "top p", "nucleus", "nucleus sampling"],
    places: [{ field: "top_p", title: "top-p" }],
    meaning: "The next token is drawn among the fewest likeliest whose shares reach this sum.",
  },
  {
    asked: ["sampling", "seed", "randomness"],
    places: [{ field: "seed", title: "seed" }],
    meaning: "Decides the draws: the same seed draws the same tokens again.",
  },
  {
    asked: ["beam search", "beams", "beam"],
    places: [{ field: "beams", title: "beams" }],
    meaning: "How many texts grow side by side, of which the likeliest as a whole is written.",
  },
];

/** Above all other finds: these words were asked for as they stand. */
const SURE = 1.5;
/** So many tensors of a kind are named: the first blocks stand for all. */
const NAMED = 3;

/** A question without its question: `what is W_O?` asks for `W_O`. */
export function asked(text: string): string {
  const plain = text.trim().replace(/\?+$/, "").trim();
  const question =
    /^(?:what(?:'s|’s)?|where(?:'s|’s)?|which|how|why|explain|define)\s+(?:(?:is|are|does|do|was)\s+)?(?:(?:an?|the)\s+)?/i;
  const rest = plain.replace(question, "").replace(/\s+(?:do|does|mean|means|work|works|for)$/i, "");
  return rest === "" || (rest === plain && !text.includes("?")) ? text : rest;
}

/** Finds the entries for a word that learners use. */
export function findGlossary(text: string, graph: Graph): readonly Find[] {
  const words = text.trim().toLowerCase().replace(/\s+/g, " ");
  const entry = GLOSSARY.find(
    (one) => one.asked.includes(words) || one.asked.includes(words.replace(/s$/, "")),
  );
  if (!entry) return [];
  return entry.places
    .flatMap((place) => findsAt(place, entry.meaning, graph))
    .map((found, order) => ({ ...found, score: SURE - order / 1000 }));
}

function findsAt(place: Place, meaning: string | undefined, graph: Graph): readonly Find[] {
  if ("tensors" in place)
    return graph.tensors
      .filter(place.tensors)
      .sort((a, b) => importanceOf(b) - importanceOf(a))
      .slice(0, NAMED)
      .map((tensor) => ({
        key: tensor.name,
        title: tensor.name,
        marks: [],
        note: `${plainName(tensor)} · ${labelOf(tensor)}`,
        meaning: sentence(tensor),
        role: tensor.role,
        target: { kind: "cells" as const, tensor: tensor.name, index: tensor.axes.map(() => null) },
        score: 0,
      }));
  const common = { marks: [], role: null, score: 0, title: place.title, meaning: meaning ?? "" };
  return "lens" in place
    ? [{ ...common, key: `lens ${place.lens}`, note: "a lens", target: { kind: "lens", name: place.lens } }]
    : [
        {
          ...common,
          key: `field ${place.field}`,
          note: "a field of the writer, on the left",
          target: { kind: "field", name: place.field },
        },
      ];
}
