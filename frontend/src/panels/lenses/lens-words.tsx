/** A text whose tokens are coloured by a number: where along the text a lens finds much, and where little. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber, tokenText } from "../../format";
import type { LensAlong, LensTable } from "../../net/lenses";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";
import { between, css, type Rgb, readableOn } from "../shared/colour-scale";
import { type Colours, coloursOf } from "../shared/figure-parts";
import { gradient, stopsOf } from "../shared/matrix-paint";
import { chosenRow, point, visit } from "./lens-link";

interface Props {
  readonly table: LensTable;
  readonly along: LensAlong;
  readonly title: string;
}

export function LensWords({ table, along, title }: Props) {
  const { map } = useActions();
  const host = useRef<HTMLDivElement>(null);
  const colours = useSignal<Colours | null>(null);
  const at = useSignal<number | null>(null);
  const now = theme.value;
  useEffect(() => {
    colours.value = coloursOf(host.current!);
  }, [now]);
  const [token, value] = [table.header.indexOf(along.token), table.header.indexOf(along.value)];
  const values = table.rows.map((row) => (typeof row[value] === "number" ? row[value] : null));
  const most = Math.max(1e-12, ...values.map((one) => Math.abs(one ?? 0)));
  const low = along.scale === "activation" ? -most : 0;
  const stops = colours.value && stopsOf(along.scale, colours.value);
  const chosen = chosenRow(table.places);
  const shown = at.value ?? chosen;
  const text = (row: number) => tokenText(String(table.rows[row]?.[token] ?? ""));
  const number = (row: number) => (values[row] === null ? "–" : formatNumber(values[row]!));
  const to = (row: number | null) => {
    at.value = row;
    point(row === null ? null : table.places[row]);
  };
  const keys = (event: KeyboardEvent, row: number) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    host.current?.querySelectorAll("button")[row + by]?.focus();
  };
  return (
    <div class="words" ref={host}>
      <div class="matrix-key mono note">
        <span>{along.value.replaceAll("_", " ")}</span>
        <span class="grow" />
        <span>{formatNumber(low, 3)}</span>
        <i class="ramp" style={{ background: stops ? gradient(stops) : "none" }} />
        <span>{formatNumber(most, 3)}</span>
      </div>
      <fieldset
        class="words-text mono"
        aria-label={`${title}: the text, each token with its ${along.value}`}
        onPointerLeave={() => to(null)}
      >
        {table.rows.map((_, row) => (
          <button
            key={row}
            type="button"
            class={row === chosen ? "on" : undefined}
            style={
              stops && colours.value ? groundOf(stops, colours.value, values[row] ?? null, low, most) : {}
            }
            tabIndex={row === (shown ?? 0) ? 0 : -1}
            aria-label={`${text(row)}: ${number(row)}`}
            aria-pressed={row === chosen}
            onPointerEnter={() => to(row)}
            onFocus={() => to(row)}
            onClick={() => visit(map, table.places[row])}
            onKeyDown={(event) => keys(event, row)}
          >
            {text(row)}
          </button>
        ))}
      </fieldset>
      <p class="note mono" aria-hidden="true">
        {shown === null ? (
          <span class="soft">Point at a token to read its number.</span>
        ) : (
          `${table.header[0]} ${table.rows[shown]?.[0]} ${text(shown)}: ${number(shown)}`
        )}
      </p>
    </div>
  );
}

function groundOf(stops: readonly Rgb[], colours: Colours, value: number | null, low: number, most: number) {
  if (value === null) return {};
  const ground = between(stops, (value - low) / (most - low));
  return { background: css(ground), color: readableOn(ground, [colours.ink, colours.paper]) };
}
