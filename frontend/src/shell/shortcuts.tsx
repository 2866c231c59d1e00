/** Keys that work wherever no text is being typed. */

import { useEffect } from "preact/hooks";
import { findPasted } from "../find/find";
import { walkTo } from "../panels/explain/operand-navigation";
import { followed } from "../panels/explain/walked-card";
import {
  blockBy,
  leavePlayed,
  stepBy,
  toFirst,
  togglePlayed,
  toLast,
} from "../panels/playback/pass-controls";
import { play } from "../panels/playback/player";
import { scopeNow } from "../panels/search/search";
import { choose, useActions } from "../panels/shared/actions";
import { visitFind } from "../panels/shared/go-to-result";
import type { CameraPort, FlightPort, PickPort } from "../scene/ports";
import type { Nudge } from "../scene/types";
import type { Session } from "../session/session";
import { present } from "../session/window";
import { direction, pin, pins, played, trail } from "../state/explain";
import { overviewShown, searching } from "../state/navigation";
import { isSteppable, pass, passing } from "../state/pass";
import { presenting } from "../state/shell";
import { hovered, panel, selected } from "../state/store";
import { timeline } from "../state/timeline";
import { openByKey } from "./panels";

export function Shortcuts() {
  const { map, session } = useActions();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTakenBy(event.target, event.key)) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (pressedInPass(event, session)) {
        event.preventDefault();
        return;
      }
      const shifted = event.shiftKey ? SHIFTED[event.key] : undefined;
      const act = shifted ?? KEYS[event.key.toLowerCase()];
      if (!act) openByKey(event.key);
      else if (act(map)) event.preventDefault();
    };
    const paste = (event: ClipboardEvent) => {
      const scope = scopeNow(map, new Map());
      if (!scope || isText(event.target)) return;
      const found = findPasted(event.clipboardData?.getData("text") ?? "", scope);
      if (found) visitFind(map, found);
    };
    document.addEventListener("keydown", press);
    document.addEventListener("paste", paste);
    return () => {
      document.removeEventListener("keydown", press);
      document.removeEventListener("paste", paste);
    };
  }, [map, session]);
  return null;
}

/** Inputs that are typed into; of the others, such as sliders and boxes to tick, only some keys are theirs. */
const TYPED = `textarea, [contenteditable], input:not(${[
  "range",
  "checkbox",
  "radio",
  "button",
  "submit",
  "color",
  "file",
]
  .map((type) => `[type=${type}]`)
  .join(", ")})`;
const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches(TYPED);

/** Keys that move a slider. */
const SLIDER_KEYS = ["Home", "End", "PageUp", "PageDown"];

/** Tells whether a key belongs to what has the focus: all keys to a text, to a list those that choose in it, to a slider and
 *  the like those that move it. */
function isTakenBy(target: EventTarget | null, key: string): boolean {
  if (isText(target)) return true;
  if (!(target instanceof Element)) return false;
  if (target.matches("select")) return !["/", "?", "Escape"].includes(key);
  if (target.matches("input[type=range]") && SLIDER_KEYS.includes(key)) return true;
  if (target.matches("input") && key.startsWith("Arrow")) return true;
  const moved = "[role=tab], [role=separator], [role=application], [role=group], [role=slider], summary";
  return key.startsWith("Arrow") && target.matches(moved);
}

/** Shares of the window, degrees, and a factor: how far one press of a key moves the eye. */
const PAN = 1 / 10;
const TURN = 6;
const ZOOM = 1.25;

const nudge = (by: Nudge) => (map: CameraPort | null) => {
  map?.nudge(by);
  return true;
};

/** Keys with Shift: what they do without it belongs to others. */
const SHIFTED: Readonly<Record<string, (map: (CameraPort & FlightPort & PickPort) | null) => boolean>> = {
  F: () => {
    present(!presenting.value);
    return true;
  },
  ArrowLeft: nudge({ pan: [-PAN, 0] }),
  ArrowRight: nudge({ pan: [PAN, 0] }),
  ArrowUp: nudge({ pan: [0, -PAN] }),
  ArrowDown: nudge({ pan: [0, PAN] }),
};

function fitAll(map: CameraPort | null): boolean {
  map?.fit(true);
  return true;
}

/** Elements that Space presses. */
const PRESSED = "button, a, summary, input, [role=option], [role=button]";

/** Stepping through the pass; true where the key was meant for it. */
function pressedInPass(event: KeyboardEvent, session: Session): boolean {
  const act = PASS_KEYS[event.key];
  if (!act || event.shiftKey || !pass.value || !isSteppable.value) return false;
  if (event.key === " " && event.target instanceof Element && event.target.closest(PRESSED)) return false;
  const enters = event.key === " " || event.key === "ArrowRight" || event.key === "ArrowLeft";
  if (!passing.value && !enters) return false;
  act(session);
  return true;
}

const PASS_KEYS: Readonly<Record<string, (session: Session) => void>> = {
  ArrowRight: (session) => stepBy(session, 1),
  ArrowLeft: (session) => stepBy(session, -1),
  PageDown: (session) => blockBy(session, 1),
  PageUp: (session) => blockBy(session, -1),
  Home: toFirst,
  End: toLast,
  " ": togglePlayed,
  Escape: leavePlayed,
};

/** The act of each key; true where the browser is to do nothing of its own. */
const KEYS: Readonly<Record<string, (map: (CameraPort & FlightPort & PickPort) | null) => boolean>> = {
  escape: (map) => {
    if (presenting.value) present(false);
    else if (played.value) timeline.leave();
    else choose(map, null);
    return false;
  },
  "/": () => {
    searching.value = "";
    return true;
  },
  "+": nudge({ zoom: 1 / ZOOM }),
  "=": nudge({ zoom: 1 / ZOOM }),
  "-": nudge({ zoom: ZOOM }),
  q: nudge({ turn: [-TURN, 0] }),
  e: nudge({ turn: [TURN, 0] }),
  r: nudge({ turn: [0, TURN] }),
  v: nudge({ turn: [0, -TURN] }),
  m: () => {
    overviewShown.value = !overviewShown.value;
    return false;
  },
  "0": fitAll,
  home: fitAll,
  f: (map) => {
    if (!map || !selected.value || !map.flyTo({ plateOf: selected.value })) map?.fit(true);
    return false;
  },
  p: () => {
    const pointed = hovered.value && { tensor: hovered.value.tensor, index: hovered.value.index };
    const before = pins.value.length;
    if (pointed) pin([pointed], "backward");
    else if (selected.value) pin(trail.value, direction.value);
    if (pins.value.length > before) panel.value = "pins";
    return false;
  },
  a: () => {
    if (played.value) timeline.leave();
    else if (selected.value) play(selected.value);
    return false;
  },
  g: (map) => {
    const next = selected.value && followed(selected.value);
    if (next) walkTo(map, next);
    return false;
  },
  b: (map) => {
    const before = trail.value.at(-2);
    if (before) walkTo(map, before);
    return false;
  },
};
