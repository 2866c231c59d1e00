/** The line between the map and the dock: dragged, or moved by the arrow keys, to give the dock more room. */

import { useRef } from "preact/hooks";
import { dockWidth } from "../state/lenses";

const LEAST = 260;
const STEP = 24;
/** CSS pixels left to the map, at least. */
const MAP = 240;

export function Splitter() {
  const bar = useRef<HTMLDivElement>(null);
  const widthNow = () => bar.current?.closest(".atlas")?.querySelector(".right")?.clientWidth ?? LEAST;
  const most = () => {
    const page = bar.current?.closest(".atlas");
    const left = page?.querySelector(".left")?.clientWidth ?? 0;
    return Math.max(LEAST, (page?.clientWidth ?? 1280) - left - MAP);
  };
  const set = (width: number) => {
    dockWidth.value = Math.round(Math.max(LEAST, Math.min(most(), width)));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      ref={bar}
      class="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panels: the arrow keys change it, Enter gives it back"
      aria-valuenow={dockWidth.value ?? 400}
      aria-valuemin={LEAST}
      aria-valuemax={2000}
      tabIndex={0}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const right = event.currentTarget.closest(".atlas")!.getBoundingClientRect().right;
        set(right - event.clientX);
      }}
      onDblClick={() => {
        dockWidth.value = null;
      }}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") set(widthNow() + STEP);
        else if (event.key === "ArrowRight") set(widthNow() - STEP);
        else if (event.key === "Enter") dockWidth.value = null;
        else return;
        event.preventDefault();
      }}
    />
  );
}
