/** The sections of the map, each drawn about its own origin: embedding, blocks, output.
 *
 *  In all of them the stream is at x = 0 and y runs down from 0. Drawing a section returns its height: what the
 *  next one has to keep clear of. Which parts a section has is the graph's to say (`structure.ts`).
 */

import { drawAttention } from "./attention";
import { fold } from "./measures";
import type { Paper } from "./sheet";
import type { Part, Section } from "./structure";

/** Draw a section at the paper's origin; its height. */
export function drawSection(paper: Paper, section: Section): number {
  return section.kind === "embedding" ? drawEmbedding(paper, section) : drawParts(paper, section.parts, 0);
}

/** What is looked up for every token, under each other; their sum starts the stream. */
function drawEmbedding(paper: Paper, { parts, tables }: Section): number {
  const { modelWidth, outX, narrow, gap } = paper.measures;
  const pitch = modelWidth + narrow;
  const embeds = parts.filter(({ kind }) => kind === "embed");
  let row = -gap;
  for (const { name, output } of embeds) {
    row = (name ? drawStrips(paper, name, row + gap, pitch) : row + gap + pitch) - pitch;
    paper.put(output, { x: paper.stream.has(output) ? 0 : outX, y: row });
    row += modelWidth;
  }
  for (const { output } of parts.filter(({ kind }) => kind === "sum"))
    paper.put(output, { x: 0, y: row - modelWidth });
  let tablesEnd = row;
  for (const name of tables) tablesEnd = drawTable(paper, name, tablesEnd + gap);
  const norms = parts.filter(({ kind }) => kind === "norm");
  return Math.max(tablesEnd, norms.length > 0 ? drawParts(paper, norms, row + gap) : row);
}

/** A table that all blocks read: folded, or, where it is parted by head, the heads under each other. Its end. */
function drawTable(paper: Paper, name: string, y: number): number {
  const { heads, narrow, hair, weightsX } = paper.measures;
  const { rows, columns } = paper.sizeOf(name) ?? { rows: 0, columns: 0 };
  if (paper.splitAxis(name) === null) return drawStrips(paper, name, y, rows + narrow) - narrow;
  for (let head = 0; head < heads; head++)
    paper.put(name, { x: weightsX - columns, y: y + head * (rows + hair), head });
  return y + heads * (rows + hair) - hair;
}

/** A tensor whose long axis runs right, folded, one strip every `pitch` rows; where the next strip would be. */
function drawStrips(paper: Paper, name: string, y: number, pitch: number): number {
  const strips = fold(paper.sizeOf(name)?.columns ?? 1, paper.measures.strip);
  const x = paper.measures.weightsX - strips[0]!.length;
  for (const [i, strip] of strips.entries()) paper.put(name, { x, y: y + i * pitch, strip });
  return y + strips.length * pitch;
}

/** Parts one under the other, from `y` down: what a sub-layer reads stands on its right, and what it adds further
 *  down. A norm shares the height of the sub-layer that it is followed by. Where they end. */
function drawParts(paper: Paper, parts: readonly Part[], y: number): number {
  const { gap, narrow, modelWidth, summaryHeight } = paper.measures;
  let [top, end] = [y, y];
  let norm: { readonly bottom: number; readonly inner: boolean } | null = null;
  for (const [i, part] of parts.entries()) {
    const first = norm ? top + summaryHeight : top;
    const lanes = norm?.inner ? norm.bottom + gap : first;
    const before: typeof norm = norm;
    norm = null;
    switch (part.kind) {
      case "norm":
        end = drawNorm(paper, part, top);
        if (sharesHeight(parts[i + 1])) norm = { bottom: end, inner: paper.stream.has(part.output) };
        else top = end + gap;
        continue;
      case "attention":
        end = drawAttention(paper, part, first, lanes);
        break;
      case "mlp":
        end = drawMlp(paper, part, first);
        break;
      case "sum":
        paper.put(part.output, { x: 0, y: end - modelWidth });
        break;
      case "transform":
        end = drawTransform(paper, part.name, first) + narrow - gap;
        break;
      case "unembed":
        end = drawUnembedding(paper, first);
        break;
    }
    end = Math.max(end, before?.bottom ?? end);
    top = end + gap;
  }
  return end;
}

