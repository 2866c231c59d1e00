/** A lens's rows as a table: sorted by a click on a column, copied, and linked with the map row by row. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatCount, formatNumber, tokenText } from "../../format";
import type { LensTable, LensValue } from "../../net/lenses";
import { copied } from "../explain/copy-as";
import { useActions } from "../shared/actions";
import { chosenRow, point, visit } from "./lens-link";

/** Rows drawn before more are asked for. */
const FIRST_ROWS = 200;

export interface Order {
  readonly column: number;
  readonly down: boolean;
}

/** The rows' numbers in the order wanted; what is missing comes last either way. */
export function sorted(table: LensTable, order: Order | null): readonly number[] {
  const rows = table.rows.map((_, row) => row);
  if (!order) return rows;
  const value = (row: number) => table.rows[row]?.[order.column] ?? null;
  const sign = order.down ? -1 : 1;
  return rows.sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === null || right === null) return left === right ? a - b : left === null ? 1 : -1;
    if (typeof left === "number" && typeof right === "number") return sign * (left - right) || a - b;
    return sign * String(left).localeCompare(String(right)) || a - b;
  });
}

/** The table as a spreadsheet takes it from the clipboard. */
export function asText(table: LensTable, rows: readonly number[]): string {
  const cell = (value: LensValue) => (value === null ? "" : String(value).replace(/[\t\n\r]/g, " "));
  return [table.header, ...rows.map((row) => table.rows[row] ?? [])]
    .map((line) => line.map(cell).join("\t"))
    .join("\n");
}

const numeric = (table: LensTable, column: number) =>
  table.rows.some((row) => typeof row[column] === "number");

export function LensTableView({ table, title }: { table: LensTable; title: string }) {
  const { map } = useActions();
  const order = useSignal<Order | null>(null);
  const all = useSignal(false);
  const said = useSignal("");
  const body = useRef<HTMLTableSectionElement>(null);
  const rows = sorted(table, order.value);
  const chosen = chosenRow(table.places);
  const shown = all.value ? rows : rows.slice(0, FIRST_ROWS);
  useEffect(() => {
    body.current?.querySelector("tr.on")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const sortBy = (column: number) => {
    const numbers = numeric(table, column);
    const now = order.value;
    if (now?.column !== column) order.value = { column, down: numbers };
    else order.value = now.down === numbers ? { column, down: !numbers } : null;
  };
  const open = (row: number) => {
    const there = visit(map, table.places[row]);
    said.value = there ? "" : "The map does not draw these cells.";
  };
  return (
    <div class="lens-table">
      <div class="scroll">
        <table class="mono" aria-label={title}>
          <thead>
            <tr>
              {table.header.map((name, column) => (
                <th
                  key={name}
                  scope="col"
                  class={numeric(table, column) ? "numeric" : undefined}
                  aria-sort={sortWord(order.value, column)}
                >
                  <button type="button" onClick={() => sortBy(column)}>
                    {name.replaceAll("_", " ")}
                    <i aria-hidden="true">
                      {order.value?.column === column ? (order.value.down ? " ↓" : " ↑") : ""}
                    </i>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body} onPointerLeave={() => point(null)}>
            {shown.map((row) => (
              <tr
                key={row}
                class={row === chosen ? "on" : undefined}
                aria-selected={row === chosen}
                tabIndex={0}
                onPointerEnter={() => point(table.places[row])}
                onFocus={() => point(table.places[row])}
                onBlur={() => point(null)}
                onClick={() => open(row)}
                onKeyDown={(event) => keys(event, () => open(row))}
              >
                {table.rows[row]!.map((value, column) => (
                  <td key={table.header[column]} class={typeof value === "number" ? "numeric" : undefined}>
                    {written(value, table.header[column]!)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note soft row">
        <span>
          {formatCount(shown.length)} of {table.complete ? "" : "the first "}
          {formatCount(rows.length)} rows
        </span>
        {shown.length < rows.length && (
          <button
            type="button"
            class="link"
            onClick={() => {
              all.value = true;
            }}
          >
            Show all
          </button>
        )}
        <span class="grow" />
        <button
          type="button"
          class="link"
          onClick={async () => {
            const there = await copied(asText(table, rows));
            said.value = there ? "Copied." : "The browser does not let this page copy.";
          }}
        >
          Copy
        </button>
      </p>
      <p class="note soft" role="status">
        {said.value}
      </p>
    </div>
  );
}

function keys(event: KeyboardEvent, open: () => void): void {
  const row = event.currentTarget as HTMLElement;
  const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (event.key === "Enter" || event.key === " ") open();
  else if (to instanceof HTMLElement) to.focus();
  else return;
  event.preventDefault();
}

function sortWord(order: Order | null, column: number): "ascending" | "descending" | "none" {
  if (order?.column !== column) return "none";
  return order.down ? "descending" : "ascending";
}

/** Columns that hold tokens, whose spaces are part of them. */
const TOKENS = /token|^text$|^top(_\d+)?$|^came$/;

function written(value: LensValue, column: string): string {
  if (value === null) return "–";
  if (typeof value === "number") return Number.isInteger(value) ? `${value}` : formatNumber(value);
  return typeof value === "string" && TOKENS.test(column) ? tokenText(value) : String(value);
}
