/** The sections of the map, each drawn about its own origin: embedding, blocks, output.
 *
 *  In all of them the stream is at x = 0 and y runs down from 0; a section's height is what the next one has to
 *  keep clear of.
 */

import type { TensorInfo } from "../graph/types";
import { attention } from "./attention";
import { fold } from "./measures";
import { type Drawing, type Piece, sheet } from "./sheet";

export type SectionKind = "embedding" | "block" | "output";

export interface Section {
  readonly kind: SectionKind;
  readonly layer: number | null;
  readonly pieces: readonly Piece[];
  readonly height: number;
}

/** All sections of a model, from top to bottom. */
export function sections(drawing: Drawing): readonly Section[] {
  const layers = [...new Set(drawing.graph.tensors.map(({ layer }) => layer))].filter(isNumber);
  return [embedding(drawing), ...layers.map((layer) => block(drawing, layer)), output(drawing)];
}

function isNumber(layer: TensorInfo["layer"]): layer is number {
  return layer !== null;
}

/** Token and position embedding, whose sum starts the stream. */
function embedding(drawing: Drawing): Section {
  const { measures } = drawing;
  const { modelWidth, weightsX, outX, narrow, gap } = measures;
  const tokens = strips(drawing, "W_E", measures.vocabulary, 0, modelWidth + narrow);
  const embedY = tokens.height - modelWidth;
  const positionY = tokens.height + gap;
  const positions = fold(measures.context, measures.strip);
  const positionHeight = positions.length * (modelWidth + narrow) - narrow;
  const streamY = positionY + positionHeight - modelWidth;
  const pieces = [
    ...tokens.pieces,
    ...sheet(drawing, "hook_embed", { x: outX, y: embedY }),
    ...positions.flatMap((strip, i) =>
      sheet(drawing, "W_pos", {
        x: weightsX - positions[0]!.length,
        y: positionY + i * (modelWidth + narrow),
        strip,
      }),
    ),
    ...sheet(drawing, "hook_pos_embed", { x: outX, y: streamY }),
    ...sheet(drawing, "blocks.0.hook_resid_pre", { x: 0, y: streamY }),
  ];
  return { kind: "embedding", layer: null, pieces, height: streamY + modelWidth };
}

/** A tensor with the vocabulary axis, folded, one strip every `pitch` rows. */
function strips(drawing: Drawing, name: string, length: number, y: number, pitch: number): Section {
  const { strip: widest, weightsX, narrow } = drawing.measures;
  const parts = fold(length, widest);
  const x = weightsX - parts[0]!.length;
  const pieces = parts.flatMap((strip, i) => sheet(drawing, name, { x, y: y + i * pitch, strip }));
  return { kind: "output", layer: null, pieces, height: parts.length * pitch - narrow };
}

/** A norm beside the stream: two summaries over the normalized stream, gain, bias, output. */
function norm(drawing: Drawing, name: string, y: number): readonly Piece[] {
  const { normalizedX, gainX, biasX, outX, summaryHeight, hair } = drawing.measures;
  const top = y + summaryHeight;
  return [
    ...sheet(drawing, `${name}.hook_mean`, { x: normalizedX, y }),
    ...sheet(drawing, `${name}.hook_scale`, { x: normalizedX, y: y + 1 + hair }),
    ...sheet(drawing, `${name}.hook_normalized`, { x: normalizedX, y: top }),
    ...sheet(drawing, `${name}.w`, { x: gainX, y: top }),
    ...sheet(drawing, `${name}.b`, { x: biasX, y: top }),
    ...sheet(drawing, `${name}.hook_out`, { x: outX, y: top }),
  ];
}

/** One block: attention over MLP, each reading from the stream on its right and writing back further down. */
function block(drawing: Drawing, layer: number): Section {
  const { summaryHeight, gap, modelWidth } = drawing.measures;
  const attended = attention(drawing, layer, summaryHeight);
  const normY = attended.bottom + gap;
  const computed = mlp(drawing, layer, normY + summaryHeight);
  return {
    kind: "block",
    layer,
    pieces: [
      ...norm(drawing, `blocks.${layer}.ln1`, 0),
      ...attended.pieces,
      ...sheet(drawing, `blocks.${layer}.hook_resid_mid`, { x: 0, y: attended.bottom - modelWidth }),
      ...norm(drawing, `blocks.${layer}.ln2`, normY),
      ...computed.pieces,
      ...sheet(drawing, `blocks.${layer}.hook_resid_post`, { x: 0, y: computed.bottom - modelWidth }),
    ],
    height: computed.bottom,
  };
}

/** The MLP, neurons running right throughout, so that a neuron is one column from weight to weight. */
function mlp(drawing: Drawing, layer: number, y: number): { pieces: readonly Piece[]; bottom: number } {
  const { modelWidth, mlpWidth, positions, weightsX, outX, narrow, hair } = drawing.measures;
  const name = `blocks.${layer}.mlp`;
  const x = weightsX - mlpWidth;
  const biasY = y + modelWidth + hair;
  const preY = biasY + 1 + narrow;
  const postY = preY + positions + narrow;
  const outY = postY + positions + narrow;
  const pieces = [
    ...sheet(drawing, `${name}.W_in`, { x, y }),
    ...sheet(drawing, `${name}.b_in`, { x, y: biasY }),
    ...sheet(drawing, `${name}.hook_pre`, { x, y: preY }),
    ...sheet(drawing, `${name}.hook_post`, { x, y: postY }),
    ...sheet(drawing, `${name}.W_out`, { x, y: outY }),
    ...sheet(drawing, `${name}.b_out`, { x: weightsX + hair, y: outY }),
    ...sheet(drawing, `blocks.${layer}.hook_mlp_out`, { x: outX, y: outY }),
  ];
  return { pieces, bottom: outY + modelWidth };
}

/** The last norm, and for every strip of the vocabulary its weights, scores and probabilities under each other. */
function output(drawing: Drawing): Section {
  const { summaryHeight, modelWidth, positions, vocabulary, narrow, gap } = drawing.measures;
  const logitsY = summaryHeight + modelWidth + narrow;
  const probabilitiesY = logitsY + positions + narrow;
  const pitch = modelWidth + 2 * (positions + narrow) + gap;
  const weights = strips(drawing, "W_U", vocabulary, summaryHeight, pitch);
  return {
    kind: "output",
    layer: null,
    pieces: [
      ...norm(drawing, "ln_final", 0),
      ...weights.pieces,
      ...strips(drawing, "logits", vocabulary, logitsY, pitch).pieces,
      ...strips(drawing, "probabilities", vocabulary, probabilitiesY, pitch).pieces,
    ],
    height: summaryHeight + weights.height + narrow - gap,
  };
}
