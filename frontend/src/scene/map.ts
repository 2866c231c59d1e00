/** The map: puts the parts of the scene together and draws a frame when something has changed. */

import { Camera, Color, Scene, type WebGLRenderer } from "three";
import { shapeAt } from "../graph/shape";
import type { Graph } from "../graph/types";
import type { Layout, Plate } from "../layout/types";
import { add, eyeOf, type Insets, rounded, sane, type Vec3, viewMatrix } from "./camera/camera";
import { Eye } from "./camera/camera-controller";
import { Controls, rayAt } from "./camera/controls";
import { benchmarkView, framingOf, panned, placesView, READING_DISTANCE, regionView } from "./camera/views";
import { FrameLoop } from "./frame-loop";
import { Listeners } from "./listeners";
import type { MakeOverlay, Overlay, OverlayHost } from "./overlays/overlay";
import { PieceList } from "./plates/draw-list";
import { Marks } from "./plates/highlights";
import { MatrixDrawer } from "./plates/matrix-drawing";
import { pickPlate } from "./plates/picking";
import { drawPlateInto, type Studio, shows } from "./plates/plate-drawing";
import { detailAt, makeEyeUniforms, PlateMaterials } from "./plates/plate-material";
import { PlateMesh } from "./plates/plate-mesh";
import { type Place, Stage } from "./plates/plate-state";
import { type CellRectangle, cellIndex, isTokenAxis, type Window } from "./plates/sheets";
import { findVisible, NOTHING, Viewer, type Visibility } from "./plates/visibility";
import type { Diagnostics, MapView, TestedMap } from "./ports";
import { GLIDE, moves, type Poses, posesBetween } from "./poses";
import { makeRenderer } from "./renderer";
import { RibbonMesh } from "./ribbons/ribbon-mesh";
import type { Box } from "./text/label-choice";
import { drawLabels } from "./text/label-layer";
import { LabelMesh, loadLabelFonts } from "./text/label-mesh";
import { printable } from "./text/label-tokens";
import type { PlacedLabel, TokenTexts } from "./text/label-view";
import { titleHeight } from "./text/label-words";
import { differenceTheme, rgb, type Theme, themes } from "./themes";
import type {
  BenchmarkView,
  CameraState,
  CellHit,
  CellPattern,
  CellsHeader,
  Flight,
  FlightTarget,
  LabelSubject,
  MapLabel,
  MapOptions,
  MapStats,
  MapTitle,
  MatrixDrawing,
  Nudge,
  PlateDrawing,
  PlatePose,
  PrintedCell,
  RowsHeader,
  ThemeName,
  TileHeader,
  Unsubscribe,
  WantedCells,
  WantedTile,
} from "./types";
import { Digits } from "./values/digits";
import { DIGITS_FROM } from "./values/digits-reach";
import { PoolTexture } from "./values/pool-texture";
import { rankTiles, wantedActivations } from "./values/tile-priority";
import { Values } from "./values/values";

const DEFAULT_POOL_BYTES = 76e6;
/** From this share of the distance at which the whole map is seen, it is the map that is looked at. */
const WHOLE = 0.7;
/** Where the title begins while all of the model is framed, under the trail; and how much height the names of plates
 *  take beneath it. */
const TITLE_AT = { x: 20, y: 36 };
const UNDER_TITLE = 16;

