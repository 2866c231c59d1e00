/** The tokens along one side of a matrix, as many as have room. */

import { tokenText } from "../../format";

const LABEL_HEIGHT = 13;

interface Props {
  /** The texts along the whole side. */
  readonly texts: readonly string[];
  /** The tokens in view; `last` is not included. */
  readonly first: number;
  readonly last: number;
  /** CSS pixels of a cell, scrolled past, and of the side. */
  readonly size: number;
  readonly offset: number;
  readonly extent: number;
  readonly marked: number;
  readonly side: "top" | "left";
}

/** Names every token, or every so many where there is no room for each, and the one marked. */
export function MatrixNames({ texts, first, last, size, offset, extent, marked, side }: Props) {
  const every = Math.max(1, Math.ceil(LABEL_HEIGHT / size));
  const middle = (at: number) => Math.max(6, Math.min(extent - 6, (at + 0.5) * size - offset));
  const apart = (a: number, b: number) => Math.abs(middle(a) - middle(b)) >= LABEL_HEIGHT - 1;
  const shown: number[] = marked >= first && marked < last ? [marked] : [];
  for (let at = first; at < last; at++)
    if (
      at % every === 0 &&
      at !== marked &&
      [shown[0], shown.at(-1)].every((one) => one === undefined || apart(at, one))
    )
      shown.push(at);
  return (
    <div
      class={`labels ${side}`}
      style={{ [side === "top" ? "width" : "height"]: `${extent}px` }}
      aria-hidden="true"
    >
      {shown.map((at) => (
        <span
          key={at}
          class={at === marked ? "on" : undefined}
          style={{ [side === "top" ? "left" : "top"]: `${middle(at)}px` }}
        >
          {every > 1 && <small>{at} </small>}
          {tokenText(texts[at] ?? "")}
        </span>
      ))}
    </div>
  );
}
