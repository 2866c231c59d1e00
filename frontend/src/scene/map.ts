/** The map: holds the parts of the scene together and draws a frame when something has changed. */

import { Camera, Color, ColorManagement, Scene, WebGLRenderer, WebGLRenderTarget } from "three";
import type { Graph } from "../graph/types";
import type { Layout, Plate } from "../layout/types";
import { HOME_AZIMUTH, HOME_ELEVATION } from "../layout/view";
import {
  add,
  basisOf,
  between,
  dot,
  eyeOf,
  FIELD_OF_VIEW,
  framing,
  sane,
  type Vec3,
  viewMatrix,
} from "./camera";
import { Controls, rayAt } from "./controls";
import { drawLabels } from "./label_layer";
import { LabelMesh, loadLabelFonts } from "./label_mesh";
import { pickPlate } from "./picking";
import { makeEyeUniforms, PlateMaterial } from "./plate_material";
import { PlateMesh } from "./plate_mesh";
import { PoolTexture } from "./pool_texture";
import { RibbonMesh } from "./ribbon_mesh";
import { cellIndex, patternOnPlate } from "./sheets";
import { LAYER_SIZE } from "./slots";
import { rgb, themes } from "./themes";
import {
  type BenchmarkView,
  type CameraState,
  type CellHit,
  type CellPattern,
  type FlightTarget,
  type MapOptions,
  type MapStats,
  type MapView,
  NoWebGL2Error,
  type PlateDrawing,
  type RowsHeader,
  type ThemeName,
  type TileAddress,
  type TileHeader,
  type Unsubscribe,
} from "./types";
import { type Rank, Values } from "./values";
import { distanceTo, findVisible, mayBeSeen, type Visibility } from "./visibility";

const DEFAULT_POOL_BYTES = 76e6;
const HOME = { azimuth: (HOME_AZIMUTH * 180) / Math.PI, elevation: (HOME_ELEVATION * 180) / Math.PI };
const EMPTY: Layout = {
  plates: [],
  ribbons: [],
  regions: [],
  bounds: { min: [0, 0, 0], max: [1, 1, 1] },
  capacity: 0,
};

class Listeners<T> {
  private readonly all = new Set<(value: T) => void>();
  add(listener: (value: T) => void): Unsubscribe {
    this.all.add(listener);
    return () => this.all.delete(listener);
  }
  tell(value: T): void {
    for (const listener of this.all) listener(value);
  }
}

interface Flight {
  readonly from: CameraState;
  readonly to: CameraState;
  readonly start: number;
  readonly duration: number;
}

