/** The sections of the map, each drawn about its own origin: embedding, blocks, output.
 *
 *  In all of them the stream is at x = 0 and y runs down from 0. Drawing a section returns its height: what the
 *  next one has to keep clear of.
 */

import { drawAttention } from "./attention";
import { fold } from "./measures";
import type { Paper } from "./sheet";

export interface Section {
  readonly kind: "embedding" | "block" | "output";
  readonly layer: number | null;
}

/** All sections of a model, from top to bottom. */
export function sectionsOf(paper: Paper): readonly Section[] {
  const layers = new Set(paper.graph.tensors.map(({ layer }) => layer));
  layers.delete(null);
  return [
    { kind: "embedding", layer: null },
    ...[...layers].map((layer): Section => ({ kind: "block", layer })),
    { kind: "output", layer: null },
  ];
}

/** Draw a section at the paper's origin; its height. */
export function drawSection(paper: Paper, { kind, layer }: Section): number {
  if (kind === "embedding") return drawEmbedding(paper);
  return kind === "output" || layer === null ? drawOutput(paper) : drawBlock(paper, layer);
}

/** Token and position embedding, whose sum starts the stream. */
function drawEmbedding(paper: Paper): number {
  const { modelWidth, vocabulary, context, outX, narrow, gap } = paper.measures;
  const pitch = modelWidth + narrow;
  const tokensEnd = drawStrips(paper, "W_E", vocabulary, 0, pitch);
  paper.put("hook_embed", { x: outX, y: tokensEnd - pitch });
  const positionsEnd = drawStrips(paper, "W_pos", context, tokensEnd - narrow + gap, pitch);
  const streamY = positionsEnd - pitch;
  paper.put("hook_pos_embed", { x: outX, y: streamY });
  paper.put("blocks.0.hook_resid_pre", { x: 0, y: streamY });
  return streamY + modelWidth;
}

/** A tensor whose long axis runs right, folded, one strip every `pitch` rows; where the next strip would be. */
function drawStrips(paper: Paper, name: string, length: number, y: number, pitch: number): number {
  const strips = fold(length, paper.measures.strip);
  const x = paper.measures.weightsX - strips[0]!.length;
  for (const [i, strip] of strips.entries()) paper.put(name, { x, y: y + i * pitch, strip });
  return y + strips.length * pitch;
}

/** A norm beside the stream: two summaries over the normalized stream, gain, bias, output. */
function drawNorm(paper: Paper, name: string, y: number): void {
  const { normalizedX, gainX, biasX, outX, summaryHeight, hair } = paper.measures;
  const top = y + summaryHeight;
  paper.put(`${name}.hook_mean`, { x: normalizedX, y });
  paper.put(`${name}.hook_scale`, { x: normalizedX, y: y + 1 + hair });
  paper.put(`${name}.hook_normalized`, { x: normalizedX, y: top });
  paper.put(`${name}.w`, { x: gainX, y: top });
  paper.put(`${name}.b`, { x: biasX, y: top });
  paper.put(`${name}.hook_out`, { x: outX, y: top });
}

/** One block: attention over MLP, each reading from the stream on its right and writing back further down. */
function drawBlock(paper: Paper, layer: number): number {
  const { summaryHeight, gap, modelWidth } = paper.measures;
  const block = `blocks.${layer}`;
  drawNorm(paper, `${block}.ln1`, 0);
  const attended = drawAttention(paper, layer, summaryHeight);
  paper.put(`${block}.hook_resid_mid`, { x: 0, y: attended - modelWidth });
  drawNorm(paper, `${block}.ln2`, attended + gap);
  const computed = drawMlp(paper, layer, attended + gap + summaryHeight);
  paper.put(`${block}.hook_resid_post`, { x: 0, y: computed - modelWidth });
  return computed;
}

/** The MLP, neurons running right throughout, so that a neuron is one column from weight to weight. Its end. */
function drawMlp(paper: Paper, layer: number, y: number): number {
  const { modelWidth, mlpWidth, positions, weightsX, outX, narrow, hair } = paper.measures;
  const mlp = `blocks.${layer}.mlp`;
  const x = weightsX - mlpWidth;
  const biasY = y + modelWidth + hair;
  const preY = biasY + 1 + narrow;
  const postY = preY + positions + narrow;
  const outY = postY + positions + narrow;
  paper.put(`${mlp}.W_in`, { x, y });
  paper.put(`${mlp}.b_in`, { x, y: biasY });
  paper.put(`${mlp}.hook_pre`, { x, y: preY });
  paper.put(`${mlp}.hook_post`, { x, y: postY });
  paper.put(`${mlp}.W_out`, { x, y: outY });
  paper.put(`${mlp}.b_out`, { x: weightsX + hair, y: outY });
  paper.put(`blocks.${layer}.hook_mlp_out`, { x: outX, y: outY });
  return outY + modelWidth;
}

/** The last norm, and for every strip of the vocabulary its weights, scores and probabilities under each other. */
function drawOutput(paper: Paper): number {
  const { summaryHeight, modelWidth, positions, vocabulary, narrow, gap, stripHeight } = paper.measures;
  const logitsY = summaryHeight + modelWidth + narrow;
  const probabilitiesY = logitsY + positions + narrow;
  drawNorm(paper, "ln_final", 0);
  const end = drawStrips(paper, "W_U", vocabulary, summaryHeight, stripHeight);
  drawStrips(paper, "logits", vocabulary, logitsY, stripHeight);
  drawStrips(paper, "probabilities", vocabulary, probabilitiesY, stripHeight);
  return end - gap;
}
