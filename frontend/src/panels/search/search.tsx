/** The search: names, shorthand and tokens lead to places of the map. A combobox in a dialog of its own; what
 *  answers to a text is the pure work of find/, which vocabulary.ts tells the tokens of. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { examples, find, findPasted } from "../../find/find";
import type { Find, Findings, Scope } from "../../find/types";
import { formatCount } from "../../format";
import { searching } from "../../state/navigation";
import { sourceText, tokensRead } from "../../state/source";
import { graph, laidOut, run } from "../../state/store";
import { type Actions, useActions } from "../shared/actions";
import { visitFind } from "../shared/go-to-result";
import { useVocabulary, type Vocabulary } from "../shared/vocabulary";
import "./search.css";

/** Opens the search. */
export function SearchButton({ title, class: name }: { title: string; class: string }) {
  return (
    <button
      type="button"
      class={`pill search-button ${name}`}
      aria-haspopup="dialog"
      aria-label={`${title} (key: /)`}
      disabled={graph.value === null}
      onClick={() => {
        searching.value = "";
      }}
    >
      <Glass />
      <span class="what">{title}</span>
      <kbd>/</kbd>
    </button>
  );
}

function Glass() {
  return (
    <svg class="glass" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <circle cx="6.5" cy="6.5" r="4.5" />
      <path d="M10 10l4.5 4.5" />
    </svg>
  );
}

export function Search() {
  if (searching.value === null || !graph.value) return null;
  return <Palette />;
}

/** Gives the scope that a search looks through now. */
export function scopeNow(map: Actions["map"], vocabulary: Vocabulary["known"]): Scope | null {
  const now = graph.value;
  if (!now) return null;
  const regions = map?.layout.regions ?? [];
  return { graph: now, regions, tokens: tokensRead.value, source: sourceText.value.source, vocabulary };
}

/** A row of the list: something found, or a search to try. */
interface Row {
  readonly key: string;
  readonly found: Find | null;
  readonly title: string;
  readonly note: string;
}

function rowsOf(findings: Findings | null, scope: Scope | null, pending: boolean): readonly Row[] {
  if (findings && findings.finds.length > 0) return findings.finds.map((found) => ({ ...found, found }));
  if (!scope || (findings && pending)) return [];
  return examples(scope).map(({ text, what }) => ({ key: text, found: null, title: text, note: what }));
}

function Palette() {
  const { map } = useActions();
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal(searching.peek() ?? "");
  const active = useSignal(0);
  /** Enter was pressed while the vocabulary was still being asked. */
  const eager = useSignal(false);
  const { known, pending } = useVocabulary(text.value);
  const { scope, findings } = useFindings(map, text.value, known);
  const rows = rowsOf(findings, scope, pending);
  const chosen = Math.min(active.value, rows.length - 1);
  // Before anything is painted: what is typed next belongs here.
  useLayoutEffect(() => {
    dialog.current?.showModal();
    input.current?.focus();
    input.current?.setSelectionRange(text.peek().length, text.peek().length);
  }, []);
  const close = () => {
    // Gives the focus back to where it was.
    dialog.current?.close();
    searching.value = null;
  };
  const type = (next: string) => {
    text.value = next;
    active.value = 0;
    eager.value = false;
  };
  const visit = (found: Find) => {
    close();
    visitFind(map, found);
  };
  const choose = (at: number) => {
    active.value = at;
  };
  const take = ({ found, title }: Row) => {
    if (found) visit(found);
    else type(title);
  };
  useEffect(() => {
    if (!eager.value || pending) return;
    eager.value = false;
    const first = rows[0]?.found;
    if (first) visit(first);
  });
  const press = (event: KeyboardEvent) => {
    event.stopPropagation();
    const to = stepped(event.key, chosen, rows.length);
    const row = rows[chosen];
    if (to !== null) active.value = to;
    else if (event.key === "Escape") close();
    else if (event.key !== "Enter" || event.isComposing) return;
    else if (row) take(row);
    else eager.value = pending;
    event.preventDefault();
  };
  const paste = (event: ClipboardEvent) => {
    const found = scope && findPasted(event.clipboardData?.getData("text") ?? "", scope);
    if (!found || text.value !== "") return;
    event.preventDefault();
    visit(found);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it by keyboard
    <dialog
      ref={dialog}
      class="search"
      aria-label="Search the model"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="search-bar">
        <Glass />
        <input
          ref={input}
          class="mono"
          type="text"
          role="combobox"
          aria-label="Tensor, section, head or token"
          aria-expanded={rows.length > 0}
          aria-controls="search-list"
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `search-${chosen}` : undefined}
          placeholder="attention, layer norm, W_Q, L3H5, a token"
          spellcheck={false}
          autocomplete="off"
          value={text.value}
          onInput={(event) => type(event.currentTarget.value)}
          onPaste={paste}
          onKeyDown={press}
        />
        <button type="button" class="pill" title="Close the search" onClick={close}>
          esc
        </button>
      </div>
      <p class="search-word soft" role="status">
        {wordOn(findings, pending)}
      </p>
      <div id="search-list" role="listbox" aria-label={rows[0]?.found ? "Results" : "Searches to try"}>
        {rows.map((row, at) => (
          <Option
            key={row.key}
            row={row}
            at={at}
            chosen={at === chosen}
            choose={() => choose(at)}
            take={() => take(row)}
          />
        ))}
      </div>
    </dialog>
  );
}

