/** The attention panel: which attention of the model, and the views of it (docs/guide/page.md, Attention). */

import type { AttentionStage } from "../../graph/attentions";
import { chooseLively } from "../../session/first-head";
import {
  type AttentionChoice,
  type AttentionView,
  type Attention as Found,
  resolve,
} from "../../state/attention";
import { lookOf } from "../../state/looks";
import { made } from "../../state/source";
import { attention, attentionUnread, graph, modelId, run } from "../../state/store";
import { Exports } from "../lenses/exports";
import { useActions } from "../shared/actions";
import { AttentionArcs } from "./attention-arcs";
import { AttentionBoard, BlockHeads, useBoard } from "./attention-board";
import { AttentionMatrix } from "./attention-matrix";
import { AttentionPair } from "./attention-pair";
import { type AxisTokens, axisTokens, stageWord } from "./attention-parts";
import { AttentionRollout } from "./attention-rollout";
import { readPair } from "./pair";
import "./attention.css";
import type { Panel } from "../shared/panel";

const VIEWS: readonly { view: AttentionView; word: string }[] = [
  { view: "matrix", word: "Matrix" },
  { view: "arcs", word: "Arcs" },
  { view: "heads", word: "All heads" },
  { view: "pair", word: "Query · key" },
  { view: "rollout", word: "Rollout" },
];

const PARTS: Readonly<Record<string, string>> = {
  self: "self",
  encoder: "encoder, self",
  decoder: "decoder, self",
  cross: "cross: decoder to source",
};

export const ATTENTION_PANEL: Panel = { id: "attention", title: "Attention", Component: Attention };

export function Attention() {
  const id = run.value?.id ?? null;
  if ((!id && !made.value) || !graph.value) return <p class="soft">Attention comes with a run.</p>;
  const { attention: of, problem } = resolve(graph.value, modelId.value ?? "What is shown", attention.value);
  const unread = attentionUnread.value;
  const asked = unread === null ? problem : unreadable(unread);
  return (
    <section aria-label="Attention" class="attention">
      {asked && (
        <p class="problem" role="alert">
          {asked.message} {asked.hint}
        </p>
      )}
      {of && <Views of={of} />}
      {of && <Pickers of={of} />}
      {of && !asked && <View of={of} tokens={axisTokens(of)} id={id} />}
    </section>
  );
}

const unreadable = (text: string) => ({
  message: `The address asks for the attention “${text.slice(0, 60)}”, which names none.`,
  hint: "It is written part_block_head_stage, such as self_0_3_hook_pattern. Choose one here.",
});

function set(change: Partial<AttentionChoice>): void {
  attention.value = { ...attention.value, ...change };
  attentionUnread.value = null;
}

/** Another attention of the model, at a head of it that does something. */
function choosePart(part: string): void {
  set({ part });
  const chosen = attention.peek();
  if (run.value?.id) void chooseLively(run.value.id, part, () => attention.peek() === chosen);
}

function View({ of, tokens, id }: { of: Found; tokens: AxisTokens; id: string | null }) {
  const { view, detail } = attention.value;
  switch (view) {
    case "heads":
      return (
        <>
          <AttentionBoard
            of={of}
            detail={detail}
            onDetail={(next) => set({ detail: next })}
            onOpen={(layer, head) => set({ view: "matrix", detail: "", layer, head })}
          />
          {id && <Exports run={id} lens="attention_board" query={{ part: of.part }} />}
        </>
      );
    case "arcs":
      return (
        <AttentionArcs of={of} tokens={tokens} detail={detail} onDetail={(next) => set({ detail: next })} />
      );
    case "pair":
      return <Pair of={of} tokens={tokens} />;
    case "rollout":
      return <AttentionRollout of={of} />;
    case "matrix":
      return <Matrix of={of} tokens={tokens} id={id} />;
  }
}

