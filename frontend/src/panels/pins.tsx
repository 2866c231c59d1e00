/** Explanations kept beside the map, a card each; two of them are compared. */

import { formatNumber } from "../format";
import type { Cell } from "../state";
import { changePin, type Pin, pins, unpin, walked } from "../state/explain";
import { choose, useActions } from "./actions";
import { useCellValue } from "./cell-value";
import { signed, termName, varying } from "./terms";
import { useExplanation } from "./use-explanation";
import { CellName, CellPlace, WalkedCell } from "./walked-card";

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

/** What differs between two cells: their numbers, and the terms that both have. */
function Comparison({ one, other }: { one: Pin; other: Pin }) {
  const [a, b] = [one.trail.at(-1)!, other.trail.at(-1)!];
  const [left, right] = [useNumber(a), useNumber(b)];
  const shared = useSharedTerms(a, b);
  return (
    <section class="compare" aria-label="The last two compared">
      <h3>Compared</h3>
      <table class="mono">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">
              <CellName cell={a} />
            </th>
            <th scope="col">
              <CellName cell={b} />
            </th>
            <th scope="col">difference</th>
          </tr>
        </thead>
        <tbody>
          <ComparedRow name="value" left={left} right={right} />
          {shared.map((row) => (
            <ComparedRow key={row.name} {...row} />
          ))}
        </tbody>
      </table>
      {shared.length > 0 && (
        <p class="soft note">Terms that are among the largest of both, by how much they differ.</p>
      )}
    </section>
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

const MOST_ROWS = 6;

/** Terms of two cells of one tensor, matched by the index along which terms differ. */
function useSharedTerms(a: Cell, b: Cell): readonly Row[] {
  const left = useExplanation(a, "backward").answer;
  const right = useExplanation(b, "backward").answer;
  if (!left?.op || !right?.op || left.op.kind !== right.op.kind || left.combine !== "sum") return [];
  const byName = ({ terms }: typeof left) => {
    const axes = varying(terms);
    return new Map(terms.map((term) => [termName(term, axes), term.value]));
  };
  const others = byName(right);
  return [...byName(left)]
    .filter(([name]) => others.has(name))
    .map(([name, value]) => ({ name, left: value, right: others.get(name) ?? null }))
    .sort((x, y) => Math.abs((y.left ?? 0) - (y.right ?? 0)) - Math.abs((x.left ?? 0) - (x.right ?? 0)))
    .slice(0, MOST_ROWS);
}
