/** Keeps the address bar and the store in step: a new model or text, and every flight, is a new entry of the history;
 *  anything else changes the present one. Back and Forward retrace flights. */

import { effect } from "@preact/signals";
import { ApiError, getWholeRun } from "../net/rest";
import type { RunAnswer } from "../net/types";
import type { CameraPort, FlightPort, PickPort } from "../scene/ports";
import type { CameraState } from "../scene/types";
import {
  type Address,
  followParts,
  readAddress,
  sameReading,
  samplingLeftOut,
  shownAddress,
  takeAddress,
  writeAddress,
} from "../state/address";
import { comparison, readComparison, writeComparison } from "../state/difference";
import * as state from "../state/store";
import { takeAttention, viewpoint } from "../state/view-codecs";
import { compareWith, stopComparing } from "./comparing";
import type { Session } from "./session";

const DELAY = 250;

/** The address as it stands. */
export const currentAddress = (): Address => readAddress(window.location.search, window.location.hash);

/** Opens what an address says: its model and text, then its view. */
export async function follow(address: Address, session: Session, map: PickPort | null): Promise<void> {
  state.runNote.value = samplingLeftOut(window.location.search);
  takeAddress(address, "before");
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
  takeAddress(address, "after");
  const other = readComparison(address.minus);
  if (!other) stopComparing();
  else if (writeComparison(comparison.value) !== address.minus) void compareWith(other);
  if (address.selected) {
    state.selected.value = address.selected;
    map?.select(address.selected);
    // A chosen cell leads the panel to its head; the address knows better.
    if (address.attention !== undefined) takeAttention(address.attention);
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

const preferred = () =>
  state.models.value.find(({ id }) => id === state.defaultModel.value) ?? state.models.value[0];

let waitingCamera: CameraState | null = null;

/** A layout is there: go to the view that the address asked for, once. True when there was one. */
export function takeWaitingCamera(map: CameraPort): boolean {
  if (!waitingCamera) return false;
  map.setCamera(waitingCamera, false);
  waitingCamera = null;
  return true;
}

/** Mirrors the store into the address bar from now on, and follows Back and Forward. */
export function mirror(session: Session, map: (CameraPort & FlightPort & PickPort) | null): void {
  const entry = new Entry();
  map?.onCameraChange((now) => {
    // On its way the eye is where the entry says already: at its goal.
    if (!map.flying) viewpoint.value = numbersOf(now);
  });
  map?.onFlight(({ from, to }) => entry.leaveFor(from, to));
  effect(() => {
    const now = state.run.value;
    // A run that has not been read yet says nothing new about the address.
    if (!now?.id) return;
    followParts();
    entry.updateSoon();
  });
  window.addEventListener("popstate", (event) => {
    const address = entry.readAgain();
    // An address typed by hand is followed in all it says; of our own entries, with the same text, only the view.
    const ours = (event.state as typeof OURS | null)?.atlas === true;
    if (ours && map && sameReading(address, shownAddress())) retrace(address, session, map);
    else
      void follow(address, session, map).then(() => {
        if (map && waitingCamera) takeWaitingCamera(map);
      });
  });
}

/** The present entry of the browser's history, kept in step with the store. */
class Entry {
  /** What it says. */
  #written = currentAddress();
  #timer = 0;

  constructor() {
    viewpoint.value = this.#written.camera;
  }

  /** Writes what is shown once nothing has changed for a moment. */
  updateSoon(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#update(), DELAY);
  }

  /** A flight makes a new entry; the one left behind keeps what was chosen there, and the last place of the eye. */
  leaveFor(from: CameraState, to: CameraState): void {
    if (isNear(from, to) || !sameReading(this.#written, shownAddress())) return;
    const left = writeAddress({ ...this.#written, camera: numbersOf(from) });
    window.history.replaceState(OURS, "", left);
    viewpoint.value = numbersOf(to);
    // What the flight is for is chosen in the same moment.
    queueMicrotask(() => this.#write(true));
  }

  /** Back or Forward has led to another entry: returns what it says. Nothing is written before that is followed. */
  readAgain(): Address {
    this.#written = currentAddress();
    viewpoint.value = this.#written.camera;
    window.clearTimeout(this.#timer);
    return this.#written;
  }

  #update(): void {
    // Between two models there is nothing that an address could lead back to.
    if (!state.run.value?.id) return;
    const old = currentAddress();
    const first = old.model === undefined && old.text === undefined;
    this.#write(!first && !sameReading(old, shownAddress()));
  }

  #write(push: boolean): void {
    window.clearTimeout(this.#timer);
    this.#written = shownAddress();
    const next = writeAddress(this.#written) || window.location.pathname;
    if (push) window.history.pushState(OURS, "", next);
    else window.history.replaceState(OURS, "", next);
  }
}

/** Marks the entries that this page has written into the history. */
const OURS = { atlas: true } as const;

/** Goes back to what an entry of the history showed of the text that is read now: nothing is read anew. */
function retrace(address: Address, session: Session, map: CameraPort & PickPort): void {
  if (state.heads.value !== (address.heads ?? "fan")) {
    state.heads.value = address.heads ?? "fan";
    session.rearrange();
  }
  state.selected.value = address.selected ?? null;
  map.select(address.selected ?? null);
  // A chosen cell leads the attention panel to its head; the address knows better, and is taken after it.
  takeAddress(address, "retrace");
  const camera = address.camera && toCamera(address.camera);
  if (camera) map.setCamera(camera, true);
}

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

function toCamera(numbers: readonly number[]): CameraState | null {
  if (numbers.length !== 6) return null;
  const [x, y, z, distance, azimuth, elevation] = numbers as [number, number, number, number, number, number];
  return { target: [x, y, z], distance, azimuth, elevation };
}
