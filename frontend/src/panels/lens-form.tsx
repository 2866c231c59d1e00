/** The controls of a lens, made from what it says can be chosen. */

import { useEffect, useRef } from "preact/hooks";
import { tokenText } from "../format";
import type { LensParameter, LensQuery } from "../net/lenses";
import { position, run } from "../state";

/** Longer axes are typed, not picked from a list. */
const MOST_LISTED = 512;
const TOKEN_AXES = new Set(["pos", "key_pos"]);

interface Props {
  readonly parameters: readonly LensParameter[];
  readonly query: LensQuery;
  readonly onChange: (query: LensQuery) => void;
}

export function LensForm({ parameters, query, onChange }: Props) {
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
            onChange={change(parameter.name)}
          />
        </label>
      ))}
    </div>
  );
}

interface ControlProps {
  readonly parameter: LensParameter;
  /** Null: nothing was chosen, the default holds. */
  readonly value: string | null;
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

/** A place along an axis; positions carry their tokens, and follow the token chosen on the page until one is picked. */
function Index({ parameter, value, onChange }: ControlProps) {
  const tokens = run.value?.tokens ?? [];
  const named = TOKEN_AXES.has(parameter.of);
  const follows = parameter.name === "pos";
  const chosen = position.value;
  const rest = Number(parameter.default) < 0 ? `last` : `${parameter.default}`;
  return (
    <select
      value={value ?? (follows || Number(parameter.default) < 0 ? "" : `${parameter.default}`)}
      onChange={(event) => onChange(event.currentTarget.value === "" ? null : event.currentTarget.value)}
    >
      {(follows || Number(parameter.default) < 0) && (
        <option value="">{follows && chosen !== null ? `chosen (${chosen})` : rest}</option>
      )}
      {Array.from({ length: parameter.size }, (_, at) => (
        <option key={at} value={`${at}`}>
          {at}
          {named && tokens[at] ? ` ${tokenText(tokens[at].text)}` : ""}
        </option>
      ))}
    </select>
  );
}

/** Shows a value in a field when it changes, and only then: what is being typed outlives an answer that comes meanwhile. */
function useShown(value: string) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (field.current) field.current.value = value;
  }, [value]);
  return field;
}

function Number_({ parameter, value, onChange }: ControlProps) {
  const least = parameter.kind === "index" ? 0 : parameter.least;
  const most = parameter.kind === "index" ? parameter.size - 1 : parameter.most;
  return (
    <input
      type="number"
      ref={useShown(value ?? `${parameter.default}`)}
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

const sameAsDefault = (value: string, parameter: LensParameter): string | null =>
  value === `${parameter.default}` || value === "" ? null : value;

/** What a lens is to be asked: what was chosen, and the position chosen on the page where the lens has one. */
export function askedOf(parameters: readonly LensParameter[], query: LensQuery): LensQuery {
  const at = position.value;
  const pos = parameters.find(({ name }) => name === "pos");
  const known = Object.fromEntries(
    Object.entries(query).filter(([name]) => parameters.some((parameter) => parameter.name === name)),
  );
  return pos && at !== null && at < pos.size && known.pos === undefined ? { ...known, pos: `${at}` } : known;
}
