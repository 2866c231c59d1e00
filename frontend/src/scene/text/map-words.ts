/** The words on the map: what they say, where they stood when last drawn, and the room that they need. */

import { add, eyeOf } from "../camera/camera";
import { rayAt } from "../camera/controls";
import type { FrameRenderer } from "../frame-renderer";
import type { Parts } from "../parts";
import type { Window } from "../plates/sheets";
import type { RoomPort, WordsPort } from "../ports";
import type { MapTitle, ScreenBox } from "../types";
import { drawLabels } from "./label-layer";
import type { PlacedLabel, TokenTexts } from "./label-view";
import { titleHeight } from "./label-words";

/** Where the title begins while all of the model is framed, under the trail; and how much height the names of plates
 *  take beneath it. */
const TITLE_AT = { x: 20, y: 36 };
const UNDER_TITLE = 16;

export class MapWords implements WordsPort, RoomPort {
  /** Texts of the tokens read, by position. */
  tokens: TokenTexts = { target: [], source: [] };
  /** The names that stand on the map. */
  names: readonly PlacedLabel[] = [];
  private title: MapTitle | null = null;
  private guess: string | null = null;
  private occupied: readonly ScreenBox[] = [];
  private boxes: readonly ScreenBox[] = [];

  constructor(
    private readonly parts: Parts,
    private readonly schedule: () => void,
  ) {}

  setTitle(title: MapTitle | null): void {
    this.title = title;
    this.makeRoom();
  }

  setGuess(guess: string | null): void {
    if (guess === this.guess) return;
    this.guess = guess;
    this.schedule();
  }

  setTextScale(scale: number): void {
    this.parts.labels.setScale(scale);
    this.makeRoom();
  }

  setOccupied(boxes: readonly ScreenBox[]): void {
    this.occupied = boxes;
    this.makeRoom();
  }

  written(): readonly ScreenBox[] {
    return this.boxes;
  }

  /** Makes the home view leave room for the title. */
  makeRoom(): void {
    const { eye, labels } = this.parts;
    const { clientWidth, clientHeight } = eye.window;
    const height = titleHeight(labels, this.title, clientWidth);
    const above = clientHeight > 0 && height > 0 ? (height + UNDER_TITLE) / clientHeight : 0;
    const below = this.footShare;
    if (above !== eye.insets.above || below !== eye.insets.below) {
      eye.insets = { above, below };
      if (eye.fitted) eye.fit(false);
    }
    this.schedule();
  }

  /** The share of the window's height that the page covers along its foot, from the left. */
  get footShare(): number {
    const { clientHeight } = this.parts.eye.window;
    const along = this.occupied.filter(
      ({ left, top, bottom }) => left < 20 && bottom > clientHeight - 20 && top > clientHeight / 2,
    );
    return along.reduce((most, { top }) => Math.max(most, 1 - top / clientHeight), 0);
  }

  /** Finds the name at a point of the canvas. */
  at(x: number, y: number): PlacedLabel | null {
    const holds = ({ box }: PlacedLabel): boolean =>
      x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
    return this.names.find(holds) ?? null;
  }

  /** Writes all words for the view that a frame shows. */
  draw(frame: FrameRenderer, width: number, height: number): void {
    const { viewer, visibility } = frame;
    const { labels, stage, eye, values, renderer } = this.parts;
    const near = visibility.near * 0.5;
    const pixelRatio = renderer.getPixelRatio();
    labels.begin(width, height, pixelRatio);
    const project = (x: number, y: number, z: number) => viewer.project(x, y, z, width, height, near);
    const { names, boxes } = drawLabels(
      labels,
      {
        width,
        height,
        project,
        hidden: (plate, x, y) => frame.isHidden(plate, x, y),
        covered: (x, y) => stage.meets(eye.place, eye.ray(x, y)),
        pixels: ({ x, y, z, columns, rows }) =>
          viewer.focal / pixelRatio / Math.max(1, viewer.distance(x, y, z, columns, rows)),
        nearness: eye.home.distance / eye.state.distance,
        titleAt: project(...this.titlePlace()),
      },
      {
        layout: stage.layout,
        visible: visibility.order.map((number) => stage.windows[number] as Window),
        sheets: values.sheets,
        tokens: this.tokens,
        title: this.title,
        guess: this.guess,
        occupied: this.occupied,
        dim: stage.dims.size > 0 ? (id) => stage.dims.get(stage.numberOf(id)) ?? 0 : null,
      },
    );
    this.names = names;
    this.boxes = boxes;
    labels.end();
  }

  /** The point of the map, in layout space, that the title begins at. */
  private titlePlace(): [number, number, number] {
    const { home, window } = this.parts.eye;
    const way = rayAt(home, window, TITLE_AT.x, TITLE_AT.y);
    const at = add(eyeOf(home), way, home.distance);
    return [at[0], -at[1], at[2]];
  }
}
