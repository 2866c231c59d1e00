/** The cells of one position: what is lit when a token is pointed at or chosen. */

import { graph } from "../../state/store";

/** Every cell of a position of the text, or of the source, in all tensors that have an axis along it. */
export function columnOf(at: number, ofSource: boolean) {
  const along = (axis: string, source: readonly string[]) =>
    (axis === "pos" || axis === "query_pos") && source.includes(axis) === ofSource;
  return (graph.value?.tensors ?? [])
    .filter(
      ({ role, axes, source_axes }) => role !== "weight" && axes.some((axis) => along(axis, source_axes)),
    )
    .map(({ name, axes, source_axes }) => ({
      tensor: name,
      index: axes.map((axis) => (along(axis, source_axes) ? at : null)),
    }));
}