function Matrix({ of, tokens, id }: { of: Found; tokens: AxisTokens; id: string | null }) {
  const board = useBoard(of.part, of.layer).value;
  const look = board && lookOf(board, of.layer, of.head);
  const query = { part: of.part, layer: `${of.layer}`, head: `${of.head}`, stage: stageWord(of.stage) };
  return (
    <>
      <BlockHeads of={of} board={board} onOpen={(head) => set({ head })} />
      <AttentionMatrix
        of={of}
        tokens={tokens}
        start={look && [look.query, look.key]}
        onPair={(pair) => set({ view: "pair", detail: pair.join(".") })}
      />
      <p class="soft note">
        A row is a query, the token that looks; a column is a key, the token looked at.
        {of.group > 1 && ` ${of.group} heads share the keys of key head ${Math.floor(of.head / of.group)}.`}
      </p>
      {id && <Exports run={id} lens="attention" query={query} />}
    </>
  );
}

/** One score; by default that of the key which this head's query looks at more than is usual. */
function Pair({ of, tokens }: { of: Found; tokens: AxisTokens }) {
  const { queries, keys } = tokens;
  const named = readPair(attention.value.detail, queries.length, keys.length);
  const board = useBoard(of.part, named ? null : of.layer, !named);
  const look = board.value && lookOf(board.value, of.layer, of.head);
  if (!named && !board.value && !board.problem) return <p class="soft">…</p>;
  const usual = look ? ([look.query, look.key] as const) : ([Math.max(0, queries.length - 1), 0] as const);
  return (
    <AttentionPair
      of={of}
      tokens={tokens}
      pair={named ?? usual}
      onPair={(pair) => set({ detail: pair.join(".") })}
    />
  );
}

function Views({ of }: { of: Found }) {
  return (
    <fieldset class="faces" aria-label="Show attention as">
      {VIEWS.map(({ view, word }) => (
        <button
          key={view}
          type="button"
          class="link"
          aria-pressed={attention.value.view === view}
          // Rollout is read from its end.
          onClick={() => set({ view, detail: "", ...(view === "rollout" ? { layer: of.layers - 1 } : {}) })}
        >
          {word}
        </button>
      ))}
    </fieldset>
  );
}

const STAGES: Readonly<Record<AttentionStage, string>> = {
  hook_attn_scores_raw: "scores",
  hook_attn_scores: "masked scores",
  hook_pattern: "softmax",
};

function Pickers({ of }: { of: Found }) {
  const { map } = useActions();
  const { view, layer, head, part } = attention.value;
  const stages = of.stages.map((stage) => ({
    value: stage,
    // What masks nothing has one kind of scores.
    word: of.stages.length === 2 && stage === "hook_attn_scores" ? "scores" : STAGES[stage],
  }));
  return (
    <div class="pickers mono">
      {of.parts.length > 1 && (
        <Picker
          name="attention"
          value={part ?? of.part}
          choices={of.parts.map((value) => ({ value, word: PARTS[value] ?? value }))}
          onChange={choosePart}
        />
      )}
      {view !== "heads" && (
        <Picker
          name={view === "rollout" ? "up to block" : "block"}
          value={`${layer}`}
          choices={numbered(of.layers)}
          onChange={(value) => set({ layer: Number(value) })}
        />
      )}
      {(view === "matrix" || view === "pair") && (
        <Picker
          name="head"
          value={`${head}`}
          choices={numbered(of.heads)}
          onChange={(value) => set({ head: Number(value) })}
        />
      )}
      {view === "matrix" && (
        <Picker
          name="stage"
          value={of.stage}
          choices={stages}
          onChange={(value) => set({ stage: value as AttentionStage })}
        />
      )}
      {map && view === "matrix" && (
        <button
          type="button"
          class="link"
          onClick={() => map.flyTo({ tensor: of.tensor, index: [of.head, 0, 0] })}
        >
          show in the map
        </button>
      )}
    </div>
  );
}

interface PickerProps {
  readonly name: string;
  readonly value: string;
  readonly choices: readonly { readonly value: string; readonly word: string }[];
  readonly onChange: (value: string) => void;
}

function Picker({ name, value, choices, onChange }: PickerProps) {
  return (
    <label>
      {name}{" "}
      <select aria-label={name} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {!choices.some((choice) => choice.value === value) && <option value={value}>{value}: none</option>}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.word}
          </option>
        ))}
      </select>
    </label>
  );
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ value: `${at}`, word: `${at}` }));