class AtlasMap implements MapView, Diagnostics {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new Camera();
  private readonly uniforms = makeEyeUniforms();
  private readonly values: Values;
  private readonly texture: PoolTexture;
  private readonly plates: PlateMesh;
  private readonly ribbons: RibbonMesh;
  private readonly labels = new LabelMesh();
  private readonly digits: Digits;
  private readonly stage: Stage;
  private readonly eye: Eye;
  private readonly marks: Marks;
  private readonly loop: FrameLoop;
  private readonly controls: Controls;
  private readonly resize: ResizeObserver;
  private readonly stop = new AbortController();
  private readonly wants = new Listeners<void>();
  private readonly losses = new Listeners<boolean>();
  private readonly flights = new Listeners<Flight>();
  private readonly overlays = new Set<Overlay>();
  private tokens: TokenTexts = { target: [], source: [] };
  private title: MapTitle | null = null;
  private guess: string | null = null;
  private occupied: readonly Box[] = [];
  private placed: readonly PlacedLabel[] = [];
  private boxes: readonly Box[] = [];
  private pointedLabel: PlacedLabel | null = null;
  private readonly labelled = new Listeners<MapLabel | null>();
  private visibility: Visibility = NOTHING;
  private viewer: Viewer;
  private readonly pieces: PieceList;
  private pointer: { x: number; y: number } | null = null;
  private wishes: { key: string; tiles: readonly WantedTile[] } = { key: "", tiles: [] };
  private matrices: MatrixDrawer | null = null;
  private bare = false;
  private theme: ThemeName;
  private lost = false;
  private glide: { readonly from: Poses; readonly to: Poses; readonly start: number } | null = null;
  private difference = false;
  private frames = 0;
  private calls = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    options: MapOptions,
  ) {
    this.renderer = makeRenderer(canvas);
    this.values = new Values(options.poolBytes ?? DEFAULT_POOL_BYTES);
    this.texture = new PoolTexture(this.renderer);
    this.plates = new PlateMesh(new PlateMaterials(this.uniforms, this.texture.values));
    this.ribbons = new RibbonMesh(this.uniforms);
    this.digits = new Digits(this.uniforms, this.values, () => this.loop.schedule());
    this.scene.add(this.plates.mesh, this.ribbons.mesh, this.digits.mesh, this.labels.mesh);
    this.scene.matrixWorldAutoUpdate = false;
    this.stage = new Stage(this.values, this.plates);
    this.loop = new FrameLoop({
      draw: (now, seconds) => this.frame(now, seconds),
      rested: () => this.wants.tell(),
    });
    this.eye = new Eye(options.reducedMotion, () => this.stage.layout);
    this.eye.moved.add(() => this.changed());
    this.viewer = new Viewer(this.eye.state, 1, 1);
    this.pieces = new PieceList(this.plates, this.values, this.viewer);
    this.marks = new Marks(this.stage, this.plates, () => this.loop.schedule());
    this.controls = this.makeControls();
    this.resize = new ResizeObserver(() => this.fitCanvas());
    this.resize.observe(canvas);
    const { signal } = this.stop;
    canvas.addEventListener("webglcontextlost", () => this.setLost(true), { signal });
    canvas.addEventListener("webglcontextrestored", () => this.setLost(false), { signal });
    this.theme = options.theme;
    this.setTheme(this.theme);
    this.fitCanvas();
    void loadLabelFonts().then(() => {
      if (signal.aborted) return;
      this.labels.forget();
      this.makeRoom();
      this.loop.schedule();
    });
  }

  private makeControls(): Controls {
    return new Controls({
      canvas: this.canvas,
      get: () => this.eye.state,
      move: (state) => this.eye.moveTo(state),
      pointAt: (x, y) => this.pointAt(x, y),
      smooth: () => !this.eye.jumps(),
      hover: (x, y) => {
        this.pointer = { x, y };
        if (this.eye.flying || this.controls.moving) return;
        const label = this.labelAt(x, y);
        this.point(label ? null : this.pick(x, y));
        this.pointAtLabel(label);
      },
      leave: () => {
        this.point(null);
        this.pointAtLabel(null);
      },
      click: (x, y, finger) => {
        const hit = this.pick(x, y);
        const label = this.labelAt(x, y);
        // Names are small for a finger, and lie over plates on a small window: what is under them is meant.
        if (label && !(finger && hit)) {
          this.flyToLabel(label.subject);
          return;
        }
        this.select(hit && { tensor: hit.tensor, index: hit.index });
        this.marks.selections.tell(hit);
      },
      doubleClick: (x, y) => this.approach(x, y),
      schedule: () => this.loop.schedule(),
    });
  }

  /** Something moved: draw, and say so once it rests. */
  private changed(): void {
    this.loop.schedule();
    this.loop.rest();
  }

  // ---- what is shown ---------------------------------------------------------------------------------------

  get layout(): Layout {
    return this.stage.layout;
  }

  get aspect(): number {
    return this.eye.aspect;
  }

  setLayout(layout: Layout, graph: Graph): void {
    if (graph !== this.stage.graph) this.digits.clear();
    if (this.glide) this.stage.pose(this.glide.to);
    this.glide = null;
    this.stage.setLayout(layout, graph);
    this.ribbons.setRibbons(layout.ribbons);
    this.point(null);
    this.marks.refresh();
    if (this.eye.fitted) this.eye.fit(false);
    this.changed();
  }

  setTokens(
    tokens: readonly { readonly text: string }[],
    source: readonly { readonly text: string }[],
  ): void {
    this.tokens = { target: tokens.map(({ text }) => text), source: source.map(({ text }) => text) };
    this.values.setExtent({ target: tokens.length, source: source.length });
    this.loop.schedule();
  }

  setTitle(title: MapTitle | null): void {
    this.title = title;
    this.makeRoom();
  }

  setGuess(guess: string | null): void {
    if (guess === this.guess) return;
    this.guess = guess;
    this.loop.schedule();
  }

  setTextScale(scale: number): void {
    this.labels.setScale(scale);
    this.makeRoom();
  }

  setOccupied(boxes: readonly Box[]): void {
    this.occupied = boxes;
    this.makeRoom();
  }

  /** The home view leaves room for the title. */
  private makeRoom(): void {
    const { clientWidth, clientHeight } = this.eye.window;
    const height = titleHeight(this.labels, this.title, clientWidth);
    const above = clientHeight > 0 && height > 0 ? (height + UNDER_TITLE) / clientHeight : 0;
    const below = this.footShare;
    if (above !== this.eye.insets.above || below !== this.eye.insets.below) {
      this.eye.insets = { above, below };
      if (this.eye.fitted) this.eye.fit(false);
    }
    this.loop.schedule();
  }

  /** The share of the window's height that the page covers along its foot, from the left. */
  private get footShare(): number {
    const { clientHeight } = this.eye.window;
    const along = this.occupied.filter(
      ({ left, top, bottom }) => left < 20 && bottom > clientHeight - 20 && top > clientHeight / 2,
    );
    return along.reduce((most, { top }) => Math.max(most, 1 - top / clientHeight), 0);
  }

  applyRows(header: RowsHeader, values: Uint16Array): void {
    this.values.applyRows(header, values);
    this.loop.schedule();
  }

  applyTile(header: TileHeader, values: Uint16Array): void {
    this.values.applyTile(header, values);
    this.loop.schedule();
  }

  applyCells(header: CellsHeader, values: Float32Array): void {
    this.digits.apply(header, values);
    this.loop.schedule();
  }

  holdsWhole(weights: number): boolean {
    return this.values.holdsWhole(weights);
  }

  clearActivations(): void {
    this.values.clearActivations();
    this.digits.clearActivations();
    this.loop.schedule();
  }

  setScales(scales: (tensor: string) => number): void {
    this.stage.setScales(scales);
    this.loop.schedule();
  }

  setTheme(name: ThemeName): void {
    this.theme = name;
    const theme = this.colours;
    this.renderer.setClearColor(new Color(...rgb(theme.paper)), 1);
    this.plates.materials.setTheme(theme);
    this.ribbons.setTheme(theme);
    this.labels.setTheme(theme);
    this.digits.setTheme(theme);
    for (const overlay of this.overlays) overlay.setTheme(theme);
    this.loop.schedule();
  }

  private get colours(): Theme {
    return this.difference ? differenceTheme(themes[this.theme]) : themes[this.theme];
  }

  setDifference(shown: boolean): void {
    this.difference = shown;
    this.setTheme(this.theme);
  }

  pose(poses: ReadonlyMap<number, PlatePose>): void {
    const from = this.stage.poses;
    const glides = !this.eye.jumps() && moves(from, poses);
    this.glide = glides ? { from, to: poses, start: performance.now() } : null;
    if (!glides) this.stage.pose(poses);
    this.ribbons.dim(this.stage.layout.ribbons, (id) => poses.get(id)?.dim ?? 0);
    this.marks.refresh();
  }

  /** How far a plate is from where it comes to rest. */
  private wayLeft(plateId: number): Vec3 {
    if (!this.glide) return [0, 0, 0];
    const [now, then] = [this.stage.poses, this.glide.to].map((poses) => poses.get(plateId)?.offset);
    return [0, 1, 2].map((axis) => (then?.[axis] ?? 0) - (now?.[axis] ?? 0)) as unknown as Vec3;
  }

  /** Carries plates on to where they are to stand; true while they are on their way. */
  private glideOn(now: number): boolean {
    if (!this.glide) return false;
    const { from, to, start } = this.glide;
    const share = Math.max(0, (now - start) / GLIDE);
    if (share >= 1) this.glide = null;
    this.stage.pose(posesBetween(from, to, share));
    return share < 1;
  }

  addOverlay(make: MakeOverlay): Unsubscribe {
    const overlay = make(this.host());
    overlay.setTheme(this.colours);
    this.overlays.add(overlay);
    // Drawn in this order: what is added again goes to the end.
    this.scene.add(overlay.object, this.labels.mesh);
    for (const one of this.overlays) if (one.aboveLabels) this.scene.add(one.object);
    this.loop.schedule();
    return () => {
      if (!this.overlays.delete(overlay)) return;
      this.scene.remove(overlay.object);
      overlay.dispose();
      this.loop.schedule();
    };
  }

  private host(): OverlayHost {
    return {
      eye: this.uniforms,
      schedule: () => this.loop.schedule(),
      places: (cell) => this.stage.places(cell),
      plate: (id) => this.stage.windows[this.stage.numberOf(id)]?.plate ?? null,
      project: (x, y, z) => this.onScreen(x, y, z),
      hidden: (plate, x, y) => this.isHidden(plate, x, y),
      valueAt: (tensor, index) => this.valueAt(tensor, index),
    };
  }

  // ---- what is missing -------------------------------------------------------------------------------------

  wantedTiles(): readonly WantedTile[] {
    const key = `${this.values.version} ${this.frames}`;
    if (this.wishes.key === key) return this.wishes.tiles;
    const { clientWidth, clientHeight } = this.eye.window;
    const { x, y } = this.pointer ?? { x: clientWidth / 2, y: clientHeight / 2 };
    const pointing = { x, y, project: (...at: [number, number, number]) => this.onScreen(...at) };
    const ranks = rankTiles(this.stage.windows, this.visibility, this.viewer, pointing);
    this.wishes = { key, tiles: this.values.wanted(ranks) };
    return this.wishes.tiles;
  }

  wantedCells(): readonly WantedCells[] {
    return this.cellsWanted().cells;
  }

  get cellsHere(): boolean {
    return !this.cellsWanted().missing;
  }

  printed(): readonly PrintedCell[] {
    return this.digits.printed();
  }

  private cellsWanted(): ReturnType<Digits["wanted"]> {
    return this.digits.wanted((plate, x, y) => {
      const at = this.onScreen(x, y, plate.z);
      return at !== null && this.isHidden(plate, at.x, at.y);
    });
  }

  refreshActivations(): void {
    this.values.markStale();
    this.loop.rest();
  }

  wantedActivations(): readonly string[] {
    return wantedActivations(this.stage.windows, this.visibility);
  }

  onWantedChange(listener: () => void): Unsubscribe {
    return this.wants.add(listener);
  }

  // ---- pointing --------------------------------------------------------------------------------------------

  onHover(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.marks.hovers.add(listener);
  }

  onSelect(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.marks.selections.add(listener);
  }

  pick(x: number, y: number): CellHit | null {
    const eye = this.eye.place;
    const way = this.eye.ray(x, y);
    const hit = pickPlate(this.seen(), eye, way);
    if (!hit) return null;
    const at = add(eye, way, hit.distance);
    return {
      plate: hit.plate,
      tensor: hit.plate.tensor,
      index: cellIndex(this.values.sheets, hit.plate, hit.row, hit.column),
      row: hit.row,
      column: hit.column,
      point: [at[0], -at[1], at[2]],
    };
  }

  select(cell: CellPattern | null): void {
    this.marks.choose(cell);
  }

  highlight(cells: readonly CellPattern[]): void {
    this.marks.light(cells);
  }

  project(cell: CellPattern): { x: number; y: number } | null {
    const place = this.place(cell);
    const at = place && this.onScreen(...place);
    return at && { x: at.x, y: at.y };
  }

  place(cell: CellPattern): readonly [number, number, number] | null {
    const found = this.stage.find(cell);
    if (!found) return null;
    const { plate, rectangle } = found;
    const [right, down, nearer] = this.wayLeft(plate.id);
    return [
      plate.x + right + (rectangle[0] + rectangle[2]) / 2,
      plate.y + down + (rectangle[1] + rectangle[3]) / 2,
      plate.z + nearer,
    ];
  }

  names(): readonly MapLabel[] {
    return this.placed.map(labelOf);
  }

  written(): readonly Box[] {
    return this.boxes;
  }

  onLabel(listener: (label: MapLabel | null) => void): Unsubscribe {
    return this.labelled.add(listener);
  }

  flyToLabel(subject: LabelSubject): void {
    this.pointAtLabel(null);
    if ("region" in subject) {
      this.flyTo({ region: subject.region });
      return;
    }
    const plate = this.stage.windows[this.stage.numberOf(subject.plate)]?.plate;
    const state =
      plate &&
      placesView([this.inUse(plate)], this.standing(), this.eye.aspect, this.eye.state, this.insetsOf(plate));
    if (state) this.setOut(state, true);
  }

  private labelAt(x: number, y: number): PlacedLabel | null {
    const holds = ({ box }: PlacedLabel): boolean =>
      x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
    return this.placed.find(holds) ?? null;
  }

  private pointAtLabel(label: PlacedLabel | null): void {
    if (label) this.canvas.style.cursor = "pointer";
    if (sameLabel(label, this.pointedLabel)) return;
    this.pointedLabel = label;
    this.labelled.tell(label && labelOf(label));
  }

  private point(hit: CellHit | null): void {
    this.canvas.style.cursor = hit ? "crosshair" : "grab";
    this.marks.hover(hit);
  }

  /** Plates in view, the nearest first. */
  private seen(): Plate[] {
    const { windows } = this.stage;
    return this.visibility.order.map((number) => windows[number]?.plate).filter((plate) => !!plate);
  }

  // ---- the eye ---------------------------------------------------------------------------------------------

  getCamera(): CameraState {
    return this.eye.rounded;
  }

  setCamera(state: CameraState, animate = false): void {
    this.controls.halt();
    this.eye.goTo(sane(state), animate);
  }

  fit(animate = true): void {
    if (animate && this.stage.layout.plates.length > 0) this.announce(this.eye.home);
    this.controls.halt();
    this.eye.fit(animate);
  }

  faceOn(animate = true): void {
    const { plates } = this.stage.layout;
    const { state, aspect } = this.eye;
    if (plates.length === 0) return;
    const whole = framingOf(plates, aspect, 0, 0, this.eye.insets);
    const all = state.distance >= whole.distance * WHOLE;
    this.setOut(all ? whole : { ...state, azimuth: 0, elevation: 0 }, animate);
  }

  flyTo(target: FlightTarget, animate = true): boolean {
    const state = this.viewOf(target);
    if (!state) return false;
    this.setOut(state, animate);
    return true;
  }

  onCameraChange(listener: (state: CameraState) => void): Unsubscribe {
    return this.eye.moved.add(listener);
  }

  onFlight(listener: (flight: Flight) => void): Unsubscribe {
    return this.flights.add(listener);
  }

  get flying(): boolean {
    return this.eye.flying;
  }

  nudge(by: Nudge): void {
    this.controls.nudge(by);
  }

  /** Sets out for a place that somebody asked for. */
  private setOut(to: CameraState, animate: boolean): void {
    this.announce(to);
    this.controls.halt();
    this.eye.goTo(to, animate);
  }

  private announce(to: CameraState): void {
    this.flights.tell({ from: this.eye.bound, to: rounded(sane(to)) });
  }

  private viewOf(target: FlightTarget): CameraState | null {
    const { state, aspect } = this.eye;
    if ("region" in target) return regionView(this.stage.layout, target.region, aspect);
    if ("plateOf" in target) {
      const found = this.stage.find(target.plateOf);
      const insets = found ? this.insetsOf(found.plate) : {};
      return found && placesView([this.inUse(found.plate)], this.standing(), aspect, state, insets);
    }
    const places = [...this.stage.places({ tensor: target.tensor, index: target.index ?? [] })];
    return placesView(
      places.map(({ plate, rectangle }) => this.inUse(plate, rectangle)),
      this.standing(),
      aspect,
      state,
      places.length === 1 ? this.insetsOf(places[0]!.plate) : {},
    );
  }

  /** The room that a plate's name and the tokens along its axes take. */
  private insetsOf(plate: Plate): Insets {
    const info = this.values.sheets.tensor(plate.source);
    const { clientHeight } = this.eye.window;
    if (clientHeight === 0) return {};
    // Its own name, under the trail.
    const above = this.labels.height("plain") / clientHeight;
    if (!info || info.role === "weight") return { above, below: this.footShare };
    const longest = (axis: number | null): number => {
      const name = info.axes[axis ?? -1];
      if (!isTokenAxis(name)) return 0;
      const texts = info.source_axes.includes(name ?? "") ? this.tokens.source : this.tokens.target;
      return texts.reduce((most, text) => Math.max(most, this.labels.width(printable(text), "axis") + 4), 0);
    };
    return {
      above,
      left: longest(plate.rowAxis) / clientHeight,
      below: longest(plate.columnAxis) / clientHeight + this.footShare,
    };
  }

  /** What tokens have come for, of a rectangle of a plate: the rest of the room for them is empty. */
  private inUse(plate: Plate, rectangle: CellRectangle = [0, 0, plate.columns, plate.rows]): Place {
    const info = this.values.sheets.tensor(plate.source);
    const { target, source } = this.tokens;
    const shape = info && shapeAt(info, { target: target.length, source: source.length });
    // Where nothing has been read yet, all of it.
    const count = (axis: number | null, size: number): number =>
      axis === null ? size : Math.min(size, shape?.[axis] || size);
    const [left, top, right, bottom] = rectangle;
    const [columns, rows] = [count(plate.columnAxis, plate.columns), count(plate.rowAxis, plate.rows)];
    const inside = left < columns && top < rows;
    return {
      plate,
      rectangle: inside ? [left, top, Math.min(right, columns), Math.min(bottom, rows)] : rectangle,
    };
  }

  /** All plates, as they stand. */
  private standing(): readonly Plate[] {
    return this.stage.windows.map(({ plate }) => plate);
  }

  /** To the plate under the pointer; from there, to its cell. */
  private approach(x: number, y: number): void {
    const hit = this.pick(x, y);
    if (!hit) return;
    const { state, aspect } = this.eye;
    const used = this.inUse(hit.plate);
    const whole = placesView([used], this.standing(), aspect, state, this.insetsOf(hit.plate))!;
    // In the room for tokens to come there is nothing to go nearer to.
    const inside = hit.column < used.rectangle[2] && hit.row < used.rectangle[3];
    const closer = inside && state.distance <= whole.distance * 1.4;
    const near = sane({ ...whole, target: hit.point, distance: Math.min(READING_DISTANCE, state.distance) });
    this.setOut(closer ? near : whole, true);
  }

  private pointAt(x: number, y: number): Vec3 {
    const hit = this.pick(x, y);
    if (hit) return [hit.point[0], -hit.point[1], hit.point[2]];
    return add(this.eye.place, this.eye.ray(x, y), this.eye.state.distance);
  }

  private onScreen(x: number, y: number, z: number): { x: number; y: number; scale: number } | null {
    return this.eye.project(x, y, z, this.visibility.near * 0.5);
  }

  // ---- frames ----------------------------------------------------------------------------------------------

  private frame(now: number, seconds: number): boolean {
    this.controls.tick(seconds);
    this.eye.tick(now);
    const gliding = this.glideOn(now);
    const moving = this.draw(now);
    return moving || gliding || this.eye.flying || this.controls.moving;
  }

  /** Draws; true while an overlay moves. */
  private draw(now: number): boolean {
    const { clientWidth: width, clientHeight: height } = this.eye.window;
    if (width === 0 || height === 0) return false;
    this.upload();
    const { windows, dims } = this.stage;
    const { state, aspect } = this.eye;
    const pixelRatio = this.renderer.getPixelRatio();
    this.viewer = new Viewer(state, aspect, height * pixelRatio);
    this.visibility = findVisible(windows, this.viewer);
    const { near, far } = this.visibility;
    this.values.frame++;
    this.plates.materials.uniforms.edgePixels!.value = this.viewer.focal;
    this.plates.materials.uniforms.printedFrom!.value = DIGITS_FROM * pixelRatio;
    this.pieces.list(windows, this.visibility, this.viewer, dims);
    this.ribbons.list(this.viewer, pixelRatio);
    this.plates.end(detailAt(this.visibility.largest, this.pieces.smallest));
    if (this.bare) this.plates.mesh.material = this.plates.materials.bare;
    this.setEyeUniforms(this.viewer.eye);
    viewMatrix(state, aspect, near, far, this.uniforms.view.value);
    const { visibility } = this;
    this.digits.update({ windows, visibility, state, aspect, height, pixelRatio, dims });
    this.drawLabels(width, height);
    let moving = false;
    for (const overlay of this.overlays)
      moving = overlay.update({ now, width, height, pixelRatio }) || moving;
    this.renderer.render(this.scene, this.camera);
    this.calls = this.renderer.info.render.calls;
    this.frames++;
    return moving;
  }

  private drawLabels(width: number, height: number): void {
    const { viewer, visibility, stage } = this;
    const near = visibility.near * 0.5;
    const pixelRatio = this.renderer.getPixelRatio();
    this.labels.begin(width, height, pixelRatio);
    const project = (x: number, y: number, z: number) => viewer.project(x, y, z, width, height, near);
    const { names, boxes } = drawLabels(
      this.labels,
      {
        width,
        height,
        project,
        hidden: (plate, x, y) => this.isHidden(plate, x, y),
        covered: (x, y) => stage.meets(this.eye.place, this.eye.ray(x, y)),
        pixels: ({ x, y, z, columns, rows }) =>
          viewer.focal / pixelRatio / Math.max(1, viewer.distance(x, y, z, columns, rows)),
        nearness: this.eye.home.distance / this.eye.state.distance,
        titleAt: project(...this.titlePlace()),
      },
      {
        layout: stage.layout,
        visible: visibility.order.map((number) => stage.windows[number] as Window),
        sheets: this.values.sheets,
        tokens: this.tokens,
        title: this.title,
        guess: this.guess,
        occupied: this.occupied,
        dim: stage.dims.size > 0 ? (id) => stage.dims.get(stage.numberOf(id)) ?? 0 : null,
      },
    );
    this.placed = names;
    this.boxes = boxes;
    if (this.pointedLabel && !this.placed.some((label) => sameLabel(label, this.pointedLabel)))
      this.pointAtLabel(null);
    this.labels.end();
  }

  /** The point of the map, in layout space, that the title begins at. */
  private titlePlace(): [number, number, number] {
    const { home } = this.eye;
    const way = rayAt(home, this.eye.window, TITLE_AT.x, TITLE_AT.y);
    const at = add(eyeOf(home), way, home.distance);
    return [at[0], -at[1], at[2]];
  }

  private isHidden(plate: Plate, x: number, y: number): boolean {
    return this.stage.hides(plate, this.eye.place, this.eye.ray(x + 1.5, y + 1.5));
  }

  private upload(): void {
    this.texture.update(this.values.pool);
  }

  /** Splits the eye's place in two, so that differences stay exact in single precision. */
  private setEyeUniforms(eye: Vec3): void {
    const high = eye.map(Math.round) as unknown as Vec3;
    this.uniforms.eyeHigh.value.set(...high);
    this.uniforms.eyeLow.value.set(eye[0] - high[0], eye[1] - high[1], eye[2] - high[2]);
  }

  private fitCanvas(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.eye.window = { clientWidth: width, clientHeight: height };
    if (width === 0 || height === 0 || this.stop.signal.aborted) return;
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));
    this.renderer.setSize(width, height, false);
    this.makeRoom();
    if (this.eye.fitted) this.eye.fit(false);
    if (!this.lost) this.draw(performance.now());
    this.loop.schedule();
  }

  private setLost(lost: boolean): void {
    this.lost = lost;
    if (!lost) {
      this.texture.forget();
      this.matrices?.forget();
      this.labels.forget();
      for (const overlay of this.overlays) overlay.restore?.();
      this.setTheme(this.theme);
    }
    this.loop.stop(lost);
    this.losses.tell(lost);
  }

  // ---- for panels and tests --------------------------------------------------------------------------------

  drawPlate(target: HTMLCanvasElement, drawing: PlateDrawing): boolean {
    const number = this.stage.windows.findIndex(({ plate }) => shows(plate, drawing));
    const window = this.stage.windows[number];
    if (!window || this.lost || target.width === 0 || target.height === 0) return false;
    this.upload();
    drawPlateInto(target, this.studio, number, window, drawing);
    this.loop.schedule();
    return true;
  }

  drawMatrix(target: HTMLCanvasElement, drawing: MatrixDrawing): boolean {
    if (this.lost || target.width === 0 || target.height === 0) return false;
    this.matrices ??= new MatrixDrawer(this.renderer);
    // A matrix is given its numbers, and these are the run's own.
    this.plates.materials.setTheme(themes[this.theme]);
    this.matrices.draw(target, this.studio, drawing);
    this.plates.materials.setTheme(this.colours);
    return true;
  }

  private get studio(): Studio {
    const { renderer, scene, camera, uniforms, plates, pieces } = this;
    return { renderer, scene, camera, eye: uniforms, plates, pieces };
  }

  valueAt(tensor: string, index: readonly number[]): number | undefined {
    return this.values.valueAt(tensor, index);
  }

  idle(): boolean {
    return this.loop.idle;
  }

  whenIdle(): Promise<void> {
    return this.loop.whenIdle();
  }

  get textureBytes(): number {
    return this.texture.bytes + (this.matrices?.bytes ?? 0);
  }

  stats(): MapStats {
    return {
      drawCalls: this.calls,
      plateDrawCalls: this.plates.drawn > 0 ? 1 : 0,
      plates: this.stage.windows.length,
      platesDrawn: this.plates.drawn,
      labels: this.labels.count,
      digits: this.digits.count,
      ribbons: this.stage.layout.ribbons.length,
      textureBytes: this.textureBytes,
      layers: this.texture.layers,
      layersUsed: this.values.pool.layersUsed,
      tilesHere: this.values.tilesHeld,
      tilesWanted: this.wantedTiles().length,
      weightsMissing: this.pieces.missing,
      frameMilliseconds: this.loop.milliseconds,
      framesDrawn: this.frames,
    };
  }

  async benchmark(frames: number, view: BenchmarkView, bare = false): Promise<readonly number[]> {
    const times: number[] = [];
    const gl = this.renderer.getContext();
    const pixel = new Uint8Array(4);
    const from = benchmarkView(this.stage.layout, view, this.eye.aspect);
    await this.eye.during(from, async () => {
      this.bare = bare;
      for (let i = -1; i < frames; i++) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        this.eye.state = panned(from, i);
        const start = performance.now();
        this.draw(start);
        gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
        if (i >= 0) times.push(performance.now() - start); // the first one only warms up
      }
    });
    this.bare = false;
    this.loop.schedule();
    return times;
  }

  onContextLost(listener: (lost: boolean) => void): Unsubscribe {
    return this.losses.add(listener);
  }

  loseContext(restoreAfterMilliseconds: number): void {
    const extension = this.renderer.getContext().getExtension("WEBGL_lose_context");
    extension?.loseContext();
    window.setTimeout(() => extension?.restoreContext(), restoreAfterMilliseconds);
  }

  dispose(): void {
    this.stop.abort();
    this.loop.dispose();
    this.resize.disconnect();
    this.controls.dispose();
    for (const overlay of this.overlays) overlay.dispose();
    this.plates.dispose();
    this.ribbons.dispose();
    this.labels.dispose();
    this.digits.dispose();
    this.texture.dispose();
    this.matrices?.dispose();
    this.renderer.dispose();
  }
}

const labelOf = ({ text, subject, box }: PlacedLabel): MapLabel => ({ text, subject, ...box });

const sameLabel = (a: PlacedLabel | null, b: PlacedLabel | null): boolean =>
  a?.text === b?.text && JSON.stringify(a?.subject) === JSON.stringify(b?.subject);

/** Makes the map on a canvas that `makeCanvas` made.
 *  @throws NoWebGL2Error if the browser gives no WebGL2 context. */
export function createMap(canvas: HTMLCanvasElement, options: MapOptions): TestedMap {
  return new AtlasMap(canvas, options);
}
