/** The size of an element, followed as it changes. */

import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Follows the room that an element has inside, in whole CSS pixels, without scroll bars; 0 x 0 until it is measured. */
export function useSize(element: RefObject<HTMLElement | null>): Signal<Size> {
  const size = useSignal<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      size.value = { width: Math.floor(width), height: Math.floor(height) };
    });
    watch.observe(element.current!);
    return () => watch.disconnect();
  }, []);
  return size;
}
