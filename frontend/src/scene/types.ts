/** The data that pass between the map and the page; `ports.ts` says what one may ask of the map.
 *
 *  Positions are those of the layout: x right, y down, z toward the viewer, one unit a cell. Indices are in the
 *  tensor's own axis order.
 */

import type { Role } from "../graph/types";
import type { Plate } from "../layout/types";

/** Numbers come from a source, and the map says what it lacks in the source's words. */
export type {
  CellsAddress,
  CellsHeader,
  RowsHeader,
  TileAddress,
  TileHeader,
  WantedCells,
  WantedTile,
} from "../sources/port";

export type ThemeName = "light" | "dark";

export interface MapOptions {
  readonly theme: ThemeName;
  /** Upper bound of the texture that holds the values, in bytes. */
  readonly poolBytes?: number;
  /** Jump instead of flying; by default what the system's settings say. */
  readonly reducedMotion?: boolean;
}

/** The browser gives no WebGL2 context: the map cannot be drawn, the rest of the page can. */
export class NoWebGL2Error extends Error {
  override readonly name = "NoWebGL2Error";
}

/** One cell under the pointer, or chosen. */
export interface CellHit {
  readonly plate: Plate;
  readonly tensor: string;
  /** In the axis order of `tensor`. */
  readonly index: readonly number[];
  /** Cell within the plate, from its upper left corner. */
  readonly row: number;
  readonly column: number;
  /** Where the ray met the plate, in layout space. */
  readonly point: readonly [number, number, number];
}

/** Cells of a tensor: along each axis one index, all (null), or those from a first up to, not including, a last. */
export interface CellPattern {
  readonly tensor: string;
  readonly index: readonly (number | null | readonly [start: number, stop: number])[];
}

/** Where the eye is: short numbers, made for the address bar. */
export interface CameraState {
  /** The point looked at, in layout space. */
  readonly target: readonly [number, number, number];
  /** From the eye to that point, in cells. */
  readonly distance: number;
  /** Degrees to the left (negative) or right of straight on. */
  readonly azimuth: number;
  /** Degrees above (positive) or below. */
  readonly elevation: number;
}

/** A number as it stands in its cell, and how many characters there is room for. */
export interface PrintedCell {
  readonly tensor: string;
  readonly index: readonly number[];
  readonly text: string;
  readonly room: number;
}

/** What stands at the head of the map: the model's name, what it is, and how many numbers it has, in several wordings,
 *  the longest first. */
export interface MapTitle {
  readonly name: string;
  readonly about: string;
  readonly numbers: readonly string[];
}

/** What a name on the map names: a plate, or a section by its id. */
export type LabelSubject = { readonly plate: number; readonly tensor: string } | { readonly region: string };

/** A name on the map, and where it stands. */
export interface MapLabel extends ScreenBox {
  readonly text: string;
  readonly subject: LabelSubject;
}

export interface PlateDrawing {
  readonly tensor: string;
  /** Indices of the axes that are neither the plate's rows nor its columns, in the tensor's axis order: a head. */
  readonly index: readonly number[];
  /** How many rows and columns to draw, from the first; all by default. */
  readonly rows?: number;
  readonly columns?: number;
}

/** Any matrix, as numbers, and the part of it that comes onto the picture. */
export interface MatrixDrawing {
  readonly rows: number;
  readonly columns: number;
  /** Half floats as their bits, row by row. */
  readonly values: Uint16Array;
  readonly role: Role;
  /** |value| of full colour. */
  readonly full: number;
  /** Pixels a cell, and the cell in the upper left corner, which need not begin there. */
  readonly size: number;
  readonly left: number;
  readonly top: number;
}

export interface MapStats {
  readonly drawCalls: number;
  readonly plateDrawCalls: number;
  readonly plates: number;
  readonly platesDrawn: number;
  readonly labels: number;
  /** Numbers printed in cells. */
  readonly digits: number;
  readonly ribbons: number;
  readonly textureBytes: number;
  readonly layers: number;
  readonly layersUsed: number;
  readonly tilesHere: number;
  readonly tilesWanted: number;
  /** Pieces of weights that the last frame drew without any number. */
  readonly weightsMissing: number;
  /** Time the last frame took on the CPU. */
  readonly frameMilliseconds: number;
  readonly framesDrawn: number;
}

export type BenchmarkView = "overview" | "tilted" | "block" | "plate" | "cells";

/** Where to fly: all plates of a tensor; the cells at `index` (null along an axis is all of it), close by where that
 *  is one cell; the plate on which a cell stands; or a region by its id or name. */
export type FlightTarget =
  | { readonly tensor: string; readonly index?: readonly (number | null)[] }
  | { readonly plateOf: { readonly tensor: string; readonly index: readonly number[] } }
  | { readonly region: string };

/** A way through the map that somebody asked for: where it began and where it leads. */
export interface Flight {
  readonly from: CameraState;
  readonly to: CameraState;
}

/** A small move of the eye, as keys make it. */
export type Nudge =
  /** Shares of the window, right and down. */
  | { readonly pan: readonly [number, number] }
  /** Degrees, about the middle of the window. */
  | { readonly turn: readonly [azimuth: number, elevation: number] }
  /** What the distance to the middle is multiplied by. */
  | { readonly zoom: number };

/** How a plate stands while a story is told with it. */
export interface PlatePose {
  /** From its place in the layout: right, down, toward the viewer, in cells. */
  readonly offset?: readonly [number, number, number];
  /** From 0 to 1: mixed toward the paper. */
  readonly dim?: number;
  /** What is written beside it meanwhile. */
  readonly label?: string;
}

/** A rectangle of the canvas, in CSS pixels. */
export interface ScreenBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export type Unsubscribe = () => void;