function useFindings(
  map: Actions["map"],
  text: string,
  known: Vocabulary["known"],
): { scope: Scope | null; findings: Findings | null } {
  const scope = useMemo(
    () => scopeNow(map, known),
    [map, known, graph.value, run.value?.tokens, laidOut.value],
  );
  const findings = useMemo(() => (scope && text.trim() !== "" ? find(text, scope) : null), [scope, text]);
  return { scope, findings };
}

interface OptionProps {
  readonly row: Row;
  readonly at: number;
  readonly chosen: boolean;
  readonly choose: () => void;
  readonly take: () => void;
}

/** One row. The pointer chooses it as the arrow keys do, once it moves: rows that scroll under it choose nothing. */
function Option({ row, at, chosen, choose, take }: OptionProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen) box.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter in the combobox takes it
    <div
      ref={box}
      id={`search-${at}`}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      onMouseMove={chosen ? undefined : choose}
      onMouseDown={(event) => event.preventDefault()}
      onClick={take}
    >
      <i class={`swatch ${row.found ? (row.found.role ?? "region") : ""}`} aria-hidden="true" />
      <Marked title={row.title} marks={row.found?.marks ?? []} />
      <span class="note">{row.note}</span>
      {row.found?.meaning && <span class="meaning">{row.found.meaning}</span>}
    </div>
  );
}

/** A title, with what was searched for marked. */
function Marked({ title, marks }: Pick<Find, "title" | "marks">) {
  const cuts = [0, ...marks.flat(), title.length];
  return (
    <span class="mono found-name">
      {cuts.slice(1).map((to, at) => {
        const piece = title.slice(cuts[at], to);
        return at % 2 === 1 ? <mark key={at}>{piece}</mark> : <span key={at}>{piece}</span>;
      })}
    </span>
  );
}

/** The line over the list. */
function wordOn(findings: Findings | null, pending: boolean): string {
  if (!findings) return "Type a name, or take one of these:";
  const { finds, more, problem } = findings;
  if (finds.length > 0) {
    const count = finds.length + more;
    return `${formatCount(count)} ${count === 1 ? "result" : "results"}${more > 0 ? `; the first ${finds.length}` : ""}`;
  }
  if (pending) return "asking the vocabulary …";
  return problem ? `${problem.message} ${problem.hint}` : "";
}

/** Moves by an arrow key in a list of so many; null for other keys. */
function stepped(key: string, from: number, count: number): number | null {
  if (count === 0) return null;
  if (key === "ArrowDown") return (from + 1) % count;
  if (key === "ArrowUp") return (from - 1 + count) % count;
  if (key === "PageDown") return Math.min(count - 1, from + 8);
  if (key === "PageUp") return Math.max(0, from - 8);
  return null;
}
