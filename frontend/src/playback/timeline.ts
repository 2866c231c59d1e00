/** The one timeline: which track is played, where it stands, whether it runs, how fast, and whether the eye follows.
 *  Nothing here keeps time: whoever has a clock calls `advance`.
 */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { NOTHING, type Picture, type Place, placeAt, type Track, timeOf } from "./track";

/** A track may become another while it is played (more tokens have come): the place stays, told by its step. */
export type Source = ReadonlySignal<Track | null>;

interface Standing {
  readonly source: Source;
  readonly place: Place;
  readonly running: boolean;
  /** What was played before, and is come back to. */
  readonly beneath: Standing | null;
}

/** How fast it plays, against the usual pace. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16] as const;

export class Timeline {
  readonly speed = signal(1);
  /** Whether the eye goes where something happens. */
  readonly follows = signal(true);
  readonly #standing = signal<Standing | null>(null);

  /** Changes with every change of track, place, or whether it runs. */
  readonly place: ReadonlySignal<Place | null> = computed(() => this.#standing.value?.place ?? null);
  readonly running: ReadonlySignal<boolean> = computed(() => this.#standing.value?.running ?? false);
  readonly track: Source = computed(() => this.#standing.value?.source.value ?? null);
  readonly picture: ReadonlySignal<Picture> = computed(() => {
    const [track, place] = [this.track.value, this.place.value];
    return (track && place && track.pictureAt(place)) ?? NOTHING;
  });

  /** Whether a source is what is played, not what lies beneath. */
  plays(source: Source): boolean {
    return this.#standing.value?.source === source;
  }

  /** Puts another track on, or the same elsewhere. */
  put(source: Source, place: Place, running = false): void {
    this.#standing.value = { source, place, running, beneath: null };
  }

  /** Puts a track on; what was played stops, and comes back after `leave`. */
  putOver(source: Source, place: Place, running = false): void {
    const now = this.#standing.peek();
    this.#standing.value = { source, place, running, beneath: now && { ...now, running: false } };
  }

  /** Stands at a place of what is played. */
  stand(place: Place, running = false): void {
    const now = this.#standing.peek();
    if (now) this.#standing.value = { ...now, place, running };
  }

  /** Stands at a time, in seconds at the usual pace. */
  seek(seconds: number): void {
    const track = this.track.peek();
    if (track) this.stand(placeAt(track, seconds));
  }

  /** Plays on from where it stands, from the beginning once it is at the end, or stops. */
  toggle(): void {
    const [now, track] = [this.#standing.peek(), this.track.peek()];
    if (!now || !track) return;
    const atEnd = timeOf(track, now.place) >= track.seconds;
    this.stand(atEnd ? { step: 0, progress: 0 } : now.place, atEnd || !now.running);
  }

  pause(): void {
    const now = this.#standing.peek();
    if (now?.running) this.#standing.value = { ...now, running: false };
  }

  /** Moves on by so many seconds of the clock, where it runs. */
  advance(seconds: number): void {
    const [now, track] = [this.#standing.peek(), this.track.peek()];
    if (!now?.running || !track) return;
    const time = timeOf(track, now.place) + seconds * this.speed.peek();
    this.stand(placeAt(track, time), time < track.seconds);
  }

  /** Leaves what is played, for what lies beneath it, or for nothing. */
  leave(): void {
    this.#standing.value = this.#standing.peek()?.beneath ?? null;
  }

  /** Leaves everything. */
  clear(): void {
    this.#standing.value = null;
  }
}
