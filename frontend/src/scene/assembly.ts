/** The parts of the map put together: what each needs of the others, and when a frame is drawn. `map.ts` is its door. */

import type { Graph } from "../graph/types";
import type { Layout } from "../layout/types";
import { Flights } from "./camera/flights";
import { Framing } from "./camera/framing";
import { ContextLoss } from "./context-loss";
import type { Measured } from "./diagnostics";
import { FrameLoop } from "./frame-loop";
import { FrameRenderer } from "./frame-renderer";
import type { OverlayHost } from "./overlays/overlay";
import { OverlayList } from "./overlays/overlay-list";
import { colourParts, disposeParts, makeParts, type Parts } from "./parts";
import { anchorOf, wayOf } from "./plates/anchor";
import { Marks } from "./plates/highlights";
import { PlatePictures } from "./plates/plate-pictures";
import { PlatePlaces } from "./plates/plate-places";
import { PoseGlide } from "./plates/pose-glide";
import { Pointer } from "./pointer";
import type { ColoursPort, ModelPort } from "./ports";
import { loadLabelFonts } from "./text/label-mesh";
import { MapWords } from "./text/map-words";
import { differenceTheme, type Theme, themes } from "./themes";
import type { LabelSubject, MapOptions, PlatePose, ThemeName } from "./types";
import { NumberPort } from "./values/number-port";

