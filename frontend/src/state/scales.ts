/** What full colour stands for: how the reader wants it chosen, and the number that follows for each tensor. The map,
 *  the legend and every small picture of cells ask here, so that they say the same. */

import { computed, signal } from "@preact/signals";
import type { Role, TensorInfo } from "../graph/types";
import { NO_SCALES, type SourceScales } from "../sources/port";
import { codec, plainText } from "./codec";
import { drawn, source } from "./source";
import { graph } from "./store";

/** One scale for each kind of tensor over all layers, for each tensor, or for each role; or numbers set by hand. */
export type ScaleMode = "kind" | "tensor" | "role" | "fixed";
export const SCALE_MODES: readonly { readonly mode: ScaleMode; readonly words: string }[] = [
  { mode: "kind", words: "by kind, over all layers" },
  { mode: "tensor", words: "by tensor" },
  { mode: "role", words: "by role" },
  { mode: "fixed", words: "fixed" },
];

export interface ScaleChoice {
  readonly mode: ScaleMode;
  /** Set by hand: by role where the mode is fixed, by kind (over all layers) in the other modes. */
  readonly pinned: Readonly<Record<string, number>>;
}

export const DEFAULT_SCALES: ScaleChoice = { mode: "kind", pinned: {} };
export const scaleChoice = signal<ScaleChoice>(DEFAULT_SCALES);

/** Full colour of each tensor alone, of a model's weights and a run's activations; fetched when asked for. */
export const tensorScales = signal<Readonly<Record<string, number>>>({});

/** What is measured: full colour by kind, by tensor and by role, a role's being the largest of its kinds'. */
export interface Measured {
  readonly kinds: Readonly<Record<string, number>>;
  readonly tensors: Readonly<Record<string, number>>;
  readonly roles: Readonly<Partial<Record<Role, number>>>;
}

function measure({ kinds, tensors }: SourceScales): Measured {
  const roles: Partial<Record<Role, number>> = {};
  for (const { role, kind } of graph.value?.tensors ?? [])
    if (kinds[kind] !== undefined) roles[role] = Math.max(roles[role] ?? 0, kinds[kind]);
  return { kinds, tensors, roles };
}

/** Of the run shown, whatever is taken from it. */
const own = computed(() => measure(source.value?.scales.value ?? NO_SCALES));

/** Of what the map shows: the run, or its difference to another. */
export const measured = computed<Measured>(() => measure(drawn.value?.scales.value ?? NO_SCALES));

type Shown = Pick<TensorInfo, "name" | "kind" | "role">;

/** Full colour of a tensor; null while nothing of it has been measured. */
export function fullColour(
  { name, kind, role }: Shown,
  { mode, pinned }: ScaleChoice,
  { kinds, tensors, roles }: Measured,
): number | null {
  if (mode === "fixed") return pinned[role] ?? roles[role] ?? null;
  if (pinned[kind] !== undefined) return pinned[kind];
  if (mode === "role") return roles[role] ?? null;
  return (mode === "tensor" ? tensors[name] : undefined) ?? kinds[kind] ?? null;
}

/** Full colour of a tensor as things stand; 1 while nothing of it has been measured. */
export const scaleOf = (tensor: Shown): number => fullColour(tensor, scaleChoice.value, measured.value) ?? 1;

/** Full colour of the run's own numbers, where these are shown beside a map of differences. */
export const ownScaleOf = (tensor: Shown): number => fullColour(tensor, scaleChoice.value, own.value) ?? 1;

/** Under which name a tensor's full colour is set by hand. */
export const pinName = (tensor: Shown, { mode }: ScaleChoice): string =>
  mode === "fixed" ? tensor.role : tensor.kind;

/** The choice with a number set by hand for what a tensor belongs to, or with none. */
export function withPin(choice: ScaleChoice, tensor: Shown, full: number | null): ScaleChoice {
  const { [pinName(tensor, choice)]: _, ...others } = choice.pinned;
  return { ...choice, pinned: full === null ? others : { ...others, [pinName(tensor, choice)]: full } };
}

/** Another mode. Fixed numbers begin as they are now; what was set by hand for a kind stays with the kinds. */
export function withMode({ mode: before, pinned }: ScaleChoice, mode: ScaleMode, now: Measured): ScaleChoice {
  if (mode === "fixed") return { mode, pinned: { ...now.roles } };
  return { mode, pinned: before === "fixed" ? {} : pinned };
}

/** The choice for the address bar: `tensor~W_Q=0.5`; nothing where nothing was chosen. */
export function writeScales({ mode, pinned }: ScaleChoice): string | undefined {
  const pins = Object.entries(pinned).map(([name, full]) => `${name}=${Number(full.toPrecision(6))}`);
  return mode === "kind" && pins.length === 0 ? undefined : [mode, ...pins].join("~");
}

/** What an address says; pins that make no sense are left out. */
export function readScales(text: string | undefined): ScaleChoice {
  const [word, ...pins] = (text ?? "").split("~");
  const mode = SCALE_MODES.find((one) => one.mode === word)?.mode;
  if (!mode) return DEFAULT_SCALES;
  const read = pins.map((pin) => /^(\w+)=(.+)$/.exec(pin)).filter((match) => match !== null);
  const pinned = read.map(([, name, full]) => [name, Number(full)] as const);
  return { mode, pinned: Object.fromEntries(pinned.filter(([, full]) => isFullColour(full))) };
}

/** Full colour is a number above zero: zero is paper, whatever the scale. */
export const isFullColour = (full: number): boolean => Number.isFinite(full) && full > 0;

/** How full colour is chosen. */
export const scaleCodec = codec({
  key: "scale",
  where: "query",
  ...plainText("scale"),
  signal: computed(() => writeScales(scaleChoice.value)),
  history: "replace",
  take: {
    when: "before",
    onRetrace: false,
    into: (text) => {
      scaleChoice.value = readScales(text);
    },
  },
});
