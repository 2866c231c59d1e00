/** Keeps the address bar and the store in step: a new model or text, and every flight, is a new entry of the history;
 *  anything else changes the present one. Back and Forward retrace flights. */

import { effect } from "@preact/signals";
import { ApiError, getWholeRun } from "../net/rest";
import type { RunAnswer } from "../net/types";
import type { CameraState, MapView } from "../scene/types";
import { type Address, readAddress, samplingLeftOut, writeAddress } from "../state/address";
import { readAttention, writeAttention } from "../state/attention";
import { comparison, readComparison, writeComparison } from "../state/difference";
import { pins, takePins, writePins } from "../state/explain";
import { openLenses, readLenses, writeLenses } from "../state/lenses";
import { currentStep, pass, passing, readStep, viewIsGiven, writeStep } from "../state/pass";
import { readAgain } from "../state/run";
import { readScales, scaleChoice, writeScales } from "../state/scales";
import * as state from "../state/store";
import { compareWith, stopComparing } from "./comparing";
import type { Session } from "./session";

const DELAY = 250;

/** The address as it stands. */
export const currentAddress = (): Address => readAddress(window.location.search, window.location.hash);

/** Opens what an address says: its model and text, then its view. */
export async function follow(address: Address, session: Session, map: MapView | null): Promise<void> {
  state.runNote.value = samplingLeftOut(window.location.search);
  if (address.speed !== undefined) state.writingSpeed.value = address.speed;
  showPanels(address);
  state.heads.value = address.heads ?? "fan";
  scaleChoice.value = readScales(address.scale);
  const held = address.run === undefined ? null : await heldOrSaid(address);
  const id = held?.model ?? address.model ?? preferred()?.id ?? null;
  if (id === null) return;
  waitingCamera = address.camera ? toCamera(address.camera) : null;
  await session.open(id, {
    ...(held ? { held } : {}),
    sampling: address.sampling,
    keepsAttention: address.attention !== undefined,
    // Whoever comes to the front door finds a story written: plates are full.
    writes: Object.values(address).every((said) => said === undefined),
    ...(address.text === undefined ? {} : { text: address.text }),
    pair: address.pair,
    kinds: address.kinds,
    ...(address.tokens ? { tokens: address.tokens, prompt: address.prompt ?? address.tokens.length } : {}),
  });
  if (address.pins !== undefined && state.graph.value) takePins(address.pins, state.graph.value);
  takeStep(address);
  const other = readComparison(address.minus);
  if (!other) stopComparing();
  else if (writeComparison(comparison.value) !== address.minus) void compareWith(other);
  if (address.selected) {
    state.selected.value = address.selected;
    map?.select(address.selected);
    // A chosen cell leads the panel to its head; the address knows better.
    if (address.attention !== undefined) followAttention(address.attention);
  }
}

/** The run that an address names, or why it is not the one on show. */
async function heldOrSaid(address: Address): Promise<RunAnswer | null> {
  try {
    return await getWholeRun(address.run ?? "");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const instead =
      address.text === undefined && !address.tokens
        ? "The address says nothing of what it read, so what is shown is another text."
        : "What it read is in the address and was read anew, by the model as it is: what was changed in the run is not in it.";
    state.runNote.value = `The run ${address.run} cannot be shown: ${error.message} ${instead}`;
    return null;
  }
}

/** Stands where the address says. The tokens may still be on their way: steps are the same for any number of them. */
function takeStep({ step, camera }: Address): void {
  const now = pass.value;
  const place = step !== undefined && now ? readStep(step, now) : null;
  viewIsGiven.value = place !== null && camera !== undefined;
  passing.value = place && { ...place, running: false };
}

function showPanels(address: Address): void {
  state.panel.value = panelNamed(address.panel) ?? "inspector";
  followAttention(address.attention);
  openLenses.value = readLenses(address.lenses) ?? openLenses.value;
}

const preferred = () =>
  state.models.value.find(({ id }) => id === state.defaultModel.value) ?? state.models.value[0];

let waitingCamera: CameraState | null = null;

/** A layout is there: go to the view that the address asked for, once. True when there was one. */
export function takeWaitingCamera(map: MapView): boolean {
  if (!waitingCamera) return false;
  map.setCamera(waitingCamera, false);
  waitingCamera = null;
  return true;
}

