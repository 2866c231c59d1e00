/** The terms of a number in order of size, each with its operands and a bar, and what they come to. */

import { formatCount, formatNumber } from "../../format";
import { findTensor } from "../../graph/shape";
import type { ExplainedCell, Explanation, Term } from "../../net/explain";
import { type Cell, graph } from "../../state/store";
import { shortLabel } from "../shared/cell-words";

const SHOWN = 8;

export function Terms({ answer, go }: { answer: Explanation; go: (cell: Cell) => void }) {
  const { terms, rest } = answer;
  if (terms.length === 0) return null;
  const shown = terms.slice(0, SHOWN);
  const hidden = terms.slice(SHOWN);
  const largest = Math.max(...shown.map(({ value }) => Math.abs(value ?? 0)), 1e-30);
  const more = hidden.length + (rest?.count ?? 0);
  const left = hidden.reduce((sum, { value }) => sum + (value ?? 0), rest?.sum ?? 0);
  return (
    <>
      <h3>{HEADINGS[answer.combine ?? "sum"]}</h3>
      <ol class="terms mono">
        {shown.map((term) => (
          <TermRow key={keyOf(term)} term={term} axes={varying(terms)} largest={largest} go={go} />
        ))}
      </ol>
      {more > 0 && (
        <p class="mono soft rest">
          <span>
            {formatCount(more)} smaller {more === 1 ? "term" : "terms"}
          </span>
          <span>{answer.combine === "largest" ? "" : signed(left)}</span>
        </p>
      )}
    </>
  );
}

const HEADINGS = {
  sum: "Terms, largest first",
  root: "Squares, largest first",
  divisor: "Parts of the divisor, largest first",
  largest: "Largest first",
};

function TermRow({
  term,
  axes,
  largest,
  go,
}: {
  term: Term;
  axes: readonly number[];
  largest: number;
  go: (cell: Cell) => void;
}) {
  const value = term.value ?? 0;
  return (
    <li>
      <span class="which soft">{termName(term, axes)}</span>
      <span class="factors">
        {term.operands.map((cell, n) => (
          <FactorButton key={`${cell.tensor} ${n}`} cell={cell} first={n === 0} go={go} />
        ))}
      </span>
      <Bar value={value} largest={largest} />
      <span class="number">{term.value === null ? "−∞" : signed(value)}</span>
    </li>
  );
}

function FactorButton({
  cell,
  first,
  go,
}: {
  cell: ExplainedCell;
  first: boolean;
  go: (cell: Cell) => void;
}) {
  const role = (graph.value && findTensor(graph.value, cell.tensor)?.role) ?? "activation";
  const text = cell.value === null ? "−∞" : formatNumber(cell.value, 3);
  return (
    <>
      {!first && <span class="soft"> · </span>}
      <button
        type="button"
        class={`link ${role}`}
        title={`${cell.tensor}[${cell.index.join(", ")}]`}
        aria-label={`go to ${cell.tensor} ${cell.index.join(", ")}: ${text}`}
        onClick={() => go({ tensor: cell.tensor, index: cell.index })}
      >
        {text}
      </button>
    </>
  );
}

/** Zero in the middle, where numbers have signs. */
function Bar({ value, largest }: { value: number; largest: number }) {
  const share = Math.min(50, (50 * Math.abs(value)) / largest);
  return (
    <svg class="bar-of" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <line x1="50" x2="50" y1="0" y2="10" />
      <rect
        class={value < 0 ? "minus" : "plus"}
        x={value < 0 ? 50 - share : 50}
        y="1.5"
        width={share}
        height="7"
      />
    </svg>
  );
}

/** The axes of the first operand along which the terms differ. */
export function varying(terms: readonly Term[]): readonly number[] {
  const [first, ...others] = terms;
  const cell = first?.operands[0];
  // Summands of different tensors go by their tensors' names.
  if (!cell || others.some(({ operands }) => operands[0]?.tensor !== cell.tensor)) return [];
  return cell.index.flatMap((at, axis) =>
    others.some(({ operands }) => operands[0]?.index[axis] !== at) ? [axis] : [],
  );
}

/** `d_model 12`: what tells a term from the others; a summand goes by the name of its tensor. */
export function termName({ operands }: Term, axes: readonly number[]): string {
  const [cell] = operands;
  const info = cell && graph.value && findTensor(graph.value, cell.tensor);
  if (!cell || !info) return "";
  if (axes.length === 0) return shortLabel(info);
  return axes.map((axis) => `${info.axes[axis]} ${cell.index[axis]}`).join(" ");
}

const keyOf = (term: Term): string =>
  term.operands.map(({ tensor, index }) => `${tensor} ${index}`).join(" ");

/** With a sign always but on zero, so that a column of them lines up. */
export const signed = (value: number): string =>
  value <= 0 ? formatNumber(value) : `+${formatNumber(value)}`;

/** How the terms come to the number, and how far that is from what the model computed. */
export function Sums({ answer }: { answer: Explanation }) {
  const { terms, rest, bias, scale, result, captured, difference, agrees } = answer;
  if (result === null && captured === null) return null;
  const sum = terms.reduce((total, { value }) => total + (value ?? 0), rest?.sum ?? 0);
  const rows: [string, string][] = [];
  if (answer.combine === "sum" && (terms.length > 1 || bias !== null))
    rows.push(["sum of the terms", signed(sum)]);
  if (scale !== null && scale !== 1) rows.push(["in it the scale", `× ${formatNumber(scale)}`]);
  if (bias !== null) rows.push(["bias", signed(bias)]);
  if (result !== null) rows.push(["recomputed in float64", formatNumber(result, 8)]);
  if (captured !== null) rows.push(["the run's own number", formatNumber(captured, 8)]);
  return (
    <>
      <dl class="sums mono">
        {rows.map(([words, number]) => (
          <div key={words}>
            <dt>{words}</dt>
            <dd>{number}</dd>
          </div>
        ))}
      </dl>
      {difference !== null && (
        <p class={`note ${agrees ? "soft" : "wrong"}`}>
          {difference === 0
            ? "No difference at all."
            : agrees
              ? `They differ by ${formatNumber(Math.abs(difference), 2)}: rounding.`
              : `They differ by ${formatNumber(Math.abs(difference), 2)}, more than rounding explains.`}
        </p>
      )}
    </>
  );
}
