/** Arrows over the stream's plates where a position of the text stands, with its token: a column that is lit is a
 *  pixel or two wide while one sees the whole map. They are for the chosen token, for what a panel points out, and,
 *  while differences are shown, for the tokens that are not alike. */

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { tokenText } from "../../format";
import { findTensor, isTokenAxis } from "../../graph/shape";
import { type Box, makeCallouts, Placement, type SeenRectangle } from "../../scene";
import type { CellPattern } from "../../scene/types";
import { comparison, pairing } from "../../state/difference";
import { passing } from "../../state/pass";
import { sourceText } from "../../state/source";
import { graph, marked, run } from "../../state/store";
import { textScale } from "../../state/text-scale";
import { useActions } from "../shared/actions";

const SVG = "http://www.w3.org/2000/svg";
/** A column that is wider on the screen, in pixels, needs no arrow. */
const WIDE = 7;
/** A plate that is lower, in pixels, has no arrow over it. */
const LOW = 9;
/** Pixels of a letter. */
const LETTER = 7.3;
/** Columns pointed out at once, at most. */
const MOST = 12;
/** Tensors that run along the stream, where no other plate stands before them. */
const ON_STREAM = /(^|\.)hook_(embed|resid_pre|resid_mid|resid_post)$/;

export function PositionMarks() {
  const { map } = useActions();
  const host = useRef<SVGSVGElement>(null);
  useEffect(() => {
    if (!map) return;
    let columns: readonly Column[] = [];
    const callouts = makeCallouts((seen, width, height) => {
      if (host.current) draw(host.current, columns, seen, [width, height], map.written());
    });
    const remove = map.addOverlay(callouts.make);
    const stop = effect(() => {
      columns = passing.value === null ? columnsMarked() : [];
      callouts.watch(columns.map(({ cells }) => cells));
    });
    return () => {
      stop();
      remove();
    };
  }, [map]);
  return <svg class="position-marks" ref={host} aria-hidden="true" />;
}

interface Column {
  readonly cells: CellPattern;
  /** Stands over one plate alone. */
  readonly word: string;
}

function columnsMarked(): readonly Column[] {
  const chosen = marked.value.flatMap(({ tensor, index }) => {
    const at = positionOf(tensor, index);
    return at === null ? [] : [{ tensor, index, at }];
  });
  const { tokens } = sourceText.value;
  const word = (at: number): string => {
    const said = tokens[at]?.text;
    return said === undefined ? "" : `“${tokenText(said).replace(/^␣(?=.)/, "")}”`;
  };
  if (chosen.length > 0)
    return chosen.map(({ tensor, index, at }): Column => ({ cells: { tensor, index }, word: word(at) }));
  return unlikePositions()
    .slice(0, MOST)
    .flatMap((at) => columnsAt(at).map((cells): Column => ({ cells, word: word(at) })));
}

/** The position that a pattern of the stream is a column of; null for all other patterns. */
function positionOf(tensor: string, index: CellPattern["index"]): number | null {
  const info = graph.value && findTensor(graph.value, tensor);
  if (!info || !ON_STREAM.test(tensor)) return null;
  const axis = info.axes.findIndex(isTokenAxis);
  const at = index[axis];
  return typeof at === "number" && index.every((one, other) => other === axis || one === null) ? at : null;
}

/** Positions whose token is another than the one they are compared with, or that have no partner. */
function unlikePositions(): readonly number[] {
  const [other, pairs, now] = [comparison.value, pairing.value?.pairs, run.value];
  if (!other || !pairs || !now) return [];
  return now.tokens.flatMap(({ id }, at) => {
    const partner = pairs[at] ?? null;
    return partner === null || other.tokens[partner]?.id !== id ? [at] : [];
  });
}

function columnsAt(at: number): readonly CellPattern[] {
  return (graph.value?.tensors ?? [])
    .filter(({ name, axes }) => ON_STREAM.test(name) && axes.some(isTokenAxis))
    .map(({ name, axes }) => ({ tensor: name, index: axes.map((axis) => (isTokenAxis(axis) ? at : null)) }));
}

/** Words stand where the map has none of its own, each once. */
function draw(
  host: SVGSVGElement,
  columns: readonly Column[],
  seen: readonly (readonly SeenRectangle[])[],
  [width, height]: readonly [number, number],
  written: readonly Box[],
): void {
  const placement = new Placement();
  for (const box of written) placement.take(box);
  const said = new Set<string>();
  // What is drawn once may have two names.
  const done = new Set<string>();
  const drawn = columns.flatMap(({ word }, n) =>
    (seen[n] ?? []).flatMap(({ plate, corners: [left, right, , foot] }) => {
      const place = `${plate.id} ${left[0]}`;
      if (done.has(place)) return [];
      done.add(place);
      const wide = Math.hypot(right[0] - left[0], right[1] - left[1]);
      const [x, y] = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2 - 1];
      const outside = x < 0 || x > width || y < 0 || y > height;
      if (outside || wide > WIDE || foot[1] - left[1] < LOW) return [];
      const arrow = element("path", { d: `M${x} ${y}l-4 -7h8z` });
      if (word === "" || said.has(word)) return [arrow];
      const half = (word.length * LETTER * textScale.peek()) / 2;
      const box = { left: x - half, right: x + half, top: y - 24 * textScale.peek(), bottom: y - 8 };
      if (!placement.place(box, width, height)) return [arrow];
      said.add(word);
      const text = element("text", { x, y: y - 11, "text-anchor": "middle" });
      text.textContent = word;
      return [arrow, text];
    }),
  );
  if (drawn.length > 0 || host.childNodes.length > 0) host.replaceChildren(...drawn);
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  return made;
}