function sharesHeight(next: Part | undefined): boolean {
  return next !== undefined && ["attention", "mlp", "unembed"].includes(next.kind);
}

/** A norm: two summaries over the normalized vectors, gain, bias, output. It stands beside the stream, or, where the
 *  stream runs through it, its output stands on the stream. Its lower edge. */
function drawNorm(paper: Paper, { name, output }: Part, y: number): number {
  const { measures } = paper;
  const { summaryHeight, hair } = measures;
  const inner = paper.stream.has(output);
  const x = inner ? measures.innerX : measures.normalizedX;
  const top = y + summaryHeight;
  paper.put(`${name}.hook_mean`, { x, y });
  paper.put(`${name}.hook_scale`, { x, y: y + 1 + hair });
  paper.put(`${name}.hook_normalized`, { x, y: top, fromAbove: inner });
  paper.put(`${name}.w`, { x: inner ? measures.innerGainX : measures.gainX, y: top });
  paper.put(`${name}.b`, { x: inner ? measures.innerBiasX : measures.biasX, y: top });
  paper.put(output, { x: inner ? 0 : measures.outX, y: top });
  return top + measures.modelWidth;
}

/** The MLP, neurons running right throughout, so that a neuron is one column from weight to weight: for each
 *  operation its weight, its bias and what it makes. Its end. */
function drawMlp(paper: Paper, { name, output }: Part, y: number): number {
  const { modelWidth, weightsX, addedX, narrow, hair } = paper.measures;
  const x = weightsX - (paper.sizeOf(`${name}.W_out`)?.columns ?? 0);
  let top = y;
  const put = (tensor: string, gap: number): void => {
    const size = paper.sizeOf(`${name}.${tensor}`);
    if (!size) return;
    paper.put(`${name}.${tensor}`, { x, y: top });
    top += size.rows + gap;
  };
  const linear = (weight: string, bias: string): void => {
    put(weight, paper.sizeOf(`${name}.${bias}`) ? hair : narrow);
    put(bias, narrow);
  };
  if (paper.sizeOf(`${name}.W_gate`)) {
    put("W_gate", narrow);
    put("hook_pre", narrow);
    put("hook_gate", narrow);
    linear("W_in", "b_in");
    put("hook_pre_linear", narrow);
  } else {
    linear("W_in", "b_in");
    put("hook_pre", narrow);
  }
  put("hook_post", narrow);
  paper.put(`${name}.W_out`, { x, y: top });
  paper.put(`${name}.b_out`, { x: weightsX + hair, y: top });
  paper.put(output, { x: addedX, y: top });
  return top + modelWidth;
}

/** A dense layer before the unembedding: its weight and what it makes beside the stream, the nonlinearity under it,
 *  above the norm that follows. Its end. */
function drawTransform(paper: Paper, name: string, y: number): number {
  const { normalizedX, narrow, hair } = paper.measures;
  const biasX = normalizedX - narrow - 1;
  const { rows, columns } = paper.sizeOf(`${name}.W`) ?? { rows: 0, columns: 0 };
  paper.put(`${name}.W`, { x: biasX - hair - columns, y });
  paper.put(`${name}.b`, { x: biasX, y });
  paper.put(`${name}.hook_pre`, { x: normalizedX, y });
  paper.put(`${name}.hook_post`, { x: normalizedX, y: y + rows + narrow });
  return y + 2 * rows + narrow;
}

/** For every strip of the vocabulary its weights, biases, scores and probabilities under each other. Their end. */
function drawUnembedding(paper: Paper, y: number): number {
  const { positions, narrow, hair, gap, stripHeight } = paper.measures;
  const below = (paper.sizeOf("W_U")?.rows ?? 0) + y;
  const logitsY = below + narrow + (paper.sizeOf("b_U") ? 1 + hair : 0);
  const end = drawStrips(paper, "W_U", y, stripHeight);
  if (paper.sizeOf("b_U")) drawStrips(paper, "b_U", below + hair, stripHeight);
  drawStrips(paper, "logits", logitsY, stripHeight);
  drawStrips(paper, "probabilities", logitsY + positions + narrow, stripHeight);
  return end - gap;
}
