/** Tells the map what the page has put over it, so that no word of the map is written under it. */

import { useEffect } from "preact/hooks";
import { useActions } from "../shared/actions";

const OVER_THE_MAP = ".crumbs, .overview, .overview-shut, .difference-note, .map-legend";
/** Pixels kept clear around it. */
const CLEAR = 4;

/** `canvas` is the map's own. Measured when what lies over it changes, never while frames are drawn. */
export function Occupied({ canvas }: { canvas: HTMLCanvasElement }) {
  const { map } = useActions();
  useEffect(() => {
    const host = canvas.parentElement;
    if (!map || !host) return;
    let last = "";
    let request = 0;
    const measure = () => {
      request = 0;
      const own = canvas.getBoundingClientRect();
      const boxes = [...host.querySelectorAll(OVER_THE_MAP)].filter(isSeen).map((element) => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        return {
          left: left - own.left - CLEAR,
          top: top - own.top - CLEAR,
          right: right - own.left + CLEAR,
          bottom: bottom - own.top + CLEAR,
        };
      });
      if (JSON.stringify(boxes) === last) return;
      last = JSON.stringify(boxes);
      map.setOccupied(boxes);
    };
    const soon = () => {
      if (request === 0) request = requestAnimationFrame(measure);
    };
    const changes = new MutationObserver((records) => {
      if (records.some(({ target }) => isOver(target) || target === host)) soon();
    });
    changes.observe(host, { childList: true, subtree: true, attributeFilter: ["class"] });
    const sizes = new ResizeObserver(soon);
    sizes.observe(canvas);
    soon();
    return () => {
      changes.disconnect();
      sizes.disconnect();
      cancelAnimationFrame(request);
    };
  }, [map, canvas]);
  return null;
}

const isOver = (node: Node): boolean => node instanceof Element && node.closest(OVER_THE_MAP) !== null;
const isSeen = (element: Element): boolean => getComputedStyle(element).visibility !== "hidden";
