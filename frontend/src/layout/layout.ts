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
import { drawSection, sectionsOf } from "./sections";
import { isDrawn, Paper } from "./sheet";
import type { Layout, LayoutOptions, Plate } from "./types";
import { HOME_FOV } from "./view";

/** Lay out a decoder's graph. Throws when the graph has a tensor that the map has no place for. */
export function layout(graph: Graph, options: LayoutOptions): Layout {
  const measures = measure(graph, options.capacity);
  const paper = new Paper(graph, measures, orientations(graph));
  const sections = sectionsOf(paper);
  const origins = inColumns(
    sections,
    (section) => {
      const scratch = new Paper(graph, measures, paper.orientations);
      const height = drawSection(scratch, section);
      return { height, sheets: scratch.sheets };
    },
    measures,
    { fov: HOME_FOV, aspect: options.aspect },
  );
  const drawn = sections.map((section, i) => {
    const first = paper.sheets.length;
    paper.origin = origins[i]!;
    drawSection(paper, section);
    return { ...section, sheets: paper.sheets.slice(first) };
  });
  refuseMissing(graph, paper.sheets);
  const bounds = boundsOf(paper.sheets);
  return {
    plates: paper.sheets,
    ribbons: ribbonsOf(graph, paper.sheets, measures),
    regions: regionsOf(drawn, bounds),
    bounds,
    capacity: measures.positions,
  };
}

function refuseMissing(graph: Graph, plates: readonly Plate[]): void {
  const drawn = new Set(plates.map(({ tensor }) => tensor));
  const missing = graph.tensors.filter((tensor) => isDrawn(tensor) && !drawn.has(tensor.name));
  if (missing.length > 0)
    throw new Error(`the map has no place for ${missing.map(({ name }) => name).join(", ")}`);
}
