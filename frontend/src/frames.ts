/** The display's frames, in an order: what keeps time comes first, then whoever draws what has changed. Asked for apart,
 *  a picture would be drawn one frame after the words that belong to it. */

type Callback = (now: number) => void;

const asked = { time: new Set<Callback>(), draw: new Set<Callback>() };
let request: number | null = null;

/** Calls back once, in the next frame; in this one where time is kept just now and the callback draws. Returns how to
 *  call it off. */
export function atFrame(when: keyof typeof asked, callback: Callback): () => void {
  asked[when].add(callback);
  request ??= requestAnimationFrame(onFrame);
  return () => {
    asked[when].delete(callback);
    if (request === null || asked.time.size + asked.draw.size > 0) return;
    cancelAnimationFrame(request);
    request = null;
  };
}

function onFrame(now: number): void {
  request = null;
  for (const when of ["time", "draw"] as const) {
    const all = [...asked[when]];
    // What is asked for while drawing is for the next frame, and so is what one that throws leaves.
    for (const callback of all)
      if (asked[when].delete(callback)) {
        if (asked.time.size + asked.draw.size > 0) request ??= requestAnimationFrame(onFrame);
        callback(now);
      }
  }
  if (request !== null && asked.time.size + asked.draw.size === 0) {
    cancelAnimationFrame(request);
    request = null;
  }
}