class AtlasMap implements MapView {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new Camera();
  private readonly eye = makeEyeUniforms();
  private readonly values: Values;
  private readonly texture: PoolTexture;
  private readonly plates: PlateMesh;
  private readonly ribbons: RibbonMesh;
  private readonly labels = new LabelMesh();
  private readonly controls: Controls;
  private readonly resize: ResizeObserver;
  private readonly stop = new AbortController();
  private readonly hovers = new Listeners<CellHit | null>();
  private readonly selections = new Listeners<CellHit | null>();
  private readonly cameras = new Listeners<CameraState>();
  private readonly wants = new Listeners<void>();
  private readonly losses = new Listeners<boolean>();
  private layout = EMPTY;
  private tokens: readonly string[] = [];
  private numberOf = new Map<number, number>();
  private state: CameraState = { target: [0, 0, 0], distance: 100, ...HOME };
  private flight: Flight | null = null;
  private visibility: Visibility = { order: [], near: 1, far: 2 };
  private hovered: { id: number; row: number; column: number } | null = null;
  private chosen: CellPattern | null = null;
  private lit: readonly CellPattern[] = [];
  private dimmed: readonly number[] = [];
  private scales: Readonly<Record<string, number>> = {};
  private aspect = 1;
  private theme: ThemeName;
  private fitted = true;
  private dirty = true;
  private request = 0;
  private lastFrame = 0;
  private restTimer = 0;
  private lost = false;
  private disposed = false;
  private waiting: (() => void)[] = [];
  private milliseconds = 0;
  private frames = 0;
  private calls = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly options: MapOptions,
  ) {
    this.renderer = makeRenderer(canvas, options.antialias);
    this.values = new Values(options.poolBytes ?? DEFAULT_POOL_BYTES);
    this.texture = new PoolTexture(this.renderer);
    this.plates = new PlateMesh(new PlateMaterial(this.eye, this.texture.values, this.texture.table));
    this.ribbons = new RibbonMesh(this.eye);
    this.scene.add(this.plates.mesh, this.ribbons.mesh, this.labels.mesh);
    this.scene.matrixWorldAutoUpdate = false;
    this.controls = new Controls({
      canvas,
      get: () => this.state,
      move: (state) => this.moveTo(state),
      pointAt: (x, y) => this.pointAt(x, y),
      smooth: () => !this.jumps(),
      hover: (x, y) => this.hoverAt(x, y),
      leave: () => this.setHovered(null),
      click: (x, y) => this.clickAt(x, y),
      doubleClick: (x, y) => this.approach(x, y),
      schedule: () => this.schedule(),
    });
    this.resize = new ResizeObserver(() => this.fitCanvas());
    this.resize.observe(canvas);
    canvas.addEventListener("webglcontextlost", () => this.setLost(true), { signal: this.stop.signal });
    canvas.addEventListener("webglcontextrestored", () => this.setLost(false), { signal: this.stop.signal });
    this.theme = options.theme;
    this.setTheme(this.theme);
    this.fitCanvas();
    void loadLabelFonts().then(() => {
      if (this.disposed) return;
      this.labels.forget();
      this.schedule();
    });
  }

  // ---- what is shown ---------------------------------------------------------------------------------------

  setLayout(layout: Layout, graph: Graph): void {
    this.layout = layout;
    this.values.setLayout(layout, graph);
    const { windows } = this.values.sheets;
    this.numberOf = new Map(windows.map(({ plate }, number) => [plate.id, number]));
    this.plates.setWindows(windows);
    this.ribbons.setRibbons(layout.ribbons);
    this.setHovered(null);
    this.setScales(this.scales);
    this.dim(this.dimmed);
    this.relight();
    if (this.fitted) this.fit(false);
    this.schedule();
    this.rest();
  }

  setTokens(tokens: readonly { readonly text: string }[]): void {
    this.tokens = tokens.map(({ text }) => text);
    this.schedule();
  }

  applyRows(header: RowsHeader, values: Uint16Array): void {
    this.values.applyRows(header, values);
    this.schedule();
  }

  applyTile(header: TileHeader, values: Uint16Array): void {
    this.values.applyTile(header, values);
    this.schedule();
  }

  clearActivations(): void {
    this.values.clearActivations();
    this.schedule();
  }

  setScales(scales: Readonly<Record<string, number>>): void {
    this.scales = scales;
    for (const [number, { plate }] of this.values.sheets.windows.entries())
      this.plates.setScale(number, scales[plate.kind] ?? 1);
    this.schedule();
  }

  setTheme(name: ThemeName): void {
    this.theme = name;
    const theme = themes[name];
    this.renderer.setClearColor(new Color(...rgb(theme.paper)), 1);
    this.plates.material.setTheme(theme);
    this.ribbons.setTheme(theme);
    this.labels.setTheme(theme);
    this.schedule();
  }

  // ---- what is missing -------------------------------------------------------------------------------------

  wantedTiles(): readonly TileAddress[] {
    const ranks: Rank[] = [];
    const eye = eyeOf(this.state);
    const seen = new Set(this.visibility.order);
    for (const [number, { plate, sheet, row, column, transposed }] of this.values.sheets.windows.entries()) {
      if (!sheet.weight) continue;
      const [rows, columns] = transposed ? [plate.columns, plate.rows] : [plate.rows, plate.columns];
      for (let down = row >> 8; down * LAYER_SIZE < row + rows; down++) {
        for (let right = column >> 8; right * LAYER_SIZE < column + columns; right++) {
          const top = Math.max(0, down * LAYER_SIZE - row);
          const left = Math.max(0, right * LAYER_SIZE - column);
          const height = Math.min(rows, (down + 1) * LAYER_SIZE - row) - top;
          const width = Math.min(columns, (right + 1) * LAYER_SIZE - column) - left;
          const [x, y, w, h] = transposed ? [top, left, height, width] : [left, top, width, height];
          const at = [plate.x + x, plate.y + y, plate.z, w, h] as const;
          const inView = seen.has(number) && mayBeSeen(this.state, this.aspect, ...at);
          const worth = (inView ? 1 : 1e-6) / (1 + distanceTo(eye, ...at));
          ranks.push({ sheet, row: down, column: right, worth });
        }
      }
    }
    return this.values.wanted(ranks);
  }

  wantedActivations(): readonly string[] {
    const names = new Set<string>();
    const { windows } = this.values.sheets;
    const take = (number: number): void => {
      const sheet = windows[number]?.sheet;
      if (sheet && !sheet.weight) names.add(sheet.source);
    };
    for (const number of this.visibility.order) take(number);
    for (const number of windows.keys()) take(number);
    return [...names];
  }

  onWantedChange(listener: () => void): Unsubscribe {
    return this.wants.add(listener);
  }

  // ---- pointing --------------------------------------------------------------------------------------------

  onHover(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.hovers.add(listener);
  }

  onSelect(listener: (cell: CellHit | null) => void): Unsubscribe {
    return this.selections.add(listener);
  }

  pick(x: number, y: number): CellHit | null {
    const eye = eyeOf(this.state);
    const way = rayAt(this.state, this.canvas, x, y);
    const { windows } = this.values.sheets;
    const plates = this.visibility.order.map((number) => windows[number]?.plate).filter((plate) => !!plate);
    const hit = pickPlate(plates, eye, way);
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
    this.chosen = cell;
    this.relight();
  }

  highlight(cells: readonly CellPattern[]): void {
    this.lit = cells;
    this.relight();
  }

  dim(plateIds: readonly number[]): void {
    this.dimmed = plateIds;
    const ids = new Set(plateIds);
    for (const [number, { plate }] of this.values.sheets.windows.entries())
      this.plates.setDim(number, ids.has(plate.id) ? 0.82 : 0);
    this.schedule();
  }

  project(cell: CellPattern): { x: number; y: number } | null {
    const found = this.find(cell);
    if (!found) return null;
    const { plate, rectangle } = found;
    const x = plate.x + (rectangle[0] + rectangle[2]) / 2;
    const y = plate.y + (rectangle[1] + rectangle[3]) / 2;
    const at = this.onScreen(x, y, plate.z);
    return at && { x: at.x, y: at.y };
  }

  // ---- the eye ---------------------------------------------------------------------------------------------

  getCamera(): CameraState {
    const short = (value: number): number => Number(value.toPrecision(7));
    const { target, distance, azimuth, elevation } = this.state;
    return {
      target: [short(target[0]), short(target[1]), short(target[2])],
      distance: Number(distance.toPrecision(5)),
      azimuth: Number(azimuth.toFixed(2)),
      elevation: Number(elevation.toFixed(2)),
    };
  }

  setCamera(state: CameraState, animate = false): void {
    this.fitted = false;
    this.goTo(sane(state), animate);
  }

  fit(animate = true): void {
    if (this.layout.plates.length === 0) return;
    this.goTo(this.framingOf(this.layout.plates), animate);
    this.fitted = true;
  }

  flyTo(target: FlightTarget, animate = true): boolean {
    const state = "region" in target ? this.regionView(target.region) : this.plateView(target);
    if (!state) return false;
    this.fitted = false;
    this.goTo(state, animate);
    return true;
  }

  onCameraChange(listener: (state: CameraState) => void): Unsubscribe {
    return this.cameras.add(listener);
  }

  private framingOf(
    plates: readonly Plate[],
    azimuth = HOME.azimuth,
    elevation = HOME.elevation,
  ): CameraState {
    const points: Vec3[] = [];
    for (const { x, y, z, columns, rows } of plates)
      points.push([x, -y, z], [x + columns, -y, z], [x, -y - rows, z], [x + columns, -y - rows, z]);
    return framing(points, this.aspect, azimuth, elevation);
  }

  private regionView(name: string): CameraState | null {
    const region = this.layout.regions.find((candidate) => candidate.name === name);
    if (!region) return null;
    const { min, max } = region.bounds;
    const corners: Vec3[] = [];
    for (const x of [min[0], max[0]])
      for (const y of [min[1], max[1]]) for (const z of [min[2], max[2]]) corners.push([x, -y, z]);
    return framing(corners, this.aspect, HOME.azimuth, HOME.elevation);
  }

  private plateView(target: {
    readonly tensor: string;
    readonly index?: readonly number[];
  }): CameraState | null {
    const pattern = { tensor: target.tensor, index: target.index ?? [] };
    const found = this.find(pattern);
    if (!found) return null;
    const whole = this.framingOf([found.plate], this.state.azimuth / 3, this.state.elevation / 3);
    const { plate, rectangle } = found;
    if (!target.index || target.index.length === 0) return whole;
    const cell: Vec3 = [
      plate.x + (rectangle[0] + rectangle[2]) / 2,
      plate.y + (rectangle[1] + rectangle[3]) / 2,
      plate.z,
    ];
    const [width, height] = [rectangle[2] - rectangle[0], rectangle[3] - rectangle[1]];
    if (width > 1 || height > 1 || whole.distance < 90) return whole;
    return sane({ ...whole, target: cell, distance: 70 });
  }

  private approach(x: number, y: number): void {
    const hit = this.pick(x, y);
    if (!hit) return;
    const whole = this.framingOf([hit.plate], this.state.azimuth / 3, this.state.elevation / 3);
    const closer = this.state.distance <= whole.distance * 1.4;
    this.fitted = false;
    this.goTo(
      closer ? sane({ ...whole, target: hit.point, distance: Math.min(40, this.state.distance) }) : whole,
      true,
    );
  }

  private goTo(to: CameraState, animate: boolean): void {
    if (!animate || this.jumps() || this.lastFrame === 0) {
      this.flight = null;
      this.place(to);
      return;
    }
    const way = Math.hypot(...to.target.map((value, axis) => value - (this.state.target[axis] as number)));
    const far = way / Math.max(1, Math.min(to.distance, this.state.distance));
    const zoom = Math.abs(Math.log(to.distance / this.state.distance));
    const duration = Math.min(1500, 450 + 160 * Math.log1p(far) + 110 * zoom);
    this.flight = { from: this.state, to, start: performance.now(), duration };
    this.schedule();
  }

  /** The hands move the eye. */
  private moveTo(state: CameraState): void {
    this.flight = null;
    this.fitted = false;
    this.place(this.bounded(state));
  }

  /** Keeps the model in reach: the point looked at stays near it, the eye not absurdly far. */
  private bounded(state: CameraState): CameraState {
    const { min, max } = this.layout.bounds;
    const size = Math.hypot(...max.map((value, axis) => value - (min[axis] as number)));
    const target = state.target.map((value, axis) => {
      const room = size * 0.25;
      return Math.min((max[axis] as number) + room, Math.max((min[axis] as number) - room, value));
    }) as unknown as CameraState["target"];
    return { ...state, target, distance: Math.min(state.distance, size * 4 + 50) };
  }

  private place(state: CameraState): void {
    this.state = state;
    this.cameras.tell(this.getCamera());
    this.schedule();
    this.rest();
  }

  private jumps(): boolean {
    return this.options.reducedMotion ?? window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  private pointAt(x: number, y: number): Vec3 {
    const hit = this.pick(x, y);
    if (hit) return [hit.point[0], -hit.point[1], hit.point[2]];
    const way = rayAt(this.state, this.canvas, x, y);
    return add(eyeOf(this.state), way, this.state.distance);
  }

  private onScreen(x: number, y: number, z: number): { x: number; y: number; scale: number } | null {
    const { right, up, back } = basisOf(this.state.azimuth, this.state.elevation);
    const arm = add([x, -y, z], eyeOf(this.state), -1);
    const depth = -dot(arm, back);
    if (depth <= this.visibility.near * 0.5) return null;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = height / 2 / Math.tan(FIELD_OF_VIEW / 2) / depth;
    return { x: width / 2 + dot(arm, right) * scale, y: height / 2 - dot(arm, up) * scale, scale };
  }

  // ---- marks -----------------------------------------------------------------------------------------------

  private hoverAt(x: number, y: number): void {
    if (this.flight || this.controls.moving) return;
    this.setHovered(this.pick(x, y));
  }

  private setHovered(hit: CellHit | null): void {
    const before = this.hovered;
    if (!hit && !before) return;
    if (
      hit &&
      before &&
      hit.plate.id === before.id &&
      hit.row === before.row &&
      hit.column === before.column
    ) {
      this.hovers.tell(hit);
      return;
    }
    this.hovered = hit && { id: hit.plate.id, row: hit.row, column: hit.column };
    this.plates.material.mark(
      "hovered",
      hit && { plate: this.numberOf.get(hit.plate.id) ?? -1, row: hit.row, column: hit.column },
    );
    this.canvas.style.cursor = hit ? "crosshair" : "grab";
    this.hovers.tell(hit);
    this.schedule();
  }

  private clickAt(x: number, y: number): void {
    const hit = this.pick(x, y);
    this.select(hit && { tensor: hit.tensor, index: hit.index });
    this.selections.tell(hit);
  }

  /** The plate on which a pattern lies, and where. */
  private find(
    cell: CellPattern,
  ): { plate: Plate; rectangle: readonly [number, number, number, number] } | null {
    for (const { plate } of this.values.sheets.byTensor.get(cell.tensor) ?? []) {
      const rectangle = patternOnPlate(this.values.sheets, plate, cell.index);
      if (rectangle) return { plate, rectangle };
    }
    return null;
  }

  private relight(): void {
    const found = this.chosen && this.find(this.chosen);
    this.plates.material.mark(
      "chosen",
      found && {
        plate: this.numberOf.get(found.plate.id) ?? -1,
        row: found.rectangle[1],
        column: found.rectangle[0],
      },
    );
    this.plates.clearLit();
    for (const cell of this.lit) {
      for (const { plate } of this.values.sheets.byTensor.get(cell.tensor) ?? []) {
        const rectangle = patternOnPlate(this.values.sheets, plate, cell.index);
        if (rectangle) this.plates.light(this.numberOf.get(plate.id) ?? 0, rectangle);
      }
    }
    this.schedule();
  }

  // ---- frames ----------------------------------------------------------------------------------------------

  private schedule(): void {
    this.dirty = true;
    if (this.request === 0 && !this.disposed && !this.lost)
      this.request = requestAnimationFrame((now) => this.frame(now));
  }

  /** Tells who fetches values, once the eye has rested a moment. */
  private rest(): void {
    window.clearTimeout(this.restTimer);
    this.restTimer = window.setTimeout(() => this.wants.tell(), 120);
  }

  private frame(now: number): void {
    this.request = 0;
    if (this.disposed || this.lost) return;
    const seconds = Math.min(0.1, Math.max(0.001, (now - this.lastFrame) / 1000));
    this.lastFrame = now;
    this.dirty = false;
    this.controls.tick(seconds);
    if (this.flight) this.fly(now);
    const start = performance.now();
    this.draw();
    this.milliseconds = performance.now() - start;
    if (this.flight || this.controls.moving) this.schedule();
    if (this.idle()) for (const resolve of this.waiting.splice(0)) resolve();
  }

  private fly(now: number): void {
    const flight = this.flight as Flight;
    const t = Math.min(1, Math.max(0, (now - flight.start) / flight.duration));
    if (t >= 1) this.flight = null;
    this.place(t >= 1 ? flight.to : between(flight.from, flight.to, t));
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    this.upload();
    const { windows } = this.values.sheets;
    this.visibility = findVisible(windows, this.state, this.aspect);
    const { order, near, far } = this.visibility;
    this.plates.setOrder(order, order.length);
    this.setEye(eyeOf(this.state));
    viewMatrix(this.state, this.aspect, near, far, this.eye.view.value);
    const plates = order.map((number) => windows[number]?.plate).filter((plate) => !!plate);
    this.labels.begin(width, height, this.renderer.getPixelRatio());
    drawLabels(
      this.labels,
      {
        width,
        height,
        project: (x, y, z) => this.onScreen(x, y, z),
        hidden: (plate, x, y) => this.isHidden(plates, plate, x, y),
      },
      this.layout,
      order.map((number) => windows[number]).filter((window) => !!window),
      this.values.sheets,
      this.tokens,
    );
    this.labels.end();
    this.renderer.render(this.scene, this.camera);
    this.calls = this.renderer.info.render.calls;
    this.frames++;
  }

  private isHidden(plates: readonly Plate[], plate: Plate, x: number, y: number): boolean {
    const hit = pickPlate(plates, eyeOf(this.state), rayAt(this.state, this.canvas, x + 1.5, y + 1.5));
    return hit !== null && hit.plate !== plate && hit.plate.z > plate.z + 0.5;
  }

  private upload(): void {
    this.texture.update(this.values.pool);
    if (!this.values.tableChanged) return;
    this.texture.setTable(this.values.table);
    this.values.tableChanged = false;
  }

  /** Splits the eye's place in two, so that differences stay exact in single precision. */
  private setEye(eye: Vec3): void {
    const high = eye.map(Math.round) as unknown as Vec3;
    this.eye.eyeHigh.value.set(...high);
    this.eye.eyeLow.value.set(eye[0] - high[0], eye[1] - high[1], eye[2] - high[2]);
  }

  private fitCanvas(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0 || this.disposed) return;
    this.aspect = width / height;
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));
    this.renderer.setSize(width, height, false);
    if (this.fitted) this.fit(false);
    if (!this.lost) this.draw();
    this.schedule();
  }

  private setLost(lost: boolean): void {
    this.lost = lost;
    if (!lost) {
      this.texture.forget();
      this.values.tableChanged = true;
      this.labels.forget();
      this.setTheme(this.theme);
    }
    this.losses.tell(lost);
  }

  // ---- for panels and tests --------------------------------------------------------------------------------

  drawPlate(target: HTMLCanvasElement, drawing: PlateDrawing): boolean {
    const { windows } = this.values.sheets;
    const number = windows.findIndex(
      ({ plate }) => plate.tensor === drawing.tensor && shows(plate, drawing.index),
    );
    const plate = windows[number]?.plate;
    const { width, height } = target;
    if (!plate || this.lost || width === 0 || height === 0) return false;
    this.upload();
    const columns = Math.min(plate.columns, drawing.columns ?? plate.columns);
    const rows = Math.min(plate.rows, drawing.rows ?? plate.rows);
    this.plates.setOrder([number], 1);
    this.setEye([plate.x, -plate.y, plate.z]);
    this.eye.view.value.set(2 / columns, 0, 0, -1, 0, 2 / rows, 0, 1, 0, 0, 1e-3, 0, 0, 0, 0, 1);
    const sheet = new WebGLRenderTarget(width, height);
    const pixels = new Uint8ClampedArray(width * height * 4);
    this.ribbons.mesh.visible = this.labels.mesh.visible = false;
    this.renderer.setRenderTarget(sheet);
    this.renderer.render(this.scene, this.camera);
    this.renderer.readRenderTargetPixels(sheet, 0, 0, width, height, pixels);
    this.renderer.setRenderTarget(null);
    this.ribbons.mesh.visible = this.labels.mesh.visible = true;
    sheet.dispose();
    this.schedule();
    const picture = new ImageData(width, height);
    for (let y = 0; y < height; y++)
      picture.data.set(
        pixels.subarray((height - 1 - y) * width * 4, (height - y) * width * 4),
        y * width * 4,
      );
    target.getContext("2d")?.putImageData(picture, 0, 0);
    return true;
  }

  valueAt(tensor: string, index: readonly number[]): number | undefined {
    return this.values.valueAt(tensor, index);
  }

  idle(): boolean {
    return !this.dirty && !this.flight && !this.controls.moving;
  }

  whenIdle(): Promise<void> {
    if (this.idle()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  stats(): MapStats {
    return {
      drawCalls: this.calls,
      plateDrawCalls: this.plates.drawn > 0 ? 1 : 0,
      plates: this.layout.plates.length,
      platesDrawn: this.plates.drawn,
      labels: this.labels.count,
      ribbons: this.layout.ribbons.length,
      textureBytes: this.texture.bytes,
      layers: this.texture.layers,
      layersUsed: this.values.pool.layersUsed,
      tilesHere: this.values.tilesHeld,
      tilesWanted: this.wantedTiles().length,
      frameMilliseconds: this.milliseconds,
      framesDrawn: this.frames,
    };
  }

  async benchmark(frames: number, view: BenchmarkView): Promise<readonly number[]> {
    const before = this.state;
    const { fitted } = this;
    this.flight = null;
    this.state = this.benchmarkView(view);
    const gl = this.renderer.getContext();
    const pixel = new Uint8Array(4);
    const times: number[] = [];
    for (let i = -1; i < frames; i++) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const start = performance.now();
      this.draw();
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
      if (i >= 0) times.push(performance.now() - start); // the first one only warms up
    }
    this.state = before;
    this.fitted = fitted;
    this.schedule();
    return times;
  }

  private benchmarkView(view: BenchmarkView): CameraState {
    const { plates } = this.layout;
    const largest = plates.reduce((a, b) => (b.rows * b.columns > a.rows * a.columns ? b : a));
    const block = this.layout.regions.find((region) => region.kind === "block")?.name;
    if (view === "tilted") return this.framingOf(plates, 35, 35);
    if (view === "block" && block) return this.regionView(block) ?? this.framingOf(plates);
    if (view === "plate" || view === "cells") {
      const straight = this.framingOf([largest], 0, 0);
      const middle = [largest.x + largest.columns / 2, largest.y + largest.rows / 2, largest.z] as const;
      return view === "plate" ? straight : sane({ ...straight, target: middle, distance: 40 });
    }
    return this.framingOf(plates);
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
    this.disposed = true;
    cancelAnimationFrame(this.request);
    window.clearTimeout(this.restTimer);
    this.stop.abort();
    this.resize.disconnect();
    this.controls.dispose();
    this.plates.dispose();
    this.ribbons.dispose();
    this.labels.dispose();
    this.texture.dispose();
    this.renderer.dispose();
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** True if the plate is the one of these leading indices (a head), in the tensor's axis order. */
function shows(plate: Plate, index: readonly number[]): boolean {
  const leading = plate.origin.filter((_, axis) => axis !== plate.rowAxis && axis !== plate.columnAxis);
  return leading.every((at, i) => index[i] === undefined || index[i] === at);
}

function makeRenderer(canvas: HTMLCanvasElement, antialias: boolean): WebGLRenderer {
  // Colours are given and mixed as displayed.
  ColorManagement.enabled = false;
  const context = canvas.getContext("webgl2", {
    antialias,
    alpha: false,
    depth: true,
    stencil: true,
    powerPreference: "high-performance",
  });
  if (!context) throw new NoWebGL2Error("This browser gives no WebGL2 context.");
  const renderer = new WebGLRenderer({ canvas, context, antialias, alpha: false, stencil: true });
  renderer.sortObjects = false; // plates, ribbons, labels: in the order in which they were added
  return renderer;
}

/** Makes the map on a canvas.
 *  @throws NoWebGL2Error if the browser gives no WebGL2 context. */
export function createMap(canvas: HTMLCanvasElement, options: MapOptions): MapView {
  return new AtlasMap(canvas, options);
}
