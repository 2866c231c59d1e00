/** Rollout: the patterns of all blocks multiplied, as a matrix, with what it cannot mean said beside it. */

import { formatNumber, tokenText } from "../../format";
import { getLens, getLenses } from "../../net/lenses";
import type { Attention } from "../../state/attention";
import { rests } from "../../state/run";
import { run } from "../../state/store";
import { Exports } from "../lenses/exports";
import { Notes } from "../lenses/lens-panel";
import { useFlow } from "../shared/use-latest";
import { pictureOf } from "./matrix-part";
import { MatrixView } from "./matrix-view";

interface LensRollout {
  readonly tokens: readonly string[];
  readonly matrix: readonly (readonly (number | null)[])[];
}

export function AttentionRollout({ of }: { of: Attention }) {
  const now = run.value;
  const rested = now?.id && rests(now);
  const query = { part: of.part, layer: `${of.layer}` };
  const place = rested && of.part !== "cross" ? `${now.id} ${of.part} ${of.layer}` : null;
  const { value, problem, ...flow } = useFlow(place, `${now?.tokens.length}`, async (signal) => {
    const answer = await getLens<LensRollout>(now!.id!, "rollout", query, signal);
    return { ...answer, picture: pictureOf(answer.matrix) };
  });
  if (of.part === "cross")
    return (
      <p class="soft">
        Rollout multiplies the patterns of one stack: every layer must look at what the last one made.
        Cross-attention looks at another text. Choose the encoder's or the decoder's own attention.
      </p>
    );
  return (
    <>
      {problem && (
        <p class="problem" role="alert">
          {problem.message} {problem.hint}
        </p>
      )}
      {!value && !problem && (
        <p class="soft">{now?.phase === "writing" ? "Waits until the writer rests." : "…"}</p>
      )}
      {value && (
        <MatrixView
          label="Attention rollout"
          axes={["place reached", "origin"]}
          rows={value.tokens}
          columns={value.tokens}
          hue="probability"
          full={1}
          picture={value.picture}
          stale={flow.place !== place}
          onView={() => {}}
          linked={null}
          onPoint={() => {}}
        >
          {([row, column]) => (
            <>
              “{tokenText(value.tokens[row] ?? "")}” ({row}) from “{tokenText(value.tokens[column] ?? "")}” (
              {column}
              ): <b>{formatNumber(value.matrix[row]?.[column] ?? Number.NaN)}</b>
            </>
          )}
        </MatrixView>
      )}
      {now?.id && <Reading run={now.id} lens="rollout" heading="What it cannot mean" />}
      {now?.id && <Exports run={now.id} lens="rollout" query={query} />}
    </>
  );
}

/** Shows the server's notes on a lens: how it is read, and how it is misread. */
function Reading({ run: id, lens, heading }: { run: string; lens: string; heading: string }) {
  const { value } = useFlow(id, "", (signal) => getLenses(id, signal));
  const info = value?.find(({ name }) => name === lens);
  return info ? <Notes info={info} heading={heading} /> : null;
}
