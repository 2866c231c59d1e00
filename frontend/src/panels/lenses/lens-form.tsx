/** The controls of a lens, made from what it says can be chosen. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { calledTokens } from "../../characters";
import { tokenText } from "../../format";
import type { LensParameter, LensQuery } from "../../net/lenses";
import type { Token } from "../../net/types";
import { run } from "../../state/store";

/** Longer axes are typed, not picked from a list. */
const MOST_LISTED = 512;
const TOKEN_AXES = new Set(["pos", "key_pos"]);

interface Props {
  readonly parameters: readonly LensParameter[];
  /** The parameters chosen here. */
  readonly query: LensQuery;
  /** The parameters asked for: the same, and those that follow the page. */
  readonly asked: LensQuery;
  readonly onChange: (query: LensQuery) => void;
}

export function LensForm({ parameters, query, asked, onChange }: Props) {
  const shown = parameters.filter(({ kind, choices }) => kind !== "choice" || choices.length > 1);
  if (shown.length === 0) return null;
  const change = (name: string) => (value: string | null) => {
    const { [name]: _, ...rest } = query;
    onChange(value === null ? rest : { ...rest, [name]: value });
  };
  return (
    <div class="lens-form mono">
      {shown.map((parameter) => (
        // biome-ignore lint/a11y/noLabelWithoutControl: the control is the component inside
        <label key={parameter.name}>
          <span>{parameter.title}</span>
          <Control
            parameter={parameter}
            value={query[parameter.name] ?? null}
            followed={asked[parameter.name] ?? null}
            tokens={tokensAlong(parameter, partOf(parameters, asked))}
            onChange={change(parameter.name)}
          />
        </label>
      ))}
    </div>
  );
}

/** Chooses the attention or stack that a lens looks at. */
function partOf(parameters: readonly LensParameter[], asked: LensQuery): string {
  return asked.part ?? `${parameters.find(({ name }) => name === "part")?.default ?? ""}`;
}

/** The tokens along a parameter's axis: those of the text, or of the source that an encoder reads. */
function tokensAlong({ of }: LensParameter, part: string): readonly Token[] {
  if (!TOKEN_AXES.has(of)) return [];
  const source = part === "encoder" || (part === "cross" && of === "key_pos");
  return (source ? run.value?.source : run.value?.tokens) ?? [];
}

interface ControlProps {
  readonly parameter: LensParameter;
  /** Null: nothing was chosen, the default holds. */
  readonly value: string | null;
  /** The words for the page's own choice, where nothing was chosen. */
  readonly followed: string | null;
  /** The words at the places of its axis. */
  readonly tokens: readonly Token[];
  readonly onChange: (value: string | null) => void;
}

function Control(props: ControlProps) {
  const { parameter } = props;
  if (parameter.kind === "choice") return <Choice {...props} />;
  if (parameter.kind === "index" && parameter.size <= MOST_LISTED) return <Index {...props} />;
  if (parameter.kind === "token" || parameter.kind === "text") return <Text {...props} />;
  return <Number_ {...props} />;
}

function Choice({ parameter, value, onChange }: ControlProps) {
  return (
    <select
      aria-label={parameter.title}
      value={value ?? `${parameter.default}`}
      onChange={(event) => onChange(sameAsDefault(event.currentTarget.value, parameter))}
    >
      {parameter.choices.map((choice) => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </select>
  );
}

/** A place along an axis; positions carry their tokens. Until one is picked it follows what is chosen on the page. */
function Index({ parameter, value, followed, tokens, onChange }: ControlProps) {
  const called = calledTokens(tokens);
  const rest = { "-1": "last", "0": "first" }[`${parameter.default}`] ?? `${parameter.default}`;
  return (
    <select
      aria-label={parameter.title}
      value={value ?? ""}
      onChange={(event) => onChange(event.currentTarget.value === "" ? null : event.currentTarget.value)}
    >
      <option value="">{followed === null ? rest : `chosen (${followed})`}</option>
      {Array.from({ length: parameter.size }, (_, at) => (
        <option key={at} value={`${at}`}>
          {at}
          {called[at] ? ` ${tokenText(called[at].text)}` : ""}
        </option>
      ))}
    </select>
  );
}

/** Shows a value in a field when it changes, and only then: what is being typed outlives an answer that comes meanwhile. */
function useShown(value: string) {
  const field = useRef<HTMLInputElement>(null);
  // At once, not after the next frame: somebody may be typing by then.
  useLayoutEffect(() => {
    if (field.current) field.current.value = value;
  }, [value]);
  return field;
}

function Number_({ parameter, value, followed, onChange }: ControlProps) {
  const least = parameter.kind === "index" ? 0 : parameter.least;
  const most = parameter.kind === "index" ? parameter.size - 1 : parameter.most;
  return (
    <input
      aria-label={parameter.title}
      type="number"
      ref={useShown(value ?? followed ?? `${parameter.default}`)}
      {...(least === null ? {} : { min: least })}
      {...(most === null ? {} : { max: most })}
      step={parameter.kind === "number" ? "any" : 1}
      onChange={(event) => onChange(sameAsDefault(event.currentTarget.value, parameter))}
    />
  );
}

function Text({ parameter, value, onChange }: ControlProps) {
  return (
    <input
      aria-label={parameter.title}
      class="words"
      ref={useShown(value ?? "")}
      placeholder={parameter.empty}
      title={`${parameter.empty}${parameter.kind === "token" ? "; or a token, such as #12 or its text" : ""}`}
      spellcheck={false}
      autocomplete="off"
      onChange={(event) => onChange(event.currentTarget.value === "" ? null : event.currentTarget.value)}
    />
  );
}

/** Leaves a default value out; an index is said all the same, since what is not said follows the page. */
const sameAsDefault = (value: string, parameter: LensParameter): string | null =>
  value === "" || (value === `${parameter.default}` && parameter.kind !== "index") ? null : value;
