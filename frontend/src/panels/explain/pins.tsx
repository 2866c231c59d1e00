/** Explanations kept beside the map, a card each; two of them are compared. */

import { formatCount, formatNumber } from "../../format";
import { findTensor } from "../../graph/shape";
import { changePin, type Pin, pins, unpin, walked } from "../../state/explain";
import { type Cell, graph } from "../../state/store";
import { choose, useActions } from "../shared/actions";
import { useCellValue } from "../shared/cell-value";
import type { Panel } from "../shared/panel";
import { useBeside } from "../shared/use-explanation";
import { signed, termName, varying } from "./terms";
import { CellName, CellPlace, WalkedCell } from "./walked-card";

export const PINS_PANEL: Panel = {
  id: "pins",
  title: "Pinned",
  count: () => pins.value.length,
  Component: Pins,
};

export function Pins() {
  const all = pins.value;
  if (all.length === 0)
    return (
      <p class="soft">
        Nothing is pinned. Press <kbd>P</kbd> with the pointer on a cell, or choose a cell and press{" "}
        <i>Pin</i>: its explanation stays here while you look elsewhere. Two are compared.
      </p>
    );
  return (
    <>
      {all.length > 1 && <Comparison one={all.at(-2)!} other={all.at(-1)!} />}
      <div class="pin-cards">
        {all.map((one) => (
          <PinCard key={one.id} pin={one} />
        ))}
      </div>
    </>
  );
}

function PinCard({ pin }: { pin: Pin }) {
  const { map } = useActions();
  const cell = pin.trail.at(-1)!;
  const value = useNumber(cell);
  const go = (next: Cell) => {
    changePin(pin.id, { trail: walked(pin.trail, next), direction: "backward" });
    choose(map, next, true);
  };
  const id = `pin-${pin.id}`;
  return (
    <article class="pin" aria-labelledby={id}>
      <header class="row">
        <h3 id={id} class="mono">
          {cell.tensor}
        </h3>
        <button type="button" class="link" aria-label={`Unpin ${cell.tensor}`} onClick={() => unpin(pin.id)}>
          ×
        </button>
      </header>
      <CellPlace cell={cell} />
      <output class="value mono">= {value === null ? "not here yet" : formatNumber(value, 7)}</output>
      <WalkedCell
        path={pin.trail}
        way={pin.direction}
        go={go}
        turn={(way) => changePin(pin.id, { direction: way })}
      >
        <button type="button" class="pill" onClick={() => choose(map, cell, true)}>
          Show
        </button>
      </WalkedCell>
    </article>
  );
}

function useNumber(cell: Cell): number | null {
  const { map } = useActions();
  return useCellValue(cell, map?.valueAt(cell.tensor, cell.index) ?? null).value;
}

/** What differs between two cells: their numbers, and the terms that make the difference. */
function Comparison({ one, other }: { one: Pin; other: Pin }) {
  const [a, b] = [one.trail.at(-1)!, other.trail.at(-1)!];
  const held = { left: useNumber(a), right: useNumber(b) };
  const { answer, problem } = useBeside(a, b);
  const axes = varying(answer?.pairs.map(({ left }) => left) ?? []);
  return (
    <section class="compared" aria-label="The last two compared">
      <h3>Compared</h3>
      <table class="mono">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">
              <NameInBlock cell={a} />
            </th>
            <th scope="col">
              <NameInBlock cell={b} />
            </th>
            <th scope="col">difference</th>
          </tr>
        </thead>
        <tbody>
          <ComparedRow name="value" {...(answer?.captured ?? held)} />
          {answer?.bias && <ComparedRow name="bias" {...answer.bias} />}
          {answer?.pairs.map(({ left, right }) => {
            const name = termName(left, axes);
            return <ComparedRow key={name} name={name} left={left.value} right={right.value} />;
          })}
          {answer?.rest && answer.rest.count > 0 && (
            <ComparedRow name={`${formatCount(answer.rest.count)} other terms`} {...answer.rest} />
          )}
        </tbody>
      </table>
      {answer && answer.pairs.length > 0 && (
        <p class="soft note">The terms that differ most; all rows together make up the value.</p>
      )}
      {answer?.unpaired && <p class="soft note">Their terms are not paired: {answer.unpaired}.</p>}
      {problem && (
        <p class="problem" role="alert">
          {problem.message} <span>{problem.hint}</span>
        </p>
      )}
    </section>
  );
}

/** `block 1 · q[4, 3, 7]`: cells of two blocks are told apart. */
function NameInBlock({ cell }: { cell: Cell }) {
  const layer = graph.value && findTensor(graph.value, cell.tensor)?.layer;
  return (
    <>
      {typeof layer === "number" ? `block ${layer} · ` : ""}
      <CellName cell={cell} />
    </>
  );
}

interface Row {
  readonly name: string;
  readonly left: number | null;
  readonly right: number | null;
}

function ComparedRow({ name, left, right }: Row) {
  const text = (value: number | null) => (value === null ? "—" : signed(value));
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{text(left)}</td>
      <td>{text(right)}</td>
      <td>{text(left === null || right === null ? null : left - right)}</td>
    </tr>
  );
}
