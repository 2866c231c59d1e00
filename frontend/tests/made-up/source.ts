/** The made-up graph behind the port: a source with no socket and no model behind it. */

import { signal } from "@preact/signals";
import { getTensor } from "../../src/graph/shape";
import { encodeHalf } from "../../src/scene/values/half";
import type { NumbersSource, Subscriber } from "../../src/sources/port";
import { explain, inWords } from "./explain";
import { graph } from "./graph";
import { cellsOf, largest, numberAt, shapeOf, text } from "./numbers";

const halves = (values: readonly number[]) => Uint16Array.from(values, encodeHalf);

/** All numbers of a tensor, row by row. */
function wholeOf(tensor: string): { readonly shape: readonly number[]; readonly values: readonly number[] } {
  const shape = shapeOf(getTensor(graph, tensor));
  const box = { start: shape.map(() => 0), stop: shape };
  return { shape, values: cellsOf(box).map((index) => numberAt(tensor, index)) };
}

/** Gives a subscriber whatever it lacks, at once: all numbers are here. */
function fill(subscriber: Subscriber, sent: Set<string>): void {
  for (const name of subscriber.wantedActivations()) {
    if (sent.has(name)) continue;
    sent.add(name);
    const { shape, values } = wholeOf(name);
    subscriber.applyRows({ name, offset: 0, shape, full_shape: shape, scale: 1 }, halves(values));
  }
  for (const { activation, ...tile } of subscriber.wantedTiles()) {
    const { shape, values } = wholeOf(tile.name);
    subscriber.applyTile({ ...tile, shape, full_shape: shape, scale: 1 }, halves(values));
  }
  for (const { activation, rows, cols, ...at } of subscriber.wantedCells()) {
    const shape = shapeOf(getTensor(graph, at.name));
    const start = [at.row, at.col];
    const stop = [Math.min(shape[0]!, at.row + rows), Math.min(shape[1]!, at.col + cols)];
    const values = cellsOf({ start, stop }).map((index) => numberAt(at.name, index));
    const size = [stop[0]! - at.row, stop[1]! - at.col];
    subscriber.applyCells({ ...at, run: null, shape: size }, Float32Array.from(values));
  }
}

const scales = largest();

export const madeUp: NumbersSource = {
  key: "made up",
  graph,
  text: signal(text),
  scales: signal({
    kinds: Object.fromEntries(graph.tensors.map(({ name, kind }) => [kind, scales[name] ?? 1])),
    tensors: scales,
  }),
  isHere: () => true,
  keyOf: () => "made up",
  subscribe(subscriber) {
    const sent = new Set<string>();
    fill(subscriber, sent);
    return { changed: () => fill(subscriber, sent), stop: () => undefined };
  },
  async tile(tensor) {
    const { shape, values } = wholeOf(tensor);
    return { rows: shape[0]!, columns: shape[1]!, values: halves(values), scale: 1 };
  },
  async cells(tensor, start, stop) {
    const whole = shapeOf(getTensor(graph, tensor));
    const end = stop.map((at, axis) => Math.min(at, whole[axis]!));
    const values = cellsOf({ start, stop: end }).map((index) => numberAt(tensor, index));
    return { shape: end.map((at, axis) => at - start[axis]!), values: Float32Array.from(values) };
  },
  inWords: (operation) => ({ words: inWords(operation), problem: null }),
  explain: async (cell, direction) => explain(cell, direction),
};