export class MapAssembly implements ModelPort, ColoursPort {
  readonly parts: Parts;
  readonly loop: FrameLoop;
  private readonly renderer: FrameRenderer;
  readonly words: MapWords;
  readonly marks: Marks;
  readonly pointer: Pointer;
  readonly flights: Flights;
  readonly numbers: NumberPort;
  readonly overlays: OverlayList;
  readonly glide: PoseGlide;
  readonly places: PlatePlaces;
  readonly pictures: PlatePictures;
  readonly context: ContextLoss;
  readonly measured: Measured;
  private readonly resize: ResizeObserver;
  private readonly stop = new AbortController();
  private difference = false;
  theme: ThemeName;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    options: MapOptions,
  ) {
    const schedule = () => this.loop.schedule();
    this.loop = new FrameLoop({
      draw: (now, seconds) => this.frame(now, seconds),
      rested: () => this.numbers.wants.tell(),
    });
    this.parts = makeParts(canvas, options, schedule);
    const { eye, stage, plates } = this.parts;
    this.renderer = new FrameRenderer(this.parts);
    this.words = new MapWords(this.parts, schedule);
    this.marks = new Marks(stage, plates, schedule);
    const framing = new Framing(this.parts, this.words);
    this.pointer = new Pointer(this.parts, this.renderer, this.words, this.marks, {
      name: ({ subject }) => this.flyToLabel(subject),
      twice: (hit) => this.flights.setOut(framing.nearer(hit)),
      schedule,
    });
    this.flights = new Flights(eye, framing, this.pointer.controls);
    this.numbers = new NumberPort(this.parts, this.renderer, this.loop, () => this.pointer.at);
    this.overlays = new OverlayList(this.parts, this.host());
    this.glide = new PoseGlide(stage, () => eye.jumps());
    this.places = new PlatePlaces(stage, this.renderer, this.glide);
    this.pictures = new PlatePictures(this.parts, this, () => this.context.lost);
    this.measured = this.whatIsMeasured();
    const { signal } = this.stop;
    this.context = new ContextLoss(canvas, signal, (lost) => this.setLost(lost));
    eye.moved.add(() => this.changed());
    this.resize = new ResizeObserver(() => this.fitCanvas());
    this.resize.observe(canvas);
    this.theme = options.theme;
    this.setTheme(this.theme);
    this.fitCanvas();
    void loadLabelFonts().then(() => {
      if (!signal.aborted) this.takeFonts();
    });
  }

  // ---- frames ----------------------------------------------------------------------------------------------

  private frame(now: number, seconds: number): boolean {
    const { controls } = this.pointer;
    controls.tick(seconds);
    this.parts.eye.tick(now);
    const gliding = this.glide.tick(now);
    const moving = this.draw(now);
    return moving || gliding || this.parts.eye.flying || controls.moving;
  }

  /** Draws; true while an overlay moves. */
  private draw(now: number): boolean {
    return this.renderer.draw(now, {
      words: (frame, width, height) => {
        this.words.draw(frame, width, height);
        this.pointer.forgetGoneName();
      },
      overlays: this.overlays,
    });
  }

  /** Something moved: draw, and say so once it rests. */
  private changed(): void {
    this.loop.schedule();
    this.loop.rest();
  }

  private takeFonts(): void {
    this.parts.labels.forget();
    this.words.makeRoom();
    this.loop.schedule();
  }

  private fitCanvas(): void {
    const { eye, renderer } = this.parts;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    eye.window = { clientWidth: width, clientHeight: height };
    if (width === 0 || height === 0 || this.stop.signal.aborted) return;
    renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));
    renderer.setSize(width, height, false);
    this.words.makeRoom();
    if (eye.fitted) eye.fit(false);
    if (!this.context.lost) this.draw(performance.now());
    this.loop.schedule();
  }

  /** After the context came back: what was made by hand is made anew. */
  private setLost(lost: boolean): void {
    if (!lost) {
      this.parts.texture.forget();
      this.pictures.forget();
      this.parts.labels.forget();
      this.overlays.restore();
      this.setTheme(this.theme);
    }
    this.loop.stop(lost);
  }

  private host(): OverlayHost {
    const { stage, uniforms } = this.parts;
    return {
      eye: uniforms,
      schedule: () => this.loop.schedule(),
      places: (cell) => stage.places(cell),
      plate: (id) => stage.windows[stage.numberOf(id)]?.plate ?? null,
      project: (x, y, z) => this.renderer.onScreen(x, y, z),
      hidden: (plate, x, y) => this.renderer.isHidden(plate, x, y),
      valueAt: (tensor, index) => this.numbers.valueAt(tensor, index),
    };
  }

  private whatIsMeasured(): Measured {
    return {
      frame: this.renderer,
      loop: this.loop,
      pictures: this.pictures,
      tilesWanted: () => this.numbers.wantedTiles().length,
      draw: (now) => this.draw(now),
    };
  }

  // ---- model and colours -----------------------------------------------------------------------------------

  setLayout(layout: Layout, graph: Graph): void {
    const { stage, digits, ribbons, eye } = this.parts;
    if (graph !== stage.graph) digits.clear();
    this.glide.settle();
    const held = graph === stage.graph && !eye.fitted ? anchorOf(stage, eye.state.target) : null;
    stage.setLayout(layout, graph);
    if (held) eye.shift(wayOf(stage, held));
    ribbons.setRibbons(layout.ribbons);
    this.pointer.leaveCell();
    this.marks.refresh();
    if (eye.fitted) eye.fit(false);
    this.changed();
  }

  setTokens(
    tokens: readonly { readonly text: string }[],
    source: readonly { readonly text: string }[],
  ): void {
    this.words.tokens = { target: tokens.map(({ text }) => text), source: source.map(({ text }) => text) };
    this.parts.values.setExtent({ target: tokens.length, source: source.length });
    this.loop.schedule();
  }

  get colours(): Theme {
    return this.difference ? differenceTheme(themes[this.theme]) : themes[this.theme];
  }

  setTheme(name: ThemeName): void {
    this.theme = name;
    colourParts(this.parts, this.colours);
    this.overlays.setTheme(this.colours);
    this.loop.schedule();
  }

  setScales(scales: (tensor: string) => number): void {
    this.parts.stage.setScales(scales);
    this.loop.schedule();
  }

  setDifference(shown: boolean): void {
    this.difference = shown;
    this.setTheme(this.theme);
  }

  /** Flies to what a name names, which is pointed at no longer. */
  flyToLabel(subject: LabelSubject): void {
    this.pointer.pointAtName(null);
    this.flights.flyToLabel(subject);
  }

  pose(poses: ReadonlyMap<number, PlatePose>): void {
    this.glide.pose(poses);
    this.parts.ribbons.dim(this.parts.stage.layout.ribbons, (id) => poses.get(id)?.dim ?? 0);
    this.marks.refresh();
  }

  dispose(): void {
    this.stop.abort();
    this.loop.dispose();
    this.resize.disconnect();
    this.pointer.controls.dispose();
    this.overlays.dispose();
    this.pictures.dispose();
    disposeParts(this.parts);
  }
}
