/** What can be played: a track shows, at each of its places, one picture in one set of words, whichever way one came
 *  there. The pass is one, the arithmetic of a cell another; a lesson is put together from both:
 *
 *      sequence(hold(pass, { step: 7, progress: 1 }, 4), over(pass.pictureAt(there), arithmetic))
 *
 *  Knows no clock, no map, no screen.
 */

/** One cell of a tensor, by the tensor's own axes. */
export interface CellPlayed {
  readonly tensor: string;
  readonly index: readonly number[];
}

/** What happens between two moments that one steps to, in seconds at the usual pace. */
export interface Stretch {
  readonly start: number;
  readonly stop: number;
}

/** A time: a step, and how far it is, from 0 to 1. The end of a step and the beginning of the next are the same second
 *  and two pictures, which is why seconds alone do not say it. */
export interface Place {
  readonly step: number;
  readonly progress: number;
}

/** Where everything stands that can be shown; null is not shown. */
export interface Picture {
  /** The moment of the pass. */
  readonly pass: Place | null;
  /** The cell whose arithmetic is shown, and how far it is, from 0 to 1. */
  readonly cell: { readonly cell: CellPlayed; readonly time: number } | null;
}

export const NOTHING: Picture = { pass: null, cell: null };

export interface Track {
  /** One after another, without gaps, from 0. */
  readonly steps: readonly Stretch[];
  /** How long all of it takes at the usual pace. */
  readonly seconds: number;
  pictureAt(place: Place): Picture;
  wordsAt(place: Place): string;
}

// ---- places and seconds ------------------------------------------------------------------------------------

/** Seconds from the beginning to a place. */
export function timeOf({ steps }: Pick<Track, "steps">, { step, progress }: Place): number {
  const at = steps[step];
  return at ? at.start + (at.stop - at.start) * progress : 0;
}

/** The place at a time; times outside are the two ends. */
export function placeAt({ steps, seconds }: Pick<Track, "steps" | "seconds">, time: number): Place {
  if (steps.length === 0 || time <= 0) return { step: 0, progress: 0 };
  if (time >= seconds) return { step: steps.length - 1, progress: 1 };
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle]!.start <= time) low = middle;
    else high = middle - 1;
  }
  const { start, stop } = steps[low]!;
  return { step: low, progress: (time - start) / (stop - start) };
}

/** Stretches that follow each other, each so many seconds long. */
export function inARow(lengths: readonly number[]): { steps: readonly Stretch[]; seconds: number } {
  let start = 0;
  const steps = lengths.map((length) => {
    const stretch = { start, stop: start + length };
    start = stretch.stop;
    return stretch;
  });
  return { steps, seconds: start };
}

// ---- tracks made of others ---------------------------------------------------------------------------------

/** Plays tracks one after another; the steps of all are its own. */
export function sequence(...tracks: readonly Track[]): Track {
  const lengths = tracks.flatMap(({ steps }) => steps.map(({ start, stop }) => stop - start));
  const inside = <Answer>(place: Place, ask: (track: Track, own: Place) => Answer): Answer | undefined => {
    let first = 0;
    for (const track of tracks) {
      if (place.step < first + track.steps.length) return ask(track, { ...place, step: place.step - first });
      first += track.steps.length;
    }
    return undefined;
  };
  return {
    ...inARow(lengths),
    pictureAt: (place) => inside(place, (track, own) => track.pictureAt(own)) ?? NOTHING,
    wordsAt: (place) => inside(place, (track, own) => track.wordsAt(own)) ?? "",
  };
}

/** Shows one moment of a track for so many seconds, in the track's words or in others. */
export function hold(track: Track, place: Place, seconds: number, words?: string): Track {
  return {
    ...inARow([seconds]),
    pictureAt: () => track.pictureAt(place),
    wordsAt: () => words ?? track.wordsAt(place),
  };
}

/** Plays a track while the rest of a picture stands beneath it. */
export function over(beneath: Picture, track: Track): Track {
  return {
    ...track,
    pictureAt: (place) => {
      const { pass, cell } = track.pictureAt(place);
      return { pass: pass ?? beneath.pass, cell: cell ?? beneath.cell };
    },
  };
}
