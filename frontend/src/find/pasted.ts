/** A tensor's name, with or without an index, in text that was copied elsewhere: from this page's "Copy as" (a
 *  call, Python, TransformerLens), from its address, or from a notebook. */

import { findTensor } from "../graph/shape";
import type { Graph } from "../graph/types";
import { type AxisPlace, parseIndex } from "./query";

export interface Pasted {
  readonly tensor: string;
  /** Along every axis; null is all of it. */
  readonly index: readonly AxisPlace[];
}

/** Finds the tensor that the text names, where that is a tensor of this graph; null otherwise. */
export function readPasted(text: string, graph: Graph): Pasted | null {
  for (const read of [readAddress, readCall, readCache, readAttribute, readOutput, readName]) {
    const found = read(text);
    const tensor = found && findTensor(graph, found.name);
    if (!tensor) continue;
    const index = withoutBatch(found, tensor.axes.length);
    if (index.length > tensor.axes.length) continue;
    return { tensor: tensor.name, index: tensor.axes.map((_, axis) => index[axis] ?? null) };
  }
  return null;
}

interface Named {
  readonly name: string;
  readonly index: readonly AxisPlace[];
  /** The first index is the batch's. */
  readonly batched?: boolean;
}

/** TransformerLens's activations have a batch axis before ours, and a scale has one of length one after them. */
function withoutBatch({ index, batched }: Named, axes: number): readonly AxisPlace[] {
  return batched ? index.slice(1, axes + 1) : index;
}

const indexOf = (text: string | undefined): readonly AxisPlace[] => parseIndex(text ?? "") ?? [];

/** `…?select=blocks.3.attn.hook_pattern[5_1_2]`: this page's own address. */
function readAddress(text: string): Named | null {
  const match = /[?&]select=([\w.]+)(?:\[|%5B)([\d_]*)(?:\]|%5D)/i.exec(text);
  return match && { name: match[1]!, index: indexOf(match[2]) };
}

/** `…/activations/blocks.3.attn.hook_q?index=1,2,3`, or the index in what follows: `print(q[1, 2, 3])`. */
function readCall(text: string): Named | null {
  const match = /\/(?:weights|activations|explain)\/([\w.]+)([^\s'"]*)/.exec(text);
  if (!match) return null;
  const asked = /[?&]index=([\d,:-]+)/.exec(match[2]!.replace(/%2C/gi, ",").replace(/%3A/gi, ":"));
  const printed = /print\(\w+\[([^\]]*)\]\)/.exec(text);
  return { name: match[1]!, index: indexOf(asked?.[1] ?? printed?.[1]) };
}

/** `cache["blocks.3.attn.hook_pattern"][0, 5, 1, 2]`. */
function readCache(text: string): Named | null {
  const match = /\w+\[["']([\w.]+)["']\](?:\[([^\]]*)\])?/.exec(text);
  return match && { name: match[1]!, index: indexOf(match[2]), batched: true };
}

/** `model.blocks[3].attn.W_Q[5, 1, 2]`, `model.unembed.W_U[1, 2]`. */
function readAttribute(text: string): Named | null {
  const match =
    /\bmodel\.(?:(?:unembed|embed|pos_embed)\.)?((?:blocks\[\d+\]\.)?[\w.]+)(?:\[([^\]]*)\])?/.exec(
      text.slice(Math.max(0, text.lastIndexOf("model."))),
    );
  return match && { name: match[1]!.replace(/\[(\d+)\]/, ".$1"), index: indexOf(match[2]) };
}

/** `model(tokens)[0, 3, 7]` are logits, and their softmax probabilities. */
function readOutput(text: string): Named | null {
  const match = /\bmodel\(\w+\)(\.softmax\(-1\))?\[([^\]]*)\]/.exec(text);
  return match && { name: match[1] ? "probabilities" : "logits", index: indexOf(match[2]), batched: true };
}

/** `blocks.3.attn.hook_pattern[5, 1, 2]`, and nothing else. */
function readName(text: string): Named | null {
  const match = /^\s*([A-Za-z_][\w.]*)\s*(?:\[([^\]]*)\])?\s*$/.exec(text);
  return match && { name: match[1]!, index: indexOf(match[2]) };
}
