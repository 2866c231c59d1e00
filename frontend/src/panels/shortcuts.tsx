/** Keys that work wherever no text is being typed. */

import { useEffect } from "preact/hooks";
import type { MapView } from "../scene/types";
import type { Session } from "../session/session";
import { hovered, panel, run, selected } from "../state";
import { direction, pin, pins, played, trail } from "../state/explain";
import { pass, passing } from "../state/pass";
import { choose, useActions } from "./actions";
import { blockBy, leavePass, stepBy, toFirst, togglePass, toLast } from "./pass-walk";
import { play } from "./player";
import { walkTo } from "./walk";
import { followed } from "./walked-card";

export function Shortcuts() {
  const { map, session } = useActions();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLElement && event.target.matches("input, textarea, select")) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (pressedInPass(event, session)) {
        event.preventDefault();
        return;
      }
      if (KEYS[event.key.toLowerCase()]?.(map) === true) event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [map, session]);
  return null;
}

/** What has a use of its own for arrows and Space. */
const OWN_ARROWS =
  '[role="tablist"], [role="separator"], [role="grid"], [role="listbox"], [role="tree"], summary';
const OWN_SPACE = "button, a, summary, [role=option], [role=button]";

/** Stepping through the pass; true where the key was meant for it. */
function pressedInPass(event: KeyboardEvent, session: Session): boolean {
  const act = PASS_KEYS[event.key];
  if (!act || event.shiftKey || event.defaultPrevented || !pass.value || !run.value?.id) return false;
  const { target } = event;
  if (target instanceof Element && target.closest(event.key === " " ? OWN_SPACE : OWN_ARROWS)) return false;
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
  " ": togglePass,
  Escape: leavePass,
};

/** What each key does; true where the browser is to do nothing of its own. */
const KEYS: Readonly<Record<string, (map: MapView | null) => boolean>> = {
  "?": () => {
    panel.value = "help";
    return false;
  },
  escape: (map) => {
    choose(map, null);
    return false;
  },
  "/": () => {
    panel.value = "inspector";
    requestAnimationFrame(() => document.getElementById("go-to")?.focus());
    return true;
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
    if (played.value) played.value = null;
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
