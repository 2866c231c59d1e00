/** A cell explained in full: formula, numbers, terms, sums, what it reads and what it feeds. */

import { formatNumber } from "../../format";
import { boxSize } from "../../graph/cells";
import { findTensor, opMaking } from "../../graph/shape";
import type { Explanation as Answer, Fed, Line, Operand } from "../../net/explain";
import type { Direction } from "../../state/explain";
import { isComputed, textReaches } from "../../state/source";
import { type Cell, graph } from "../../state/store";
import { shortLabel } from "../shared/cell-words";
import { Formula } from "../shared/math";
import { useExplanation } from "../shared/use-explanation";
import { StayingStrip } from "./mini-heatmap";
import { chiefCell } from "./operand-navigation";
import { Sums, Terms } from "./terms";

interface Props {
  readonly cell: Cell;
  readonly way: Direction;
  readonly go: (cell: Cell) => void;
  readonly turn: (way: Direction) => void;
}

export function Explanation({ cell, way, go, turn }: Props) {
  const { answer, problem } = useExplanation(cell, way);
  return (
    <div class="explanation">
      <fieldset class="ways" aria-label="Which way">
        <WayButton way="backward" now={way} turn={turn} word="Where it comes from" />
        <WayButton way="forward" now={way} turn={turn} word="Where it goes" />
      </fieldset>
      {problem && (
        <p class="problem" role="alert">
          {problem.message} <span>{problem.hint}</span>
        </p>
      )}
      {!problem && !answer && <p class="soft">{whyNone(cell)}</p>}
      {answer &&
        (way === "forward" ? <Feeds answer={answer} go={go} /> : <Arithmetic answer={answer} go={go} />)}
    </div>
  );
}

/** Why there is no explanation, or none yet. */
function whyNone(cell: Cell): string {
  if (isComputed(cell)) return "Asking the server …";
  return textReaches(cell)
    ? "Not computed yet: the pass has not come so far."
    : "Not computed yet: the text does not reach so far. Write on, or read a longer text.";
}

function WayButton({
  way,
  now,
  turn,
  word,
}: {
  way: Direction;
  now: Direction;
  turn: (way: Direction) => void;
  word: string;
}) {
  return (
    <button type="button" class="link" aria-pressed={way === now} onClick={() => turn(way)}>
      {word}
    </button>
  );
}

function Arithmetic({ answer, go }: { answer: Answer; go: (cell: Cell) => void }) {
  if (!answer.op) return <WeightLines answer={answer} />;
  return (
    <>
      <p class="title">{answer.op.title}</p>
      <OpFormula answer={answer} latex={answer.op.latex_marked} />
      {!answer.masked && <OpFormula answer={answer} latex={answer.op.latex_values} />}
      <Letters symbols={answer.op.symbols} />
      <p class="note">{answer.op.sentence}</p>
      {answer.masked && <p class="note why">Masked: {answer.masked}</p>}
      {answer.changed && <p class="note why">{answer.changed}</p>}
      <Operands answer={answer} go={go} />
      {!answer.masked && <Terms answer={answer} go={go} />}
      <Sums answer={answer} />
    </>
  );
}

function OpFormula({ answer, latex }: { answer: Answer; latex: string }) {
  const reads = (graph.value && opMaking(graph.value, answer.stored_as)?.reads) ?? [];
  const roles = reads.map(({ tensor }) => findTensor(graph.value!, tensor)?.role ?? "activation");
  return (
    // biome-ignore lint/a11y/useSemanticElements: a formula is no set of fields, and no landmark either
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide formula scrolls, by keyboard too
    <div class="equation-line" role="group" tabIndex={0} aria-label="Formula">
      <Formula latex={latex} roles={roles} />
    </div>
  );
}

function Letters({ symbols }: { symbols: Readonly<Record<string, string>> }) {
  return (
    <p class="mono soft letters">
      {Object.entries(symbols)
        .map(([letter, axis]) => `${letter} ${axis}`)
        .join(" · ")}
    </p>
  );
}

function Operands({ answer, go }: { answer: Answer; go: (cell: Cell) => void }) {
  if (answer.operands.length === 0) return null;
  return (
    <>
      <h3>Reads</h3>
      <ul class="operand-list mono">
        {answer.operands.map((operand) => (
          <OperandRow key={`${operand.read} ${operand.start}`} answer={answer} operand={operand} go={go} />
        ))}
      </ul>
    </>
  );
}

function OperandRow({ answer, operand, go }: { answer: Answer; operand: Operand; go: (cell: Cell) => void }) {
  const info = graph.value && findTensor(graph.value, operand.tensor);
  const name = info ? shortLabel(info) : operand.tensor;
  const single = operand.count === 1 ? operand.values?.[0] : undefined;
  const words = operand.count === 1 ? "" : ` ${operand.count} cells`;
  return (
    <li class={operand.role}>
      <button
        type="button"
        class="link"
        title={`${operand.tensor}[${operand.index_text}]`}
        aria-label={`go to ${operand.tensor}, ${operand.part}${words}`}
        onClick={() => go(chiefCell(answer, operand))}
      >
        <StayingStrip box={operand} most={14} />
        {name}
        <span class="soft">{words}</span>
      </button>
      <span class="soft">{name.includes(operand.part) || operand.part === "input" ? "" : operand.part}</span>
      <span class="number">{single === undefined ? "" : single === null ? "−∞" : formatNumber(single)}</span>
    </li>
  );
}

function WeightLines({ answer }: { answer: Answer }) {
  return (
    <>
      <p class="title">a learned number</p>
      {answer.lines.map((line) => (
        <WeightLine key={line.axis} line={line} />
      ))}
    </>
  );
}

function WeightLine({ line }: { line: Line }) {
  const rows: [string, number | null][] = [
    ["mean", line.mean],
    ["deviation", line.deviation],
    ["norm", line.norm],
    ["smallest", line.smallest],
    ["largest", line.largest],
  ];
  return (
    <>
      <h3>
        Along {line.axis}, {line.length} cells
      </h3>
      <dl class="sums mono">
        {rows.map(([word, value]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{value === null ? "—" : formatNumber(value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Feeds({ answer, go }: { answer: Answer; go: (cell: Cell) => void }) {
  if (answer.feeds.length === 0)
    return <p class="soft">Nothing reads it: it is one of the model's answers, or masked.</p>;
  return (
    <>
      <ul class="operand-list mono">
        {answer.feeds.map((fed) => (
          <FedRow key={`${fed.tensor} ${fed.part} ${fed.start}`} fed={fed} go={go} />
        ))}
      </ul>
      {answer.feeds_left_out > 0 && <p class="soft note">and {answer.feeds_left_out} more</p>}
    </>
  );
}

function FedRow({ fed, go }: { fed: Fed; go: (cell: Cell) => void }) {
  const info = graph.value && findTensor(graph.value, fed.tensor);
  const count = boxSize(fed);
  return (
    <li class={info?.role}>
      <button
        type="button"
        class="link"
        title={fed.title}
        aria-label={`go to ${fed.tensor}, ${count} cells`}
        onClick={() => go({ tensor: fed.tensor, index: fed.start })}
      >
        <StayingStrip box={fed} most={14} />
        {info ? shortLabel(info) : fed.tensor}
        <span class="soft">{count > 1 ? ` ${count} cells` : ""}</span>
      </button>
      <span class="soft">{fed.condition ?? (fed.part === "input" ? "" : fed.part)}</span>
    </li>
  );
}
