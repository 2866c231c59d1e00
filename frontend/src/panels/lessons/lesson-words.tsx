/** The words of a lesson: paragraphs with live numbers and words that light what they name in the map. */

import { formatCount, formatNumber, tokenText } from "../../format";
import { findTensor } from "../../graph/shape";
import type { Place, ResolvedParagraph, ResolvedSpan } from "../../net/contract.gen";
import { graph, marked } from "../../state/store";
import { choose, useActions } from "../shared/actions";
import { Formula } from "../shared/math";

export function Words({ of }: { of: readonly ResolvedParagraph[] }) {
  return (
    <>
      {of.map((paragraph, at) => {
        const spans = paragraph.spans.map((span, n) => <Span key={n} of={span} />);
        // A step's paragraphs keep their places, so their numbers serve as keys.
        return paragraph.item ? <li key={at}>{spans}</li> : <p key={at}>{spans}</p>;
      })}
    </>
  );
}

function Span({ of }: { of: ResolvedSpan }) {
  switch (of.kind) {
    case "emphasis":
      return <em>{of.text}</em>;
    case "code":
      return <code>{of.text}</code>;
    case "formula":
      return <Formula latex={of.text} />;
    case "words":
    case "number":
      return of.place ? <Lit place={of.place}>{shown(of)}</Lit> : <b class="lesson-number">{shown(of)}</b>;
    default:
      return <>{of.text}</>;
  }
}

/** A live number as its format says, or the words that stand for it. */
export function shown({ kind, text, number, format }: ResolvedSpan): string {
  if (kind === "words" || number === null) return format === "token" ? tokenText(text) : text;
  if (format.startsWith("%")) return `${(number * 100).toFixed(Number(format.slice(1) || 0))} %`;
  if (/^\d$/.test(format)) return number.toFixed(Number(format)).replace("-", "−");
  if (Number.isInteger(number)) return formatCount(number).replace("-", "−");
  return formatNumber(number);
}

/** Words that light their cells while pointed at or focused, in the colour of what they are, and lead there. */
function Lit({ place, children }: { place: Place; children: string }) {
  const { map } = useActions();
  const of = graph.value;
  const tensor = of && findTensor(of, place.tensor);
  const light = () => {
    marked.value = patternsOf(place, of?.tensors.map(({ name }) => name) ?? []);
  };
  const leave = () => {
    marked.value = [];
  };
  return (
    <button
      type="button"
      class={`lesson-lit ${tensor?.role ?? ""}`}
      onMouseEnter={light}
      onMouseLeave={leave}
      onFocus={light}
      onBlur={leave}
      onClick={() => {
        if (tensor)
          choose(map, { tensor: place.tensor, index: tensor.axes.map((_, axis) => place.index[axis] ?? 0) });
        if (!tensor) map?.flyTo({ region: place.tensor });
        else map?.flyTo(place.index.some((at) => at !== null) ? place : { tensor: place.tensor });
      }}
    >
      {children}
    </button>
  );
}

/** Patterns of cells that a place stands for: of a part of the model, all of its tensors. */
function patternsOf({ tensor, index }: Place, names: readonly string[]) {
  if (names.includes(tensor)) return [{ tensor, index }];
  return names.filter((name) => name.startsWith(`${tensor}.`)).map((name) => ({ tensor: name, index: [] }));
}
