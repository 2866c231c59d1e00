/** The map of a model: from its graph to plates in space, ribbons between them and named regions.
 *
 *  A pure function; see docs/design/map.md for how the map is arranged and why.
 */

import type { Graph } from "../graph/types";
import { inColumns, type MeasuresOf } from "./columns";
import { type Measures, measure, roomFor } from "./measures";
import { orientations } from "./orientation";
import { boundsOf, regionsOf } from "./regions";
import { ribbonsOf } from "./ribbons";
import { drawSection } from "./sections";
import { isDrawn, Paper } from "./sheet";
import { type StackName, sectionsOf, stacksOf, streamOf } from "./structure";
import type { Layout, LayoutOptions, Plate } from "./types";
import { HOME_FOV } from "./view";

/** Lay out a model's graph. Throws when the graph has a tensor that the map has no place for. */
export function layout(graph: Graph, options: LayoutOptions): Layout {
  const room = roomFor(graph, options.capacity);
  const measuresOf = measuresByStack(graph, room, options.heads ?? "fan");
  const sections = sectionsOf(graph);
  const turned = orientations(graph);
  const stream = streamOf(graph);
  const freshPaper = (): Paper => new Paper(graph, room, measuresOf(sections[0]!.stack), turned, stream);
  const origins = inColumns(
    sections,
    (section) => {
      const scratch = freshPaper();
      scratch.measures = measuresOf(section.stack);
      return { height: drawSection(scratch, section), sheets: scratch.sheets };
    },
    measuresOf,
    { fov: HOME_FOV, aspect: options.aspect },
  );
  const paper = freshPaper();
  const drawn = sections.map((section, i) => {
    const first = paper.sheets.length;
    paper.origin = origins[i]!;
    paper.measures = measuresOf(section.stack);
    drawSection(paper, section);
    return { ...section, sheets: paper.sheets.slice(first) };
  });
  refuseMissing(graph, paper.sheets);
  const bounds = boundsOf(paper.sheets);
  return {
    plates: paper.sheets,
    ribbons: ribbonsOf(graph, paper.sheets, measuresOf),
    regions: regionsOf(drawn, bounds, measuresOf),
    bounds,
    capacity: room,
  };
}

function measuresByStack(graph: Graph, room: Layout["capacity"], heads: Measures["arrangement"]): MeasuresOf {
  const known = new Map(
    stacksOf(graph).map((stack): [StackName, Measures] => [stack, measure(graph, room, stack, heads)]),
  );
  return (stack) => known.get(stack) ?? [...known.values()][0]!;
}

function refuseMissing(graph: Graph, plates: readonly Plate[]): void {
  const drawn = new Set(plates.map(({ tensor }) => tensor));
  const missing = graph.tensors.filter((tensor) => isDrawn(tensor) && !drawn.has(tensor.name));
  if (missing.length > 0)
    throw new Error(`the map has no place for ${missing.map(({ name }) => name).join(", ")}`);
}
