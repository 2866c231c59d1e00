/** The map of a model: from its graph to plates in space, ribbons between them and named regions.
 *
 *  A pure function; see docs/map.md for how the map is arranged and why.
 */

import type { Graph } from "../graph/types";
import { inColumns } from "./columns";
import { measure } from "./measures";
import { orientations } from "./orientation";
import { boundsOf, regionsOf } from "./regions";
import { ribbonsOf } from "./ribbons";
import { sections } from "./sections";
import { isDrawn, type Piece } from "./sheet";
import type { Layout, LayoutOptions, Plate } from "./types";
import { HOME_FOV } from "./view";

/** Lay out a decoder's graph. Throws when the graph has a tensor that the map has no place for. */
export function layout(graph: Graph, options: LayoutOptions): Layout {
  const measures = measure(graph, options.capacity);
  const drawing = { graph, measures, orientations: orientations(graph) };
  const placed = inColumns(sections(drawing), measures, { fov: HOME_FOV, aspect: options.aspect });
  const pieces = placed.flatMap((section) => section.pieces);
  const plates = pieces.map(plateFrom);
  refuseMissing(graph, plates);
  return {
    plates,
    ribbons: ribbonsOf(drawing, placed),
    regions: regionsOf(placed),
    bounds: boundsOf(plates),
    capacity: measures.positions,
  };
}

function plateFrom({ head: _, positionsRight: __, spine: ___, ...plate }: Piece, id: number): Plate {
  return { id, ...plate };
}

function refuseMissing(graph: Graph, plates: readonly Plate[]): void {
  const drawn = new Set(plates.map(({ tensor }) => tensor));
  const missing = graph.tensors.filter((tensor) => isDrawn(tensor) && !drawn.has(tensor.name));
  if (missing.length > 0)
    throw new Error(`the map has no place for ${missing.map(({ name }) => name).join(", ")}`);
}
