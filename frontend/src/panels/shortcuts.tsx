/** Keys that work wherever no text is being typed. */

import { useEffect } from "preact/hooks";
import type { MapView } from "../scene/types";
import { hovered, panel, selected } from "../state";
import { direction, pin, pins, played, trail } from "../state/explain";
import { choose, useActions } from "./actions";
import { play } from "./player";
import { walkTo } from "./walk";
import { followed } from "./walked-card";

export function Shortcuts() {
  const { map } = useActions();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLElement && event.target.matches("input, textarea, select")) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (KEYS[event.key.toLowerCase()]?.(map) === true) event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [map]);
  return null;
}

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