/** Mirrors the store into the address bar from now on, and follows Back and Forward. */
export function mirror(session: Session, map: MapView | null): void {
  let camera: readonly number[] | undefined = currentAddress().camera;
  /** What this entry of the history says. */
  let written = currentAddress();
  let timer = 0;
  const write = (push: boolean) => {
    window.clearTimeout(timer);
    written = fromStore(camera);
    const next = writeAddress(written) || window.location.pathname;
    if (push) window.history.pushState(OURS, "", next);
    else window.history.replaceState(OURS, "", next);
  };
  const update = () => {
    // Between two models there is nothing that an address could lead back to.
    if (!state.run.value?.id) return;
    const old = currentAddress();
    const first = old.model === undefined && old.text === undefined;
    write(!first && !sameReading(old, fromStore(camera)));
  };
  const soon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(update, DELAY);
  };
  map?.onCameraChange((now) => {
    // On its way the eye is where the entry says already: at its goal.
    if (map.flying) return;
    camera = numbersOf(now);
    soon();
  });
  map?.onFlight(({ from, to }) => {
    if (isNear(from, to) || !sameReading(written, fromStore(camera))) return;
    // The entry left behind keeps what was chosen there, and the last place of the eye.
    const left = writeAddress({ ...written, camera: numbersOf(from) });
    window.history.replaceState(OURS, "", left);
    camera = numbersOf(to);
    // What the flight is for is chosen in the same moment.
    queueMicrotask(() => write(true));
  });
  effect(() => {
    const now = state.run.value;
    // A run that has not been read yet says nothing new about the address.
    if (!now?.id) return;
    void [
      state.heads.value,
      scaleChoice.value,
      comparison.value,
      state.selected.value,
      state.sampling.value,
      state.writingSpeed.value,
      pins.value,
      state.panel.value,
      state.attention.value,
      openLenses.value,
      passing.value,
    ];
    soon();
  });
  window.addEventListener("popstate", (event) => {
    window.clearTimeout(timer);
    written = currentAddress();
    camera = written.camera;
    // An address typed by hand is followed in all it says; of our own entries, with the same text, only the view.
    const ours = (event.state as typeof OURS | null)?.atlas === true;
    if (ours && map && sameReading(written, fromStore(camera))) retrace(written, session, map);
    else
      void follow(written, session, map).then(() => {
        if (map && waitingCamera) takeWaitingCamera(map);
      });
  });
}

/** Marks the entries that this page has written into the history. */
const OURS = { atlas: true } as const;

/** Goes back to what an entry of the history showed of the text that is read now: nothing is read anew. */
function retrace(address: Address, session: Session, map: MapView): void {
  if (state.heads.value !== (address.heads ?? "fan")) {
    state.heads.value = address.heads ?? "fan";
    session.rearrange();
  }
  state.selected.value = address.selected ?? null;
  map.select(address.selected ?? null);
  // A chosen cell leads the attention panel to its head; the address knows better.
  showPanels(address);
  takeStep(address);
  const camera = address.camera && toCamera(address.camera);
  if (camera) map.setCamera(camera, true);
}

const sameReading = (a: Address, b: Address): boolean =>
  a.model === b.model &&
  (a.text ?? null) === (b.text ?? null) &&
  (a.pair ?? null) === (b.pair ?? null) &&
  a.run === b.run;

const numbersOf = ({ target, distance, azimuth, elevation }: CameraState): readonly number[] => [
  ...target,
  distance,
  azimuth,
  elevation,
];

/** Whether two views are the same to the eye: a flight between them is none. */
function isNear(a: CameraState, b: CameraState): boolean {
  const way = Math.hypot(...a.target.map((value, axis) => value - b.target[axis]!));
  return (
    way < 0.01 * Math.min(a.distance, b.distance) &&
    Math.abs(Math.log(a.distance / b.distance)) < 0.01 &&
    Math.hypot(a.azimuth - b.azimuth, a.elevation - b.elevation) < 0.5
  );
}

function fromStore(camera: readonly number[] | undefined): Address {
  const now = state.run.value;
  const written = now !== null && now.promptLength !== null && now.tokens.length > now.promptLength;
  const grown = written || (now !== null && state.hidden.value.size > 0);
  return {
    model: state.modelId.value ?? undefined,
    text: state.readText.value,
    pair: state.readPair.value ?? undefined,
    run: now?.held && now.id ? now.id : undefined,
    tokens: grown ? now.tokens.map((token) => token.id) : undefined,
    kinds: grown ? readAgain(now).kinds : undefined,
    prompt: grown ? (now.promptLength ?? undefined) : undefined,
    sampling: state.sampling.value,
    speed: state.writingSpeed.value ?? undefined,
    camera,
    heads: state.heads.value,
    scale: writeScales(scaleChoice.value),
    selected: state.selected.value ?? undefined,
    step:
      passing.value && currentStep.value ? writeStep(currentStep.value, passing.value.progress) : undefined,
    minus: writeComparison(comparison.value),
    pins: writePins(pins.value),
    panel: state.panel.value === "inspector" ? undefined : state.panel.value,
    attention: state.panel.value === "attention" ? writeAttention(state.attention.value) : undefined,
    lenses: state.panel.value === "lenses" ? writeLenses(openLenses.value) : undefined,
  };
}

function toCamera(numbers: readonly number[]): CameraState | null {
  if (numbers.length !== 6) return null;
  const [x, y, z, distance, azimuth, elevation] = numbers as [number, number, number, number, number, number];
  return { target: [x, y, z], distance, azimuth, elevation };
}

function panelNamed(name: string | undefined): state.Panel | undefined {
  // Addresses from before there were lenses.
  if (name === "charts") return "lenses";
  return state.PANELS.find((panel) => panel === name);
}

function followAttention(text: string | undefined): void {
  const asked = text === undefined ? null : readAttention(text);
  if (asked) state.attention.value = asked;
  state.attentionUnread.value = text !== undefined && !asked ? text : null;
}
